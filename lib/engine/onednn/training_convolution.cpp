#include "lib/engine/onednn/training_convolution.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "lib/engine/onednn/common.h"
#include "lib/engine/onednn/threads.h"
#include "lib/ops/half.h"

namespace limbeck::onednn {
namespace {

using dnnl::memory;

constexpr auto kFloat = memory::data_type::f32;

/// Descriptors of one convolution in the orders of our tensors.
struct Problem {
  memory::desc x;
  memory::desc w;
  memory::desc y;
  memory::desc bias;  ///< empty without bias
  Dims strides;
  Dims dilations;
  Dims begin;
  Dims end;
  memory::data_type factors = kFloat;  ///< what is multiplied; results are floats
};

Problem describe(const ConvGeometry& g, bool bias, memory::data_type factors) {
  Problem p;
  p.factors = factors;
  Dims x{g.batch, g.group * g.in_channels};
  Dims w{g.out_channels, g.in_channels};
  if (g.group > 1) w.insert(w.begin(), g.group);
  for (const WindowAxis& axis : g.windows) {
    x.push_back(axis.input);
    w.push_back(axis.kernel);
    p.strides.push_back(axis.stride);
    p.dilations.push_back(axis.dilation - 1);
    p.begin.push_back(axis.pad_begin);
    // What the window reaches, which may be less than the padding that the node asks for.
    const int64_t extent = (axis.kernel - 1) * axis.dilation + 1;
    const int64_t reach = (axis.output - 1) * axis.stride + extent;
    p.end.push_back(std::max<int64_t>(0, reach - axis.input - axis.pad_begin));
  }
  p.x = memory::desc(x, kFloat, memory::format_tag::nhwc);
  p.y = memory::desc(g.output, kFloat, memory::format_tag::nhwc);
  p.w = memory::desc(w, kFloat, g.group > 1 ? memory::format_tag::goihw : memory::format_tag::oihw);
  if (bias) p.bias = memory::desc({g.output[1]}, kFloat, memory::format_tag::x);
  return p;
}

memory::desc any(const memory::desc& desc, memory::data_type type) {
  return {desc.dims(), type, memory::format_tag::any};
}

/// x or y: in our order, or in the one that oneDNN likes.
memory::desc image(const memory::desc& desc, memory::data_type type, bool free) {
  if (free) return any(desc, type);
  return {desc.dims(), type, memory::format_tag::nhwc};
}

memory view(const memory::desc& desc, const Tensor& tensor) {
  // oneDNN takes inputs by non-const pointers.
  return {desc, cpu(), const_cast<std::byte*>(tensor.raw())};  // NOLINT
}

void copy(const memory& from, const memory& to) {
  dnnl::stream stream(cpu());
  dnnl::reorder(from, to).execute(stream, const_cast<memory&>(from), const_cast<memory&>(to));
  stream.wait();
}

memory in_order(const memory& data, const memory::desc& wanted) {
  if (data.get_desc() == wanted) return data;
  memory moved(wanted, cpu());
  copy(data, moved);
  return moved;
}

/// Makes the fast implementation for our orders; where only a slow one exists, for oneDNN's own.
template <typename Description, typename Make>
Description make_fast(const Make& make) {
  Description ours = make(false);
  if (!is_slow(ours.impl_info_str())) return ours;
  Description free = make(true);
  return is_slow(free.impl_info_str()) ? ours : free;
}

using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

Forward::primitive_desc forward_desc(const Problem& p, bool free) {
  const Forward::desc desc(dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct,
                           image(p.x, p.factors, free), any(p.w, p.factors), p.bias,
                           image(p.y, kFloat, free), p.strides, p.dilations, p.begin, p.end);
  return {desc, base_attributes(), cpu()};
}

bool pointwise(const Problem& p) {
  const Dims w = p.w.dims();
  return w[w.size() - 1] == 1 && w[w.size() - 2] == 1;
}

/// oneDNN's kernels of strided 1x1 convolutions write behind their scratchpad, for the gradient of
/// the weights, where a pixel has fewer channels than their block of 8 or 16 (2.6.3; issue 6035 of
/// uxlfoundation/oneDNN).
bool overruns_scratchpad(const Problem& p) {
  constexpr int64_t kLargestBlock = 16;
  const bool strided = p.strides[0] > 1 || p.strides[1] > 1;
  return pointwise(p) && strided && p.x.dims()[1] < kLargestBlock;
}

/// Its 1x1 kernel for bfloat16 gives wrong gradients of the data where the output channels of a
/// group are odd in number and the pixels are, among others, a multiple of 30 (2.6.3).
bool miscounts_pairs(const Problem& p) {
  const Dims w = p.w.dims();
  return pointwise(p) && p.factors == memory::data_type::bf16 && w[w.size() - 4] % 2 != 0;
}

template <typename Description>
void leave_pointwise_kernels(Description& description) {
  const auto kernel = [&] { return std::string_view(description.impl_info_str()); };
  while (kernel().find("1x1") != std::string_view::npos && description.next_impl()) {
  }
}

/// All that one shape needs.
struct Compiled {
  explicit Compiled(const Problem& p)
      : problem(p),
        forward(
            make_fast<Forward::primitive_desc>([&](bool free) { return forward_desc(p, free); })),
        data(make_fast<BackwardData::primitive_desc>([&](bool free) {
          const BackwardData::desc desc(
              dnnl::algorithm::convolution_direct, image(p.x, kFloat, free), any(p.w, p.factors),
              image(p.y, p.factors, free), p.strides, p.dilations, p.begin, p.end);
          BackwardData::primitive_desc made(desc, base_attributes(), cpu(), forward);
          if (miscounts_pairs(p)) leave_pointwise_kernels(made);
          return made;
        })),
        weights(make_fast<BackwardWeights::primitive_desc>([&](bool free) {
          const BackwardWeights::desc desc(
              dnnl::algorithm::convolution_direct, image(p.x, p.factors, free), any(p.w, kFloat),
              p.bias, image(p.y, p.factors, free), p.strides, p.dilations, p.begin, p.end);
          BackwardWeights::primitive_desc made(desc, base_attributes(), cpu(), forward);
          if (overruns_scratchpad(p)) leave_pointwise_kernels(made);
          return made;
        })),
        run_forward(forward),
        run_data(data),
        run_weights(weights) {}
  bool is_slow() const {
    return onednn::is_slow(forward.impl_info_str()) || onednn::is_slow(data.impl_info_str()) ||
           onednn::is_slow(weights.impl_info_str());
  }

