// The page in a real browser: what no reading of the text can show.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "lib/base/file.h"
#include "tests/support/example_report.h"
#include "tests/support/paths.h"

using namespace limbeck;
using Catch::Matchers::ContainsSubstring;
using limbeck::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// Frames page.html at the width of a phone and of a desktop, and says how wide the page wants to
/// be in each, whether its style took hold and how many drawings have an extent.
constexpr const char* kMeasure = R"html(<!DOCTYPE html><body>
<iframe width="360" height="800" src="page.html"></iframe>
<iframe width="1200" height="800" src="page.html"></iframe>
<script>
onload = () => {
  let text = "";
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument;
    const drawn = [...page.querySelectorAll("svg")].filter(
        svg => svg.getBoundingClientRect().width > 20 && svg.getBoundingClientRect().height > 3);
    text += `[${frame.width}: wide ${page.documentElement.scrollWidth}, drawings ${drawn.length}, ` +
            `columns ${getComputedStyle(page.querySelector(".cards") || page.body).display}]`;
  }
  const out = document.createElement("pre");
  out.textContent = text;
  document.body.append(out);
};
</script></body>)html";

/// Empty where there is none.
std::string browser() {
  for (const std::string name : {"chromium", "chromium-browser", "google-chrome"}) {
    if (std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0) return name;
  }
  return "";
}

struct Rendered {
  std::string document;
  std::string log;
};

Rendered render(const std::string& program, const std::string& page) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "page.html", page);
  write_file_atomically(folder / "measure.html", kMeasure);
  const std::string place = folder.path().string();
  const std::string command =
      "timeout 120 " + program +
      " --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars" +
      " --allow-file-access-from-files --enable-logging=stderr --user-data-dir='" + place +
      "/profile' --virtual-time-budget=5000 --dump-dom 'file://" + place + "/measure.html' >'" +
      place + "/dom' 2>'" + place + "/log' </dev/null";
  REQUIRE(std::system(command.c_str()) == 0);
  return {read_file(folder / "dom"), read_file(folder / "log")};
}

std::string full_page() {
  ReportInputs inputs = test::example_inputs();
  CalibrationTable table;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "/features/stage." + std::to_string(i) +
                             "/conv_with_a_long_name_without_any_break/Conv_output_0";
    inputs.evaluation.layers.push_back({name, name, "Conv", 20.0 + i, 0.999, 0.1});
    table.tensors[name].add(std::vector<float>{-1.0F, 0.0F, 0.5F, 3.0F});
  }
  inputs.table = &table;
  inputs.evaluation.metrics.user["<script>alert(1)</script>"] = 0.123456789;
  inputs.run.command = "limbeck quantize /a/very/long/path/" + std::string(200, 'x') + "/net.onnx";
  return render_html(make_report(inputs));
}

}  // namespace

TEST_CASE("the page draws in a browser without errors and fits a phone", "[report][slow]") {
  const std::string program = browser();
  if (program.empty()) {
    test::note_not_run("the report in a browser needs chromium");
    return;
  }
  const Rendered rendered = render(program, full_page());
  INFO(rendered.log);
  CHECK_THAT(rendered.document, ContainsSubstring("[360: wide 360, drawings 14, columns grid]"
                                                  "[1200: wide 1200, drawings 14, columns grid]"));
  CHECK_THAT(rendered.log, !ContainsSubstring("CONSOLE"));
}

TEST_CASE("the browser check sees overflow and console errors", "[report][slow]") {
  const std::string program = browser();
  if (program.empty()) {
    test::note_not_run("the report in a browser needs chromium");
    return;
  }
  const Rendered rendered = render(program,
                                   "<!DOCTYPE html><body style='margin:0'><div "
                                   "style='width:700px'>x</div><script>no_such();</script></body>");
  CHECK_THAT(rendered.document, ContainsSubstring("[360: wide 700, drawings 0, columns block]"));
  CHECK_THAT(rendered.log, ContainsSubstring("CONSOLE"));
}
