#include "lib/engine/concat_step.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "lib/base/error.h"
#include "lib/engine/parallel.h"

namespace limbeck {
namespace {

constexpr int64_t kGrainBytes = 65536;

class Concat : public StepKernel {
 public:
  explicit Concat(ConcatSpec spec) : spec_(std::move(spec)) {}
  void run(StepContext& context) const override;

 private:
  Layout layout(const StepContext& context) const;
  Dims result_dims(const std::vector<Tensor>& inputs) const;
  void copy(size_t input, const std::byte* from, std::byte* to, size_t bytes) const;

  ConcatSpec spec_;
};

/// Channels last when that spares copies: along the channels, and some input lies like that.
Layout Concat::layout(const StepContext& context) const {
  if (spec_.axis != 1) return Layout::kPlain;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Activation& input = context.input(i);
    if (input.tensor.rank() > 2 && input.layout == Layout::kChannelsLast)
      return Layout::kChannelsLast;
  }
  return Layout::kPlain;
}

Dims Concat::result_dims(const std::vector<Tensor>& inputs) const {
  Dims dims = inputs.front().dims();
  int64_t sum = 0;
  for (const Tensor& input : inputs) {
    Dims other = input.dims();
    const bool fits = other.size() == dims.size() && spec_.axis < other.size() &&
                      input.type() == inputs.front().type();
    if (fits) {
      sum += other[spec_.axis];
      other[spec_.axis] = dims[spec_.axis];
    }
    if (fits && other == dims) continue;
    throw_error(Category::kInvalidModel, spec_.place,
                "inputs must agree in type and, but for the axis, in shape",
                dims_text(dims) + " and " + dims_text(input.dims()),
                "check the shapes of the model and of its input");
  }
  dims[spec_.axis] = sum;
  return dims;
}

void Concat::copy(size_t input, const std::byte* from, std::byte* to, size_t bytes) const {
  if (input >= spec_.maps.size() || !spec_.maps[input]) {
    std::memcpy(to, from, bytes);
    return;
  }
  const CodeMap& map = *spec_.maps[input];
  for (size_t i = 0; i < bytes; ++i) to[i] = std::byte{map[std::to_integer<size_t>(from[i])]};
}

void Concat::run(StepContext& context) const {
  const Layout order = layout(context);
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < context.input_count(); ++i) inputs.push_back(context.input_in(i, order));
  const Dims dims = result_dims(inputs);
  const DataType type = spec_.type == DataType::kUndefined ? inputs.front().type() : spec_.type;
  std::byte* target = context.allocate(0, type, dims, order);
  const int64_t count = element_count(dims, spec_.place);
  if (count == 0) return;
  const auto width = static_cast<size_t>(bits_per_element(type) / 8);
  const bool last = order == Layout::kChannelsLast;
  int64_t outer = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (last ? i != 1 : i < spec_.axis) outer *= dims[i];
  }
  const size_t row = static_cast<size_t>(count / outer) * width;
  const int64_t grain = std::max<int64_t>(1, kGrainBytes / static_cast<int64_t>(row));
  parallel_ranges(outer, grain, [&](int64_t first, int64_t end) {
    for (int64_t o = first; o < end; ++o) {
      std::byte* to = target + static_cast<size_t>(o) * row;
      for (size_t i = 0; i < inputs.size(); ++i) {
        const size_t chunk = static_cast<size_t>(inputs[i].count() / outer) * width;
        copy(i, inputs[i].raw() + static_cast<size_t>(o) * chunk, to, chunk);
        to += chunk;
      }
    }
  });
}

}  // namespace

std::unique_ptr<StepKernel> make_concat(ConcatSpec spec) {
  return std::make_unique<Concat>(std::move(spec));
}

}  // namespace limbeck
