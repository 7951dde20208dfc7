#include <algorithm>
#include <utility>

#include "lib/engine/exact_common.h"
#include "lib/engine/exact_steps.h"
#include "lib/engine/parallel.h"

namespace limbeck {
namespace {

using onednn::ConvolutionSpec;

/// A two-dimensional convolution of one input shape; one-dimensional ones have a height of 1.
struct Grid {
  int64_t samples = 0;
  int64_t height = 1;
  int64_t width = 1;
  int64_t channels = 0;
  int64_t out_height = 1;
  int64_t out_width = 1;
  int64_t kernel_height = 1;
  int64_t kernel_width = 1;
  int64_t stride_y = 1;
  int64_t stride_x = 1;
  int64_t dilation_y = 1;
  int64_t dilation_x = 1;
  int64_t pad_top = 0;
  int64_t pad_left = 0;

  /// Input columns that the outputs of a row read, padding included.
  int64_t padded_width() const {
    return (out_width - 1) * stride_x + (kernel_width - 1) * dilation_x + 1;
  }
  int64_t row_values() const { return padded_width() * channels; }
  /// Input rows behind `rows` output rows.
  int64_t input_rows(int64_t rows) const {
    return (rows - 1) * stride_y + (kernel_height - 1) * dilation_y + 1;
  }
};

/// Output rows [first, first + rows) of one sample.
struct Band {
  int64_t sample = 0;
  int64_t first = 0;
  int64_t rows = 0;
};

/// Copies the input rows of a band, without zero point and with padding.
template <typename T>
void widen_band(const Grid& grid, const Band& band, const Tensor& source, int32_t zero, T* target) {
  const bool is_signed = source.type() == DataType::kInt8;
  const int64_t row = grid.row_values();
  const int64_t left = std::min(grid.pad_left, grid.padded_width());
  const int64_t columns = std::clamp<int64_t>(grid.padded_width() - left, 0, grid.width);
  const int64_t top = band.first * grid.stride_y - grid.pad_top;
  for (int64_t i = 0; i < grid.input_rows(band.rows); ++i, target += row) {
    const int64_t y = top + i;
    if (y < 0 || y >= grid.height) {
      std::fill(target, target + row, T{0});
      continue;
    }
    const uint8_t* from =
        codes_of(source) + (band.sample * grid.height + y) * grid.width * grid.channels;
    std::fill(target, target + left * grid.channels, T{0});
    widen_codes(from, columns * grid.channels, zero, is_signed, target + left * grid.channels);
    std::fill(target + (left + columns) * grid.channels, target + row, T{0});
  }
}

class ExactConvolution : public StepKernel {
 public:
  explicit ExactConvolution(ConvolutionSpec spec);
  void run(StepContext& context) const override;

 private:
  bool flat() const { return spec_.weights.rank() == 3; }
  int64_t kernel(size_t axis) const;
  int8_t weight(int64_t output, int64_t input, int64_t y, int64_t x) const;
  void pack();
  void pack_depthwise();
  Grid grid(const Dims& input, const onednn::ConvolutionGeometry& geometry) const;
  Grid pointwise_grid(const Dims& input) const;
  bool pointwise() const;
  std::vector<int64_t> offsets(const Grid& grid) const;
  int64_t band_rows(const Grid& grid) const;
  void run_band(StepContext& context, const Grid& grid, const Band& band, const Tensor& source,
                std::byte* target) const;
  void run_depthwise(StepContext& context, const Grid& grid, const Band& band, const Tensor& source,
                     std::byte* target) const;
  void run_products(StepContext& context, const Grid& grid, const Band& band, const Tensor& source,
                    std::byte* target) const;

