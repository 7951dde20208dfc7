#include "lib/autodiff/fake_quantize.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "lib/engine/fake_quantize_loops.h"
#include "lib/ops/quantized.h"

namespace limbeck {
namespace {

bool is_plain(const Node* node, const char* op) {
  return node != nullptr && node->domain().empty() && node->op_type() == op;
}

/// int32: biases, whose codes are floats of the same bits up to 2^24, and close to them above.
bool has_codes(DataType type) {
  return type == DataType::kInt32 || type == DataType::kUint8 || type == DataType::kInt8 ||
         type == DataType::kUint4 || type == DataType::kInt4;
}

/// Read by one node alone, and by nobody outside.
bool is_hidden(const Value* value, const std::unordered_set<const Value*>& kept) {
  return value->uses().size() == 1 && !value->is_graph_output() && !value->captured_by_subgraph() &&
         !kept.contains(value);
}

/// The constant of a Clip's bound; nothing when it is computed.
std::optional<float> bound(const Node& clip, size_t index, float absent) {
  const Value* value = clip.input(index);
  if (value == nullptr) return absent;
  if (value->constant() == nullptr || value->constant()->count() != 1) return {};
  return value->constant()->to_float()[0];
}

bool same_parameters(const Node& quantize, const Node& dequantize) {
  return quantize.input(1) == dequantize.input(1) && quantize.input(2) == dequantize.input(2) &&
         quantize.int_attribute("axis", 1) == dequantize.int_attribute("axis", 1) &&
         quantize.int_attribute("block_size", 0) == 0 &&
         dequantize.int_attribute("block_size", 0) == 0;
}

/// Sets zero point and codes; false where the zero points differ or are computed.
bool read_codes(const Node& quantize, FakeQuantize* pair) {
  const Value* zero = quantize.input(2);
  if (zero == nullptr || zero->constant() == nullptr || !has_codes(zero->type)) return false;
  const std::vector<int64_t> zeros = zero->constant()->to_int64();
  const bool equal =
      std::all_of(zeros.begin(), zeros.end(), [&](int64_t z) { return z == zeros[0]; });
  if (zeros.empty() || !equal) return false;
  const CodeRange range = written_code_range(zero->type, quantize.place());
  pair->zero = static_cast<float>(zeros[0]);
  pair->low = static_cast<float>(range.lowest);
  pair->high = static_cast<float>(range.highest);
  return true;
}

bool read_clip(const Node& clip, FakeQuantize* pair) {
  const auto low = bound(clip, 1, pair->low);
  const auto high = bound(clip, 2, pair->high);
  if (!low || !high || *low > *high) return false;
  pair->clip = &clip;
  pair->low = std::max(pair->low, *low);
  pair->high = std::min(pair->high, *high);
  return true;
}

/// One scale for all, or one an axis position.
bool read_layout(const Node& quantize, FakeQuantize* pair) {
  const auto& data = quantize.input(0)->shape;
  const auto& scale = quantize.input(1)->shape;
  if (quantize.input(0)->type != DataType::kFloat || quantize.input(1)->type != DataType::kFloat ||
      !data || !scale)
    return false;
  const auto rank = static_cast<int64_t>(data->size());
  pair->per_tensor = scale->empty();
  pair->axis = quantize.int_attribute("axis", 1);
  if (pair->axis < 0) pair->axis += rank;
  return pair->per_tensor || (scale->size() == 1 && pair->axis >= 0 && pair->axis < rank);
}

std::optional<FakeQuantize> match(const Node& node, const std::unordered_set<const Value*>& kept) {
  if (!is_plain(&node, "DequantizeLinear")) return {};
  FakeQuantize pair;
  pair.dequantize = &node;
  const Value* codes = node.input(0);
  if (!is_hidden(codes, kept)) return {};
  const Node* clip = is_plain(codes->producer(), "Clip") ? codes->producer() : nullptr;
  if (clip != nullptr) codes = clip->input(0);
  if (codes == nullptr || !is_hidden(codes, kept)) return {};
  pair.quantize = codes->producer();
  const bool fits = is_plain(pair.quantize, "QuantizeLinear") &&
                    same_parameters(*pair.quantize, node) && read_codes(*pair.quantize, &pair) &&
                    read_layout(*pair.quantize, &pair) &&
                    (clip == nullptr || read_clip(*clip, &pair));
  if (!fits) return {};
  return pair;
}

class FakeQuantizeStep final : public TapeStep {
 public:
  explicit FakeQuantizeStep(const FakeQuantize& pair)
      : axis_(pair.axis), place_(pair.quantize->place()) {
    params_.zero = pair.zero;
    params_.low = pair.low;
    params_.high = pair.high;
  }

