// Operators that move whole channels, cut them apart or join them.
#include <algorithm>
#include <numeric>

#include "lib/distill/shrink/channel_rules.h"
#include "lib/ops/common.h"

namespace limbeck {
namespace {

/// Labels of one part of a Concat along the joined axis.
Labels part_labels(const RuleContext& context, const Value* part, size_t axis) {
  const auto count = static_cast<size_t>((*part->shape)[axis].value);
  Labels labels = context.read(part, axis, static_cast<int64_t>(count));
  if (part->constant() != nullptr) context.map.put(part, axis, labels);
  return labels;
}

void join(const RuleContext& context, size_t axis) {
  const auto& parts = context.node.inputs();
  const bool labelled = std::any_of(parts.begin(), parts.end(), [&](const Value* part) {
    return context.map.find(part, axis) != nullptr;
  });
  if (!labelled) return;
  Labels labels;
  for (const Value* part : parts) {
    const Labels own = part_labels(context, part, axis);
    labels.insert(labels.end(), own.begin(), own.end());
  }
  context.map.put(context.output(), axis, labels);
}

/// Axes along which the parts lie side by side: as in an elementwise sum.
void tie_parts(const RuleContext& context, size_t axis) {
  Labels labels;
  bool all = true;
  for (const Value* part : context.node.inputs()) {
    const Labels* own = context.map.find(part, axis);
    all = all && own != nullptr;
    if (own != nullptr && labels.empty()) labels = *own;
    if (own != nullptr) context.map.tie(labels, *own);
  }
  if (labels.empty()) return;
  if (!all) context.map.freeze(labels, context.reason());
  context.map.put(context.output(), axis, labels);
}

/// The sizes of the parts become explicit numbers.
void note_split(const RuleContext& context, size_t axis) {
  for (size_t i = 0; i < context.node.outputs().size(); ++i) {
    context.map.numbers.push_back({ChannelNumber::Kind::kSplit, &context.node, 0, i,
                                   *context.map.find(context.output(i), axis)});
  }
}

std::optional<std::vector<int64_t>> list_of(const RuleContext& context, size_t slot,
                                            const char* attribute) {
  if (context.input(slot) == nullptr) {
    if (!context.node.has_attribute(attribute)) return std::nullopt;
    return context.node.ints_attribute(attribute, {});
  }
  if (context.constant(slot) == nullptr) return std::nullopt;
  return context.constant(slot)->to_int64();
}

bool same_length(const RuleContext& context, size_t axis) {
  const Shape* input = context.shape(0);
  const auto& output = context.output()->shape;
  return input != nullptr && output && axis < output->size() && axis < input->size() &&
         (*input)[axis].known() && (*input)[axis] == (*output)[axis];
}

}  // namespace

bool transpose_channels(const RuleContext& context) {
  const Shape* shape = context.shape(0);
  if (shape == nullptr) return false;
  std::vector<int64_t> reversed(shape->size());
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  const std::vector<int64_t> order = context.node.ints_attribute("perm", reversed);
  for (size_t i = 0; i < order.size(); ++i)
    context.pass(context.input(0), static_cast<size_t>(order[i]), context.output(), i);
  return true;
}

bool concat_channels(const RuleContext& context) {
  const Shape* shape = context.shape(0);
  if (shape == nullptr || shape->empty()) return false;
  const size_t rank = shape->size();
  const size_t axis =
      normal_axis(context.node.int_attribute("axis", 1), rank, context.node.place());
  for (const Value* part : context.node.inputs()) {
    if (part == nullptr || !part->shape || part->shape->size() != rank ||
        !(*part->shape)[axis].known())
      return false;
  }
  for (size_t other = 0; other < rank; ++other) {
    if (other != axis) tie_parts(context, other);
  }
  join(context, axis);
  return true;
}

bool split_channels(const RuleContext& context) {
  const Shape* shape = context.shape(0);
  if (shape == nullptr || shape->empty()) return false;
  const size_t axis =
      normal_axis(context.node.int_attribute("axis", 0), shape->size(), context.node.place());
  const Labels* found = context.map.find(context.input(0), axis);
  const Labels labels = found == nullptr ? Labels{} : *found;
  size_t start = 0;
  for (const Value* output : context.node.outputs()) {
    if (output == nullptr || !output->shape || axis >= output->shape->size() ||
        (!labels.empty() && !(*output->shape)[axis].known()))
      return false;
    start += labels.empty() ? 0 : static_cast<size_t>((*output->shape)[axis].value);
  }
  if (start != labels.size()) return false;
  auto next = labels.begin();
  for (const Value* output : context.node.outputs()) {
    for (size_t other = 0; other < shape->size(); ++other) {
      if (other != axis) context.pass(context.input(0), other, output, other);
    }
    if (labels.empty()) continue;
    const auto end = next + (*output->shape)[axis].value;
    context.map.put(output, axis, Labels(next, end));
    next = end;
  }
  if (!labels.empty()) note_split(context, axis);
  return true;
}

bool slice_channels(const RuleContext& context) {
  const Shape* shape = context.shape(0);
  const auto starts = list_of(context, 1, "starts");
  if (shape == nullptr || !starts) return false;
  std::vector<int64_t> axes(starts->size());
  std::iota(axes.begin(), axes.end(), 0);
  if (context.input(3) != nullptr || context.node.has_attribute("axes")) {
    const auto listed = list_of(context, 3, "axes");
    if (!listed) return false;
    axes = *listed;
  }
  const std::vector<size_t> sliced = normal_axes(axes, shape->size(), context.node.place());
  for (size_t axis = 0; axis < shape->size(); ++axis) {
    const bool cut = std::find(sliced.begin(), sliced.end(), axis) != sliced.end();
    if (cut) context.freeze_axis(context.input(0), axis);
    if (!cut) context.pass(context.input(0), axis, context.output(), axis);
  }
  return true;
}

bool pad_channels(const RuleContext& context) {
  const Shape* shape = context.shape(0);
  const auto pads = list_of(context, 1, "pads");
  if (shape == nullptr || !pads || pads->size() != 2 * shape->size() || context.input(3) != nullptr)
    return false;
  for (size_t axis = 0; axis < shape->size(); ++axis) {
    const bool padded = (*pads)[axis] != 0 || (*pads)[axis + shape->size()] != 0;
    if (padded) context.freeze_axis(context.input(0), axis);
    if (!padded) context.pass(context.input(0), axis, context.output(), axis);
  }
  return true;
}

bool resize_channels(const RuleContext& context) {
  if (context.node.has_attribute("axes") || context.shape(0) == nullptr) return false;
  constexpr size_t kSizes = 3;
  for (size_t axis = 0; axis < context.shape(0)->size(); ++axis) {
    const Labels* labels = context.map.find(context.input(0), axis);
    if (labels == nullptr) continue;
    const bool counted = context.input(kSizes) != nullptr;
    const auto number = counted ? stored_number(context.node, kSizes, axis) : std::nullopt;
    if (!same_length(context, axis) || (counted && !number)) {
      context.freeze_axis(context.input(0), axis);
      continue;
    }
    if (number) {
      context.map.numbers.push_back(
          {ChannelNumber::Kind::kOperand, number->reader, number->slot, number->position, *labels});
    }
    context.pass(context.input(0), axis, context.output(), axis);
  }
  return true;
}

}  // namespace limbeck
