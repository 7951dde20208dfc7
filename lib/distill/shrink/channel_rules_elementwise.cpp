// Operators that leave channels where they are.
#include <algorithm>

#include "lib/distill/shrink/channel_rules.h"
#include "lib/ops/common.h"

namespace limbeck {
namespace {

/// An input that takes part in one axis of a broadcast result.
struct Member {
  const Value* value;
  size_t axis;
};

/// The inputs that are not stretched along the output's axis.
std::vector<Member> members_of(const RuleContext& context, size_t axis, size_t rank) {
  std::vector<Member> members;
  for (const Value* input : context.node.inputs()) {
    if (input == nullptr || axis + input->shape->size() < rank) continue;
    const size_t own = axis + input->shape->size() - rank;
    if ((*input->shape)[own].value != 1) members.push_back({input, own});
  }
  return members;
}

/// Labels of the first member that has some; empty when none does.
Labels first_labels(const ChannelMap& map, const std::vector<Member>& members) {
  for (const Member& member : members) {
    if (const Labels* found = map.find(member.value, member.axis)) return *found;
  }
  return {};
}

void tie_member(const RuleContext& context, const Member& member, const Labels& labels) {
  const Labels* own = context.map.find(member.value, member.axis);
  const bool constant = member.value->constant() != nullptr;
  if (own != nullptr || constant) {
    context.map.put(member.value, member.axis, Labels(labels));
  } else {
    context.map.freeze(labels, "they meet '" + member.value->name() + "' in " +
                                   context.node.place() + ", whose channels stay");
  }
}

void tie_axis(const RuleContext& context, size_t axis, size_t rank) {
  const std::vector<Member> members = members_of(context, axis, rank);
  const Labels labels = first_labels(context.map, members);
  if (labels.empty()) {
    // Another reader must not cut what this one needs whole.
    for (const Member& member : members) {
      if (member.value->constant() == nullptr) continue;
      const auto count = static_cast<size_t>(member.value->constant()->dim(member.axis));
      context.map.put(member.value, member.axis, context.map.fixed(count, context.reason()));
    }
    return;
  }
  for (const Member& member : members) tie_member(context, member, labels);
  context.map.put(context.output(), axis, labels);
}

/// Every labelled axis is as long in all members.
bool lengths_agree(const RuleContext& context, size_t axis, size_t rank) {
  const std::vector<Member> members = members_of(context, axis, rank);
  const Labels labels = first_labels(context.map, members);
  return labels.empty() || std::all_of(members.begin(), members.end(), [&](const Member& member) {
           return (*member.value->shape)[member.axis].value == static_cast<int64_t>(labels.size());
         });
}

std::optional<std::vector<int64_t>> reduced_axes(const RuleContext& context, size_t rank) {
  std::vector<int64_t> axes = context.node.ints_attribute("axes", {});
  if (context.input(1) != nullptr) {
    if (context.constant(1) == nullptr) return std::nullopt;
    axes = context.constant(1)->to_int64();
  }
  if (axes.empty()) {
    if (context.node.int_attribute("noop_with_empty_axes", 0) != 0) return axes;
    for (size_t axis = 0; axis < rank; ++axis) axes.push_back(static_cast<int64_t>(axis));
  }
  return axes;
}

}  // namespace

bool unary_channels(const RuleContext& context) {
  for (size_t i = 1; i < context.node.inputs().size(); ++i) {
    if (context.input(i) == nullptr) continue;
    const Tensor* bound = context.constant(i);
    const Shape* shape = context.shape(i);
    const bool scalar = bound != nullptr ? bound->count() == 1 : shape != nullptr && shape->empty();
    if (!scalar) return false;
  }
  for (const Value* output : context.node.outputs()) {
    if (output != nullptr) context.pass_all(context.input(0), output);
  }
  return true;
}

bool broadcast_channels(const RuleContext& context) {
  if (context.output() == nullptr || !context.output()->shape) return false;
  const size_t rank = context.output()->shape->size();
  for (const Value* input : context.node.inputs()) {
    if (input == nullptr || !input->shape || input->shape->size() > rank) return false;
  }
  for (size_t axis = 0; axis < rank; ++axis) {
    if (!lengths_agree(context, axis, rank)) return false;
  }
  for (size_t axis = 0; axis < rank; ++axis) tie_axis(context, axis, rank);
  return true;
}

bool pool_channels(const RuleContext& context) {
  if (context.output(1) != nullptr) return false;
  context.pass(context.input(0), 0, context.output(), 0);
  context.pass(context.input(0), 1, context.output(), 1);
  context.freeze_from(context.input(0), 2);
  return true;
}

bool reduce_channels(const RuleContext& context) {
  const Shape* shape = context.shape(0);
  if (shape == nullptr) return false;
  const size_t rank = shape->size();
  const auto listed = reduced_axes(context, rank);
  if (!listed) return false;
  const std::vector<size_t> axes = normal_axes(*listed, rank, context.node.place());
  const bool keep = context.node.int_attribute("keepdims", 1) != 0;
  size_t target = 0;
  for (size_t axis = 0; axis < rank; ++axis) {
    const bool reduced = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (reduced) context.freeze_axis(context.input(0), axis);
    if (!reduced) context.pass(context.input(0), axis, context.output(), target);
    if (!reduced || keep) ++target;
  }
  return true;
}

bool softmax_channels(const RuleContext& context) {
  const Shape* shape = context.shape(0);
  if (shape == nullptr) return false;
  const bool flattens = context.opset < 13;
  const size_t axis = normal_axis(context.node.int_attribute("axis", flattens ? 1 : -1),
                                  shape->size(), context.node.place());
  context.pass_all(context.input(0), context.output());
  context.freeze_axis(context.input(0), axis);
  if (flattens) context.freeze_from(context.input(0), axis + 1);
  return true;
}

bool shape_channels(const RuleContext&) { return true; }

}  // namespace limbeck
