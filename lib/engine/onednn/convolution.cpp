#include "lib/engine/onednn/convolution.h"

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/engine/onednn/common.h"

namespace limbeck::onednn {
namespace {

using dnnl::memory;

int64_t output_channels(const ConvolutionSpec& spec) {
  return spec.transposed ? spec.weights.dim(1) * spec.groups : spec.weights.dim(0);
}

/// One primitive, made for one input shape and type.
struct Compiled {
  dnnl::primitive primitive;
  memory::desc source;
  memory::desc result;
  memory::desc scratchpad;
  memory weights;
  Dims output;
};

class Convolution : public StepKernel {
 public:
  explicit Convolution(ConvolutionSpec spec);
  void run(StepContext& context) const override;

 private:
  Dims grouped_weight_dims() const;
  memory::desc stored_weights() const;
  dnnl::primitive_attr attributes(const memory::desc& result) const;
  std::shared_ptr<const Compiled> compile(const Dims& dims, DataType type) const;
  template <typename Primitive>
  void build(Compiled& compiled, const memory::desc& weights, const ConvolutionGeometry& geometry,
             dnnl::algorithm algorithm) const;
  DataType output_type() const {
    return spec_.quantized ? spec_.quantized->output_type : DataType::kFloat;
  }

  ConvolutionSpec spec_;
  PackedWeights packed_;
  memory bias_;
  ShapeCache<Compiled> cache_;
};

Convolution::Convolution(ConvolutionSpec spec)
    : spec_(std::move(spec)), packed_(stored_weights(), spec_.weights.raw()) {
  if (spec_.bias.empty()) return;
  const memory::desc desc({output_channels(spec_)}, memory::data_type::f32, memory::format_tag::x);
  bias_ = memory(
      desc, cpu(),
      const_cast<std::byte*>(spec_.bias.raw()));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

/// oneDNN's order: [groups,] output channels, input channels, kernel.
Dims Convolution::grouped_weight_dims() const {
  const Dims& dims = spec_.weights.dims();
  Dims result;
  if (spec_.groups > 1) result.push_back(spec_.groups);
  result.push_back(output_channels(spec_) / spec_.groups);
  result.push_back(spec_.transposed ? dims[0] / spec_.groups : dims[1]);
  result.insert(result.end(), dims.begin() + 2, dims.end());
  return result;
}

memory::desc Convolution::stored_weights() const {
  const Dims dims = grouped_weight_dims();
  Dims strides = row_major_strides(dims);
  if (spec_.transposed) {
    const size_t out = spec_.groups > 1 ? 1 : 0;
    strides[out] = strides[out + 1];
    strides[out + 1] = strides[out] * dims[out];
  }
  return {dims, element_type(spec_.weights.type(), spec_.place), strides};
}

dnnl::primitive_attr Convolution::attributes(const memory::desc& result) const {
  dnnl::primitive_attr attributes = base_attributes();
  dnnl::post_ops ops;
  if (!spec_.quantized) {
    append_post_ops(ops, spec_.post_ops, result);
    attributes.set_post_ops(ops);
    return attributes;
  }
  const Requantization& quantized = *spec_.quantized;
  attributes.set_output_scales(quantized.scales.size() > 1 ? 2 : 0, quantized.scales);
  if (quantized.input_zero != 0)
    attributes.set_zero_points(DNNL_ARG_SRC, 0, {quantized.input_zero});
  if (quantized.output_zero != 0)
    attributes.set_zero_points(DNNL_ARG_DST, 0, {quantized.output_zero});
  for (const PostOp& op : spec_.post_ops) {
    if (op.is_add) {
      ops.append_binary(dnnl::algorithm::binary_add, result);
    } else {
      append_unary(ops, op.unary, quantized.unit);
    }
  }
  if (quantized.requantize != 1.0F) {
    ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_linear, quantized.requantize, 0);
  }
  attributes.set_post_ops(ops);
  return attributes;
}

template <typename Primitive>
void Convolution::build(Compiled& compiled, const memory::desc& weights,
                        const ConvolutionGeometry& geometry, dnnl::algorithm algorithm) const {
  Dims dilations = spec_.dilations;
  for (int64_t& dilation : dilations) --dilation;
  const memory::desc bias = spec_.bias.empty() ? memory::desc() : bias_.get_desc();
  const typename Primitive::desc desc(dnnl::prop_kind::forward_inference, algorithm,
                                      compiled.source, weights, bias, compiled.result,
                                      spec_.strides, dilations, geometry.begin, geometry.end);
  const typename Primitive::primitive_desc made(desc, attributes(compiled.result), cpu());
  compiled.scratchpad = made.scratchpad_desc();
  compiled.weights = packed_.get(made.weights_desc());
  compiled.primitive = Primitive(made);
}

std::shared_ptr<const Compiled> Convolution::compile(const Dims& dims, DataType type) const {
  auto compiled = std::make_shared<Compiled>();
  const ConvolutionGeometry shape = convolution_geometry(spec_, dims);
  element_count(shape.output, spec_.place);
  compiled->output = shape.output;
  compiled->source = dense_desc(dims, type, Layout::kChannelsLast, spec_.place);
  compiled->result = dense_desc(shape.output, output_type(), Layout::kChannelsLast, spec_.place);
  const memory::desc weights(grouped_weight_dims(), element_type(spec_.weights.type(), spec_.place),
                             memory::format_tag::any);
  if (spec_.transposed) {
    build<dnnl::deconvolution_forward>(*compiled, weights, shape,
                                       dnnl::algorithm::deconvolution_direct);
  } else {
    build<dnnl::convolution_forward>(*compiled, weights, shape,
                                     dnnl::algorithm::convolution_direct);
  }
  return compiled;
}

void Convolution::run(StepContext& context) const try {
  const Tensor source = context.input_in(0, Layout::kChannelsLast);
  check_convolution_input(spec_, source.dims());
  const auto compiled =
      cache_.get(source.dims(), [&] { return compile(source.dims(), source.type()); });
  std::byte* result = context.allocate(0, output_type(), compiled->output, Layout::kChannelsLast);
  Call call;
  call.bind(DNNL_ARG_SRC, compiled->source, source.raw());
  call.bind(DNNL_ARG_WEIGHTS, compiled->weights);
  if (!spec_.bias.empty()) call.bind(DNNL_ARG_BIAS, bias_);
  call.bind(DNNL_ARG_DST, compiled->result, result);
  std::vector<Tensor> addends;
  for (size_t i = 0; i < spec_.post_ops.size(); ++i) {
    if (!spec_.post_ops[i].is_add) continue;
    addends.push_back(context.input_in(1 + addends.size(), Layout::kChannelsLast));
    call.bind(DNNL_ARG_ATTR_MULTIPLE_POST_OP(static_cast<int>(i)) | DNNL_ARG_SRC_1,
              compiled->result, addends.back().raw());
  }
  call.run(compiled->primitive, context, compiled->scratchpad);
} catch (const dnnl::error& error) {
  rethrow(error, spec_.place);
}

}  // namespace

ConvolutionGeometry convolution_geometry(const ConvolutionSpec& spec, const Dims& input) {
  ConvolutionGeometry result{{input[0], output_channels(spec)}, {}, {}};
  const size_t spatial = input.size() - 2;
  for (size_t i = 0; i < spatial; ++i) {
    const int64_t extent = (spec.weights.dim(i + 2) - 1) * spec.dilations[i] + 1;
    const int64_t stride = spec.strides[i];
    int64_t begin = spec.pads[i];
    int64_t end = spec.pads[i + spatial];
    if (spec.transposed) {
      end -= spec.output_padding[i];
      result.output.push_back((input[i + 2] - 1) * stride + extent - begin - end);
    } else {
      if (spec.auto_pad.starts_with("SAME")) {
        const int64_t wanted = (input[i + 2] + stride - 1) / stride;
        const int64_t total = std::max<int64_t>(0, (wanted - 1) * stride + extent - input[i + 2]);
        begin = spec.auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
        end = total - begin;
      }
      result.output.push_back((input[i + 2] + begin + end - extent) / stride + 1);
    }
    result.begin.push_back(begin);
    result.end.push_back(end);
  }
  return result;
}

void check_convolution_input(const ConvolutionSpec& spec, const Dims& dims) {
  const int64_t wanted = spec.transposed ? spec.weights.dim(0) : spec.weights.dim(1) * spec.groups;
  if (dims.size() == spec.weights.rank() && dims[1] == wanted) return;
  throw_error(Category::kInvalidModel, spec.place,
              "the input must have rank " + std::to_string(spec.weights.rank()) + " and " +
                  std::to_string(wanted) + " channels",
              dims_text(dims), "check the shapes of the model and of its input");
}

bool integer_kernels_are_exact() {
  // vpdpbusd adds four products in 32 bits; what older CPUs have instead saturates at 16.
  using isa = dnnl::cpu_isa;
  static const bool exact = is_one_of(
      {isa::avx512_core_vnni, isa::avx512_core_bf16, isa::avx512_core_amx, isa::avx2_vnni});
  return exact;
}

bool sums_weights_rightly(const ConvolutionSpec& spec) {
  constexpr bool kMended = DNNL_VERSION_MAJOR > 2 || DNNL_VERSION_MINOR >= 7;
  const bool depthwise = spec.weights.dim(0) == spec.groups && spec.weights.dim(1) == 1;
  return kMended || spec.groups == 1 || depthwise;
}

std::unique_ptr<StepKernel> make_convolution(ConvolutionSpec spec) {
  return std::make_unique<Convolution>(std::move(spec));
}

}  // namespace limbeck::onednn
