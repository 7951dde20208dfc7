#include "lib/distill/shrink/cut_channels.h"

#include <algorithm>
#include <cstring>

#include "lib/ops/common.h"

namespace limbeck {
namespace {

using Positions = std::vector<int64_t>;

/// The elements at these positions of one axis.
Tensor take(const Tensor& tensor, size_t axis, const Positions& kept) {
  Dims dims = tensor.dims();
  dims[axis] = static_cast<int64_t>(kept.size());
  Tensor result = Tensor::allocate(tensor.type(), dims);
  const auto width = static_cast<size_t>(bits_per_element(tensor.type()) / 8);
  const auto outer = at(product(tensor.dims(), 0, axis));
  const size_t row = at(product(tensor.dims(), axis + 1, tensor.rank())) * width;
  const size_t length = at(tensor.dim(axis));
  std::byte* target = result.mutable_raw();
  for (size_t o = 0; o < outer; ++o) {
    for (const int64_t position : kept) {
      std::memcpy(target, tensor.raw() + (o * length + at(position)) * row, row);
      target += row;
    }
  }
  return result;
}

class Cutter {
 public:
  Cutter(Model& model, const ChannelMap& map, const std::set<int32_t>& roots)
      : graph_(model.graph), opset_(model.opset()), map_(map), roots_(roots) {}

  bool is_cut(int32_t label) const { return roots_.contains(map_.root(label)); }
  int64_t left(const Labels& labels) const {
    return std::count_if(labels.begin(), labels.end(), [this](int32_t l) { return !is_cut(l); });
  }

  void cut_weight(Value* value, const ChannelAxis& axis) {
    Positions kept;
    for (size_t i = 0; i < axis.roots.size(); ++i) {
      if (!roots_.contains(axis.roots[i])) kept.push_back(static_cast<int64_t>(i));
    }
    if (kept.size() < axis.roots.size())
      graph_.set_constant(value, take(*value->constant(), axis.axis, kept));
  }

  void cut_shape(Value* value) {
    for (size_t axis = 0; value->shape && axis < value->shape->size(); ++axis) {
      const Labels* labels = map_.find(value, axis);
      Dim& dim = (*value->shape)[axis];
      if (labels != nullptr && dim.known()) dim.value = left(*labels);
    }
  }

  void write(const ChannelNumber& number) {
    switch (number.kind) {
      case ChannelNumber::Kind::kGroup:
        number.node->set_attribute("group", left(number.labels));
        break;
      case ChannelNumber::Kind::kSplit: note_split(number); break;
      case ChannelNumber::Kind::kOperand: write_operand(number); break;
    }
  }

  /// Sizes are written down where the operator would make equal parts by itself.
  void write_splits() {
    for (auto& [node, sizes] : splits_) {
      node->remove_attribute("num_outputs");
      if (opset_ < 13) {
        node->set_attribute("split", sizes);
      } else {
        replace_operand(node, 1, node->name() + ".sizes", sizes);
      }
    }
  }

 private:
  struct SplitSizes {
    Node* node;
    std::vector<int64_t> sizes;
  };

  /// The parts of one node follow each other.
  void note_split(const ChannelNumber& number) {
    if (splits_.empty() || splits_.back().node != number.node) splits_.push_back({number.node, {}});
    splits_.back().sizes.push_back(left(number.labels));
  }

  void write_operand(const ChannelNumber& number) {
    const Value* list = number.node->input(number.slot);
    std::vector<int64_t> numbers = list->constant()->to_int64();
    if (numbers[number.position] == left(number.labels)) return;
    numbers[number.position] = left(number.labels);
    replace_operand(number.node, number.slot, list->name() + ".cut", numbers);
  }

  /// Other readers keep the old list.
  void replace_operand(Node* node, size_t slot, const std::string& name,
                       const std::vector<int64_t>& numbers) {
    const Tensor list = Tensor::from<int64_t>({static_cast<int64_t>(numbers.size())}, numbers);
    graph_.set_input(node, slot, graph_.add_initializer(name, list));
  }

  Graph& graph_;
  int64_t opset_;
  const ChannelMap& map_;
  const std::set<int32_t>& roots_;
  std::vector<SplitSizes> splits_;
};

}  // namespace

void cut_channels(Model& model, const ChannelMap& map, const ChannelGroups& groups,
                  const std::set<int32_t>& roots) {
  Cutter cutter(model, map, roots);
  for (Value* value : model.graph.values()) {
    if (value->constant() == nullptr) cutter.cut_shape(value);
  }
  for (const ChannelNumber& number : map.numbers) cutter.write(number);
  cutter.write_splits();
  for (const ChannelAxis& axis : groups.axes)
    cutter.cut_weight(model.graph.find(axis.value->name()), axis);
  model.graph.remove_dead();
}

}  // namespace limbeck
