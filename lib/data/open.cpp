#include <array>
#include <string>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "lib/data/kinds.h"

namespace limbeck {
namespace {

struct Kind {
  const char* name;
  std::unique_ptr<Dataset> (*open)(const Description&);
};

constexpr std::array kKinds = {
    Kind{"csv", open_csv}, Kind{"idx", open_idx}, Kind{"images", open_images},
    Kind{"npy", open_npy}, Kind{"npz", open_npz}, Kind{"pb", open_pb},
};

std::string kind_names() {
  std::string names;
  for (const Kind& kind : kKinds) names += (names.empty() ? "" : ", ") + std::string(kind.name);
  return names;
}

const Kind& find_kind(const nlohmann::json& json, const std::string& place) {
  const bool named = json.is_object() && json.contains("kind") && json.at("kind").is_string();
  const std::string wanted = named ? json.at("kind").get<std::string>() : "";
  for (const Kind& kind : kKinds) {
    if (wanted == kind.name) return kind;
  }
  throw_error(Category::kData, place, "a data set's 'kind' must be one of " + kind_names(),
              named ? "'" + wanted + "'" : "no kind", "correct the field 'kind'");
}

}  // namespace

std::string Description::text(const char* field) const {
  return json.contains(field) ? json.at(field).get<std::string>() : std::string();
}

Description load_description(const std::filesystem::path& path) {
  Description description;
  description.place = path.string();
  description.folder = path.parent_path();
  description.json = parse_json(read_file(path), description.place);
  // Before the schema, because the list of kinds helps more than a schema rule does.
  find_kind(description.json, description.place);
  validate_json(description.json, "dataset", description.place);
  return description;
}

std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& description) {
  const Description loaded = load_description(description);
  return find_kind(loaded.json, loaded.place).open(loaded);
}

}  // namespace limbeck
