#include <algorithm>

#include "lib/ops/copy.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct SliceLists {
  std::vector<int64_t> starts;
  std::vector<int64_t> ends;
  std::vector<int64_t> axes;   ///< empty: 0, 1, ...
  std::vector<int64_t> steps;  ///< empty: 1
};

/// Checks lengths and fills defaults; afterwards every list has one item for each sliced axis.
void complete_lists(SliceLists& lists, size_t rank, const std::string& place) {
  const size_t n = lists.starts.size();
  if (lists.axes.empty()) {
    for (size_t i = 0; i < n; ++i) lists.axes.push_back(static_cast<int64_t>(i));
  }
  if (lists.steps.empty()) lists.steps.assign(n, 1);
  if (lists.ends.size() != n || lists.axes.size() != n || lists.steps.size() != n) {
    fail_model(place, "starts, ends, axes and steps must have equal lengths",
               std::to_string(n) + " starts");
  }
  normal_axes(lists.axes, rank, place);
}

/// The positions that one axis of length `length` keeps.
std::vector<int64_t> slice_table(int64_t length, int64_t start, int64_t end, int64_t step,
                                 const std::string& place) {
  check_model(step != 0, place, "a step must not be zero", step);
  if (start < 0) start += length;
  if (end < 0) end = end < -length ? -1 : end + length;
  std::vector<int64_t> table;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, length);
    end = std::clamp<int64_t>(end, 0, length);
    step = std::min(step, length + 1);
    for (int64_t i = start; i < end; i += step) table.push_back(i);
  } else {
    start = std::clamp<int64_t>(start, -1, length - 1);
    end = std::clamp<int64_t>(end, -1, length - 1);
    step = std::max(step, -length - 1);
    for (int64_t i = start; i > end; i += step) table.push_back(i);
  }
  return table;
}

std::vector<int64_t> whole_table(int64_t length) {
  std::vector<int64_t> table(at(length));
  for (int64_t i = 0; i < length; ++i) table[at(i)] = i;
  return table;
}

SliceLists read_attributes(const Node& node) {
  return {node.ints_attribute("starts", {}),
          node.ints_attribute("ends", {}),
          node.ints_attribute("axes", {}),
          {}};
}

}  // namespace

void slice_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  if (input == nullptr) return;
  const std::string place = context.node.place();
  SliceLists lists = read_attributes(context.node);
  if (context.opset >= 10) {
    std::vector<int64_t>* const targets[4] = {&lists.starts, &lists.ends, &lists.axes,
                                              &lists.steps};
    for (size_t i = 0; i < 4; ++i) {
      if (is_dynamic(context, i + 1))
        return context.set(0, DataType::kUndefined, Shape(input->size()));
      if (const Tensor* constant = context.constant(i + 1))
        *targets[i] = integer_list(*constant, place);
    }
  }
  complete_lists(lists, input->size(), place);
  Shape output = *input;
  for (size_t i = 0; i < lists.axes.size(); ++i) {
    Dim& dim = output[normal_axis(lists.axes[i], output.size(), place)];
    if (!dim.known()) {
      dim = {};
      continue;
    }
    const auto table =
        slice_table(dim.value, lists.starts[i], lists.ends[i], lists.steps[i], place);
    dim = {static_cast<int64_t>(table.size()), ""};
  }
  context.set(0, DataType::kUndefined, std::move(output));
}

std::unique_ptr<Kernel> slice_kernel(const Node& node, int64_t opset) {
  check_arity(node, opset < 10 ? 1 : 3);
  return make_kernel(
      [fixed = read_attributes(node), opset, place = node.place()](KernelContext& context) {
        const Tensor& x = context.input(0);
        SliceLists lists = fixed;
        if (opset >= 10) {
          lists = {
              integer_list(context.input(1), place), integer_list(context.input(2), place), {}, {}};
          if (context.has_input(3)) lists.axes = integer_list(context.input(3), place);
          if (context.has_input(4)) lists.steps = integer_list(context.input(4), place);
        }
        complete_lists(lists, x.rank(), place);
        IndexTables tables;
        for (const int64_t dim : x.dims()) tables.push_back(whole_table(dim));
        for (size_t i = 0; i < lists.axes.size(); ++i) {
          const size_t axis = normal_axis(lists.axes[i], x.rank(), place);
          tables[axis] =
              slice_table(x.dim(axis), lists.starts[i], lists.ends[i], lists.steps[i], place);
        }
        index_copy(x, tables, nullptr, context.allocate(0, x.type(), table_dims(tables)), place);
      });
}

}  // namespace limbeck
