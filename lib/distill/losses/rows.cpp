#include "lib/distill/losses/rows.h"

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"

namespace limbeck {
namespace {

std::string place_of(const std::string& loss) { return "loss '" + loss + "'"; }

void check_label(int64_t label, size_t classes, size_t row, const std::string& loss) {
  if (label >= 0 && static_cast<size_t>(label) < classes) return;
  throw_error(
      Category::kData, place_of(loss) + ", row " + std::to_string(row),
      "labels must be at least 0 and below the number of classes, " + std::to_string(classes),
      std::to_string(label), "check the data set's labels against the model's output");
}

}  // namespace

std::vector<double> read_values(const Tensor& tensor) {
  if (tensor.type() == DataType::kDouble) {
    const auto values = tensor.as<double>();
    return {values.begin(), values.end()};
  }
  if (tensor.type() == DataType::kFloat) {
    const auto values = tensor.as<float>();
    return {values.begin(), values.end()};
  }
  throw_error(Category::kUnsupported, "loss", "tensors must be float or double",
              data_type_name(tensor.type()), "choose float tensors as taps and as output");
}

Tensor write_values(const Tensor& like, const std::vector<double>& values) {
  Tensor result = Tensor::allocate(like.type(), like.dims());
  if (like.type() == DataType::kDouble) {
    std::copy(values.begin(), values.end(), result.mutable_as<double>().begin());
  } else {
    std::transform(values.begin(), values.end(), result.mutable_as<float>().begin(),
                   [](double value) { return static_cast<float>(value); });
  }
  return result;
}

Rows read_rows(const Tensor& tensor, const std::string& loss) {
  if (tensor.rank() == 0) {
    throw_error(Category::kUsage, place_of(loss), "the first dimension must be the sample",
                dims_text(tensor.dims()), "choose a tensor that has a batch dimension");
  }
  const auto count = static_cast<size_t>(tensor.dim(0));
  const size_t width = count == 0 ? 0 : static_cast<size_t>(tensor.count()) / count;
  return {count, width, read_values(tensor)};
}

Rows zero_rows(size_t count, size_t width) {
  return {count, width, std::vector<double>(count * width, 0.0)};
}

Rows read_logits(const Tensor& tensor, const std::string& loss) {
  const Dims& dims = tensor.dims();
  const bool flat = dims.size() >= 2 &&
                    std::all_of(dims.begin() + 2, dims.end(), [](int64_t dim) { return dim == 1; });
  if (!flat || dims[1] == 0) {
    throw_error(Category::kUsage, place_of(loss), "logits must be samples x classes",
                dims_text(dims), "use a loss on taps, or a model with one score for each class");
  }
  return read_rows(tensor, loss);
}

void check_same_rows(const Rows& student, const Rows& teacher, const std::string& loss) {
  if (student.count == teacher.count && student.width == teacher.width) return;
  throw_error(Category::kUsage, place_of(loss),
              "student and teacher must have the same samples and classes",
              std::to_string(student.count) + "x" + std::to_string(student.width) + " and " +
                  std::to_string(teacher.count) + "x" + std::to_string(teacher.width),
              "use a teacher for the student's classes");
}

void check_labels(std::span<const Label> labels, const Rows& logits, const std::string& loss) {
  if (labels.size() != logits.count) {
    throw_error(
        Category::kData, place_of(loss), "every sample must have a label",
        std::to_string(labels.size()) + " labels for " + std::to_string(logits.count) + " samples",
        "use labelled data, or a loss that needs no labels");
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    const Label& label = labels[i];
    check_label(label.label, logits.width, i, loss);
    if (label.share < 1) check_label(label.other, logits.width, i, loss);
    if (!(label.share >= 0 && label.share <= 1)) {
      throw_error(Category::kInternal, place_of(loss), "a label's share must be from 0 to 1",
                  std::to_string(label.share), "report this bug");
    }
  }
}

void check_batch(const LossInput& input, size_t rows, const std::string& loss) {
  if (input.batch > 0 && static_cast<size_t>(input.batch) >= rows) return;
  throw_error(Category::kInternal, place_of(loss), "the batch must hold the shard's samples",
              std::to_string(input.batch) + " for " + std::to_string(rows), "report this bug");
}

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

std::vector<double> log_softmax(std::span<const double> row, double temperature) {
  const double largest = *std::max_element(row.begin(), row.end()) / temperature;
  double sum = 0;
  for (const double value : row) sum += std::exp(value / temperature - largest);
  const double shift = largest + std::log(sum);
  std::vector<double> result;
  result.reserve(row.size());
  for (const double value : row) result.push_back(value / temperature - shift);
  return result;
}

}  // namespace limbeck
