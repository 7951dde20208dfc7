#include "lib/distill/recipe.h"

#include <set>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/option_reader.h"
#include "lib/base/schema.h"

namespace limbeck {
namespace {

constexpr double kLargestSeed = 9007199254740992.0;  // 2^53: JSON numbers are doubles elsewhere
constexpr double kBelowOne = 0.9999999;

/// 4 and 4.0 are one number.
void spell_alike(nlohmann::ordered_json& value) {
  if (value.is_number_integer()) value = value.get<double>();
  if (!value.is_structured()) return;
  for (auto& item : value) spell_alike(item);
}

std::string place_of(const OptionReader& reader, const char* field) {
  return reader.place() + "/" + field;
}

std::filesystem::path read_path(OptionReader& reader, const char* field,
                                const std::filesystem::path& folder) {
  const std::string text = reader.text(field, "");
  return text.empty() ? std::filesystem::path() : folder / text;
}

BatchNormMode read_batch_norm(OptionReader& reader) {
  const std::string mode = reader.text("batch_norm", "batch");
  if (mode == "batch") return BatchNormMode::kBatch;
  if (mode == "frozen") return BatchNormMode::kFrozen;
  throw_error(Category::kUsage, place_of(reader, "batch_norm"),
              "the statistics must be those of the batch or frozen", "'" + mode + "'",
              R"(write "batch" or "frozen")");
}

Precision read_precision(OptionReader& reader, Precision absent) {
  const std::string name = reader.text("precision", precision_name(absent));
  for (const Precision precision : {Precision::kFloat, Precision::kBfloat16})
    if (name == precision_name(precision)) return precision;
  throw_error(Category::kUsage, place_of(reader, "precision"), "the precision must exist",
              "'" + name + "'", R"(write "fp32" or "bf16")");
}

std::vector<std::string> read_globs(OptionReader& reader, std::vector<std::string> absent) {
  const nlohmann::json* list = reader.nested("trainable");
  if (list == nullptr) return absent;
  std::vector<std::string> globs;
  bool texts = list->is_array() && !list->empty();
  for (size_t i = 0; texts && i < list->size(); ++i) {
    texts = (*list)[i].is_string() && !(*list)[i].get<std::string>().empty();
    if (texts) globs.push_back((*list)[i]);
  }
  if (texts) return globs;
  throw_error(Category::kUsage, place_of(reader, "trainable"),
              "the value must be a list of globs with at least one", list->dump(),
              R"(write for example ["*"] or ["/head/*"])");
}

std::vector<int64_t> read_domain(OptionReader& reader) {
  const nlohmann::json* object = reader.nested("domain");
  if (object == nullptr) return {};
  OptionReader domain(*object, place_of(reader, "domain"));
  const nlohmann::json* classes = domain.nested("classes");
  domain.finish();
  return read_classes(classes == nullptr ? nlohmann::json::array() : *classes,
                      place_of(domain, "classes"));
}

double read_ema(OptionReader& reader, double absent) {
  const nlohmann::json* object = reader.nested("ema");
  if (object == nullptr) return absent;
  OptionReader ema(*object, place_of(reader, "ema"));
  const double decay = ema.number("decay", 0.999, {0, kBelowOne});
  ema.finish();
  return decay;
}

ValidationOptions read_validation(OptionReader& reader) {
  ValidationOptions options;
  const nlohmann::json* object = reader.nested("validation");
  if (object == nullptr) return options;
  OptionReader validation(*object, place_of(reader, "validation"));
  options.share = validation.number("share", options.share, {0, 0.9});
  options.samples = validation.integer("samples", options.samples, {1, 1e9});
  validation.finish();
  if (object->contains("share") && object->contains("samples")) {
    throw_error(Category::kUsage, validation.place(),
                "a share or a number of samples is held out, not both", object->dump(),
                "leave out one of the two");
  }
  return options;
}

int64_t read_patience(OptionReader& reader, const ValidationOptions& validation) {
  const nlohmann::json* object = reader.nested("early_stopping");
  if (object == nullptr) return 0;
  OptionReader stopping(*object, place_of(reader, "early_stopping"));
  const int64_t patience = stopping.integer("patience", 5, {1, 100000});
  stopping.finish();
  if (validation.samples > 0 || validation.share > 0) return patience;
  throw_error(Category::kUsage, stopping.place(), "early stopping needs held-out samples",
              "a validation share of 0", "raise /validation/share, or leave early_stopping out");
}

double read_minutes(OptionReader& reader, double absent) {
  const nlohmann::json* object = reader.nested("checkpoint");
  if (object == nullptr) return absent;
  OptionReader checkpoint(*object, place_of(reader, "checkpoint"));
  const double minutes = checkpoint.number("minutes", absent, {0, 100000});
  checkpoint.finish();
  return minutes;
}

void check_version(OptionReader& reader) {
  const nlohmann::json* version = reader.nested("version");
  if (version == nullptr || *version == 1) return;
  throw_error(Category::kUsage, place_of(reader, "version"),
              "a recipe must be of version 1, the newest that this limbeck knows", version->dump(),
              "use a newer limbeck, or write the recipe for this one");
}

void read_parts(OptionReader& reader, Recipe& recipe) {
  if (const auto* losses = reader.nested("losses")) recipe.losses = *losses;
  if (const auto* part = reader.nested("optimizer"))
    recipe.optimizer = read_optimizer(*part, place_of(reader, "optimizer"));
  if (const auto* part = reader.nested("schedule"))
    recipe.schedule = read_schedule(*part, place_of(reader, "schedule"));
  if (const auto* part = reader.nested("augmentation"))
    recipe.augmentation = read_augmentation(*part, place_of(reader, "augmentation"));
}

}  // namespace

Recipe read_recipe(const nlohmann::json& document, const std::string& place,
                   const std::filesystem::path& folder, const Recipe& defaults) {
  OptionReader reader(document, place);
  check_version(reader);
  Recipe recipe = defaults;
  recipe.teacher = read_path(reader, "teacher", folder);
  recipe.student = read_path(reader, "student", folder);
  recipe.data = read_path(reader, "data", folder);
  read_parts(reader, recipe);
  recipe.epochs = reader.integer("epochs", recipe.epochs, {1, 1e5});
  recipe.batch = reader.integer("batch", recipe.batch, {1, 1e6});
  recipe.shards = reader.integer("shards", recipe.shards, {1, 1024});
  recipe.accumulation = reader.integer("accumulation", recipe.accumulation, {1, 4096});
  const auto seed = static_cast<int64_t>(recipe.seed);
  recipe.seed = static_cast<uint64_t>(reader.integer("seed", seed, {0, kLargestSeed}));
  recipe.ema_decay = read_ema(reader, recipe.ema_decay);
  recipe.batch_norm = read_batch_norm(reader);
  recipe.domain = read_domain(reader);
  recipe.trainable = read_globs(reader, recipe.trainable);
  recipe.dropout = reader.flag("dropout", recipe.dropout);
  recipe.precision = read_precision(reader, recipe.precision);
  recipe.validation = read_validation(reader);
  recipe.patience = read_patience(reader, recipe.validation);
  recipe.checkpoint_minutes = read_minutes(reader, recipe.checkpoint_minutes);
  reader.finish();
  return recipe;
}

std::vector<int64_t> read_classes(const nlohmann::json& list, const std::string& place) {
  std::set<int64_t> classes;
  bool valid = list.is_array() && !list.empty();
  for (size_t i = 0; valid && i < list.size(); ++i) {
    valid = list[i].is_number_unsigned() && list[i].get<uint64_t>() < 1000000000;
    if (valid) classes.insert(list[i].get<int64_t>());
  }
  if (valid) return {classes.begin(), classes.end()};
  throw_error(Category::kUsage, place, "the domain must be a list of class indices from 0 on",
              list.dump(), "write for example [3, 5, 7]");
}

Recipe load_recipe(const std::filesystem::path& path, const Recipe& defaults) {
  const nlohmann::json document = parse_json(read_file(path), path.string());
  return read_recipe(document, path.string() + " at ", path.parent_path(), defaults);
}

nlohmann::json default_losses(bool teacher, bool labels) {
  const nlohmann::json label_loss = {{"loss", "label_cross_entropy"}, {"weight", 1.0}};
  if (!teacher) return nlohmann::json::array({label_loss});
  nlohmann::json soft = {{"loss", "soft_targets"}, {"weight", 1.0}, {"temperature", 4.0}};
  if (!labels) return nlohmann::json::array({soft});
  soft["weight"] = 0.9;
  return nlohmann::json::array({soft, {{"loss", "label_cross_entropy"}, {"weight", 0.1}}});
}

std::string recipe_hash(const Recipe& recipe) {
  nlohmann::ordered_json fields = recipe_json(recipe);
  fields.erase("checkpoint");  // how often a run is saved changes no byte of its result
  if (fields.contains("losses")) spell_alike(fields["losses"]);
  return sha256(fields.dump());
}

}  // namespace limbeck
