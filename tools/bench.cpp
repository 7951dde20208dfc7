#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/base/progress.h"
#include "lib/engine/engine.h"
#include "lib/model/model.h"
#include "tools/bench_training.h"
#include "tools/commands.h"

namespace limbeck {
namespace {

struct BenchOptions {
  CommonOptions common;
  std::string model;
  int64_t batch = 1;           ///< for models that leave it open
  std::vector<int64_t> shape;  ///< of one sample, for models that leave it open
  double seconds = 1;
  bool plain = false;
  bool training = false;
  std::string quantized;  ///< with training: format of fake quantization
  bool bf16 = false;      ///< with training
};

struct Timing {
  double compile_ms = 0;
  double median_ms = 0;
  double fastest_ms = 0;
  int64_t runs = 0;
};

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

/// A fixed ramp. An unknown first dimension becomes the batch; other unknown ones come from
/// --shape.
Tensor pattern_input(const Value& input, const BenchOptions& options, int64_t batch) {
  const auto fail = [&](const std::string& rule, const std::string& received) {
    throw_error(Category::kUsage, "input '" + input.name() + "'", rule, received,
                "give --shape with the dimensions of one sample");
  };
  if (!input.shape) fail("its rank must be known to time the model", "no shape");
  Dims dims;
  for (const Dim& dim : *input.shape) dims.push_back(dim.known() ? dim.value : -1);
  if (!dims.empty() && dims[0] < 0) dims[0] = batch;
  for (size_t i = 1; i < dims.size(); ++i) {
    if (dims[i] < 0 && i - 1 < options.shape.size()) dims[i] = options.shape[i - 1];
    if (dims[i] < 0)
      fail("its dimensions must be known to time the model", shape_text(*input.shape));
  }
  Tensor tensor = Tensor::allocate(input.type, dims);
  if (input.type != DataType::kFloat) return tensor;
  size_t i = 0;
  for (float& value : tensor.mutable_as<float>())
    value = static_cast<float>(i++ * 37 % 251) / 125.0F - 1.0F;
  return tensor;
}

std::vector<Tensor> pattern_inputs(const Model& model, const BenchOptions& options, int64_t batch) {
  std::vector<Tensor> inputs;
  for (const Value* input : model.graph.inputs())
    inputs.push_back(pattern_input(*input, options, batch));
  return inputs;
}

Timing time_runs(const std::function<void()>& run, double seconds) {
  run();
  run();
  std::vector<double> times;
  const auto start = std::chrono::steady_clock::now();
  while (times.size() < 3 || milliseconds_since(start) < seconds * 1000) {
    check_interrupt();
    const auto begin = std::chrono::steady_clock::now();
    run();
    times.push_back(milliseconds_since(begin));
  }
  std::sort(times.begin(), times.end());
  Timing timing;
  timing.median_ms = times[times.size() / 2];
  timing.fastest_ms = times.front();
  timing.runs = static_cast<int64_t>(times.size());
  return timing;
}

/// Samples in one run: a model of fixed batch size takes no other.
int64_t batch_of(const std::vector<Tensor>& inputs, const BenchOptions& options) {
  return inputs.empty() || inputs[0].rank() == 0 ? options.batch : inputs[0].dim(0);
}

/// `integer_mac_share`: of an engine; absent for a training step.
void print(const Timing& timing, const BenchOptions& options,
           std::optional<double> integer_mac_share, int threads, int64_t batch) {
  const double rate = 1000 * static_cast<double>(batch) / timing.median_ms;
  if (options.common.json) {
    nlohmann::ordered_json result = {{"model", valid_utf8(options.model)},
                                     {"batch", batch},
                                     {"threads", threads},
                                     {"compile_ms", timing.compile_ms},
                                     {"median_ms", timing.median_ms},
                                     {"fastest_ms", timing.fastest_ms},
                                     {"samples_per_second", rate},
                                     {"runs", timing.runs}};
    if (integer_mac_share) result["integer_mac_share"] = *integer_mac_share;
    std::cout << result.dump(2) << "\n";
    return;
  }
  std::cout << "batch " << batch << ", threads " << threads << ": median " << timing.median_ms
            << " ms, fastest " << timing.fastest_ms << " ms over " << timing.runs << " runs; "
            << rate << " samples/s";
  if (integer_mac_share)
    std::cout << "; " << 100 * *integer_mac_share << " % of the MACs in integers";
  std::cout << (options.training ? ", training steps\n" : "\n");
}

int threads_of(const BenchOptions& options) {
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return options.common.threads > 0 ? options.common.threads : cores;
}

void bench_training(const BenchOptions& options) {
  const int threads = threads_of(options);
  Model model = load_model(options.model);
  const auto start = std::chrono::steady_clock::now();
  const auto step =
      training_step(model,
                    {.format = options.quantized,
                     .precision = options.bf16 ? Precision::kBfloat16 : Precision::kFloat,
                     .batch = options.batch,
                     .threads = threads},
                    [&](int64_t samples) { return pattern_inputs(model, options, samples); });
  const double compile_ms = milliseconds_since(start);
  Timing timing = time_runs(step, options.seconds);
  timing.compile_ms = compile_ms;
  print(timing, options, {}, threads, options.batch);
}

void bench(const BenchOptions& options) {
  if (options.training) return bench_training(options);
  const Model model = load_model(options.model);
  const std::vector<Tensor> inputs = pattern_inputs(model, options, options.batch);
  EngineOptions engine_options;
  engine_options.threads = threads_of(options);
  engine_options.fuse = !options.plain;
  const auto start = std::chrono::steady_clock::now();
  const auto engine = Engine::compile(model, engine_options);
  const double compile_ms = milliseconds_since(start);
  Timing timing = time_runs([&] { engine->run(inputs); }, options.seconds);
  timing.compile_ms = compile_ms;
  print(timing, options, engine->integer_mac_share(), engine_options.threads,
        batch_of(inputs, options));
}

}  // namespace

void add_bench_command(CLI::App& app) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "Time a model on this machine");
  command->add_option("model", options->model, "ONNX file")->required();
  command->add_option("--batch", options->batch, "Samples a run")->check(CLI::Range(1, 65536));
  command
      ->add_option("--shape", options->shape,
                   "Dimensions of one sample, where the model leaves them open")
      ->delimiter(',');
  command->add_option("--seconds", options->seconds, "How long to measure")
      ->check(CLI::Range(0.0, 3600.0));
  auto* plain =
      command->add_flag("--plain", options->plain, "One kernel a node, nothing fused (slow)");
  auto* training =
      command
          ->add_flag("--training", options->training,
                     "Time training steps (forward, cross-entropy, backward, SGD) of a classifier")
          ->excludes(plain);
  auto* quantized =
      command
          ->add_option("--quantized", options->quantized,
                       "Training steps with fake quantization: int8, w4a8, w4a4 or w2a8")
          ->needs(training);
  command
      ->add_flag("--bf16", options->bf16,
                 "Training steps whose convolutions multiply bfloat16 (fast on CPUs with "
                 "AVX512_BF16 alone)")
      ->needs(training)
      ->excludes(quantized);
  add_common_options(command, &options->common);
  command->footer(
      "The inputs are a fixed pattern: only the time is of interest, not the result.\n"
      "Examples:\n"
      "  limbeck bench model.int8.onnx\n"
      "  limbeck bench model.onnx --batch 32 --threads 2 --seconds 5 --json\n"
      "  limbeck bench model.onnx --training --batch 256");
  command->callback([options] { bench(*options); });
}

}  // namespace limbeck