  Problem problem;
  Forward::primitive_desc forward;
  BackwardData::primitive_desc data;
  BackwardWeights::primitive_desc weights;
  Forward run_forward;
  BackwardData run_data;
  BackwardWeights run_weights;
};

void execute(const dnnl::primitive& primitive, std::unordered_map<int, memory> arguments,
             const memory::desc& scratchpad) {
  arguments[DNNL_ARG_SCRATCHPAD] = memory(scratchpad, cpu());
  dnnl::stream stream(cpu());
  primitive.execute(stream, arguments);
  stream.wait();
}

Dims shape_key(const ConvGeometry& g, bool bias) {
  Dims key{bias ? 1 : 0, g.batch, g.group, g.in_channels, g.out_channels};
  for (const WindowAxis& axis : g.windows) {
    key.insert(key.end(),
               {axis.input, axis.output, axis.kernel, axis.stride, axis.dilation, axis.pad_begin});
  }
  return key;
}

/// oneDNN's gradient of the weights in bfloat16 gathers the pixels of a strided row and multiplies
/// them in pairs. Where a row has one output, or a tap reads nothing but padding, zero meets what
/// was never written, and NaN may lie there (2.6.3).
bool multiplies_unwritten_pixels(const ConvGeometry& g) {
  const WindowAxis& row = g.windows[1];
  if (row.stride == 1) return false;
  if (row.output == 1) return true;
  for (int64_t tap = 0; tap < row.kernel; ++tap) {
    const ValidRange outputs = valid_outputs(row, tap);
    if (outputs.first == outputs.last) return true;
  }
  return false;
}

/// Whether kernels for bfloat16 are wanted. For the weights of depthwise convolutions with windows
/// above 3 they take twice the time of rounding and multiplying in FP32.
bool takes_bfloat16(const ConvGeometry& g) {
  const bool depthwise = g.group > 1 && g.in_channels == 1 && g.out_channels == 1;
  const bool wide = g.windows[0].kernel > 3 || g.windows[1].kernel > 3;
  return multiplies_bfloat16() && !(depthwise && wide) && !multiplies_unwritten_pixels(g);
}

std::shared_ptr<const Compiled> compiled(const ConvGeometry& g, bool bias, Precision precision) {
  if (precision == Precision::kBfloat16 && takes_bfloat16(g)) {
    try {
      auto native = std::make_shared<const Compiled>(describe(g, bias, memory::data_type::bf16));
      if (!native->is_slow()) return native;
    } catch (const dnnl::error& error) {
      if (error.status == dnnl_out_of_memory) throw;
    }
    // A shape without a fast kernel for bfloat16 is multiplied in FP32.
  }
  return std::make_shared<const Compiled>(describe(g, bias, kFloat));
}

/// The factor for a primitive that takes floats in any case.
Tensor rounded(const Tensor& factor, Precision precision, const Compiled& shape) {
  const bool here = precision == Precision::kBfloat16 && shape.problem.factors == kFloat;
  return here ? rounded_to_bfloat16(factor) : factor;
}

}  // namespace

struct TrainingConvolution::Shapes {
  ShapeCache<Compiled> cache;
  std::shared_ptr<const Compiled> get(const ConvGeometry& g, bool bias, Precision precision) const {
    return cache.get(shape_key(g, bias), [&] { return compiled(g, bias, precision); });
  }
};

TrainingConvolution::TrainingConvolution(std::string place, Precision precision)
    : place_(std::move(place)), precision_(precision), shapes_(std::make_unique<const Shapes>()) {}
TrainingConvolution::~TrainingConvolution() = default;

Tensor TrainingConvolution::forward(const ConvGeometry& geometry, const Tensor& x, const Tensor& w,
                                    const Tensor* bias) const try {
  const ThreadScope one(1);
  const auto shape = shapes_->get(geometry, bias != nullptr, precision_);
  Tensor y = Tensor::allocate(DataType::kFloat, geometry.output);
  const memory own = view(shape->problem.y, y);
  const bool direct = shape->forward.dst_desc() == shape->problem.y;
  const memory result = direct ? own : memory(shape->forward.dst_desc(), cpu());
  const Tensor from = rounded(x, precision_, *shape);
  const Tensor weights = rounded(w, precision_, *shape);
  std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, in_order(view(shape->problem.x, from), shape->forward.src_desc())},
      {DNNL_ARG_WEIGHTS, in_order(view(shape->problem.w, weights), shape->forward.weights_desc())},
      {DNNL_ARG_DST, result}};
  if (bias != nullptr) arguments[DNNL_ARG_BIAS] = view(shape->problem.bias, *bias);
  execute(shape->run_forward, std::move(arguments), shape->forward.scratchpad_desc());
  if (!direct) copy(result, own);
  return y;
} catch (const dnnl::error& error) {
  rethrow(error, place_);
}