  ConvolutionSpec spec_;
  Finish finish_;
  bool depthwise_ = false;
  bool joined_ = false;                ///< a run spans the kernel's width and all channels
  std::vector<PairedWeights> packed_;  ///< one a group
  std::vector<float> taps_;            ///< [tap][channel] of a depthwise convolution
};

ExactConvolution::ExactConvolution(ConvolutionSpec spec) : spec_(std::move(spec)) {
  const int64_t outputs = spec_.weights.dim(0);
  finish_ = make_finish(*spec_.quantized, spec_.bias, spec_.post_ops, outputs);
  // 512 products of at most 255 * 128 are below 2^24.
  depthwise_ = spec_.groups == outputs && spec_.weights.dim(1) == 1 && spec_.groups > 1 &&
               kernel(0) * kernel(1) <= 512;
  joined_ = spec_.groups == 1 && spec_.dilations.back() == 1;
  if (depthwise_) {
    pack_depthwise();
  } else {
    pack();
  }
}

/// Size of the kernel: axis 0 vertical, 1 horizontal.
int64_t ExactConvolution::kernel(size_t axis) const {
  if (flat()) return axis == 0 ? 1 : spec_.weights.dim(2);
  return spec_.weights.dim(axis + 2);
}

int8_t ExactConvolution::weight(int64_t output, int64_t input, int64_t y, int64_t x) const {
  const int64_t row = (output * spec_.weights.dim(1) + input) * kernel(0) + y;
  return spec_.weights.as<int8_t>()[static_cast<size_t>(row * kernel(1) + x)];
}

void ExactConvolution::pack() {
  const int64_t inputs = spec_.weights.dim(1);
  const int64_t columns = spec_.weights.dim(0) / spec_.groups;
  for (int64_t group = 0; group < spec_.groups; ++group) {
    const int64_t first = group * columns;
    if (joined_) {
      packed_.push_back(pack_weights(columns, kernel(0), kernel(1) * inputs,
                                     [&](int64_t c, int64_t run, int64_t i) {
                                       return weight(first + c, i % inputs, run, i / inputs);
                                     }));
    } else {
      packed_.push_back(pack_weights(
          columns, kernel(0) * kernel(1), inputs, [&](int64_t c, int64_t run, int64_t i) {
            return weight(first + c, i, run / kernel(1), run % kernel(1));
          }));
    }
  }
}

void ExactConvolution::pack_depthwise() {
  for (int64_t y = 0; y < kernel(0); ++y) {
    for (int64_t x = 0; x < kernel(1); ++x) {
      for (int64_t c = 0; c < spec_.groups; ++c)
        taps_.push_back(static_cast<float>(weight(c, 0, y, x)));
    }
  }
}

bool ExactConvolution::pointwise() const {
  const auto all = [](const Dims& values, int64_t wanted) {
    return std::all_of(values.begin(), values.end(),
                       [=](int64_t value) { return value == wanted; });
  };
  return spec_.groups == 1 && kernel(0) * kernel(1) == 1 && all(spec_.strides, 1) &&
         all(spec_.pads, 0);
}

/// Every pixel of every sample a row of its own.
Grid ExactConvolution::pointwise_grid(const Dims& input) const {
  Grid grid;
  grid.samples = 1;
  grid.channels = input[1];
  grid.height = input[0];
  for (size_t i = 2; i < input.size(); ++i) grid.height *= input[i];
  grid.out_height = grid.height;
  return grid;
}

Grid ExactConvolution::grid(const Dims& input, const onednn::ConvolutionGeometry& geometry) const {
  if (pointwise()) return pointwise_grid(input);
  Grid grid;
  grid.samples = input[0];
  grid.channels = input[1];
  const size_t x = flat() ? 0 : 1;
  grid.width = input[x + 2];
  grid.out_width = geometry.output[x + 2];
  grid.stride_x = spec_.strides[x];
  grid.dilation_x = spec_.dilations[x];
  grid.pad_left = geometry.begin[x];
  grid.kernel_height = kernel(0);
  grid.kernel_width = kernel(1);
  if (flat()) return grid;
  grid.height = input[2];
  grid.out_height = geometry.output[2];
  grid.stride_y = spec_.strides[0];
  grid.dilation_y = spec_.dilations[0];
  grid.pad_top = geometry.begin[0];
  return grid;
}

/// Of every run (or tap) from the first value that a pixel reads.
std::vector<int64_t> ExactConvolution::offsets(const Grid& grid) const {
  std::vector<int64_t> result;
  for (int64_t y = 0; y < grid.kernel_height; ++y) {
    const int64_t row = y * grid.dilation_y * grid.row_values();
    for (int64_t x = 0; x < (joined_ && !depthwise_ ? 1 : grid.kernel_width); ++x)
      result.push_back(row + x * grid.dilation_x * grid.channels);
  }
  return result;
}

int64_t ExactConvolution::band_rows(const Grid& grid) const {
  const int64_t row_bytes = std::max<int64_t>(1, grid.row_values() * (depthwise_ ? 4 : 2));
  const int64_t kept = std::max<int64_t>(1, kBandBytes / row_bytes);
  const int64_t beyond = (grid.kernel_height - 1) * grid.dilation_y + 1;
  int64_t rows = std::max<int64_t>(1, (kept - beyond) / grid.stride_y + 1);
  const int64_t share = (grid.samples * grid.out_height + thread_count() - 1) / thread_count();
  rows = std::min({rows, std::max<int64_t>(1, share), grid.out_height});
  return rows > 6 && grid.out_width == 1 ? rows / 6 * 6 : rows;
}

void ExactConvolution::run_depthwise(StepContext& context, const Grid& grid, const Band& band,
                                     const Tensor& source, std::byte* target) const {
  const auto values = static_cast<size_t>(grid.input_rows(band.rows) * grid.row_values());
  const WritableTensor scratch = context.scratch(values * sizeof(float));
  auto* wide = reinterpret_cast<float*>(scratch.data);
  widen_band(grid, band, source, input_zero(context, *spec_.quantized), wide);
  const std::vector<int64_t> taps = offsets(grid);
  const int64_t row_bytes =
      grid.out_width * grid.channels * static_cast<int64_t>(bytes_of(finish_.output));
  DepthwiseRow row{wide,
                   grid.out_width,
                   grid.stride_x * grid.channels,
                   taps.data(),
                   static_cast<int64_t>(taps.size()),
                   taps_.data(),
                   grid.channels};
  for (int64_t y = 0; y < band.rows; ++y) {
    row.source = wide + y * grid.stride_y * grid.row_values();
    multiply_depthwise(row, finish_, target + y * row_bytes);
  }
}

void ExactConvolution::run_products(StepContext& context, const Grid& grid, const Band& band,
                                    const Tensor& source, std::byte* target) const {
  const auto values = static_cast<size_t>(grid.input_rows(band.rows) * grid.row_values());
  const WritableTensor scratch = context.scratch((values + 1) * sizeof(int16_t));
  auto* wide = reinterpret_cast<int16_t*>(scratch.data);
  widen_band(grid, band, source, input_zero(context, *spec_.quantized), wide);
  wide[values] = 0;
  const std::vector<int64_t> runs = offsets(grid);
  std::vector<const int16_t*> rows;
  for (int64_t y = 0; y < band.rows; ++y) {
    for (int64_t x = 0; x < grid.out_width; ++x)
      rows.push_back(wide + y * grid.stride_y * grid.row_values() +
                     x * grid.stride_x * grid.channels);
  }
  const int64_t columns = spec_.weights.dim(0) / spec_.groups;
  const auto width = static_cast<int64_t>(bytes_of(finish_.output));
  for (int64_t group = 0; group < spec_.groups; ++group) {
    const int64_t first = group * columns;
    multiply_rows(rows.data(), static_cast<int64_t>(rows.size()), runs.data(),
                  packed_[static_cast<size_t>(group)], finish_,
                  {target + first * width, spec_.weights.dim(0) * width, first});
    for (const int16_t*& row : rows) row += grid.channels / spec_.groups;
  }
}

void ExactConvolution::run_band(StepContext& context, const Grid& grid, const Band& band,
                                const Tensor& source, std::byte* target) const {
  if (depthwise_) return run_depthwise(context, grid, band, source, target);
  run_products(context, grid, band, source, target);
}

void ExactConvolution::run(StepContext& context) const {
  const Tensor source = context.input_in(0, Layout::kChannelsLast);
  onednn::check_convolution_input(spec_, source.dims());
  const onednn::ConvolutionGeometry geometry = onednn::convolution_geometry(spec_, source.dims());
  std::byte* target =
      context.allocate(0, spec_.quantized->output_type, geometry.output, Layout::kChannelsLast);
  if (element_count(geometry.output, spec_.place) == 0) return;
  const Grid shape = grid(source.dims(), geometry);
  const int64_t rows = band_rows(shape);
  const int64_t bands = (shape.out_height + rows - 1) / rows;
  const int64_t row_bytes =
      shape.out_width * spec_.weights.dim(0) * static_cast<int64_t>(bytes_of(finish_.output));
  parallel_ranges(shape.samples * bands, 1, [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task) {
      Band band{task / bands, task % bands * rows, rows};
      band.rows = std::min(rows, shape.out_height - band.first);
      run_band(context, shape, band, source,
               target + (band.sample * shape.out_height + band.first) * row_bytes);
    }
  });
}

}  // namespace

bool exact_convolution_fits(const ConvolutionSpec& spec) {
  const bool additions = std::any_of(spec.post_ops.begin(), spec.post_ops.end(),
                                     [](const PostOp& op) { return op.is_add; });
  const size_t rank = spec.weights.rank();
  return spec.quantized && !spec.transposed && !additions && (rank == 3 || rank == 4);
}

std::unique_ptr<StepKernel> make_exact_convolution(ConvolutionSpec spec) {
  return std::make_unique<ExactConvolution>(std::move(spec));
}

}  // namespace limbeck
