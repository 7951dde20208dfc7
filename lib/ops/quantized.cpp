#include "lib/ops/quantized.h"

#include <cstdint>

#include "lib/ops/nibbles.h"

namespace limbeck {
namespace {

[[noreturn]] void fail_layout(const Dims& x, const Dims& scale, const std::string& place) {
  fail_model(place, "the scale must be a scalar, one number an axis position, or one a block",
             "data " + dims_text(x) + ", scale " + dims_text(scale));
}

void check_blocks(const Dims& x, const Dims& scale, size_t axis, int64_t block,
                  const std::string& place) {
  if (scale.size() != x.size()) fail_layout(x, scale, place);
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t wanted = i == axis ? (x[i] + block - 1) / block : x[i];
    if (scale[i] != wanted) fail_layout(x, scale, place);
  }
}

}  // namespace

QuantLayout quant_layout(const Dims& x, const Dims& scale, int64_t axis, int64_t block,
                         const std::string& place) {
  QuantLayout layout;
  layout.inner = product(x, 0, x.size());
  const bool one = scale.empty() || (scale.size() == 1 && scale[0] == 1 && block == 0);
  if (one) return layout;
  const size_t position = normal_axis(axis, x.size(), place);
  layout.per_tensor = false;
  layout.outer = product(x, 0, position);
  layout.axis = x[position];
  layout.inner = product(x, position + 1, x.size());
  layout.block = block;
  check_model(block >= 0, place, "block_size must not be negative", block);
  if (block > 0) {
    check_blocks(x, scale, position, block, place);
  } else if (scale.size() != 1 || scale[0] != x[position]) {
    fail_layout(x, scale, place);
  }
  return layout;
}

std::vector<float> read_scales(const Tensor& scale, const std::string& place) {
  const auto values = typed<float>(scale, place);
  for (const float value : values) {
    if (std::isfinite(value) && value > 0) continue;
    fail_model(place, "a scale must be finite and above zero", std::to_string(value));
  }
  return {values.begin(), values.end()};
}

std::vector<int32_t> read_zero_points(const Tensor* zero, size_t count, const std::string& place) {
  if (zero == nullptr || zero->empty()) return std::vector<int32_t>(count, 0);
  const std::vector<int64_t> values = zero->to_int64();
  if (values.size() != count) {
    fail_model(place, "there must be as many zero points as scales, " + std::to_string(count),
               std::to_string(values.size()));
  }
  return {values.begin(), values.end()};
}

CodeRange code_range(DataType type, const std::string& place) {
  switch (type) {
    case DataType::kUint8: return {0, 255};
    case DataType::kInt8: return {-128, 127};
    case DataType::kUint16: return {0, 65535};
    case DataType::kInt16: return {-32768, 32767};
    case DataType::kUint4: return {0, 15};
    case DataType::kInt4: return {-8, 7};
    default:
      fail_unsupported(place, "codes must be integers of 4, 8 or 16 bits", data_type_name(type));
  }
}

CodeRange written_code_range(DataType type, const std::string& place) {
  if (type == DataType::kInt32) return {INT32_MIN, INT32_MAX};
  return code_range(type, place);
}

Tensor store_codes(DataType type, const Dims& dims, const std::vector<int32_t>& codes,
                   const std::string& place) {
  if (is_4_bit(type)) return pack_nibbles(type, dims, codes);
  Tensor result = Tensor::allocate(type, dims);
  dispatch<uint8_t, int8_t, uint16_t, int16_t, int32_t>(type, place, [&]<typename T>() {
    const auto target = result.mutable_as<T>();
    for (size_t i = 0; i < target.size(); ++i) target[i] = static_cast<T>(codes[i]);
  });
  return result;
}

std::vector<WrappingInt> centred(const Tensor& tensor, const std::vector<int32_t>& zeros,
                                 int64_t row, const std::string& place) {
  std::vector<WrappingInt> result(static_cast<size_t>(tensor.count()));
  const auto length = static_cast<size_t>(std::max<int64_t>(1, row));
  dispatch<uint8_t, int8_t>(tensor.type(), place, [&]<typename T>() {
    const auto values = tensor.as<T>();
    for (size_t i = 0; i < result.size(); ++i) {
      const int32_t zero = zeros.size() == 1 ? zeros[0] : zeros[i / length % zeros.size()];
      result[i] = static_cast<WrappingInt>(static_cast<int32_t>(values[i]) - zero);
    }
  });
  return result;
}

}  // namespace limbeck
