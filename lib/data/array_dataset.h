// A data set whose inputs are whole arrays with the sample as first axis. Internal to lib/data.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/data/base_dataset.h"
#include "lib/data/description.h"

namespace limbeck {

/// One input of the model. The values may be memory-mapped and need not be aligned.
struct Column {
  /// [samples, ...]
  Tensor values;
  /// Dimensions of one sample; the same product as the rest of values.dims().
  Dims row_dims;
  /// For uint8 values that are read as floats: the float of each byte. Empty: values are copied,
  /// float16 and float64 converted to float32.
  std::vector<float> table;
};

/// A column that reads rows as they are. Raises kData when `values` has no sample axis.
Column plain_column(Tensor values, const std::string& place);

/// Opens a data set whose inputs are one file and whose labels, if any, another: `read` gives an
/// array of either, `column` what the input is read as.
std::unique_ptr<Dataset> open_array(
    const Description& description, const std::function<Tensor(const std::filesystem::path&)>& read,
    const std::function<Column(Tensor, const std::string& place)>& column);

class ArrayDataset : public BaseDataset {
 public:
  /// One column per input name, each with parts.size rows (raises kData otherwise).
  ArrayDataset(DatasetParts parts, std::vector<Column> columns);

 protected:
  std::vector<Tensor> read_inputs(std::span<const int64_t> indices) const override;

 private:
  std::vector<Column> columns_;
};

}  // namespace limbeck
