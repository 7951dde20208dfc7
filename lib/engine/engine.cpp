#include "lib/engine/engine.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>

#include "lib/base/error.h"
#include "lib/engine/onednn/threads.h"
#include "lib/engine/parallel.h"
#include "lib/engine/program.h"

namespace limbeck {
namespace {

/// Waking a second thread for a step takes tens of microseconds: as long as these
/// multiply-accumulates.
constexpr double kThreadedMacs = 2.5e6;

class NativeEngine : public Engine {
 public:
  NativeEngine(const Model& model, const EngineOptions& options)
      : threads_(options.threads),
        model_(copy_model(model)),
        pool_(std::make_shared<BufferPool>()) {
    require_outputs(model_);
    require_known_opset(model_);
    infer_shapes(model_);
    program_ = build_program(model_, options);
    for (const InputRule& rule : program_.inputs) input_names_.push_back(rule.name);
    watch_of_slot_.assign(program_.slot_count, -1);
    for (size_t i = 0; i < program_.watched_slots.size(); ++i)
      watch_of_slot_[static_cast<size_t>(program_.watched_slots[i])] = static_cast<int>(i);
  }

  /// In parts of a few samples where the model allows it: parts stay in the caches, and threads
  /// take one each.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs) const override;
  void watch(const std::vector<Tensor>& inputs, const WatchFunction& on_value) const override {
    check_inputs(inputs);
    compute(inputs, useful_threads(inputs), on_value);
  }
  const std::vector<std::string>& input_names() const override { return input_names_; }
  const std::vector<std::string>& output_names() const override { return program_.output_names; }
  double integer_mac_share() const override { return program_.integer_mac_share; }
  size_t peak_activation_bytes() const override { return pool_->peak_bytes(); }

 private:
  void check_inputs(const std::vector<Tensor>& inputs) const;
  /// One where the steps are too small to share. Never changes results.
  int useful_threads(const std::vector<Tensor>& inputs) const;
  std::vector<Tensor> compute(const std::vector<Tensor>& inputs, int threads,
                              const WatchFunction& on_value) const;
  std::vector<Tensor> run_parts(const std::vector<Tensor>& inputs, int64_t batch) const;
  void show(int slot, const std::vector<Activation>& values, const WatchFunction& on_value) const;
  void run_step(const Step& step, std::vector<Activation>& values,
                std::vector<const Activation*>& table, const WatchFunction& on_value) const;

  int threads_;
  Model model_;
  std::shared_ptr<BufferPool> pool_;
  Program program_;
  std::vector<std::string> input_names_;
  /// Position in EngineOptions::watched of the value in a slot, or -1.
  std::vector<int> watch_of_slot_;
};

[[noreturn]] void throw_input(const InputRule& rule, const std::string& wanted,
                              const std::string& received) {
  throw_error(Category::kData, "input '" + rule.name + "'", "the model wants " + wanted, received,
              "check the data set's description against `limbeck inspect`");
}

void check_input(const InputRule& rule, const Tensor& tensor,
                 std::map<std::string, int64_t>& symbols) {
  if (rule.type != DataType::kUndefined && rule.type != tensor.type()) {
    throw_input(rule, "elements of type " + data_type_name(rule.type),
                data_type_name(tensor.type()));
  }
  if (!rule.shape) return;
  bool fits = rule.shape->size() == tensor.rank();
  for (size_t i = 0; fits && i < tensor.rank(); ++i) {
    const Dim& dim = (*rule.shape)[i];
    fits = !dim.known() || dim.value == tensor.dim(i);
    if (dim.known() || dim.symbol.empty()) continue;
    const auto [known, fresh] = symbols.try_emplace(dim.symbol, tensor.dim(i));
    if (!fresh && known->second != tensor.dim(i)) {
      throw_input(rule,
                  "'" + dim.symbol + "' to be " + std::to_string(known->second) +
                      " as in another place of the inputs",
                  dims_text(tensor.dims()));
    }
  }
  if (!fits) throw_input(rule, "the shape " + shape_text(*rule.shape), dims_text(tensor.dims()));
}

void NativeEngine::check_inputs(const std::vector<Tensor>& inputs) const {
  if (inputs.size() != program_.inputs.size()) {
    throw_error(Category::kData, "inputs",
                "the model wants " + std::to_string(program_.inputs.size()) + " inputs",
                std::to_string(inputs.size()),
                "give one tensor for every input that `limbeck inspect` lists");
  }
  std::map<std::string, int64_t> symbols;
  for (size_t i = 0; i < inputs.size(); ++i) check_input(program_.inputs[i], inputs[i], symbols);
}

void NativeEngine::show(int slot, const std::vector<Activation>& values,
                        const WatchFunction& on_value) const {
  const auto index = static_cast<size_t>(slot);
  if (on_value && watch_of_slot_[index] >= 0)
    on_value(static_cast<size_t>(watch_of_slot_[index]), values[index].tensor,
             values[index].layout == Layout::kChannelsLast);
}

void NativeEngine::run_step(const Step& step, std::vector<Activation>& values,
                            std::vector<const Activation*>& table,
                            const WatchFunction& on_value) const {
  std::vector<const Activation*> inputs(step.inputs.size(), nullptr);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (step.inputs[i] >= 0) inputs[i] = table[static_cast<size_t>(step.inputs[i])];
  }
  std::vector<Activation> outputs(step.outputs.size());
  StepContext context(inputs, outputs, *pool_);
  step.kernel->run(context);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (step.outputs[i] < 0) continue;
    values[static_cast<size_t>(step.outputs[i])] = std::move(outputs[i]);
    show(step.outputs[i], values, on_value);
  }
  for (const int slot : step.release) values[static_cast<size_t>(slot)] = {};
}

