#include "lib/engine/onednn/pooling.h"

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/engine/onednn/common.h"

namespace limbeck::onednn {
namespace {

struct Geometry {
  Dims output;
  Dims kernel;
  Dims strides;
  Dims dilations;
  Dims begin;
  Dims end;
};

struct Compiled {
  dnnl::pooling_v2_forward primitive;
  dnnl::memory::desc source;
  dnnl::memory::desc result;
  dnnl::memory::desc scratchpad;
  Dims output;
};

class Pooling : public StepKernel {
 public:
  explicit Pooling(PoolingSpec spec) : spec_(std::move(spec)) {}
  void run(StepContext& context) const override;

 private:
  Geometry global_geometry(const Dims& input) const;
  Geometry geometry(const Dims& input) const;
  void add_axis(Geometry& geometry, size_t axis, int64_t input) const;
  std::shared_ptr<const Compiled> compile(const Dims& dims, DataType type) const;

  PoolingSpec spec_;
  ShapeCache<Compiled> cache_;
};

Geometry Pooling::global_geometry(const Dims& input) const {
  const size_t spatial = input.size() - 2;
  Geometry result{{input[0], input[1]},
                  {input.begin() + 2, input.end()},
                  Dims(spatial, 1),
                  Dims(spatial, 0),
                  {},
                  {}};
  result.begin = result.end = Dims(spatial, 0);
  result.output.resize(input.size(), 1);
  return result;
}

void Pooling::add_axis(Geometry& geometry, size_t axis, int64_t input) const {
  const int64_t stride = spec_.strides[axis];
  const int64_t extent = (spec_.kernel[axis] - 1) * spec_.dilations[axis] + 1;
  int64_t begin = spec_.pads[axis];
  int64_t end = spec_.pads[axis + spec_.kernel.size()];
  int64_t output = 0;
  if (spec_.auto_pad.starts_with("SAME")) {
    output = (input + stride - 1) / stride;
    const int64_t total = std::max<int64_t>(0, (output - 1) * stride + extent - input);
    begin = spec_.auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
    end = total - begin;
  } else {
    const int64_t room = input + begin + end - extent;
    output = (spec_.ceil_mode ? (room + stride - 1) / stride : room / stride) + 1;
    if (spec_.ceil_mode && (output - 1) * stride >= input + begin) --output;
    end = std::max(end, (output - 1) * stride + extent - input - begin);
  }
  geometry.output.push_back(output);
  geometry.begin.push_back(begin);
  geometry.end.push_back(end);
}

Geometry Pooling::geometry(const Dims& input) const {
  if (input.size() < 3 || (!spec_.global && input.size() != spec_.kernel.size() + 2)) {
    throw_error(Category::kInvalidModel, spec_.place,
                "the input must have one dimension for each of the window's and two more",
                dims_text(input), "check the shapes of the model and of its input");
  }
  if (spec_.global) return global_geometry(input);
  Geometry result{{input[0], input[1]}, spec_.kernel, spec_.strides, spec_.dilations, {}, {}};
  for (int64_t& dilation : result.dilations) --dilation;
  for (size_t i = 0; i < spec_.kernel.size(); ++i) add_axis(result, i, input[i + 2]);
  return result;
}

std::shared_ptr<const Compiled> Pooling::compile(const Dims& dims, DataType type) const {
  using dnnl::algorithm;
  const Geometry shape = geometry(dims);
  element_count(shape.output, spec_.place);
  auto compiled = std::make_shared<Compiled>();
  compiled->output = shape.output;
  compiled->source = dense_desc(dims, type, Layout::kChannelsLast, spec_.place);
  compiled->result = dense_desc(shape.output, type, Layout::kChannelsLast, spec_.place);
  const algorithm average = spec_.count_include_pad ? algorithm::pooling_avg_include_padding
                                                    : algorithm::pooling_avg_exclude_padding;
  const dnnl::pooling_v2_forward::desc desc(dnnl::prop_kind::forward_inference,
                                            spec_.average ? average : algorithm::pooling_max,
                                            compiled->source, compiled->result, shape.strides,
                                            shape.kernel, shape.dilations, shape.begin, shape.end);
  const dnnl::pooling_v2_forward::primitive_desc made(desc, base_attributes(), cpu());
  compiled->scratchpad = made.scratchpad_desc();
  compiled->primitive = dnnl::pooling_v2_forward(made);
  return compiled;
}

void Pooling::run(StepContext& context) const try {
  const Tensor source = context.input_in(0, Layout::kChannelsLast);
  Dims key = source.dims();
  key.push_back(static_cast<int64_t>(source.type()));
  const auto compiled = cache_.get(key, [&] { return compile(source.dims(), source.type()); });
  const Dims& dims = compiled->output;
  const Dims shown = spec_.drop_spatial ? Dims{dims[0], dims[1]} : dims;
  const Layout layout = spec_.drop_spatial ? Layout::kPlain : Layout::kChannelsLast;
  std::byte* result = context.allocate(0, source.type(), shown, layout);
  Call call;
  call.bind(DNNL_ARG_SRC, compiled->source, source.raw());
  call.bind(DNNL_ARG_DST, compiled->result, result);
  call.run(compiled->primitive, context, compiled->scratchpad);
} catch (const dnnl::error& error) {
  rethrow(error, spec_.place);
}

}  // namespace

std::unique_ptr<StepKernel> make_pooling(PoolingSpec spec) {
  return std::make_unique<Pooling>(std::move(spec));
}

}  // namespace limbeck::onednn
