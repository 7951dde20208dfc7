// Mod: the sign of the divisor for integers, as in Python; that of the dividend with fmod=1.
#include <cmath>

#include "lib/ops/broadcast.h"
#include "lib/ops/half.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename T>
T modulo(T x, T y, [[maybe_unused]] bool truncates) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(x, y);
  } else if constexpr (std::is_unsigned_v<T>) {
    return static_cast<T>(x % y);
  } else {
    if (y == T{-1}) return T{0};  // the quotient of the smallest integer would overflow
    const T rest = static_cast<T>(x % y);
    const bool corrects = !truncates && rest != 0 && (rest < 0) != (y < 0);
    return corrects ? static_cast<T>(rest + y) : rest;
  }
}

template <typename T>
void run_mod(KernelContext& context, bool truncates, const std::string& place) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  const auto divisors = typed<T>(b, place);
  if constexpr (std::is_floating_point_v<T>) {
    if (!truncates) fail_model(place, "fmod must be 1 for floating point", "0");
  } else {
    for (const T divisor : divisors)
      check_model(divisor != 0, place, "an integer must not be divided by zero", 0);
  }
  Tensor& y = context.allocate(0, a.type(), broadcast_dims(a.dims(), b.dims(), place));
  apply_broadcast<T, T>(a, b, y, y.mutable_as<T>().data(),
                        [truncates](T x, T z) { return modulo(x, z, truncates); });
}

}  // namespace

std::unique_ptr<Kernel> mod_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([truncates = node.int_attribute("fmod", 0) != 0,
                      place = node.place()](KernelContext& context) {
    if (context.input(0).type() == DataType::kFloat16) {
      return run_in_float(context,
                          [&](KernelContext& wide) { run_mod<float>(wide, truncates, place); });
    }
    dispatch_numeric(context.input(0).type(), place,
                     [&]<typename T>() { run_mod<T>(context, truncates, place); });
  });
}

}  // namespace limbeck
