#include "lib/engine/onednn/common.h"

#include <algorithm>
#include <cstring>

#include "lib/base/error.h"

namespace limbeck::onednn {
namespace {

const dnnl::stream& thread_stream() {
  thread_local const dnnl::stream stream(cpu());
  return stream;
}

Dims channels_last_strides(const Dims& dims) {
  Dims order{dims[0]};
  order.insert(order.end(), dims.begin() + 2, dims.end());
  order.push_back(dims[1]);
  const Dims dense = row_major_strides(order);
  Dims strides{dense[0], dense.back()};
  strides.insert(strides.end(), dense.begin() + 1, dense.end() - 1);
  return strides;
}

}  // namespace

bool is_one_of(std::initializer_list<dnnl::cpu_isa> known) {
  return std::find(known.begin(), known.end(), dnnl::get_effective_cpu_isa()) != known.end();
}

std::unique_lock<std::mutex> creation_lock() {
  static std::mutex mutex;
  constexpr unsigned kAvx512 = 0x20;  // the bit that all of dnnl_cpu_isa_avx512_core... have
  static const bool needed = (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & kAvx512) != 0;
  return needed ? std::unique_lock(mutex) : std::unique_lock<std::mutex>();
}

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::memory::data_type element_type(DataType type, const std::string& place) {
  using data_type = dnnl::memory::data_type;
  switch (type) {
    case DataType::kFloat: return data_type::f32;
    case DataType::kUint8: return data_type::u8;
    case DataType::kInt8: return data_type::s8;
    case DataType::kInt32: return data_type::s32;
    default:
      throw_error(Category::kUnsupported, place,
                  "the element type must be float, uint8, int8 or int32", data_type_name(type),
                  "run the model with fusion switched off");
  }
}

Dims row_major_strides(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<int64_t>(1, dims[i]);
  return strides;
}

dnnl::memory::desc dense_desc(const Dims& dims, DataType type, Layout layout,
                              const std::string& place) {
  const bool last = layout == Layout::kChannelsLast && dims.size() > 2;
  return {dims, element_type(type, place),
          last ? channels_last_strides(dims) : row_major_strides(dims)};
}

void append_unary(dnnl::post_ops& ops, const Unary& unary, float unit) {
  using dnnl::algorithm;
  const auto append = [&ops](algorithm kind, float alpha, float beta) {
    ops.append_eltwise(1.0F, kind, alpha, beta);
  };
  switch (unary.kind) {
    case UnaryKind::kRelu: return append(algorithm::eltwise_relu, unary.alpha, 0);
    case UnaryKind::kClip:
      return append(algorithm::eltwise_clip, unary.alpha / unit, unary.beta / unit);
    case UnaryKind::kSigmoid: return append(algorithm::eltwise_logistic, 0, 0);
    case UnaryKind::kTanh: return append(algorithm::eltwise_tanh, 0, 0);
    case UnaryKind::kSwish: return append(algorithm::eltwise_swish, unary.alpha, 0);
    case UnaryKind::kHardSwish: return append(algorithm::eltwise_hardswish, 0, 0);
    case UnaryKind::kLinear: return append(algorithm::eltwise_linear, unary.alpha, unary.beta);
    case UnaryKind::kElu: return append(algorithm::eltwise_elu, unary.alpha, 0);
    case UnaryKind::kExp: return append(algorithm::eltwise_exp, 0, 0);
    case UnaryKind::kSqrt: return append(algorithm::eltwise_sqrt, 0, 0);
    case UnaryKind::kAbs: return append(algorithm::eltwise_abs, 0, 0);
  }
}

void append_post_ops(dnnl::post_ops& ops, const PostOps& list, const dnnl::memory::desc& result) {
  for (const PostOp& op : list) {
    if (op.is_add) {
      ops.append_binary(dnnl::algorithm::binary_add, result);
    } else {
      append_unary(ops, op.unary, 1.0F);
    }
  }
}

dnnl::primitive_attr base_attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

void rethrow(const dnnl::error& error, const std::string& place) {
  throw_error(Category::kUnsupported, place,
              "oneDNN must be able to run the operator with these shapes",
              std::string(error.what()) + " (status " + std::to_string(error.status) + ")",
              "run the model with fusion switched off");
}

bool is_slow(const char* implementation) { return std::strstr(implementation, "ref") != nullptr; }

dnnl::memory PackedWeights::get(const dnnl::memory::desc& wanted) const {
  const std::lock_guard lock(mutex_);
  for (const dnnl::memory& memory : packed_) {
    if (memory.get_desc() == wanted) return memory;
  }
  dnnl::memory source(desc_, cpu(),
                      const_cast<void*>(data_));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  if (desc_ == wanted) {
    packed_.push_back(source);
    return source;
  }
  dnnl::memory target(wanted, cpu());
  dnnl::reorder(source, target).execute(thread_stream(), source, target);
  packed_.push_back(target);
  return target;
}

void Call::bind(int argument, const dnnl::memory& memory) {
  memories_.at(count_) = memory;
  arguments_.at(count_) = {argument, memories_.at(count_).get()};
  ++count_;
}

void Call::bind(int argument, const dnnl::memory::desc& desc, const void* data) {
  bind(argument,
       dnnl::memory(desc, cpu(),
                    const_cast<void*>(data)));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

void Call::run(const dnnl::primitive& primitive, const StepContext& context,
               const dnnl::memory::desc& scratchpad) {
  WritableTensor memory;
  if (scratchpad.get_size() > 0) {
    memory = context.scratch(scratchpad.get_size());
    bind(DNNL_ARG_SCRATCHPAD, scratchpad, memory.data);
  }
  const auto status = dnnl_primitive_execute(primitive.get(), thread_stream().get(),
                                             static_cast<int>(count_), arguments_.data());
  dnnl::error::wrap_c_api(status, "the execution failed");
}

}  // namespace limbeck::onednn
