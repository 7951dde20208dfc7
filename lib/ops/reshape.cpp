// Operators that give the same elements other dimensions: Reshape, Flatten.
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

/// 0 copies the input's dimension (unless zeros are allowed), -1 takes what is left.
Dims resolve_reshape(const Dims& input, const std::vector<int64_t>& wanted, bool allow_zero,
                     const std::string& place) {
  Dims output = wanted;
  std::optional<size_t> open;
  for (size_t i = 0; i < output.size(); ++i) {
    if (output[i] == 0 && !allow_zero) {
      check_model(i < input.size(), place, "0 must stand at an axis that the input has; axis",
                  static_cast<int64_t>(i));
      output[i] = input[i];
    } else if (output[i] == -1) {
      check_model(!open, place, "at most one dimension may be -1; second at axis",
                  static_cast<int64_t>(i));
      open = i;
      output[i] = 1;
    }
  }
  const int64_t count = element_count(input, place);
  const int64_t given = element_count(output, place);
  if (open) {
    check_model(given > 0 && count % given == 0, place,
                "the given dimensions must divide the elements", given);
    output[*open] = count / given;
  } else {
    check_model(given == count, place, "the number of elements must not change", given);
  }
  return output;
}

/// Removes dimensions that occur on both sides; what is left of the input is the -1.
Dim remaining(Shape input, const Shape& output, size_t open) {
  int64_t given = 1;
  for (size_t i = 0; i < output.size(); ++i) {
    if (i == open) continue;
    const auto match = std::find(input.begin(), input.end(), output[i]);
    const bool named = output[i].known() || !output[i].symbol.empty();
    if (named && match != input.end())
      input.erase(match);
    else if (output[i].known())
      given *= output[i].value;
    else
      return {};
  }
  int64_t left = 1;
  Shape unknown;
  for (const Dim& dim : input) {
    if (dim.known())
      left *= dim.value;
    else
      unknown.push_back(dim);
  }
  if (unknown.empty()) return given > 0 && left % given == 0 ? Dim{left / given, ""} : Dim{};
  return unknown.size() == 1 && left == given ? unknown[0] : Dim{};
}

Shape symbolic_reshape(const Shape& input, Shape output, bool allow_zero) {
  std::optional<size_t> open;
  for (size_t i = 0; i < output.size(); ++i) {
    if (output[i].value == 0 && !allow_zero)
      output[i] = i < input.size() ? input[i] : Dim{};
    else if (output[i].value == -1 && output[i].symbol.empty())
      open = open ? output.size() : i;
  }
  if (open && *open < output.size()) output[*open] = remaining(input, output, *open);
  return output;
}

Shape flatten_shape_of(const Shape& input, size_t axis) {
  Shape output{{1, ""}, {1, ""}};
  for (size_t i = 0; i < input.size(); ++i) {
    Dim& dim = output[i < axis ? 0 : 1];
    if (dim.value == 1)
      dim = input[i];
    else if (input[i].value != 1)
      dim = dim.known() && input[i].known() ? Dim{dim.value * input[i].value, ""} : Dim{};
  }
  return output;
}

size_t flatten_axis(int64_t axis, size_t rank, const std::string& place) {
  return axis == static_cast<int64_t>(rank) ? rank : normal_axis(axis, rank, place);
}

}  // namespace

void reshape_shape(const ShapeContext& context) {
  same_type_only(context);
  const auto wanted = context.shape_values(1);
  if (!wanted) return;
  const Shape* input = context.shape(0);
  const bool allow_zero = context.node.int_attribute("allowzero", 0) != 0;
  const auto dims = known_dims(input);
  const Tensor* constant = context.constant(1);
  if (dims && constant != nullptr) {
    const std::string place = context.node.place();
    context.set(
        0, DataType::kUndefined,
        to_shape(resolve_reshape(*dims, integer_list(*constant, place), allow_zero, place)));
  } else if (input != nullptr) {
    context.set(0, DataType::kUndefined, symbolic_reshape(*input, *wanted, allow_zero));
  }
}

std::unique_ptr<Kernel> reshape_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  const bool allow_zero = node.int_attribute("allowzero", 0) != 0;
  return make_kernel([allow_zero, place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    const auto wanted = integer_list(context.input(1), place);
    context.set_output(0, x.reshaped(resolve_reshape(x.dims(), wanted, allow_zero, place)));
  });
}

void flatten_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  if (input == nullptr) return;
  const size_t axis =
      flatten_axis(context.node.int_attribute("axis", 1), input->size(), context.node.place());
  context.set(0, DataType::kUndefined, flatten_shape_of(*input, axis));
}

std::unique_ptr<Kernel> flatten_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel(
      [axis = node.int_attribute("axis", 1), place = node.place()](KernelContext& context) {
        const Tensor& x = context.input(0);
        const size_t split = flatten_axis(axis, x.rank(), place);
        context.set_output(
            0, x.reshaped({product(x.dims(), 0, split), product(x.dims(), split, x.rank())}));
      });
}

}  // namespace limbeck
