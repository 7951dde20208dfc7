// What operator files share: errors, axes, element-type dispatch and lambda kernels. Internal to
// lib/ops.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/error.h"
#include "lib/ops/op.h"

namespace limbeck {

[[noreturn]] void fail_model(const std::string& place, const std::string& rule,
                             const std::string& received);
[[noreturn]] void fail_unsupported(const std::string& place, const std::string& rule,
                                   const std::string& received);

/// A model's rule in one line: check_model(a == b, place, "a must equal b", text).
inline void check_model(bool holds, const std::string& place, const char* rule, int64_t received) {
  if (!holds) fail_model(place, rule, std::to_string(received));
}

/// Raises kInvalidModel unless the node has at least `inputs` present inputs and one output.
void check_arity(const Node& node, size_t inputs);

/// Axis in [0, rank); negative axes count from the end. Raises kInvalidModel.
size_t normal_axis(int64_t axis, size_t rank, const std::string& place);
/// Distinct sorted axes. Raises kInvalidModel for duplicates.
std::vector<size_t> normal_axes(const std::vector<int64_t>& axes, size_t rank,
                                const std::string& place);

Shape to_shape(const Dims& dims);
/// The dimensions when all are known.
std::optional<Dims> known_dims(const Shape* shape);
/// Row-major strides in elements.
Dims row_strides(const Dims& dims);
/// Product of dims[first, last).
int64_t product(const Dims& dims, size_t first, size_t last);

/// Wraps a callable `void(KernelContext&)`.
template <typename F>
std::unique_ptr<Kernel> make_kernel(F function) {
  class Lambda final : public Kernel {
   public:
    explicit Lambda(F f) : function_(std::move(f)) {}
    void run(KernelContext& context) const override { function_(context); }

   private:
    F function_;
  };
  return std::make_unique<Lambda>(std::move(function));
}

/// Calls f.operator()<T>() for the T among Ts that matches `type`; raises kUnsupported when none
/// does.
template <typename... Ts, typename F>
void dispatch(DataType type, const std::string& place, F&& f) {
  const bool found = ((data_type_of<Ts>() == type && (f.template operator()<Ts>(), true)) || ...);
  if (!found)
    fail_unsupported(place, "the kernel does not handle this element type", data_type_name(type));
}

/// Dispatch over every integer and floating type that C++ has.
template <typename F>
void dispatch_numeric(DataType type, const std::string& place, F&& f) {
  dispatch<float, double, int64_t, int32_t, uint8_t, int8_t, int16_t, uint16_t, uint32_t, uint64_t>(
      type, place, std::forward<F>(f));
}

/// Calls f.operator()<U>() with the unsigned type as wide as an element, for kernels that only move
/// elements.
template <typename F>
void dispatch_width(DataType type, const std::string& place, F&& f) {
  switch (bits_per_element(type)) {
    case 8: return f.template operator()<uint8_t>();
    case 16: return f.template operator()<uint16_t>();
    case 32: return f.template operator()<uint32_t>();
    case 64: return f.template operator()<uint64_t>();
    default:
      fail_unsupported(place, "the kernel does not move elements of this type",
                       data_type_name(type));
  }
}

/// Elements as raw bits of the given width.
template <typename U>
const U* raw_as(const Tensor& tensor) {
  return reinterpret_cast<const U*>(tensor.raw());
}
template <typename U>
U* mutable_raw_as(Tensor& tensor) {
  return reinterpret_cast<U*>(tensor.mutable_raw());
}

/// Typed input; raises kUnsupported (not kInternal) when the model feeds another type.
template <typename T>
std::span<const T> typed(const Tensor& tensor, const std::string& place) {
  if (tensor.type() != data_type_of<T>()) {
    fail_unsupported(place, "the kernel needs " + data_type_name(data_type_of<T>()),
                     data_type_name(tensor.type()));
  }
  return tensor.as<T>();
}

/// The integers of a small 1-D (or scalar) parameter tensor. Raises kInvalidModel for other ranks
/// and types.
std::vector<int64_t> integer_list(const Tensor& tensor, const std::string& place);

/// Integers that may come as attribute or, in later opsets, as constant input; nullopt when given
/// by neither.
std::optional<std::vector<int64_t>> list_parameter(const ShapeContext& context, size_t input,
                                                   const char* attribute);
/// Whether the parameter is there but its value is unknown before the model runs.
bool is_dynamic(const ShapeContext& context, size_t input);

/// Shape rules shared by many operators.
void same_shape(const ShapeContext& context);  ///< output 0 is like input 0
void same_type_only(
    const ShapeContext& context);  ///< output 0 has the type of input 0, shape unknown
void broadcast_shape(
    const ShapeContext& context);  ///< type of input 0, dimensions of all inputs broadcast
void predicate_shape(const ShapeContext& context);  ///< the same, of type bool

/// Position in an array: spares a cast at each use.
constexpr size_t at(int64_t index) { return static_cast<size_t>(index); }

}  // namespace limbeck
