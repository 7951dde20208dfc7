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

std::string html::document(const std::string& title, const std::string& body,
                           const std::string& footer) {
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n";
  page += kHead;
  page += "<title>" + title + "</title>\n<style>" + style_sheet() + "</style>\n</head>\n<body>\n" +
          body;
  return page + "<footer>" + footer + "</footer>\n</body>\n</html>\n";
}

std::string render_html(const nlohmann::json& report) {
  const std::string title =
      html::escape(report.at("files").at("model").at("name").get<std::string>());
  const std::string body = html::header(report) + "<main>\n" + html::cards(report) +
                           html::accuracy(report) + html::layers(report) +
                           html::histograms(report) + html::sizes(report) + html::plan(report) +
                           html::provenance(report) + "</main>\n";
  return html::document(title + ": accuracy report", body,
                        html::escape(report.at("generator").get<std::string>()) +
                            ". Every figure was measured on the emitted file.");
}

}  // namespace limbeck
