#include "lib/report/html.h"
#include "lib/report/report.h"

namespace limbeck {
namespace {

/// The policy is a second wall behind the escaping: whatever a hostile name smuggles in, the
/// browser runs no script and loads nothing.
constexpr const char* kHead =
    "<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n";

}  // namespace

std::string render_html(const nlohmann::json& report) {
  const std::string title =
      html::escape(report.at("files").at("model").at("name").get<std::string>());
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n";
  page += kHead;
  page += "<title>" + title + ": accuracy report</title>\n<style>" + html::style_sheet() +
          "</style>\n</head>\n<body>\n";
  page += html::header(report) + "<main>\n" + html::cards(report) + html::accuracy(report) +
          html::layers(report) + html::histograms(report) + html::sizes(report) +
          html::plan(report) + html::provenance(report) + "</main>\n";
  page += "<footer>" + html::escape(report.at("generator").get<std::string>()) +
          ". Every figure was measured on the emitted file.</footer>\n</body>\n</html>\n";
  return page;
}

}  // namespace limbeck
