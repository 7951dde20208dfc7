#include "lib/distill/shrink/blocks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "lib/base/error.h"
#include "lib/model/analysis.h"
#include "lib/ops/op.h"

namespace limbeck {
namespace {

bool is_activation(const Value* value) { return value != nullptr && value->constant() == nullptr; }

/// The nodes between x and y; absent when y is computed from anything else too, or not from x.
std::optional<std::set<const Node*>> nodes_between(const Value* x, const Value* y) {
  std::set<const Node*> inside;
  std::vector<const Value*> open = {y};
  bool reached = false;
  while (!open.empty()) {
    const Value* value = open.back();
    open.pop_back();
    if (value == x) {
      reached = true;
      continue;
    }
    const Node* node = value->producer();
    if (node == nullptr) return std::nullopt;
    if (!inside.insert(node).second) continue;
    for (const Value* input : node->inputs()) {
      if (is_activation(input)) open.push_back(input);
    }
  }
  if (!reached) return std::nullopt;
  return inside;
}

/// Nothing but `reader` and the nodes themselves reads what they give.
bool is_closed(const std::set<const Node*>& inside, const Node* reader) {
  for (const Node* node : inside) {
    for (const Value* output : node->outputs()) {
      if (output == nullptr) continue;
      if (output->is_graph_output() || output->captured_by_subgraph()) return false;
      for (const Use& use : output->uses()) {
        if (use.node != reader && !inside.contains(use.node)) return false;
      }
    }
  }
  return true;
}

std::map<std::string, int64_t> macs_by_node(const Model& model) {
  std::map<std::string, int64_t> macs;
  for (const NodeCost& cost : analyse(model).costs)
    macs[cost.node] = std::max<int64_t>(cost.macs, 0);
  return macs;
}

std::optional<ResidualBlock> block_at(const Node& add, size_t identity,
                                      const std::map<std::string, int64_t>& macs) {
  const Value* x = add.input(identity);
  const Value* y = add.input(1 - identity);
  const Value* sum = add.output(0);
  if (!is_activation(x) || !is_activation(y) || x == y || !x->shape || x->shape != sum->shape ||
      x->shape != y->shape || sum->is_graph_output() || sum->captured_by_subgraph())
    return std::nullopt;
  const auto inside = nodes_between(x, y);
  if (!inside || !is_closed(*inside, &add)) return std::nullopt;
  ResidualBlock block{add.name(), x->name(), sum->name(), 0};
  for (const Node* node : *inside) {
    const auto cost = macs.find(node->name());
    if (cost != macs.end()) block.macs += cost->second;
  }
  if (block.macs == 0) return std::nullopt;
  return block;
}

/// The share of the saving that may come from blocks when the user left it open.
constexpr double kBlockShare = 0.5;
constexpr double kLargestDivergence = 0.1;

double cost_of(const Model& model, const ShrinkOptions& options) {
  const ModelSummary summary = analyse(model);
  return static_cast<double>(options.macs ? summary.macs : summary.weight_bytes);
}

[[noreturn]] void fail_blocks(const std::string& rule, const std::string& received,
                              const std::string& next_step) {
  throw_error(Category::kUsage, "shrink blocks", rule, received, next_step);
}

/// What the options allow next.
class BlockBudget {
 public:
  BlockBudget(const Model& model, const ShrinkOptions& options)
      : options_(options),
        least_(cost_of(model, options) *
               (1 - kBlockShare * (1 - options.macs.value_or(options.size.value_or(1))))) {}

  bool wants(size_t removed) const {
    return !options_.blocks || static_cast<int64_t>(removed) < *options_.blocks;
  }
  bool allows(const Model& without, double divergence) const {
    if (options_.blocks) return true;
    return divergence < kLargestDivergence && cost_of(without, options_) >= least_;
  }

 private:
  const ShrinkOptions& options_;
  double least_;
};

Model without(const Model& model, const ResidualBlock& block) {
  Model copy = copy_model(model);
  bypass_block(copy, block);
  infer_shapes(copy);  // a copy declares those of inputs and outputs alone
  return copy;
}

}  // namespace

std::vector<ResidualBlock> find_residual_blocks(const Model& model) {
  const auto macs = macs_by_node(model);
  std::vector<ResidualBlock> blocks;
  for (const auto& node : model.graph.nodes()) {
    if (!node->domain().empty() || node->op_type() != "Add") continue;
    auto block = block_at(*node, 0, macs);
    if (!block) block = block_at(*node, 1, macs);
    if (block) blocks.push_back(*block);
  }
  return blocks;
}

void bypass_block(Model& model, const ResidualBlock& block) {
  Graph& graph = model.graph;
  graph.replace_all_uses(graph.find(block.output), graph.find(block.input));
  graph.remove_dead();
}

std::vector<ShrunkBlock> remove_blocks(Model& model, const ShrinkOptions& options,
                                       const ShrinkData* data) {
  std::vector<ShrunkBlock> removed;
  if (options.blocks == 0 || (data == nullptr && !options.blocks)) return removed;
  if (data == nullptr) {
    fail_blocks("data must be there to tell which blocks matter least", "none",
                "give data, or write blocks=false");
  }
  const Model teacher = copy_model(model);
  const BlockBudget budget(model, options);
  while (budget.wants(removed.size())) {
    const std::vector<ResidualBlock> blocks = find_residual_blocks(model);
    if (blocks.empty()) break;
    const auto divergences = block_divergences(teacher, model, blocks, *data, options.samples);
    bool found = false;
    std::vector<size_t> order(blocks.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return divergences[a] < divergences[b]; });
    for (const size_t i : order) {
      Model candidate = without(model, blocks[i]);
      if (!budget.allows(candidate, divergences[i])) continue;
      removed.push_back({blocks[i].add, divergences[i]});
      model = std::move(candidate);
      found = true;
      break;
    }
    if (!found) break;
  }
  if (options.blocks && static_cast<int64_t>(removed.size()) < *options.blocks) {
    fail_blocks("the model must have as many residual blocks x + f(x) to remove",
                std::to_string(removed.size()) + " of " + std::to_string(*options.blocks),
                "ask for fewer blocks");
  }
  return removed;
}

}  // namespace limbeck
