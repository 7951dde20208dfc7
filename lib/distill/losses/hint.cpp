#include "lib/distill/losses/hint.h"

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"
#include "lib/base/philox.h"
#include "lib/distill/losses/feature_maps.h"
#include "lib/distill/losses/product.h"
#include "lib/distill/losses/rows.h"
#include "lib/distill/losses/taps.h"
#include "lib/distill/random_purpose.h"

namespace limbeck {
namespace {

constexpr const char* kName = "hint";

/// A 1x1 convolution from `in` to `out` channels.
struct Adapter {
  size_t in = 0;
  size_t out = 0;
  std::vector<double> matrix;  ///< [out, in]
  std::vector<double> bias;    ///< [out]
};

Adapter read_adapter(const LossInput& input, size_t in, size_t out) {
  const bool fits = input.weights.size() == 2 &&
                    input.weights[0].count() == static_cast<int64_t>(in * out) &&
                    input.weights[1].count() == static_cast<int64_t>(out);
  if (!fits) {
    throw_error(Category::kInternal, "loss 'hint'", "the adapter must fit the taps",
                std::to_string(input.weights.size()) + " weights for " + std::to_string(in) +
                    " to " + std::to_string(out) + " channels",
                "report this bug");
  }
  return {in, out, read_values(input.weights[0]), read_values(input.weights[1])};
}

FeatureMaps regress(const Adapter& adapter, const FeatureMaps& maps) {
  FeatureMaps result = zero_maps(maps.samples, adapter.out, maps.height, maps.width);
  const size_t positions = maps.positions();
  for (size_t n = 0; n < maps.samples; ++n) {
    for (size_t o = 0; o < adapter.out; ++o) {
      std::fill_n(result.plane(n, o), positions, adapter.bias[o]);
    }
    add_product({adapter.out, adapter.in, positions}, adapter.matrix.data(), adapter.in, 1,
                maps.plane(n, 0), result.plane(n, 0));
  }
  return result;
}

/// Of the loss with respect to the maps that regress() read, and to the adapter.
FeatureMaps backward(const Adapter& adapter, const FeatureMaps& maps, const FeatureMaps& gradient,
                     Adapter& adapter_gradient) {
  FeatureMaps result = zero_maps(maps.samples, maps.channels, maps.height, maps.width);
  const size_t positions = maps.positions();
  for (size_t n = 0; n < maps.samples; ++n) {
    const double* outer = gradient.plane(n, 0);
    for (size_t o = 0; o < adapter.out; ++o) {
      for (size_t p = 0; p < positions; ++p) adapter_gradient.bias[o] += outer[o * positions + p];
    }
    add_product({adapter.in, adapter.out, positions}, adapter.matrix.data(), 1, adapter.in, outer,
                result.plane(n, 0));
    const std::vector<double> columns = transposed(maps.plane(n, 0), adapter.in, positions);
    add_product({adapter.out, positions, adapter.in}, outer, positions, 1, columns.data(),
                adapter_gradient.matrix.data());
  }
  return result;
}

}  // namespace

LossResult hint(const LossInput& input) {
  const FeatureMaps student = read_maps(input.student, kName);
  const MapPair pair = pool_to_common(student, read_maps(input.teacher, kName), kName);
  check_batch(input, student.samples, kName);
  const Adapter adapter = read_adapter(input, student.channels, pair.teacher.channels);
  FeatureMaps outer = regress(adapter, pair.student);
  const size_t elements = outer.channels * outer.positions();
  const double scale = 1 / (static_cast<double>(input.batch) * static_cast<double>(elements));
  LossResult result;
  for (size_t i = 0; i < outer.values.size(); ++i) {
    const double difference = outer.values[i] - pair.teacher.values[i];
    result.loss += scale * difference * difference;
    outer.values[i] = 2 * scale * difference;
  }
  Adapter gradient = {adapter.in, adapter.out, std::vector<double>(adapter.matrix.size()),
                      std::vector<double>(adapter.bias.size())};
  const FeatureMaps inner = backward(adapter, pair.student, outer, gradient);
  result.student = write_values(input.student, unpool_gradient(inner, student).values);
  result.weights.push_back(write_values(input.weights[0], gradient.matrix));
  result.weights.push_back(write_values(input.weights[1], gradient.bias));
  return result;
}

std::vector<Tensor> initial_adapter(const Dims& student, const Dims& teacher, uint64_t seed) {
  if (student.size() < 2 || teacher.size() < 2 || student[1] < 1 || teacher[1] < 1) {
    throw_error(Category::kUsage, "loss 'hint'", "a tap must be samples x known channels",
                dims_text(student) + " and " + dims_text(teacher), "choose other taps");
  }
  const double bound = 1 / std::sqrt(static_cast<double>(student[1]));
  uint64_t index = 0;
  const auto draw = [&](Dims dims) {
    Tensor tensor = Tensor::allocate(DataType::kFloat, std::move(dims));
    for (float& value : tensor.mutable_as<float>()) {
      RandomStream random(seed, static_cast<uint32_t>(RandomPurpose::kAdapter), 0, index++);
      value = static_cast<float>(random.uniform(-bound, bound));
    }
    return tensor;
  };
  std::vector<Tensor> weights;
  weights.push_back(draw({teacher[1], student[1], 1, 1}));
  weights.push_back(draw({teacher[1]}));
  return weights;
}

LossTerm make_hint(OptionReader& reader) {
  LossTerm term;
  read_taps(reader, term);
  term.evaluate = hint;
  term.initial_weights = initial_adapter;
  return term;
}

}  // namespace limbeck
