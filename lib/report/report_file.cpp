#include <string>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "lib/report/json_text.h"
#include "lib/report/report.h"

namespace limbeck {
namespace {

constexpr int kReadableVersion = 1;

/// Said before the schema speaks: a newer report breaks many rules, and only this one helps.
void require_version(const nlohmann::json& document, const std::string& place) {
  if (!document.is_object() || !document.contains("version")) return;
  const nlohmann::json& version = document.at("version");
  if (!version.is_number_integer() || version == kReadableVersion) return;
  throw_error(Category::kData, place,
              "the report must be of version " + std::to_string(kReadableVersion),
              "version " + version.dump(), "read it with the limbeck that wrote it");
}

}  // namespace

void write_report(const nlohmann::ordered_json& report, const std::filesystem::path& folder) {
  const std::filesystem::path json_path = folder / "report.json";
  const std::string text = json_text(report);
  const nlohmann::json document = parse_json(text, json_path.string());
  validate_json(document, "report", json_path.string());
  const std::string page = render_html(document);
  AtomicFile json_file(json_path);
  AtomicFile html_file(folder / "report.html");
  json_file.write(text);
  html_file.write(page);
  json_file.commit();
  html_file.commit();
}

nlohmann::json load_report(const std::filesystem::path& path) {
  nlohmann::json document = parse_json(read_file(path), path.string());
  require_version(document, path.string());
  validate_json(document, "report", path.string());
  return document;
}

}  // namespace limbeck
