#include "lib/data/array_dataset.h"
#include "lib/data/idx_file.h"
#include "lib/data/kinds.h"

namespace limbeck {
namespace {

struct Scaling {
  float divisor = 1.0F;
  float mean = 0.0F;
  float deviation = 1.0F;
  float apply(float value) const { return (value / divisor - mean) / deviation; }
};

float only_value(const Description& description, const char* field, float fallback) {
  return description.has(field) ? description.json.at(field).at(0).get<float>() : fallback;
}

/// Byte arrays stay bytes, a quarter of the memory, and become floats when they are read.
Column byte_column(Tensor values, const Scaling& scaling) {
  Column column;
  for (int byte = 0; byte < 256; ++byte)
    column.table.push_back(scaling.apply(static_cast<float>(byte)));
  column.row_dims.assign(values.dims().begin() + 1, values.dims().end());
  column.values = std::move(values);
  return column;
}

Column float_column(const Tensor& values, const Scaling& scaling, const std::string& place) {
  Tensor floats = Tensor::allocate(DataType::kFloat, values.dims());
  const auto source = values.to_float();
  auto target = floats.mutable_as<float>();
  for (size_t i = 0; i < target.size(); ++i) target[i] = scaling.apply(source[i]);
  return plain_column(std::move(floats), place);
}

Column idx_column(Tensor values, const Description& description, const std::string& place) {
  const bool images = values.type() == DataType::kUint8 && values.rank() == 3;
  Scaling scaling;
  scaling.divisor = images ? 255.0F : 1.0F;
  scaling.mean = only_value(description, "mean", 0.0F);
  scaling.deviation = only_value(description, "std", 1.0F);
  if (values.type() != DataType::kUint8) return float_column(values, scaling, place);
  Column column = byte_column(std::move(values), scaling);
  if (images) column.row_dims.insert(column.row_dims.begin(), 1);
  return column;
}

}  // namespace

std::unique_ptr<Dataset> open_idx(const Description& description) {
  return open_array(description, read_idx, [&](Tensor values, const std::string& place) {
    return idx_column(std::move(values), description, place);
  });
}

}  // namespace limbeck
