// Operators with weights: their inputs' channels end, their outputs' begin.
#include <algorithm>

#include "lib/distill/shrink/channel_rules.h"

namespace limbeck {
namespace {

/// Channels in and out of a convolution, counted by group.
struct Grouping {
  size_t groups;
  size_t inputs;   ///< a group
  size_t outputs;  ///< a group
};

/// A group of input channels and the filters that read it go together: depthwise convolutions, and
/// grouped ones of many small groups. The attribute `group` counts what is left.
void tie_whole_groups(const RuleContext& context, const Grouping& grouping, const Labels& in,
                      const Labels& out) {
  ChannelNumber number{ChannelNumber::Kind::kGroup, &context.node, 0, 0, {}};
  for (size_t g = 0; g < grouping.groups; ++g) {
    const int32_t first = in[g * grouping.inputs];
    number.labels.push_back(first);
    for (size_t i = 0; i < grouping.inputs; ++i)
      context.map.tie(first, in[g * grouping.inputs + i]);
    for (size_t i = 0; i < grouping.outputs; ++i)
      context.map.tie(first, out[g * grouping.outputs + i]);
  }
  context.map.numbers.push_back(std::move(number));
}

/// Channels at the same place of every group go together, so that groups stay equally wide: few
/// groups of many channels.
void tie_across_groups(ChannelMap& map, size_t groups, size_t width, const Labels& labels) {
  for (size_t i = 0; i < groups * width; ++i) map.tie(labels[i % width], labels[i]);
}

/// Not above the weight's own dimensions.
std::optional<int64_t> group_of(const Node& node, int64_t channels) {
  const int64_t group = node.int_attribute("group", 1);
  if (group < 1 || group > channels || channels % group != 0) return std::nullopt;
  return group;
}

bool is_vector(const Tensor* tensor, int64_t count) {
  return tensor == nullptr || (tensor->rank() == 1 && tensor->count() == count);
}

/// The bias follows the outputs; both make the channel.
void add_gate(const RuleContext& context, size_t weight_axis, size_t bias_axis, const Labels& out) {
  ChannelGate gate{context.output(), {{context.input(1), weight_axis}}, out};
  if (context.constant(2) != nullptr) {
    context.map.put(context.input(2), bias_axis, out);
    gate.parameters.push_back({context.input(2), bias_axis});
  }
  context.map.gates.push_back(std::move(gate));
}

/// The input has one dimension for the channels, behind the batch.
bool reads_channels(const RuleContext& context, int64_t channels) {
  const Shape* shape = context.shape(0);
  return shape != nullptr && shape->size() >= 2 && (*shape)[1].value == channels;
}

void freeze_all_but_channels(const RuleContext& context) {
  context.freeze_axis(context.input(0), 0);
  context.freeze_from(context.input(0), 2);
}

bool has_computed_bias(const RuleContext& context) {
  return context.input(2) != nullptr && context.constant(2) == nullptr;
}

}  // namespace

bool conv_channels(const RuleContext& context) {
  const Tensor* weight = context.constant(1);
  if (weight == nullptr || weight->rank() < 3 || has_computed_bias(context)) return false;
  const auto group = group_of(context.node, weight->dim(0));
  if (!group || !reads_channels(context, *group * weight->dim(1)) ||
      !is_vector(context.constant(2), weight->dim(0)))
    return false;
  freeze_all_but_channels(context);
  const Value* filters = context.input(1);
  const Labels in = context.read(context.input(0), 1, *group * weight->dim(1));
  const Labels out = context.make(filters, 0);
  const Grouping grouping{static_cast<size_t>(*group), static_cast<size_t>(weight->dim(1)),
                          static_cast<size_t>(weight->dim(0) / *group)};
  if (*group > 1 && grouping.groups >= grouping.inputs) {
    tie_whole_groups(context, grouping, in, out);
    context.map.put(filters, 1, context.map.fixed(grouping.inputs, context.reason()));
  } else {
    tie_across_groups(context.map, grouping.groups, grouping.inputs, in);
    tie_across_groups(context.map, grouping.groups, grouping.outputs, out);
    const Labels read(in.begin(), in.begin() + weight->dim(1));
    context.map.put(filters, 1, read);
    context.map.readers.push_back({&context.node, filters, 1, read});
  }
  context.map.put(context.output(), 1, out);
  add_gate(context, 0, 0, out);
  return true;
}

bool conv_transpose_channels(const RuleContext& context) {
  const Tensor* weight = context.constant(1);
  if (weight == nullptr || weight->rank() < 3 || has_computed_bias(context)) return false;
  const auto group = group_of(context.node, weight->dim(0));
  if (!group || !reads_channels(context, weight->dim(0)) ||
      !is_vector(context.constant(2), *group * weight->dim(1)))
    return false;
  freeze_all_but_channels(context);
  const Value* filters = context.input(1);
  const Labels in = context.read(context.input(0), 1, weight->dim(0));
  context.map.put(filters, 0, in);
  if (*group == 1) {
    const Labels out = context.make(filters, 1);
    context.map.readers.push_back({&context.node, filters, 0, in});
    context.map.put(context.output(), 1, out);
    add_gate(context, 1, 0, out);
    return true;
  }
  const auto outputs = static_cast<size_t>(weight->dim(1));
  const Labels out = context.map.fresh(static_cast<size_t>(*group) * outputs);
  tie_whole_groups(
      context, {static_cast<size_t>(*group), static_cast<size_t>(weight->dim(0) / *group), outputs},
      in, out);
  context.map.put(filters, 1, context.map.fixed(outputs, context.reason()));
  if (context.constant(2) != nullptr) context.map.put(context.input(2), 0, out);
  context.map.put(context.output(), 1, out);
  context.map.gates.push_back({context.output(), {{filters, 0}}, in});
  return true;
}

bool gemm_channels(const RuleContext& context) {
  const Tensor* weight = context.constant(1);
  const Tensor* bias = context.constant(2);
  if (weight == nullptr || weight->rank() != 2 || has_computed_bias(context) ||
      context.node.int_attribute("transA", 0) != 0)
    return false;
  const size_t reading = context.node.int_attribute("transB", 0) != 0 ? 1 : 0;
  const size_t making = 1 - reading;
  if (!reads_channels(context, weight->dim(reading))) return false;
  const bool whole_row = bias != nullptr && bias->rank() >= 1 && bias->rank() <= 2 &&
                         bias->count() == weight->dim(making) &&
                         bias->dim(bias->rank() - 1) == bias->count();
  if (bias != nullptr && !whole_row) return false;
  const Labels in = context.read(context.input(0), 1, weight->dim(reading));
  context.map.put(context.input(1), reading, in);
  context.map.readers.push_back({&context.node, context.input(1), reading, in});
  const Labels out = context.make(context.input(1), making);
  context.map.put(context.output(), 1, out);
  context.pass(context.input(0), 0, context.output(), 0);
  add_gate(context, making, bias == nullptr ? 0 : bias->rank() - 1, out);
  return true;
}

bool matmul_channels(const RuleContext& context) {
  const Tensor* weight = context.constant(1);
  const Shape* shape = context.shape(0);
  if (weight == nullptr || weight->rank() != 2 || context.constant(0) != nullptr ||
      shape == nullptr || shape->size() < 2)
    return false;
  const size_t last = shape->size() - 1;
  const Labels in = context.read(context.input(0), last, weight->dim(0));
  if (in.size() != static_cast<size_t>(weight->dim(0))) return false;
  context.map.put(context.input(1), 0, in);
  context.map.readers.push_back({&context.node, context.input(1), 0, in});
  const Labels out = context.make(context.input(1), 1);
  for (size_t axis = 0; axis < last; ++axis)
    context.pass(context.input(0), axis, context.output(), axis);
  context.map.put(context.output(), last, out);
  add_gate(context, 1, 0, out);
  return true;
}

bool normalization_channels(const RuleContext& context) {
  const bool batch = context.node.op_type() == "BatchNormalization";
  const size_t parameters = batch ? 4 : 2;
  const Shape* shape = context.shape(0);
  if (shape == nullptr || shape->size() < 2 || context.node.int_attribute("spatial", 1) == 0 ||
      context.node.outputs().size() != 1)
    return false;
  const int64_t channels = (*shape)[1].value;
  for (size_t i = 1; i <= parameters; ++i) {
    if (context.constant(i) == nullptr || !is_vector(context.constant(i), channels)) return false;
  }
  const Value* input = context.input(0);
  if (!batch) context.freeze_from(input, 2);
  const Labels labels = context.read(input, 1, channels);
  for (size_t i = 1; i <= parameters; ++i) context.map.put(context.input(i), 0, labels);
  if (batch) context.pass_all(input, context.output());
  if (!batch) context.pass(input, 1, context.output(), 1);
  // What is normalised has the energy of scale and bias, whatever the weights before.
  if (input->uses().size() == 1)
    std::erase_if(context.map.gates, [&](const ChannelGate& gate) { return gate.value == input; });
  context.map.gates.push_back(
      {context.output(), {{context.input(1), 0}, {context.input(2), 0}}, labels});
  return true;
}

}  // namespace limbeck
