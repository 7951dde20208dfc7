#include "lib/engine/integer_steps.h"

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/engine/parallel.h"

namespace limbeck {
namespace {

/// Values a thread takes at least: smaller pieces cost more to hand out than to compute.
constexpr int64_t kGrain = 16384;

const uint8_t* codes_of(const Tensor& tensor) {
  return reinterpret_cast<const uint8_t*>(tensor.raw());
}
uint8_t* codes_of(std::byte* bytes) { return reinterpret_cast<uint8_t*>(bytes); }

class Quantize : public StepKernel {
 public:
  explicit Quantize(const QuantParams& params) : params_(params) {}
  void run(StepContext& context) const override {
    const Activation& input = context.input(0);
    const float* source = input.tensor.as<float>().data();
    uint8_t* target =
        codes_of(context.allocate(0, code_type(params_), input.tensor.dims(), input.layout));
    parallel_ranges(input.tensor.count(), kGrain, [&](int64_t first, int64_t last) {
      quantize_values(source + first, target + first, last - first, params_);
    });
  }

 private:
  QuantParams params_;
};

class Dequantize : public StepKernel {
 public:
  explicit Dequantize(const QuantParams& params) : params_(params) {}
  void run(StepContext& context) const override {
    const Activation& input = context.input(0);
    auto* target = reinterpret_cast<float*>(
        context.allocate(0, DataType::kFloat, input.tensor.dims(), input.layout));
    const uint8_t* source = codes_of(input.tensor);
    parallel_ranges(input.tensor.count(), kGrain, [&](int64_t first, int64_t last) {
      dequantize_values(source + first, target + first, last - first, params_);
    });
  }

 private:
  QuantParams params_;
};

class CodeTable : public StepKernel {
 public:
  CodeTable(const CodeMap& table, DataType result) : table_(table), result_(result) {}
  void run(StepContext& context) const override {
    const Activation& input = context.input(0);
    const uint8_t* source = codes_of(input.tensor);
    uint8_t* target = codes_of(context.allocate(0, result_, input.tensor.dims(), input.layout));
    parallel_ranges(input.tensor.count(), kGrain, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) target[i] = table_[source[i]];
    });
  }

 private:
  CodeMap table_;
  DataType result_;
};

class Binary : public StepKernel {
 public:
  explicit Binary(const QuantizedBinary& op) : op_(op) {}
  void run(StepContext& context) const override {
    const Activation& left = context.input(0);
    const Dims& dims = left.tensor.dims();
    const Dims& other = context.input(1).tensor.dims();
    if (dims == other) return run_equal(context, left);
    const bool channels =
        dims.size() > 2 && other.size() == dims.size() && other[0] == dims[0] &&
        other[1] == dims[1] &&
        std::all_of(other.begin() + 2, other.end(), [](int64_t d) { return d == 1; });
    if (channels) return run_channels(context);
    throw_error(Category::kInternal, "quantized binary operator",
                "both shapes must be equal, or one hold a value a channel",
                dims_text(dims) + " and " + dims_text(other), "report this bug with the model");
  }

 private:
  void run_equal(StepContext& context, const Activation& left) const {
    const Tensor right = context.input_in(1, left.layout);
    uint8_t* target =
        codes_of(context.allocate(0, code_type(op_.result), right.dims(), left.layout));
    const uint8_t* a = codes_of(left.tensor);
    const uint8_t* b = codes_of(right);
    parallel_ranges(right.count(), kGrain, [&](int64_t first, int64_t last) {
      binary_values(a + first, b + first, target + first, last - first, op_);
    });
  }

  /// The right-hand side has one value a channel: row by row of pixels.
  void run_channels(StepContext& context) const {
    const Tensor left = context.input_in(0, Layout::kChannelsLast);
    const uint8_t* right = codes_of(context.input(1).tensor);
    uint8_t* target =
        codes_of(context.allocate(0, code_type(op_.result), left.dims(), Layout::kChannelsLast));
    const int64_t channels = left.dim(1);
    const int64_t pixels = left.count() / std::max<int64_t>(1, left.dim(0) * channels);
    const uint8_t* a = codes_of(left);
    parallel_ranges(left.dim(0) * pixels, kGrain / std::max<int64_t>(1, channels) + 1,
                    [&](int64_t first, int64_t last) {
                      for (int64_t i = first; i < last; ++i)
                        binary_values(a + i * channels, right + i / pixels * channels,
                                      target + i * channels, channels, op_);
                    });
  }

  QuantizedBinary op_;
};

class Mean : public StepKernel {
 public:
  explicit Mean(const QuantizedMean& op) : op_(op) {}
  void run(StepContext& context) const override;

 private:
  QuantizedMean op_;
};

void Mean::run(StepContext& context) const {
  const Tensor source = context.input_in(0, Layout::kChannelsLast);
  const int64_t samples = source.dim(0);
  const int64_t channels = source.dim(1);
  const int64_t pixels = source.count() / std::max<int64_t>(1, samples * channels);
  Dims dims{samples, channels};
  if (op_.keep) dims.resize(source.rank(), 1);
  const DataType type = op_.quantized ? code_type(op_.result) : DataType::kFloat;
  std::byte* target = context.allocate(0, type, dims, Layout::kPlain);
  std::vector<int32_t> sums(static_cast<size_t>(channels));
  std::vector<float> means(static_cast<size_t>(channels));
  const float step = op_.input.scale / static_cast<float>(std::max<int64_t>(1, pixels));
  for (int64_t n = 0; n < samples; ++n) {
    std::fill(sums.begin(), sums.end(), 0);
    sum_rows(codes_of(source) + n * pixels * channels, sums.data(), pixels, channels,
             op_.input.is_signed);
    for (size_t c = 0; c < means.size(); ++c) {
      const int64_t centred = sums[c] - pixels * op_.input.zero;
      means[c] = static_cast<float>(centred) * step;
    }
    if (op_.quantized) {
      quantize_values(means.data(), codes_of(target) + n * channels, channels, op_.result);
    } else {
      std::copy(means.begin(), means.end(), reinterpret_cast<float*>(target) + n * channels);
    }
  }
}

}  // namespace

std::unique_ptr<StepKernel> make_quantize(const QuantParams& params) {
  return std::make_unique<Quantize>(params);
}

std::unique_ptr<StepKernel> make_dequantize(const QuantParams& params) {
  return std::make_unique<Dequantize>(params);
}

std::unique_ptr<StepKernel> make_code_table(const CodeMap& table, DataType result) {
  return std::make_unique<CodeTable>(table, result);
}

std::unique_ptr<StepKernel> make_quantized_binary(const QuantizedBinary& op) {
  return std::make_unique<Binary>(op);
}

std::unique_ptr<StepKernel> make_quantized_mean(const QuantizedMean& op) {
  return std::make_unique<Mean>(op);
}

}  // namespace limbeck
