#include "lib/engine/onednn/matmul.h"

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/engine/onednn/common.h"

namespace limbeck::onednn {
namespace {

using dnnl::memory;

struct Compiled {
  dnnl::matmul primitive;
  memory::desc left;
  memory::desc right;
  memory::desc result;
  memory::desc scratchpad;
  memory weights;
};

dnnl::primitive_attr matmul_attributes(const MatmulSpec& spec, int channel_mask) {
  dnnl::primitive_attr attributes = base_attributes();
  dnnl::post_ops ops;
  const float unit = spec.quantized ? spec.quantized->unit : 1.0F;
  for (const PostOp& op : spec.post_ops) append_unary(ops, op.unary, unit);
  if (spec.quantized) {
    const Requantization& quantized = *spec.quantized;
    attributes.set_output_scales(quantized.scales.size() > 1 ? channel_mask : 0, quantized.scales);
    if (quantized.input_zero != 0)
      attributes.set_zero_points(DNNL_ARG_SRC, 0, {quantized.input_zero});
    if (quantized.output_zero != 0)
      attributes.set_zero_points(DNNL_ARG_DST, 0, {quantized.output_zero});
    if (quantized.requantize != 1.0F) {
      ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_linear, quantized.requantize, 0);
    }
  }
  attributes.set_post_ops(ops);
  return attributes;
}

void make_primitive(Compiled& compiled, const MatmulSpec& spec, const memory::desc& weights,
                    const memory::desc& bias) {
  const int channel_mask = 1 << (compiled.result.dims().size() - 1);
  const dnnl::matmul::primitive_desc made({compiled.left, weights, bias, compiled.result},
                                          matmul_attributes(spec, channel_mask), cpu());
  compiled.right = made.weights_desc();
  compiled.scratchpad = made.scratchpad_desc();
  compiled.primitive = dnnl::matmul(made);
}

[[noreturn]] void throw_shapes(const std::string& place, const Dims& left, const Dims& right) {
  throw_error(Category::kInvalidModel, place, "the inner dimensions of a matrix product must agree",
              dims_text(left) + " times " + dims_text(right),
              "check the shapes of the model and of its input");
}

/// Right-hand side known at compile time.
class WeightedMatmul : public StepKernel {
 public:
  explicit WeightedMatmul(MatmulSpec spec)
      : spec_(std::move(spec)), packed_(stored_weights(), spec_.weights.raw()) {
    if (spec_.bias.empty()) return;
    auto* data =
        const_cast<std::byte*>(spec_.bias.raw());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    bias_ = memory(memory::desc({1, columns()}, memory::data_type::f32, memory::format_tag::ab),
                   cpu(), data);
  }

  void run(StepContext& context) const override;

 private:
  int64_t inner() const { return spec_.weights.dim(spec_.transpose_right ? 1 : 0); }
  int64_t columns() const { return spec_.weights.dim(spec_.transpose_right ? 0 : 1); }
  memory::desc stored_weights() const;
  std::shared_ptr<const Compiled> compile(int64_t rows, DataType type) const;

  MatmulSpec spec_;
  PackedWeights packed_;
  memory bias_;
  ShapeCache<Compiled> cache_;
};

memory::desc WeightedMatmul::stored_weights() const {
  const Dims strides = spec_.transpose_right ? Dims{1, inner()} : Dims{columns(), 1};
  return {{inner(), columns()}, element_type(spec_.weights.type(), spec_.place), strides};
}

std::shared_ptr<const Compiled> WeightedMatmul::compile(int64_t rows, DataType type) const {
  auto compiled = std::make_shared<Compiled>();
  const DataType output = spec_.quantized ? spec_.quantized->output_type : DataType::kFloat;
  compiled->left = dense_desc({rows, inner()}, type, Layout::kPlain, spec_.place);
  compiled->result = dense_desc({rows, columns()}, output, Layout::kPlain, spec_.place);
  const memory::desc weights({inner(), columns()}, element_type(spec_.weights.type(), spec_.place),
                             memory::format_tag::any);
  make_primitive(*compiled, spec_, weights, spec_.bias.empty() ? memory::desc() : bias_.get_desc());
  compiled->weights = packed_.get(compiled->right);
  return compiled;
}

void WeightedMatmul::run(StepContext& context) const try {
  const Tensor left = context.input_in(0, Layout::kPlain);
  if (left.rank() < 2 || left.dims().back() != inner())
    throw_shapes(spec_.place, left.dims(), {inner(), columns()});
  Dims dims = left.dims();
  dims.back() = columns();
  const DataType output = spec_.quantized ? spec_.quantized->output_type : DataType::kFloat;
  std::byte* result = context.allocate(0, output, dims, Layout::kPlain);
  const int64_t rows = left.count() / std::max<int64_t>(1, inner());
  if (rows == 0) return;
  const auto compiled = cache_.get({rows}, [&] { return compile(rows, left.type()); });
  Call call;
  call.bind(DNNL_ARG_SRC, compiled->left, left.raw());
  call.bind(DNNL_ARG_WEIGHTS, compiled->weights);
  if (!spec_.bias.empty()) call.bind(DNNL_ARG_BIAS, bias_);
  call.bind(DNNL_ARG_DST, compiled->result, result);
  call.run(compiled->primitive, context, compiled->scratchpad);
} catch (const dnnl::error& error) {
  rethrow(error, spec_.place);
}

/// Both sides computed at run time; numpy broadcasting of the leading dimensions.
class DynamicMatmul : public StepKernel {
 public:
  explicit DynamicMatmul(MatmulSpec spec) : spec_(std::move(spec)) {}
  void run(StepContext& context) const override;

