#include "lib/distill/losses/relations.h"

#include <cmath>
#include <utility>

#include "lib/base/error.h"
#include "lib/distill/losses/product.h"

namespace limbeck {
namespace {

double distance_between(std::span<const double> a, std::span<const double> b) {
  double squares = 0;
  for (size_t k = 0; k < a.size(); ++k) squares += (a[k] - b[k]) * (a[k] - b[k]);
  return std::sqrt(squares);
}

/// Inner products of differences lose digits where the vectors lie far from the origin.
void centre(Rows& rows) {
  for (size_t k = 0; k < rows.width; ++k) {
    double mean = 0;
    for (size_t i = 0; i < rows.count; ++i) mean += rows.row(i)[k];
    mean /= static_cast<double>(rows.count);
    for (size_t i = 0; i < rows.count; ++i) rows.row(i)[k] -= mean;
  }
}

Geometry geometry_of(Rows rows) {
  Geometry geometry;
  geometry.count = rows.count;
  centre(rows);
  const size_t n = rows.count;
  geometry.products.resize(n * n);
  geometry.lengths.resize(n * n);
  const std::vector<double> columns = transposed(rows.values.data(), n, rows.width);
  add_product({n, rows.width, n}, rows.values.data(), rows.width, 1, columns.data(),
              geometry.products.data());
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < i; ++j) {
      // From the differences, not from the products: equal vectors must have no distance.
      const double length = distance_between(rows.row(i), rows.row(j));
      geometry.lengths[i * n + j] = length;
      geometry.lengths[j * n + i] = length;
    }
  }
  geometry.centred = std::move(rows);
  return geometry;
}

}  // namespace

double Geometry::cosine(size_t i, size_t vertex, size_t k) const {
  const double scale = distance(i, vertex) * distance(k, vertex);
  if (scale == 0) return 0;
  if (i == k) return 1;
  const auto product = [this](size_t a, size_t b) { return products[a * count + b]; };
  return (product(i, k) - product(i, vertex) - product(vertex, k) + product(vertex, vertex)) /
         scale;
}

RelationPair read_relations(const LossInput& input, const std::string& loss) {
  Rows student = read_rows(input.student, loss);
  Rows teacher = read_rows(input.teacher, loss);
  if (student.count != teacher.count) {
    throw_error(Category::kUsage, "loss '" + loss + "'",
                "student and teacher must have the same samples",
                std::to_string(student.count) + " and " + std::to_string(teacher.count),
                "choose tensors whose first dimension is the batch");
  }
  check_batch(input, student.count, loss);
  return {geometry_of(std::move(student)), geometry_of(std::move(teacher))};
}

Tensor relation_gradient(const LossInput& input, const Geometry& student,
                         const std::vector<double>& coefficients) {
  Rows gradient = zero_rows(student.count, student.centred.width);
  add_product({student.count, student.count, gradient.width}, coefficients.data(), student.count, 1,
              student.centred.values.data(), gradient.values.data());
  return write_values(input.student, gradient.values);
}

}  // namespace limbeck
