// Tensors as rows of doubles: what the losses share. Internal to lib/distill/losses.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lib/distill/losses/loss.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// The values of a float or double tensor; raises kUnsupported for another type.
std::vector<double> read_values(const Tensor& tensor);
/// A tensor like `like` with these values, rounded to its type.
Tensor write_values(const Tensor& like, const std::vector<double>& values);

/// One row of `width` values for each sample.
struct Rows {
  size_t count = 0;
  size_t width = 0;
  std::vector<double> values;

  std::span<const double> row(size_t i) const { return {values.data() + i * width, width}; }
  std::span<double> row(size_t i) { return {values.data() + i * width, width}; }
};

/// Everything behind the first dimension as one row. Raises kUsage for a scalar.
Rows read_rows(const Tensor& tensor, const std::string& loss);
Rows zero_rows(size_t count, size_t width);
/// Logits [n, classes], or with further dimensions of one. Raises kUsage for other shapes.
Rows read_logits(const Tensor& tensor, const std::string& loss);
/// Raises kUsage unless both have the same number of rows of the same width.
void check_same_rows(const Rows& student, const Rows& teacher, const std::string& loss);
/// Raises kData unless there is one label a row, all within the classes and shares in [0, 1].
void check_labels(std::span<const Label> labels, const Rows& logits, const std::string& loss);
/// Raises kInternal unless the batch holds at least the rows.
void check_batch(const LossInput& input, size_t rows, const std::string& loss);

double dot(std::span<const double> a, std::span<const double> b);
/// log(softmax(row / temperature)).
std::vector<double> log_softmax(std::span<const double> row, double temperature);

}  // namespace limbeck
