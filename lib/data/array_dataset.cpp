#include "lib/data/array_dataset.h"

#include <algorithm>
#include <cstring>

#include "lib/base/error.h"
#include "lib/data/npy_array.h"

namespace limbeck {
namespace {

/// Bytes of one sample.
std::span<const std::byte> row_bytes(const Tensor& values, int64_t index) {
  const size_t size = values.bytes() / static_cast<size_t>(values.dim(0));
  return {values.raw() + static_cast<size_t>(index) * size, size};
}

void copy_through_table(std::span<const std::byte> row, const std::vector<float>& table,
                        float* target) {
  for (size_t i = 0; i < row.size(); ++i) target[i] = table[std::to_integer<size_t>(row[i])];
}

/// Half and double precision become single.
void copy_as_floats(std::span<const std::byte> row, const Column& column, float* target) {
  const auto values =
      Tensor::view(column.values.type(), column.row_dims, row, nullptr, "sample").to_float();
  std::copy(values.begin(), values.end(), target);
}

bool is_converted(DataType type) { return type == DataType::kDouble || type == DataType::kFloat16; }

Tensor gather(const Column& column, std::span<const int64_t> indices) {
  Dims dims = column.row_dims;
  dims.insert(dims.begin(), static_cast<int64_t>(indices.size()));
  const bool converted = is_converted(column.values.type());
  const bool floats = converted || !column.table.empty();
  Tensor result = Tensor::allocate(floats ? DataType::kFloat : column.values.type(), dims);
  const size_t stride = result.bytes() / indices.size();
  std::byte* target = result.mutable_raw();
  for (const int64_t index : indices) {
    const auto row = row_bytes(column.values, index);
    if (converted) {
      copy_as_floats(row, column, reinterpret_cast<float*>(target));
    } else if (!column.table.empty()) {
      copy_through_table(row, column.table, reinterpret_cast<float*>(target));
    } else if (!row.empty()) {
      std::memcpy(target, row.data(), row.size());
    }
    target += stride;
  }
  return result;
}

}  // namespace

Column plain_column(Tensor values, const std::string& place) {
  if (values.rank() == 0) {
    throw_error(Category::kData, place, "the first axis of an array counts the samples",
                "an array without axes", "store the array with shape [samples, ...]");
  }
  Column column;
  column.row_dims.assign(values.dims().begin() + 1, values.dims().end());
  column.values = std::move(values);
  return column;
}

std::unique_ptr<Dataset> open_array(
    const Description& description, const std::function<Tensor(const std::filesystem::path&)>& read,
    const std::function<Column(Tensor, const std::string& place)>& column) {
  const auto path = description.file("path");
  DatasetParts parts;
  parts.place = path.string();
  parts.description = description.json;
  parts.input_names = {description.input()};
  parts.files.push_back({"path", path});
  Column input = column(read(path), parts.place);
  parts.size = input.values.dim(0);
  if (description.has("labels")) {
    const auto file = description.file("labels");
    parts.labels = labels_from_values(labels_from_array(read(file), file.string()), file.string());
    parts.files.push_back({"labels", file});
  }
  return std::make_unique<ArrayDataset>(std::move(parts), std::vector<Column>{std::move(input)});
}

ArrayDataset::ArrayDataset(DatasetParts parts, std::vector<Column> columns)
    : BaseDataset(std::move(parts)), columns_(std::move(columns)) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Tensor& values = columns_[i].values;
    if (values.dim(0) == size()) continue;
    throw_error(Category::kData, place() + ", input '" + input_names().at(i) + "'",
                "all inputs must hold the same number of samples, " + std::to_string(size()),
                std::to_string(values.dim(0)), "store arrays with the same first axis");
  }
}

std::vector<Tensor> ArrayDataset::read_inputs(std::span<const int64_t> indices) const {
  std::vector<Tensor> inputs;
  inputs.reserve(columns_.size());
  for (const Column& column : columns_) inputs.push_back(gather(column, indices));
  return inputs;
}

}  // namespace limbeck
