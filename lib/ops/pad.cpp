#include <algorithm>

#include "lib/ops/copy.h"
#include "lib/ops/numbers.h"
#include "lib/ops/pad_core.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

/// Pads of every axis of the input: begins, then ends.
Dims spread_pads(const std::vector<int64_t>& pads, const std::optional<std::vector<int64_t>>& axes,
                 size_t rank, const std::string& place) {
  std::vector<size_t> order;
  for (size_t i = 0; i < rank && !axes; ++i) order.push_back(i);
  if (axes) {
    normal_axes(*axes, rank, place);
    for (const int64_t axis : *axes) order.push_back(normal_axis(axis, rank, place));
  }
  check_model(pads.size() == 2 * order.size(), place, "pads must have two items an axis; items",
              static_cast<int64_t>(pads.size()));
  Dims result(2 * rank, 0);
  for (size_t i = 0; i < order.size(); ++i) {
    result[order[i]] = pads[i];
    result[rank + order[i]] = pads[order.size() + i];
  }
  for (const int64_t pad : result) {
    check_model(pad > -(int64_t{1} << 40) && pad < int64_t{1} << 40, place,
                "a pad must be below 2^40", pad);
  }
  return result;
}

int64_t reflected(int64_t index, int64_t length) {
  if (length == 1) return 0;
  const int64_t period = 2 * (length - 1);
  index = (index % period + period) % period;
  return index < length ? index : period - index;
}

std::vector<int64_t> pad_table(int64_t length, int64_t begin, int64_t end, const std::string& mode,
                               const std::string& place) {
  const int64_t size = length + begin + end;
  check_model(size >= 0, place, "negative pads must not exceed the dimension; size", size);
  element_count({size, 8}, place);
  check_model(length > 0 || mode == "constant", place,
              "an empty axis can only be padded by a constant", length);
  std::vector<int64_t> table;
  for (int64_t i = -begin; i < length + end; ++i) {
    if (mode == "constant")
      table.push_back(i >= 0 && i < length ? i : -1);
    else if (mode == "reflect")
      table.push_back(reflected(i, length));
    else if (mode == "edge")
      table.push_back(std::clamp<int64_t>(i, 0, length - 1));
    else
      table.push_back((i % length + length) % length);
  }
  return table;
}

std::string read_mode(const Node& node) {
  const std::string mode = node.string_attribute("mode", "constant");
  if (mode == "constant" || mode == "reflect" || mode == "edge" || mode == "wrap") return mode;
  fail_unsupported(node.place(), "mode must be constant, reflect, edge or wrap", mode);
}

void run_pad(KernelContext& context, const Dims& pads, const std::string& mode, const Tensor* fill,
             const std::string& place) {
  const Tensor& x = context.input(0);
  if (fill != nullptr && (fill->type() != x.type() || fill->count() != 1)) {
    fail_model(place, "the constant must be one " + data_type_name(x.type()),
               data_type_name(fill->type()));
  }
  Dims dims;
  for (size_t i = 0; i < x.rank(); ++i) dims.push_back(x.dim(i) + pads[i] + pads[x.rank() + i]);
  Tensor& y = context.allocate(0, x.type(), dims);
  IndexTables tables;
  for (size_t i = 0; i < x.rank(); ++i)
    tables.push_back(pad_table(x.dim(i), pads[i], pads[x.rank() + i], mode, place));
  index_copy(x, tables, fill != nullptr ? fill->raw() : nullptr, y, place);
}

/// One element of `type`.
Tensor fill_element(float value, DataType type, const std::string& place) {
  Tensor fill = Tensor::zeros(type, {});
  if (value == 0.0F) return fill;
  dispatch_numeric(type, place,
                   [&]<typename T>() { fill.mutable_as<T>()[0] = saturating_cast<T>(value); });
  return fill;
}

}  // namespace

void pad_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  if (input == nullptr) return;
  const auto pads = list_parameter(context, 1, "pads");
  if (!pads || is_dynamic(context, 3))
    return context.set(0, DataType::kUndefined, Shape(input->size()));
  const std::string place = context.node.place();
  std::optional<std::vector<int64_t>> axes;
  if (const Tensor* constant = context.constant(3)) axes = integer_list(*constant, place);
  const Dims all = spread_pads(*pads, axes, input->size(), place);
  Shape output = *input;
  for (size_t i = 0; i < output.size(); ++i) {
    const int64_t more = all[i] + all[output.size() + i];
    if (more != 0) output[i] = output[i].known() ? Dim{output[i].value + more, ""} : Dim{};
  }
  context.set(0, DataType::kUndefined, std::move(output));
}

std::unique_ptr<Kernel> pad_kernel(const Node& node, int64_t opset) {
  return make_pad(node, opset, node.float_attribute("value", 0));
}

std::unique_ptr<Kernel> make_pad(const Node& node, int64_t opset, float value) {
  check_arity(node, opset < 11 ? 1 : 2);
  return make_kernel([opset, value, fixed = node.ints_attribute("pads", {}), mode = read_mode(node),
                      place = node.place()](KernelContext& context) {
    const size_t rank = context.input(0).rank();
    if (opset < 11) {
      const Tensor fill = fill_element(value, context.input(0).type(), place);
      return run_pad(context, spread_pads(fixed, std::nullopt, rank, place), mode, &fill, place);
    }
    std::optional<std::vector<int64_t>> axes;
    if (context.has_input(3)) axes = integer_list(context.input(3), place);
    run_pad(context, spread_pads(integer_list(context.input(1), place), axes, rank, place), mode,
            context.optional_input(2), place);
  });
}

}  // namespace limbeck
