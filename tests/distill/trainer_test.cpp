#include "lib/distill/trainer.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>

#include "lib/base/file.h"
#include "lib/distill/student.h"
#include "lib/distill/train_log.h"
#include "lib/evaluate/evaluate.h"
#include "tests/model/expect_error.h"
#include "tests/support/paths.h"
#include "tests/support/trainer_support.h"

namespace limbeck::test {
namespace {

using Catch::Matchers::WithinAbs;
using nlohmann::json;

const json kLabels = json::array({{{"loss", "label_cross_entropy"}}});

Metrics measured(const Model& model, const Model* reference, const Dataset& data) {
  EvaluateOptions options;
  options.quiet = true;
  return evaluate(model, reference, data, options).metrics;
}

double accuracy(const Model& model, const Dataset& data) {
  return measured(model, nullptr, data).top1.value();
}

}  // namespace

TEST_CASE("one step of SGD on a linear model is the one worked out by hand", "[distill]") {
  const Model student = linear_student();
  // Logits are 0 at the start, so p = (1/2, 1/2) for both samples.
  // dL/dlogits = (p - onehot) / 2:  sample 0, class 0: (-1/4, 1/4);  sample 1, class 1: (1/4,
  // -1/4). dL/dw = x^T d: with x = (1, 2), (3, -1): row 0: -1/4 + 3/4 = 1/2, -1/2;
  //                row 1: -2/4 - 1/4 = -3/4, 3/4.     dL/db = (0, 0).
  // With rate 0.1: w = ((-0.05, 0.05), (0.075, -0.075)).
  const MemoryDataset data({{1, 2}, {3, -1}}, {0, 1});
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  job.recipe.epochs = 1;
  job.recipe.batch = 2;
  for (const int64_t shards : {1, 2}) {
    job.recipe.shards = shards;
    const TrainResult result = train(job);
    CHECK(result.steps == 1);
    const auto constants = constants_of(result.student);
    const std::vector<float> wanted = {-0.05F, 0.05F, 0.075F, -0.075F};
    for (size_t i = 0; i < 4; ++i) CHECK_THAT(constants.at("w")[i], WithinAbs(wanted[i], 1e-7));
    for (size_t i = 0; i < 2; ++i) CHECK_THAT(constants.at("b")[i], WithinAbs(0, 1e-7));
  }
}

TEST_CASE("running statistics move towards those of the whole step", "[distill]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 2}).output("y");
  builder.weight("scale", floats({1, 1})).weight("bias", floats({0, 0}));
  builder.weight("mean", floats({0, 10})).weight("variance", floats({1, 2}));
  builder.node("BatchNormalization", {"x", "scale", "bias", "mean", "variance"}, {"y"})
      .with("momentum", 0.75F);
  const Model student = builder.build();
  const MemoryDataset data({{1, 0}, {3, 0}, {5, 4}, {7, 4}}, {0, 1, 0, 1});
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  job.recipe.epochs = 1;
  job.recipe.shards = 2;
  const auto constants = constants_of(train(job).student);
  // Means 4 and 2; sample variances 20/3 and 16/3; a quarter of them, three quarters of the old.
  CHECK_THAT(constants.at("mean")[0], WithinAbs(1, 1e-6));
  CHECK_THAT(constants.at("mean")[1], WithinAbs(8, 1e-6));
  CHECK_THAT(constants.at("variance")[0], WithinAbs(0.75 + 5.0 / 3, 1e-5));
  CHECK_THAT(constants.at("variance")[1], WithinAbs(1.5 + 4.0 / 3, 1e-5));
  job.recipe.batch_norm = BatchNormMode::kFrozen;
  CHECK(constants_of(train(job).student).at("mean") == std::vector<float>{0, 10});
}

TEST_CASE("training reduces the loss and follows the teacher without labels", "[distill]") {
  const Model student = small_student();
  const MemoryDataset data = separable_samples(300);
  const TemporaryFolder folder;
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  job.recipe.epochs = 30;
  job.recipe.batch = 60;
  job.recipe.dropout = false;
  job.log = folder / "train.jsonl";
  const Model taught = train(job).student;
  const auto log = read_train_log(job.log);
  CHECK(log.back().at("loss").get<double>() < 0.5 * log.front().at("loss").get<double>());
  CHECK(accuracy(taught, data) > 90);
  CHECK(accuracy(taught, data) > accuracy(student, data) + 20);
  const Model pupil = small_teacher();
  TrainJob with_teacher = small_job(pupil, &taught, data);
  with_teacher.recipe.epochs = 30;
  with_teacher.recipe.batch = 60;
  with_teacher.recipe.losses = json::array({{{"loss", "soft_targets"}}});
  const Model copied = train(with_teacher).student;
  CHECK(measured(copied, &taught, data).agreement.value() > 90);
}

TEST_CASE("models that end in Softmax train on what it reads, and keep it", "[distill]") {
  const MemoryDataset data = separable_samples(60);
  const Model student = small_student();
  const Model teacher = small_teacher();
  const auto wanted = constants_of(train(small_job(student, &teacher, data)).student);
  const auto ending = [](Model model, const std::vector<std::string>& operators) {
    Graph& graph = model.graph;
    for (const std::string& type : operators) {
      Value* scores = graph.outputs().front();
      Node* node = graph.add_node(type, "", type, {scores}, {type + "_output"}, nullptr);
      graph.replace_all_uses(scores, node->output(0));
      graph.set_input(node, 0, scores);
    }
    return model;
  };
  for (const auto& tail : {std::vector<std::string>{"Softmax"}, {"LogSoftmax", "Identity"}}) {
    const Model probable = ending(small_student(), tail);
    const Model sure = ending(small_teacher(), tail);
    const Model trained = train(small_job(probable, &sure, data)).student;
    CHECK(constants_of(trained) == wanted);
    CHECK(trained.graph.outputs().front()->producer()->op_type() == tail.back());
  }
}

TEST_CASE("a tap that is an output as well counts once", "[distill]") {
  const auto network = [](bool declared) {
    ModelBuilder builder(13);
    builder.input("x", {-1, 4}).output("y");
    if (declared) builder.output("r");
    builder.weight("w1", noise({4, 6}, 1)).weight("w2", noise({6, 3}, 2));
    builder.node("MatMul", {"x", "w1"}, {"h"});
    builder.node("Relu", {"h"}, {"r"});
    builder.node("MatMul", {"r", "w2"}, {"y"});
    return builder.build();
  };
  const MemoryDataset data = separable_samples(48);
  const Model teacher = small_teacher();
  const auto trained = [&](const Model& student) {
    TrainJob job = small_job(student, &teacher, data);
    job.recipe.losses =
        json::array({{{"loss", "relation_distance"}, {"student", "r"}, {"teacher", "r"}}});
    job.recipe.batch = 16;
    return constants_of(train(job).student);
  };
  CHECK(trained(network(true)) == trained(network(false)));
}

TEST_CASE("the bytes of a run do not depend on threads", "[distill]") {
  const Model student = small_student();
  const Model teacher = small_teacher();
  const MemoryDataset data = separable_samples(100);
  const TemporaryFolder folder;
  TrainJob job = small_job(student, &teacher, data);
  job.recipe.ema_decay = 0.9;
  job.recipe.optimizer.method = "adamw";
  for (int64_t i = 0; i < 20; ++i) job.validation.push_back(i);
  job.checkpoint = folder / "checkpoint";
  job.log = folder / "log";
  job.threads = 1;
  const auto wanted = constants_of(train(job).student);
  const std::string checkpoint = read_file(job.checkpoint);
  const std::string log = read_file(job.log);
  for (const int threads : {2, 3, 8}) {
    INFO(threads << " threads");
    job.threads = threads;
    CHECK(constants_of(train(job).student) == wanted);
    CHECK(read_file(job.checkpoint) == checkpoint);
    CHECK(read_file(job.log) == log);
  }
  job.recipe.seed = 2;
  CHECK(constants_of(train(job).student) != wanted);
}

TEST_CASE("batches accumulated are the bigger batch", "[distill]") {
  const Model student = linear_student();
  const MemoryDataset data({{1, 2}, {3, -1}, {0, 1}, {2, 2}, {-1, 1}, {1, 1}}, {0, 1, 0, 1, 1, 0});
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  job.recipe.epochs = 5;
  job.recipe.batch = 6;
  job.recipe.shards = 6;
  const auto whole = constants_of(train(job).student);
  job.recipe.batch = 2;
  job.recipe.shards = 2;
  job.recipe.accumulation = 3;
  const TrainResult accumulated = train(job);
  CHECK(accumulated.steps == 5);
  CHECK(constants_of(accumulated.student) == whole);
}

TEST_CASE("what is handed out is the average of the weights, when asked for", "[distill]") {
  const Model student = linear_student();
  const MemoryDataset data({{1, 2}, {3, -1}}, {0, 1});
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  job.recipe.epochs = 1;
  job.recipe.batch = 2;
  job.recipe.ema_decay = 0.5;
  // The first step's decay is min(0.5, 1/10): the average is 0.1 * 0 + 0.9 * -0.05.
  CHECK_THAT(constants_of(train(job).student).at("w")[0], WithinAbs(-0.045, 1e-7));
}

TEST_CASE("early stopping ends the run and hands out the best epoch", "[distill]") {
  const Model student = linear_student();
  // Nothing can be learnt for the held-out samples: they contradict the training samples.
  const MemoryDataset data({{1, 0}, {0, 1}, {1, 0}, {0, 1}}, {0, 1, 1, 0});
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  job.training = {0, 1};
  job.validation = {2, 3};
  job.recipe.epochs = 20;
  job.recipe.patience = 3;
  const TrainResult result = train(job);
  CHECK(result.stopped_early);
  CHECK(result.best_epoch == 1);
  CHECK(result.epochs == 4);
  job.recipe.patience = 0;
  job.recipe.epochs = 1;
  CHECK(constants_of(train(job).student) == constants_of(result.student));
}

TEST_CASE("a number that is not finite stops the run and names the layer", "[distill]") {
  const Model student = small_student();
  const MemoryDataset data = separable_samples(32);
  const TemporaryFolder folder;
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  job.checkpoint = folder / "checkpoint";
  job.recipe.checkpoint_minutes = 0;
  job.recipe.schedule.learning_rate = 1e38;
  const ErrorInfo info = error_of([&] { train(job); });
  CHECK(info.category == Category::kData);
  CHECK(info.place.find("node '") != std::string::npos);
  CHECK(info.rule == "every value must stay finite while the student trains");
  CHECK(info.received.starts_with("NaN or infinity in step "));
  CHECK(info.next_step ==
        "lower schedule/learning_rate or set optimizer/clip_norm; the last "
        "checkpoint is kept in " +
            job.checkpoint.string());
  CHECK(std::filesystem::exists(job.checkpoint));
}

TEST_CASE("a recipe's precision is that of the convolutions", "[distill]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 2}).output("y");
  builder.weight("shape", Tensor::from<int64_t>({4}, {0, 2, 1, 1}));
  builder.weight("w", noise({3, 2, 1, 1}, 1));
  builder.node("Reshape", {"x", "shape"}, {"image"});
  builder.node("Conv", {"image", "w"}, {"c"});
  builder.node("Flatten", {"c"}, {"y"});
  const Model student = builder.build();
  const MemoryDataset data({{1.001F, 2.003F}, {3.007F, -1.009F}}, {0, 1});
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  job.recipe.epochs = 1;
  const auto single = constants_of(train(job).student).at("w");
  job.recipe.precision = Precision::kBfloat16;
  const auto half = constants_of(train(job).student).at("w");
  CHECK(half != single);
  for (size_t i = 0; i < half.size(); ++i) CHECK_THAT(half[i], WithinAbs(single[i], 1e-3));
}

TEST_CASE("labels that are numbers of folders need a folder for every score", "[distill]") {
  class Folders : public MemoryDataset {
   public:
    explicit Folders(int64_t count) : MemoryDataset({{1, 2}, {3, -1}}, {0, 1}), count_(count) {}
    int64_t numbered_folders() const override { return count_; }

   private:
    int64_t count_;
  };
  const Model student = linear_student();
  for (const int64_t count : {0, 2, 3}) {
    const Folders data(count);
    TrainJob job = small_job(student, nullptr, data);
    job.recipe.losses = kLabels;
    job.recipe.epochs = 1;
    if (count != 3) {
      CHECK(train(job).steps == 1);
    } else {
      CHECK(error_of([&] { train(job); }).received == "3 folders");
    }
  }
}

TEST_CASE("an infinity that was there from the start is no failure", "[distill]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 2}).output("y");
  builder.weight("w", noise({2, 2}, 1));
  builder.weight("mask", floats({0, -std::numeric_limits<float>::infinity()}));
  builder.node("MatMul", {"x", "w"}, {"m"});
  builder.node("Add", {"m", "mask"}, {"y"});
  const Model student = builder.build();
  const MemoryDataset data({{1, 2}, {3, -1}}, {0, 0});
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  job.recipe.epochs = 1;
  job.recipe.optimizer.groups = {{"mask", 0, 0.0}};
  CHECK(train(job).steps > 0);
}

TEST_CASE("a last update that overflows is told, though no step follows it", "[distill]") {
  const Model student = linear_student();
  // The gradient is about 5e36, its product with the rate above the largest float.
  const MemoryDataset data({{1e37F, 2e37F}, {3e37F, -1e37F}}, {0, 1});
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  job.recipe.epochs = 1;
  job.recipe.batch = 2;
  job.recipe.schedule.learning_rate = 1000;
  const ErrorInfo info = error_of([&] { train(job); });
  CHECK(info.place == "weight 'w'");
  CHECK(info.received == "NaN or infinity in step 1, epoch 1");
}

TEST_CASE("NaN in the data is told by the layer that meets it first", "[distill]") {
  const Model student = linear_student();
  const MemoryDataset data({{1, 2}, {NAN, -1}}, {0, 1});
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.losses = kLabels;
  CHECK(error_of([&] { train(job); }).place == "node 'n0' (Gemm)");
}

TEST_CASE("a recipe that does not fit models and data is refused before training", "[distill]") {
  const Model student = linear_student();
  const MemoryDataset labelled({{1, 2}, {3, -1}}, {0, 1});
  const MemoryDataset bare({{1, 2}, {3, -1}});
  TrainJob job = small_job(student, nullptr, labelled);
  job.recipe.losses = json::array({{{"loss", "soft_targets"}}});
  CHECK(error_of([&] { train(job); }).received == "no teacher");
  TrainJob unlabelled = small_job(student, nullptr, bare);
  CHECK(error_of([&] { train(unlabelled); }).received == "no labels");
  TrainJob stopping = small_job(student, nullptr, labelled);
  stopping.recipe.patience = 1;
  CHECK(error_of([&] { train(stopping); }).place == "/early_stopping");
  TrainJob glob = small_job(student, nullptr, labelled);
  glob.recipe.trainable = {"absent*"};
  CHECK(error_of([&] { train(glob); }).category == Category::kUsage);
}

TEST_CASE("weights that do not train keep their bytes", "[distill]") {
  const Model student = small_student();
  const MemoryDataset data = separable_samples(32);
  TrainJob job = small_job(student, nullptr, data);
  job.recipe.trainable = {"w2", "b2"};
  const auto before = constants_of(student);
  const auto after = constants_of(train(job).student);
  CHECK(after.at("w1") == before.at("w1"));
  CHECK(after.at("scale") == before.at("scale"));
  CHECK(after.at("w2") != before.at("w2"));
}

TEST_CASE("a memory budget changes no byte of the result", "[distill]") {
  const Model student = small_student();
  const Model teacher = small_teacher();
  const MemoryDataset data = separable_samples(64);
  TrainJob job = small_job(student, &teacher, data);
  job.recipe.batch = 32;
  job.threads = 1;
  const auto wanted = constants_of(train(job).student);
  // What one pass over a shard of eight keeps, as a whole and at least.
  Student compiled(student, {});
  const std::vector<Tensor> inputs = {noise({8, 4}, 1)};
  const auto kept = [&] {
    return static_cast<int64_t>(
        compiled.tape().forward(compiled.initial_parameters(), inputs, 0).held_bytes);
  };
  const int64_t whole = kept();
  compiled.fit_memory(inputs, whole - 1);
  CHECK(compiled.options().segments > 1);
  CHECK(kept() < whole);
  job.memory_budget = whole - 1;
  CHECK(constants_of(train(job).student) == wanted);
  job.memory_budget = 1;
  const ErrorInfo info = error_of([&] { train(job); });
  CHECK(info.category == Category::kUsage);
  CHECK(info.place == "--memory-budget");
}

TEST_CASE("hints train an adapter beside the student", "[distill]") {
  const Model student = small_student();
  const Model teacher = small_teacher();
  const MemoryDataset data = separable_samples(64);
  const TemporaryFolder folder;
  TrainJob job = small_job(student, &teacher, data);
  job.recipe.losses = json::array({{{"loss", "hint"}, {"student", "r"}, {"teacher", "r"}}});
  job.recipe.epochs = 20;
  job.recipe.dropout = false;
  job.recipe.schedule.learning_rate = 0.05;
  job.log = folder / "log";
  train(job);
  const auto log = read_train_log(job.log);
  CHECK(log.back().at("loss").get<double>() < 0.7 * log.front().at("loss").get<double>());
}

}  // namespace limbeck::test
