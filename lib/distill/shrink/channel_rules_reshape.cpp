// Operators that give the same elements other dimensions. A channel becomes a block of columns
// (Flatten before Gemm) and may become a channel again.
#include <algorithm>

#include "lib/distill/shrink/channel_rules.h"
#include "lib/ops/common.h"

namespace limbeck {
namespace {

/// Axes [from, from_end) of the input hold the elements of axes [to, to_end) of the output.
struct Segment {
  size_t from, from_end;
  size_t to, to_end;
};

/// Both shapes as numbers, where an open batch counts as one.
struct Shapes {
  Dims from;
  Dims to;
};

std::optional<Shapes> known_shapes(const Shape& from, const Shape& to) {
  Shapes shapes;
  const bool open = !from.empty() && !to.empty() && !from[0].known() && !to[0].known();
  for (const Dim& dim : from) shapes.from.push_back(dim.value);
  for (const Dim& dim : to) shapes.to.push_back(dim.value);
  if (open) shapes.from[0] = shapes.to[0] = 1;
  const auto positive = [](const Dims& dims) {
    return std::all_of(dims.begin(), dims.end(), [](int64_t dim) { return dim > 0; });
  };
  if (!positive(shapes.from) || !positive(shapes.to) ||
      product(shapes.from, 0, shapes.from.size()) != product(shapes.to, 0, shapes.to.size()))
    return std::nullopt;
  return shapes;
}

/// The finest cut into segments; dimensions of one join the segment before them.
std::vector<Segment> segments_of(const Shapes& shapes) {
  std::vector<Segment> segments;
  size_t i = 0;
  size_t j = 0;
  while (i < shapes.from.size() && j < shapes.to.size()) {
    Segment segment{i, i + 1, j, j + 1};
    int64_t left = shapes.from[i++];
    int64_t right = shapes.to[j++];
    while (left != right) {
      if (left < right)
        left *= shapes.from[i++];
      else
        right *= shapes.to[j++];
    }
    segment.from_end = i;
    segment.to_end = j;
    segments.push_back(segment);
  }
  if (!segments.empty()) {
    segments.back().from_end = shapes.from.size();
    segments.back().to_end = shapes.to.size();
  }
  return segments;
}

/// Repeats the labels of one axis over all elements of a segment.
Labels spread(const Labels& labels, const Dims& dims, const Segment& segment, size_t axis) {
  const auto inner = static_cast<size_t>(product(dims, axis + 1, segment.from_end));
  const auto count = static_cast<size_t>(product(dims, segment.from, segment.from_end));
  Labels all(count);
  for (size_t i = 0; i < count; ++i) all[i] = labels[i / inner % labels.size()];
  return all;
}

/// Labels along an output axis when they depend on its position alone; empty otherwise.
Labels gather(const Labels& all, const Dims& dims, const Segment& segment, size_t axis) {
  const size_t inner = std::max<size_t>(at(product(dims, axis + 1, segment.to_end)), 1);
  const size_t length = std::max<size_t>(at(dims[axis]), 1);
  Labels labels(length);
  for (size_t i = 0; i < length; ++i) labels[i] = all[i * inner];
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i] != labels[i / inner % length]) return {};
  }
  return labels;
}

/// The output axis that holds all of the channels.
struct Target {
  size_t axis = 0;
  Labels labels;
};
std::optional<Target> find_target(const Labels& all, const Dims& dims, const Segment& segment) {
  for (size_t axis = segment.to; axis < segment.to_end; ++axis) {
    if (dims[axis] == 1 && all.size() > 1) continue;
    Labels labels = gather(all, dims, segment, axis);
    if (!labels.empty()) return Target{axis, std::move(labels)};
  }
  return std::nullopt;
}

/// Whether the dimension follows the input by itself, or is a number that can be rewritten.
bool note_number(const RuleContext& context, const Target& target) {
  if (context.node.op_type() != "Reshape") return true;
  const auto number = stored_number(context.node, 1, target.axis);
  if (!number) return false;
  if (number->number > 0) {
    context.map.numbers.push_back({ChannelNumber::Kind::kOperand, number->reader, number->slot,
                                   number->position, target.labels});
  }
  return true;
}

void move_segment(const RuleContext& context, const Shapes& shapes, const Segment& segment) {
  const Value* input = context.input(0);
  std::vector<size_t> labelled;
  for (size_t axis = segment.from; axis < segment.from_end; ++axis) {
    if (context.map.find(input, axis) != nullptr) labelled.push_back(axis);
  }
  if (labelled.empty()) return;
  if (labelled.size() == 1) {
    const Labels& labels = *context.map.find(input, labelled[0]);
    const auto target =
        find_target(spread(labels, shapes.from, segment, labelled[0]), shapes.to, segment);
    if (target && note_number(context, *target)) {
      context.map.put(context.output(), target->axis, target->labels);
      return;
    }
  }
  for (const size_t axis : labelled) context.freeze_axis(input, axis);
}

}  // namespace

std::optional<StoredNumber> stored_number(Node& node, size_t slot, size_t position) {
  const Value* list = node.input(slot);
  if (list == nullptr) return std::nullopt;
  if (const Tensor* constant = list->constant()) {
    const std::vector<int64_t> numbers = constant->to_int64();
    if (position >= numbers.size()) return std::nullopt;
    return StoredNumber{&node, slot, position, numbers[position]};
  }
  Node* concat = list->producer();
  if (concat == nullptr || !concat->domain().empty() || concat->op_type() != "Concat")
    return std::nullopt;
  for (size_t i = 0; i < concat->inputs().size(); ++i) {
    const Value* part = concat->input(i);
    if (part == nullptr || !part->shape || part->shape->size() != 1 ||
        !part->shape->front().known())
      return std::nullopt;
    const auto length = static_cast<size_t>(part->shape->front().value);
    if (position < length) return stored_number(*concat, i, position);
    position -= length;
  }
  return std::nullopt;
}

bool reshape_channels(const RuleContext& context) {
  const Value* input = context.input(0);
  if (input == nullptr || input->constant() != nullptr || !context.map.labelled(input))
    return input != nullptr && input->constant() == nullptr;
  if (!input->shape || !context.output()->shape) return false;
  const auto shapes = known_shapes(*input->shape, *context.output()->shape);
  if (!shapes) return false;
  for (const Segment& segment : segments_of(*shapes)) move_segment(context, *shapes, segment);
  return true;
}

}  // namespace limbeck
