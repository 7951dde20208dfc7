#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/engine/exact_common.h"
#include "lib/engine/exact_steps.h"
#include "lib/engine/parallel.h"

namespace limbeck {
namespace {

using onednn::MatmulSpec;

class ExactMatmul : public StepKernel {
 public:
  explicit ExactMatmul(MatmulSpec spec) : spec_(std::move(spec)) {
    finish_ = make_finish(*spec_.quantized, spec_.bias, spec_.post_ops, columns());
    const auto codes = spec_.weights.as<int8_t>();
    const int64_t column_step = spec_.transpose_right ? inner() : 1;
    const int64_t inner_step = spec_.transpose_right ? 1 : columns();
    packed_ = pack_weights(columns(), 1, inner(), [&](int64_t c, int64_t, int64_t i) {
      return codes[static_cast<size_t>(c * column_step + i * inner_step)];
    });
  }
  void run(StepContext& context) const override;

 private:
  int64_t inner() const { return spec_.weights.dim(spec_.transpose_right ? 1 : 0); }
  int64_t columns() const { return spec_.weights.dim(spec_.transpose_right ? 0 : 1); }
  void run_rows(StepContext& context, const Tensor& left, int64_t first, int64_t count,
                std::byte* target) const;

  MatmulSpec spec_;
  Finish finish_;
  PairedWeights packed_;
};

void ExactMatmul::run_rows(StepContext& context, const Tensor& left, int64_t first, int64_t count,
                           std::byte* target) const {
  const auto values = static_cast<size_t>(count * inner());
  const WritableTensor scratch = context.scratch((values + 1) * sizeof(int16_t));
  auto* wide = reinterpret_cast<int16_t*>(scratch.data);
  widen_codes(codes_of(left) + first * inner(), count * inner(),
              input_zero(context, *spec_.quantized), left.type() == DataType::kInt8, wide);
  wide[values] = 0;
  std::vector<const int16_t*> rows;
  for (int64_t r = 0; r < count; ++r) rows.push_back(wide + r * inner());
  const int64_t offset = 0;
  const int64_t stride = columns() * static_cast<int64_t>(bytes_of(finish_.output));
  multiply_rows(rows.data(), count, &offset, packed_, finish_, {target, stride, 0});
}

void ExactMatmul::run(StepContext& context) const {
  const Tensor left = context.input_in(0, Layout::kPlain);
  if (left.rank() < 2 || left.dims().back() != inner()) {
    throw_error(Category::kInvalidModel, spec_.place,
                "the inner dimensions of a matrix product must agree",
                dims_text(left.dims()) + " times " + dims_text({inner(), columns()}),
                "check the shapes of the model and of its input");
  }
  Dims dims = left.dims();
  dims.back() = columns();
  std::byte* target = context.allocate(0, spec_.quantized->output_type, dims, Layout::kPlain);
  const int64_t rows = left.count() / std::max<int64_t>(1, inner());
  const int64_t stride = columns() * static_cast<int64_t>(bytes_of(finish_.output));
  const int64_t band = std::max<int64_t>(6, kBandBytes / std::max<int64_t>(1, 2 * inner()) / 6 * 6);
  parallel_ranges(rows, 6, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; row += band)
      run_rows(context, left, row, std::min(band, last - row), target + row * stride);
  });
}

}  // namespace

std::unique_ptr<StepKernel> make_exact_matmul(onednn::MatmulSpec spec) {
  return std::make_unique<ExactMatmul>(std::move(spec));
}

}  // namespace limbeck