 private:
  std::shared_ptr<const Compiled> compile(const Dims& left, const Dims& right,
                                          const Dims& result) const;
  Dims result_dims(const Dims& left, const Dims& right) const;

  MatmulSpec spec_;
  ShapeCache<Compiled> cache_;
};

Dims padded_to(const Dims& dims, size_t rank) {
  Dims result(rank - dims.size(), 1);
  result.insert(result.end(), dims.begin(), dims.end());
  return result;
}

Dims DynamicMatmul::result_dims(const Dims& left, const Dims& right) const {
  const size_t rank = left.size();
  if (left[rank - 1] != right[rank - 2]) throw_shapes(spec_.place, left, right);
  Dims result(rank);
  for (size_t i = 0; i + 2 < rank; ++i) {
    if (left[i] != right[i] && left[i] != 1 && right[i] != 1)
      throw_shapes(spec_.place, left, right);
    result[i] = left[i] == 1 ? right[i] : left[i];
  }
  result[rank - 2] = left[rank - 2];
  result[rank - 1] = right[rank - 1];
  return result;
}

std::shared_ptr<const Compiled> DynamicMatmul::compile(const Dims& left, const Dims& right,
                                                       const Dims& result) const {
  auto compiled = std::make_shared<Compiled>();
  compiled->left = dense_desc(left, DataType::kFloat, Layout::kPlain, spec_.place);
  compiled->result = dense_desc(result, DataType::kFloat, Layout::kPlain, spec_.place);
  make_primitive(*compiled, spec_, dense_desc(right, DataType::kFloat, Layout::kPlain, spec_.place),
                 memory::desc());
  return compiled;
}

void DynamicMatmul::run(StepContext& context) const try {
  const Tensor left = context.input_in(0, Layout::kPlain);
  const Tensor right = context.input_in(1, Layout::kPlain);
  const size_t rank = std::max(left.rank(), right.rank());
  if (std::min(left.rank(), right.rank()) < 2) throw_shapes(spec_.place, left.dims(), right.dims());
  const Dims left_dims = padded_to(left.dims(), rank);
  const Dims right_dims = padded_to(right.dims(), rank);
  const Dims dims = result_dims(left_dims, right_dims);
  std::byte* result = context.allocate(0, DataType::kFloat, dims, Layout::kPlain);
  if (element_count(dims, spec_.place) == 0) return;
  Dims key = left_dims;
  key.insert(key.end(), right_dims.begin(), right_dims.end());
  const auto compiled = cache_.get(key, [&] { return compile(left_dims, right_dims, dims); });
  Call call;
  call.bind(DNNL_ARG_SRC, compiled->left, left.raw());
  call.bind(DNNL_ARG_WEIGHTS, compiled->right, right.raw());
  call.bind(DNNL_ARG_DST, compiled->result, result);
  call.run(compiled->primitive, context, compiled->scratchpad);
} catch (const dnnl::error& error) {
  rethrow(error, spec_.place);
}

}  // namespace

std::unique_ptr<StepKernel> make_matmul(MatmulSpec spec) {
  if (spec.weights.empty()) return std::make_unique<DynamicMatmul>(std::move(spec));
  return std::make_unique<WeightedMatmul>(std::move(spec));
}

}  // namespace limbeck::onednn
