#include "lib/engine/onednn/elementwise.h"

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/engine/onednn/common.h"

namespace limbeck::onednn {
namespace {

using dnnl::memory;

struct Compiled {
  dnnl::primitive primitive;
  memory::desc left;
  memory::desc right;
  memory::desc result;
  memory::desc scratchpad;
};

/// A primitive a function, the later ones in place. (As post-operations of the first they would run
/// in the reference implementation of oneDNN 2.6, which does not even write one-dimensional
/// results.)
class UnaryStep : public StepKernel {
 public:
  UnaryStep(std::string place, std::vector<Unary> functions)
      : place_(std::move(place)), functions_(std::move(functions)) {}
  void run(StepContext& context) const override;

 private:
  struct Chain {
    memory::desc desc;
    std::vector<Compiled> parts;
  };
  std::shared_ptr<const Chain> compile(int64_t count) const;

  std::string place_;
  std::vector<Unary> functions_;
  ShapeCache<Chain> cache_;
};

std::shared_ptr<const UnaryStep::Chain> UnaryStep::compile(int64_t count) const {
  auto chain = std::make_shared<Chain>();
  chain->desc = dense_desc({count}, DataType::kFloat, Layout::kPlain, place_);
  for (const Unary& function : functions_) {
    dnnl::post_ops list;
    append_unary(list, function, 1.0F);
    dnnl::algorithm algorithm{};
    float scale = 1;
    float alpha = 0;
    float beta = 0;
    list.get_params_eltwise(0, scale, algorithm, alpha, beta);
    const dnnl::eltwise_forward::primitive_desc made(
        {dnnl::prop_kind::forward_inference, algorithm, chain->desc, alpha, beta},
        base_attributes(), cpu());
    Compiled part;
    part.scratchpad = made.scratchpad_desc();
    part.primitive = dnnl::eltwise_forward(made);
    chain->parts.push_back(std::move(part));
  }
  return chain;
}

void UnaryStep::run(StepContext& context) const try {
  const Activation& source = context.input(0);
  std::byte* result = context.allocate(0, DataType::kFloat, source.tensor.dims(), source.layout);
  if (source.tensor.count() == 0) return;
  const auto chain =
      cache_.get({source.tensor.count()}, [&] { return compile(source.tensor.count()); });
  const std::byte* from = source.tensor.raw();
  for (const Compiled& part : chain->parts) {
    Call call;
    call.bind(DNNL_ARG_SRC, chain->desc, from);
    call.bind(DNNL_ARG_DST, chain->desc, result);
    call.run(part.primitive, context, part.scratchpad);
    from = result;
  }
} catch (const dnnl::error& error) {
  rethrow(error, place_);
}

dnnl::algorithm algorithm_of(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd: return dnnl::algorithm::binary_add;
    case BinaryKind::kSubtract: return dnnl::algorithm::binary_sub;
    case BinaryKind::kMultiply: return dnnl::algorithm::binary_mul;
    case BinaryKind::kDivide: return dnnl::algorithm::binary_div;
    case BinaryKind::kMaximum: return dnnl::algorithm::binary_max;
    case BinaryKind::kMinimum: return dnnl::algorithm::binary_min;
  }
  return dnnl::algorithm::undef;
}

class BinaryStep : public StepKernel {
 public:
  BinaryStep(std::string place, BinaryKind kind, std::vector<Unary> functions)
      : place_(std::move(place)), kind_(kind), functions_(std::move(functions)) {}
  void run(StepContext& context) const override;

 private:
  Dims broadcast(const Dims& left, const Dims& right) const;
  std::shared_ptr<const Compiled> compile(const Dims& left, const Dims& right, const Dims& result,
                                          Layout layout) const;

  std::string place_;
  BinaryKind kind_;
  std::vector<Unary> functions_;
  ShapeCache<Compiled> cache_;
};

Dims padded_to(const Dims& dims, size_t rank) {
  Dims result(rank - dims.size(), 1);
  result.insert(result.end(), dims.begin(), dims.end());
  return result;
}

Dims BinaryStep::broadcast(const Dims& left, const Dims& right) const {
  Dims result = left;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] != right[i] && left[i] != 1 && right[i] != 1) {
      throw_error(Category::kInvalidModel, place_, "the two shapes must broadcast to one",
                  dims_text(left) + " and " + dims_text(right),
                  "check the shapes of the model and of its input");
    }
    if (left[i] == 1) result[i] = right[i];
  }
  return result;
}

std::shared_ptr<const Compiled> BinaryStep::compile(const Dims& left, const Dims& right,
                                                    const Dims& result, Layout layout) const {
  auto compiled = std::make_shared<Compiled>();
  compiled->left = dense_desc(left, DataType::kFloat, layout, place_);
  compiled->right = dense_desc(right, DataType::kFloat, layout, place_);
  compiled->result = dense_desc(result, DataType::kFloat, layout, place_);
  dnnl::primitive_attr attributes = base_attributes();
  dnnl::post_ops ops;
  for (const Unary& function : functions_) append_unary(ops, function, 1.0F);
  attributes.set_post_ops(ops);
  const dnnl::binary::primitive_desc made(
      {algorithm_of(kind_), compiled->left, compiled->right, compiled->result}, attributes, cpu());
  compiled->scratchpad = made.scratchpad_desc();
  compiled->primitive = dnnl::binary(made);
  return compiled;
}

void BinaryStep::run(StepContext& context) const try {
  const Activation& first = context.input(0);
  const Activation& second = context.input(1);
  const size_t rank = std::max<size_t>(1, std::max(first.tensor.rank(), second.tensor.rank()));
  const Layout larger =
      first.tensor.count() >= second.tensor.count() ? first.layout : second.layout;
  const bool same_rank = first.tensor.rank() == second.tensor.rank();
  const bool small = std::min(first.tensor.count(), second.tensor.count()) == 1;
  const Layout layout = same_rank || small ? larger : Layout::kPlain;
  const Tensor left = first.tensor.count() == 1 ? first.tensor : context.input_in(0, layout);
  const Tensor right = second.tensor.count() == 1 ? second.tensor : context.input_in(1, layout);
  const Dims left_dims = padded_to(left.dims(), rank);
  const Dims right_dims = padded_to(right.dims(), rank);
  const Dims dims = broadcast(left_dims, right_dims);
  const bool scalar = left.rank() == 0 && right.rank() == 0;
  std::byte* result = context.allocate(0, DataType::kFloat, scalar ? Dims{} : dims, layout);
  if (element_count(dims, place_) == 0) return;
  Dims key = left_dims;
  key.insert(key.end(), right_dims.begin(), right_dims.end());
  key.push_back(static_cast<int64_t>(layout));
  const auto compiled =
      cache_.get(key, [&] { return compile(left_dims, right_dims, dims, layout); });
  Call call;
  call.bind(DNNL_ARG_SRC_0, compiled->left, left.raw());
  call.bind(DNNL_ARG_SRC_1, compiled->right, right.raw());
  call.bind(DNNL_ARG_DST, compiled->result, result);
  call.run(compiled->primitive, context, compiled->scratchpad);
} catch (const dnnl::error& error) {
  rethrow(error, place_);
}

}  // namespace

std::unique_ptr<StepKernel> make_unary(std::string place, std::vector<Unary> functions) {
  return std::make_unique<UnaryStep>(std::move(place), std::move(functions));
}

std::unique_ptr<StepKernel> make_binary(std::string place, BinaryKind kind,
                                        std::vector<Unary> functions) {
  return std::make_unique<BinaryStep>(std::move(place), kind, std::move(functions));
}

}  // namespace limbeck::onednn
