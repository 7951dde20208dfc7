#include "lib/model/data_type.h"

#include <array>
#include <string_view>

namespace limbeck {
namespace {

struct TypeRow {
  std::string_view name;
  int bits;
};

constexpr std::array<TypeRow, 29> kTypes = {{
    {"undefined", 0},      {"float", 32},       {"uint8", 8},          {"int8", 8},
    {"uint16", 16},        {"int16", 16},       {"int32", 32},         {"int64", 64},
    {"string", 0},         {"bool", 8},         {"float16", 16},       {"double", 64},
    {"uint32", 32},        {"uint64", 64},      {"complex64", 64},     {"complex128", 128},
    {"bfloat16", 16},      {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8}, {"float8e5m2", 8},
    {"float8e5m2fnuz", 8}, {"uint4", 4},        {"int4", 4},           {"float4e2m1", 4},
    {"float8e8m0", 8},     {"uint2", 2},        {"int2", 2},           {"float6e2m3", 6},
    {"float6e3m2", 6},
}};

bool is_known(DataType type) {
  const auto number = static_cast<int32_t>(type);
  return number >= 0 && number < static_cast<int32_t>(kTypes.size());
}

}  // namespace

int bits_per_element(DataType type) {
  return is_known(type) ? kTypes[static_cast<size_t>(type)].bits : 0;
}

std::string data_type_name(DataType type) {
  if (!is_known(type)) return "type " + std::to_string(static_cast<int32_t>(type));
  return std::string(kTypes[static_cast<size_t>(type)].name);
}

size_t storage_bytes(DataType type, size_t count) {
  const auto bits = static_cast<size_t>(bits_per_element(type));
  if (bits >= 8) return count * (bits / 8);
  return (count * bits + 7) / 8;
}

}  // namespace limbeck
