// Topological order of a graph's nodes; what a subgraph reads from outside counts as an input.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "lib/base/error.h"
#include "lib/model/graph.h"

namespace limbeck {
namespace {

using Readers = std::unordered_map<const Value*, std::vector<Node*>>;

/// A node that lies on a cycle, among nodes each of which waits for another of them.
const Node* node_on_cycle(const std::unordered_map<const Node*, std::vector<const Node*>>& waits) {
  std::unordered_set<const Node*> seen;
  const Node* node = waits.begin()->first;
  while (seen.insert(node).second) {
    const auto& needed = waits.at(node);
    node = *std::find_if(needed.begin(), needed.end(),
                         [&waits](const Node* other) { return waits.contains(other); });
  }
  return node;
}

}  // namespace

std::vector<Node*> Graph::sorted_nodes() const {
  std::unordered_map<const Node*, size_t> order;
  std::unordered_map<const Node*, std::vector<const Node*>> needs;
  std::unordered_map<const Node*, size_t> waiting;
  Readers captors;
  for (const auto& node : nodes_) {
    order.emplace(node.get(), order.size());
    auto& needed = needs[node.get()];
    for (const auto* values : {&node->inputs_, &node->captures_}) {
      for (const Value* value : *values) {
        if (value != nullptr && value->producer_ != nullptr) needed.push_back(value->producer_);
      }
    }
    waiting[node.get()] = needed.size();
    for (const Value* value : node->captures_) captors[value].push_back(node.get());
  }
  // Repeated stable sweeps would be quadratic; a ready queue ordered by original position keeps the
  // order stable.
  const auto later = [&order](const Node* a, const Node* b) { return order[a] > order[b]; };
  std::vector<Node*> ready;
  for (const auto& node : nodes_) {
    if (waiting[node.get()] == 0) ready.push_back(node.get());
  }
  std::make_heap(ready.begin(), ready.end(), later);
  const auto release = [&](Node* node) {
    if (--waiting[node] > 0) return;
    ready.push_back(node);
    std::push_heap(ready.begin(), ready.end(), later);
  };
  std::vector<Node*> sorted;
  while (!ready.empty()) {
    std::pop_heap(ready.begin(), ready.end(), later);
    Node* node = ready.back();
    ready.pop_back();
    sorted.push_back(node);
    for (const Value* output : node->outputs_) {
      if (output == nullptr) continue;
      for (const Use& use : output->uses_) release(use.node);
      if (const auto found = captors.find(output); found != captors.end()) {
        for (Node* captor : found->second) release(captor);
      }
    }
  }
  if (sorted.size() == nodes_.size()) return sorted;
  for (const Node* node : sorted) needs.erase(node);
  throw_error(Category::kInvalidModel, node_on_cycle(needs)->place(),
              "the graph must have no cycle", "a node that depends on its own output",
              "export the model again");
}

void Graph::sort() {
  std::list<std::unique_ptr<Node>> ordered;
  for (const Node* node : sorted_nodes()) ordered.splice(ordered.end(), nodes_, node->position_);
  nodes_ = std::move(ordered);
}

}  // namespace limbeck