/// Samples [first, first + count), on the same memory.
Tensor samples_of(const Tensor& whole, int64_t first, int64_t count) {
  Dims dims = whole.dims();
  const size_t bytes = storage_bytes(whole.type(), static_cast<size_t>(whole.count())) /
                       static_cast<size_t>(dims[0]);
  dims[0] = count;
  const std::span<const std::byte> part(whole.raw() + static_cast<size_t>(first) * bytes,
                                        static_cast<size_t>(count) * bytes);
  return Tensor::view(whole.type(), std::move(dims), part, std::make_shared<Tensor>(whole),
                      "part of a batch");
}

/// Result `index` of all parts, one after the other.
Tensor joined(const std::vector<std::vector<Tensor>>& parts, size_t index, int64_t batch) {
  Dims dims = parts.front()[index].dims();
  dims[0] = batch;
  Tensor whole = Tensor::allocate(parts.front()[index].type(), std::move(dims));
  std::byte* target = whole.mutable_raw();
  for (const auto& part : parts) {
    const Tensor& tensor = part[index];
    const size_t bytes = storage_bytes(tensor.type(), static_cast<size_t>(tensor.count()));
    if (bytes > 0) std::memcpy(target, tensor.raw(), bytes);
    target += bytes;
  }
  return whole;
}

std::vector<Tensor> NativeEngine::run_parts(const std::vector<Tensor>& inputs,
                                            int64_t batch) const {
  const int64_t step = program_.samples_together;
  const int64_t count = (batch + step - 1) / step;
  std::vector<std::vector<Tensor>> parts(static_cast<size_t>(count));
  std::vector<std::exception_ptr> failures(parts.size());
  const auto run_part = [&](int64_t i) {
    try {
      std::vector<Tensor> part;
      part.reserve(inputs.size());
      for (const Tensor& input : inputs)
        part.push_back(samples_of(input, i * step, std::min(step, batch - i * step)));
      parts[static_cast<size_t>(i)] = compute(part, 1, {});
    } catch (...) {
      failures[static_cast<size_t>(i)] = std::current_exception();
    }
  };
  {
    const onednn::ThreadScope scope(threads_);
    parallel_items(count, run_part);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < parts.front().size(); ++i) outputs.push_back(joined(parts, i, batch));
  return outputs;
}

int NativeEngine::useful_threads(const std::vector<Tensor>& inputs) const {
  const bool batched = !inputs.empty() && inputs.front().rank() > 0;
  const double samples = batched ? static_cast<double>(inputs.front().dim(0)) : 1;
  return program_.macs_per_step * samples < kThreadedMacs ? 1 : threads_;
}

std::vector<Tensor> NativeEngine::run(const std::vector<Tensor>& inputs) const {
  check_inputs(inputs);
  const int64_t batch = program_.samples_together > 0 ? inputs.front().dim(0) : 0;
  if (batch > program_.samples_together) return run_parts(inputs, batch);
  return compute(inputs, useful_threads(inputs), {});
}

std::vector<Tensor> NativeEngine::compute(const std::vector<Tensor>& inputs, int threads,
                                          const WatchFunction& on_value) const {
  const onednn::ThreadScope scope(threads);
  std::vector<Activation> values(program_.slot_count);
  std::vector<const Activation*> table(program_.slot_count);
  for (size_t i = 0; i < table.size(); ++i) {
    table[i] = program_.constants[i].tensor.empty() ? &values[i] : &program_.constants[i];
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    values[static_cast<size_t>(program_.inputs[i].slot)].tensor = inputs[i];
    show(program_.inputs[i].slot, values, on_value);
  }
  for (const Step& step : program_.steps) run_step(step, values, table, on_value);
  std::vector<Tensor> outputs;
  for (const int slot : program_.output_slots) {
    outputs.push_back(in_layout(*table[static_cast<size_t>(slot)], Layout::kPlain, *pool_));
  }
  return outputs;
}

}  // namespace

std::shared_ptr<const Engine> Engine::compile(const Model& model, const EngineOptions& options) {
  return std::make_shared<NativeEngine>(model, options);
}

}  // namespace limbeck
