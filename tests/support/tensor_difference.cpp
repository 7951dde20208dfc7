#include <cmath>
#include <cstring>
#include <string>

#include "tests/support/vectors.h"

namespace limbeck::test {
namespace {

constexpr double kRelative = 1e-3;
constexpr double kAbsolute = 1e-7;

bool is_close(double got, double wanted) {
  if (std::isnan(got) || std::isnan(wanted)) return std::isnan(got) && std::isnan(wanted);
  if (std::isinf(got) || std::isinf(wanted)) return got == wanted;
  return std::abs(got - wanted) <= kAbsolute + kRelative * std::abs(wanted);
}

template <typename T>
std::string first_difference(const T* got, const T* wanted, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (is_close(static_cast<double>(got[i]), static_cast<double>(wanted[i]))) continue;
    return "element " + std::to_string(i) + " is " + std::to_string(got[i]) + " instead of " +
           std::to_string(wanted[i]);
  }
  return "";
}

std::string float_difference(const Tensor& got, const Tensor& wanted) {
  if (got.type() == DataType::kDouble) {
    return first_difference(got.as<double>().data(), wanted.as<double>().data(),
                            got.as<double>().size());
  }
  const auto a = got.to_float();
  const auto b = wanted.to_float();
  return first_difference(a.data(), b.data(), a.size());
}

std::string exact_difference(const Tensor& got, const Tensor& wanted) {
  if (got.bytes() == 0 || std::memcmp(got.raw(), wanted.raw(), got.bytes()) == 0) return "";
  const auto a = got.to_int64();
  const auto b = wanted.to_int64();
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    return "element " + std::to_string(i) + " is " + std::to_string(a[i]) + " instead of " +
           std::to_string(b[i]);
  }
  return "the bytes differ";
}

bool is_floating(DataType type) {
  return type == DataType::kFloat || type == DataType::kDouble || type == DataType::kFloat16 ||
         type == DataType::kBfloat16;
}

}  // namespace

std::string tensor_difference(const Tensor& got, const Tensor& wanted) {
  if (got.type() != wanted.type()) {
    return "the type is " + data_type_name(got.type()) + " instead of " +
           data_type_name(wanted.type());
  }
  if (got.dims() != wanted.dims()) {
    return "the shape is " + dims_text(got.dims()) + " instead of " + dims_text(wanted.dims());
  }
  return is_floating(got.type()) ? float_difference(got, wanted) : exact_difference(got, wanted);
}

}  // namespace limbeck::test
