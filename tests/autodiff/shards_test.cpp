#include "lib/autodiff/shards.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <stdexcept>

#include "tests/support/model_builder.h"

namespace limbeck::test {
namespace {

using List = std::vector<int64_t>;

Model network() {
  ModelBuilder builder(13);
  builder.input("x", {-1, 3, 6, 6}).output("y");
  builder.weight("w", noise({8, 3, 3, 3}, 1)).weight("fc", noise({8, 4}, 2));
  builder.weight("scale", positive_noise({8}, 3)).weight("bias", noise({8}, 4));
  builder.weight("mean", noise({8}, 5)).weight("variance", positive_noise({8}, 6));
  builder.node("Conv", {"x", "w"}, {"c"}).with("pads", List{1, 1, 1, 1});
  builder.node("BatchNormalization", {"c", "scale", "bias", "mean", "variance"}, {"n"});
  builder.node("Relu", {"n"}, {"r"});
  builder.node("GlobalAveragePool", {"r"}, {"g"});
  builder.node("Flatten", {"g"}, {"f"});
  builder.node("Dropout", {"f"}, {"d"});
  builder.node("MatMul", {"d", "fc"}, {"y"});
  return builder.build();
}

std::vector<Tensor> initial(const Tape& tape) {
  std::vector<Tensor> parameters;
  for (const Parameter& parameter : tape.parameters()) parameters.push_back(parameter.initial);
  return parameters;
}

std::vector<std::vector<Tensor>> batch(size_t shards) {
  std::vector<std::vector<Tensor>> result;
  for (size_t i = 0; i < shards; ++i)
    result.push_back({noise({i == 0 ? 2 : 5, 3, 6, 6}, 10 + static_cast<unsigned>(i))});
  return result;
}

std::vector<Tensor> half_square(size_t, const Pass& pass) { return {pass.outputs[0]}; }

std::vector<std::vector<float>> values(const std::vector<Tensor>& tensors) {
  std::vector<std::vector<float>> result;
  for (const Tensor& tensor : tensors) result.push_back(tensor.to_float());
  return result;
}

}  // namespace

TEST_CASE("gradients that travel piece by piece are those of run_shards", "[autodiff]") {
  for (const size_t segments : {1, 3}) {
    TrainOptions options;
    options.segments = segments;
    const auto tape = Tape::compile(network(), options);
    const auto shards = batch(8);
    const auto plain = run_shards(*tape, initial(*tape), shards, 3, half_square, 2);
    const auto ranks = local_communicator();
    for (const int threads : {1, 3}) {
      const auto sums =
          run_shards(*tape, initial(*tape), shards, 3, half_square, threads, {ranks.get(), 0});
      CHECK(values(sums.parameters) == values(plain.parameters));
      CHECK(sums.statistics.size() == 8);
    }
  }
}

TEST_CASE("every gradient is completed once, in the stated order", "[autodiff]") {
  const auto tape = Tape::compile(network());
  std::vector<size_t> completed;
  Pass pass = tape->forward(initial(*tape), batch(1)[0], 1);
  const std::vector<Tensor> dy = half_square(0, pass);
  std::vector<Tensor> seen(tape->parameters().size());
  const Gradients gradients =
      tape->backward(std::move(pass), dy, [&](size_t parameter, const Tensor& gradient) {
        completed.push_back(parameter);
        seen[parameter] = gradient;
      });
  CHECK(completed == tape->completion_order());
  CHECK(completed.size() == tape->parameters().size());
  CHECK(values(seen) == values(gradients.parameters));
}

TEST_CASE("the error of a shard on a rank is raised", "[autodiff]") {
  const auto tape = Tape::compile(network());
  const auto ranks = local_communicator();
  const ShardLoss loss = [](size_t shard, const Pass& pass) -> std::vector<Tensor> {
    if (shard == 2) throw std::runtime_error("shard 2");
    return {pass.outputs[0]};
  };
  CHECK_THROWS_WITH(run_shards(*tape, initial(*tape), batch(5), 0, loss, 2, {ranks.get(), 0}),
                    "shard 2");
}

TEST_CASE("a batch in shards gives the same bytes on any number of threads", "[autodiff]") {
  const auto tape = Tape::compile(network());
  const auto shards = batch(8);
  const auto one = run_shards(*tape, initial(*tape), shards, 3, half_square, 1);
  REQUIRE(one.statistics.size() == 8);
  CHECK(one.statistics[0].at(0).count == 2 * 36);
  CHECK(one.statistics[7].at(0).count == 5 * 36);
  for (const int threads : {2, 3, 4, 8, 20}) {
    INFO(threads << " threads");
    const auto many = run_shards(*tape, initial(*tape), shards, 3, half_square, threads);
    CHECK(values(many.parameters) == values(one.parameters));
    for (size_t i = 0; i < shards.size(); ++i) {
      CHECK(many.statistics[i][0].mean.to_float() == one.statistics[i][0].mean.to_float());
      CHECK(many.statistics[i][0].variance.to_float() == one.statistics[i][0].variance.to_float());
    }
  }
  CHECK(values(run_shards(*tape, initial(*tape), shards, 4, half_square, 1).parameters) !=
        values(one.parameters));
}

TEST_CASE("the gradients of shards are added in their order", "[autodiff]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 1}).output("y").weight("w", Tensor::from<float>({1, 1}, {1}));
  builder.node("MatMul", {"x", "w"}, {"y"});
  const auto tape = Tape::compile(builder.build());
  // In float (1e8 + 1) - 1e8 is 0, and (1e8 - 1e8) + 1 is 1.
  std::vector<std::vector<Tensor>> shards;
  for (const float x : {1e8F, 1.0F, -1e8F}) shards.push_back({Tensor::from<float>({1, 1}, {x})});
  const ShardLoss sum = [](size_t, const Pass&) {
    return std::vector<Tensor>{Tensor::from<float>({1, 1}, {1})};
  };
  for (const int threads : {1, 3}) {
    const auto first = run_shards(*tape, initial(*tape), shards, 0, sum, threads);
    CHECK(first.parameters[0].to_float()[0] == 0.0F);
  }
  std::swap(shards[1], shards[2]);
  CHECK(run_shards(*tape, initial(*tape), shards, 0, sum, 3).parameters[0].to_float()[0] == 1.0F);
}

TEST_CASE("the error of the first shard that failed is raised", "[autodiff]") {
  const auto tape = Tape::compile(network());
  const ShardLoss loss = [](size_t shard, const Pass& pass) -> std::vector<Tensor> {
    if (shard >= 2) throw std::runtime_error("shard " + std::to_string(shard));
    return {pass.outputs[0]};
  };
  CHECK_THROWS_WITH(run_shards(*tape, initial(*tape), batch(5), 0, loss, 3), "shard 2");
}

}  // namespace limbeck::test