  void forward(KernelContext& context, StepState&, uint64_t) const override {
    const Tensor& x = context.input(0);
    const Tensor& scale = context.input(1);
    const QuantLayout layout = quant_layout(x.dims(), scale.dims(), axis_, 0, place_);
    const std::vector<float> scales = read_scales(scale, place_);
    const float* from = x.as<float>().data();
    float* y = context.allocate(0, DataType::kFloat, x.dims()).mutable_as<float>().data();
    if (by_columns(layout)) {
      fake_quantize_rows(from, y, layout.outer, layout.axis, scales.data(), params_);
      return;
    }
    for_each_quant_run(layout, [&](int64_t first, int64_t count, int64_t parameter, int64_t) {
      fake_quantize_values(from + first, y + first, count, with(scales, parameter));
    });
  }

  void backward(GradientContext& context, const StepState&) const override {
    const Tensor& scale = context.input(1);
    const QuantLayout layout = quant_layout(context.dims(0), scale.dims(), axis_, 0, place_);
    const std::vector<float> scales = read_scales(scale, place_);
    const float* x = context.input(0).as<float>().data();
    const float* dy = context.dy().as<float>().data();
    float* dx = context.wants(0) ? context.allocate(0).mutable_as<float>().data() : nullptr;
    std::vector<double> sums(scales.size(), 0.0);
    if (by_columns(layout)) {
      fake_quantize_gradient_rows(x, dy, dx, layout.outer, layout.axis, scales.data(), sums.data(),
                                  params_);
    } else {
      for_each_quant_run(layout, [&](int64_t first, int64_t count, int64_t parameter, int64_t) {
        float* target = dx == nullptr ? nullptr : dx + first;
        sums[static_cast<size_t>(parameter)] +=
            fake_quantize_gradient(x + first, dy + first, target, count, with(scales, parameter));
      });
    }
    if (!context.wants(1)) return;
    auto target = context.allocate(1).mutable_as<float>();
    for (size_t i = 0; i < sums.size(); ++i) target[i] = static_cast<float>(sums[i]);
  }

  bool has_gradient() const override { return true; }
  GradientReads reads() const override {
    return {.inputs = GradientReads::slot(0) | GradientReads::slot(1)};
  }

 private:
  /// Runs of single elements are slow: whole rows of the last axis instead.
  static bool by_columns(const QuantLayout& layout) {
    return !layout.per_tensor && layout.inner == 1;
  }
  FakeQuantizeParams with(const std::vector<float>& scales, int64_t parameter) const {
    FakeQuantizeParams params = params_;
    params.scale = scales[static_cast<size_t>(parameter)];
    return params;
  }

  int64_t axis_;
  std::string place_;
  FakeQuantizeParams params_;
};

}  // namespace

std::unordered_map<const Node*, FakeQuantize> find_fake_quantize(
    const Model& model, const std::unordered_set<const Value*>& kept) {
  std::unordered_map<const Node*, FakeQuantize> found;
  for (const auto& node : model.graph.nodes()) {
    if (const auto pair = match(*node, kept)) found.emplace(node.get(), *pair);
  }
  return found;
}

std::unique_ptr<TapeStep> fake_quantize_step(const FakeQuantize& pair) {
  return std::make_unique<FakeQuantizeStep>(pair);
}

}  // namespace limbeck