Tensor TrainingConvolution::backward_data(const ConvGeometry& geometry, const Tensor& w,
                                          const Tensor& dy, bool bias) const try {
  const ThreadScope one(1);
  const auto shape = shapes_->get(geometry, bias, precision_);
  Tensor dx = Tensor::allocate(DataType::kFloat, shape->problem.x.dims());
  const memory own = view(shape->problem.x, dx);
  const bool direct = shape->data.diff_src_desc() == shape->problem.x;
  const memory result = direct ? own : memory(shape->data.diff_src_desc(), cpu());
  const Tensor from = rounded(dy, precision_, *shape);
  const Tensor weights = rounded(w, precision_, *shape);
  execute(
      shape->run_data,
      {{DNNL_ARG_DIFF_DST, in_order(view(shape->problem.y, from), shape->data.diff_dst_desc())},
       {DNNL_ARG_WEIGHTS, in_order(view(shape->problem.w, weights), shape->data.weights_desc())},
       {DNNL_ARG_DIFF_SRC, result}},
      shape->data.scratchpad_desc());
  if (!direct) copy(result, own);
  return dx;
} catch (const dnnl::error& error) {
  rethrow(error, place_);
}

TrainingConvolution::WeightGradients TrainingConvolution::backward_weights(
    const ConvGeometry& geometry, const Tensor& x, const Tensor& dy, bool bias) const try {
  const ThreadScope one(1);
  const auto shape = shapes_->get(geometry, bias, precision_);
  Dims dims{geometry.group * geometry.out_channels, geometry.in_channels};
  for (const WindowAxis& axis : geometry.windows) dims.push_back(axis.kernel);
  Tensor dw = Tensor::allocate(DataType::kFloat, dims);
  const memory own = view(shape->problem.w, dw);
  const bool direct = shape->weights.diff_weights_desc() == shape->problem.w;
  const memory result = direct ? own : memory(shape->weights.diff_weights_desc(), cpu());
  const Tensor from = rounded(x, precision_, *shape);
  const Tensor slopes = rounded(dy, precision_, *shape);
  std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, in_order(view(shape->problem.x, from), shape->weights.src_desc())},
      {DNNL_ARG_DIFF_DST, in_order(view(shape->problem.y, slopes), shape->weights.diff_dst_desc())},
      {DNNL_ARG_DIFF_WEIGHTS, result}};
  Tensor db;
  if (bias) {
    db = Tensor::allocate(DataType::kFloat, {geometry.output[1]});
    arguments[DNNL_ARG_DIFF_BIAS] = view(shape->problem.bias, db);
  }
  execute(shape->run_weights, std::move(arguments), shape->weights.scratchpad_desc());
  if (!direct) copy(result, own);
  return {std::move(dw), std::move(db)};
} catch (const dnnl::error& error) {
  rethrow(error, place_);
}

}  // namespace limbeck::onednn

namespace limbeck {

bool multiplies_bfloat16() {
  static const bool native =
      onednn::is_one_of({dnnl::cpu_isa::avx512_core_bf16, dnnl::cpu_isa::avx512_core_amx});
  return native;
}

}  // namespace limbeck
