#include "lib/distill/recipe.h"

#include <catch2/catch_test_macros.hpp>

#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "lib/distill/objective.h"
#include "tests/model/expect_error.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

using nlohmann::json;

Recipe read(const std::string& text) {
  return read_recipe(json::parse(text), "r.json at ", "/recipes");
}

ErrorInfo refused(const std::string& text) {
  return error_of([&] { read(text); });
}

const char* const kFull = R"({
  "version": 1, "teacher": "t.onnx", "student": "s.onnx", "data": "d.json",
  "losses": [{"loss": "soft_targets", "temperature": 2}],
  "optimizer": {"method": "adamw", "weight_decay": 0.01, "groups": [{"glob": "*bias", "weight_decay": 0}]},
  "schedule": {"kind": "one_cycle", "learning_rate": 0.01}, "augmentation": {"flip": 0.5},
  "epochs": 3, "batch": 32, "shards": 4, "accumulation": 2, "seed": 9, "ema": {"decay": 0.99},
  "batch_norm": "frozen", "trainable": ["/head/*"], "dropout": false, "precision": "bf16", "domain": {"classes": [7, 3, 7]}, "validation": {"samples": 100},
  "early_stopping": {"patience": 2}, "checkpoint": {"minutes": 1.5}})";

}  // namespace

TEST_CASE("an empty recipe is the recipe of the defaults", "[distill]") {
  CHECK(recipe_json(read("{}")) == recipe_json(Recipe()));
  CHECK(read("{}").teacher.empty());
}

TEST_CASE("a recipe says all of it and reads back to itself", "[distill]") {
  const Recipe recipe = read(kFull);
  CHECK(recipe.teacher == "/recipes/t.onnx");
  CHECK(recipe.data == "/recipes/d.json");
  CHECK(recipe.optimizer.method == "adamw");
  CHECK(recipe.schedule.kind == "one_cycle");
  CHECK(recipe.batch_norm == BatchNormMode::kFrozen);
  CHECK(recipe.precision == Precision::kBfloat16);
  CHECK(recipe.validation.samples == 100);
  CHECK(recipe.domain == std::vector<int64_t>{3, 7});
  CHECK(recipe.patience == 2);
  CHECK(recipe.checkpoint_minutes == 1.5);
  for (const Recipe& one : {recipe, Recipe()}) {
    const json document = json::parse(recipe_json(one).dump());
    validate_json(document, "distill", "recipe");
    CHECK(recipe_json(read_recipe(document, "", "")) == recipe_json(one));
  }
}

TEST_CASE("recipes that train alike have the same hash", "[distill]") {
  CHECK(recipe_hash(read(R"({"epochs": 10, "checkpoint": {"minutes": 1}})")) ==
        recipe_hash(Recipe()));
  CHECK(recipe_hash(read(R"({"epochs": 11})")) != recipe_hash(Recipe()));
  CHECK(recipe_hash(read(R"({"precision": "fp32"})")) == recipe_hash(Recipe()));
  CHECK(recipe_hash(read(R"({"precision": "bf16"})")) != recipe_hash(Recipe()));
  const auto with_temperature = [](const std::string& number) {
    return read(R"({"losses": [{"loss": "soft_targets", "temperature": )" + number + "}]}");
  };
  CHECK(recipe_hash(with_temperature("4")) == recipe_hash(with_temperature("4.0")));
  CHECK(recipe_hash(with_temperature("4")) != recipe_hash(with_temperature("5")));
}

TEST_CASE("default losses follow what there is", "[distill]") {
  for (const bool teacher : {false, true}) {
    for (const bool labels : {false, true}) {
      const Objective objective = Objective::read(default_losses(teacher, labels), "");
      CHECK(objective.needs_teacher() == teacher);
      CHECK(objective.needs_labels() == (labels || !teacher));
    }
  }
}

TEST_CASE("every mistake in a recipe is told with its place", "[distill]") {
  struct Mistake {
    const char* text;
    const char* place;
    const char* received;
  };
  const std::vector<Mistake> mistakes = {
      {R"([])", "r.json at ", "[]"},
      {R"({"version": 2})", "r.json at /version", "2"},
      {R"({"epoch": 3})", "r.json at /epoch", "epoch"},
      {R"({"epochs": 0})", "r.json at /epochs", "0"},
      {R"({"epochs": 1.5})", "r.json at /epochs", "1.5"},
      {R"({"batch": "many"})", "r.json at /batch", "\"many\""},
      {R"({"shards": 2000})", "r.json at /shards", "2000"},
      {R"({"teacher": 3})", "r.json at /teacher", "3"},
      {R"({"optimizer": {"method": "rmsprop"}})", "r.json at /optimizer/method", "rmsprop"},
      {R"({"schedule": {"learning_rate": -1}})", "r.json at /schedule/learning_rate", "-1"},
      {R"({"augmentation": {"flip": 2}})", "r.json at /augmentation/flip", "2"},
      {R"({"ema": 0.9})", "r.json at /ema", "0.9"},
      {R"({"ema": {"decay": 1}})", "r.json at /ema/decay", "1"},
      {R"({"batch_norm": "sync"})", "r.json at /batch_norm", "'sync'"},
      {R"({"precision": "fp16"})", "r.json at /precision", "'fp16'"},
      {R"({"trainable": "*"})", "r.json at /trainable", "\"*\""},
      {R"({"trainable": []})", "r.json at /trainable", "[]"},
      {R"({"validation": {"share": 0.95}})", "r.json at /validation/share", "0.95"},
      {R"({"validation": {"share": 0.1, "samples": 5}})", "r.json at /validation",
       R"({"samples":5,"share":0.1})"},
      {R"({"validation": {"share": 0}, "early_stopping": {"patience": 3}})",
       "r.json at /early_stopping", "a validation share of 0"},
      {R"({"domain": {"classes": []}})", "r.json at /domain/classes", "[]"},
      {R"({"domain": {"classes": [1, -2]}})", "r.json at /domain/classes", "[1,-2]"},
      {R"({"domain": {"class": 1}})", "r.json at /domain/class", "class"},
      {R"({"early_stopping": {}, "checkpoint": {"minutes": -1}})", "r.json at /checkpoint/minutes",
       "-1"},
  };
  for (const Mistake& mistake : mistakes) {
    INFO(mistake.text);
    const ErrorInfo info = refused(mistake.text);
    CHECK(info.category == Category::kUsage);
    CHECK(info.place == mistake.place);
    CHECK(info.received == mistake.received);
    CHECK_FALSE(info.next_step.empty());
  }
}

TEST_CASE("the example of the recipe's page trains", "[distill][docs]") {
  const std::string page = read_file(source_dir() / "docs/formats/distill.md");
  const size_t start = page.find("```json") + 7;
  const json example = json::parse(page.substr(start, page.find("```", start) - start));
  validate_json(example, "distill", "distill.md");
  const Recipe recipe = read_recipe(example, "", "");
  CHECK(Objective::read(recipe.losses, "").size() > 0);
}

}  // namespace limbeck::test
