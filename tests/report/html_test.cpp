#include "lib/report/html.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <string>

#include "tests/support/example_report.h"

using namespace limbeck;
using Catch::Matchers::ContainsSubstring;

namespace {

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

ReportInputs with_table(const CalibrationTable& table) {
  ReportInputs inputs = test::example_inputs();
  inputs.table = &table;
  return inputs;
}

CalibrationTable example_table() {
  CalibrationTable table;
  for (const char* tensor : {"image", "conv1", "scores"}) {
    table.tensors[tensor].add(std::vector<float>{-1.0F, 0.0F, 0.5F, 3.0F});
  }
  return table;
}

constexpr const char* kHostile = "</title><script>alert('x')</script><img src=x onerror=\"y\">&";

}  // namespace

TEST_CASE("the page shows verdict, figures and every drawing", "[report]") {
  const CalibrationTable table = example_table();
  const std::string page = render_html(make_report(with_table(table)));
  CHECK_THAT(page, ContainsSubstring("that is within noise (McNemar p = 1.00)"));
  CHECK_THAT(page, ContainsSubstring("Within noise"));
  CHECK_THAT(page, ContainsSubstring("12.0 kB"));
  CHECK_THAT(page, ContainsSubstring("3.3\xC3\x97 smaller"));
  CHECK_THAT(page, ContainsSubstring("limbeck quantize net.onnx -o out"));
  CHECK_THAT(page, ContainsSubstring("clips 25 % of the values"));
  CHECK_THAT(page, ContainsSubstring("stays in floating point"));
  // Integer share, two accuracy plots, layers, three histograms, sizes.
  CHECK(count(page, "role=\"img\"") == 8);
}

TEST_CASE("a page holds no script and refers to nothing outside", "[report]") {
  const CalibrationTable table = example_table();
  const std::string page = render_html(make_report(with_table(table)));
  for (const char* part : {"<script", "http:", "https:", "url(", "@import", "src=", "href="}) {
    CHECK(count(page, part) == 0);
  }
  CHECK_THAT(page, ContainsSubstring("default-src 'none'"));
}

TEST_CASE("names of a hostile model cannot become markup", "[report]") {
  const CalibrationTable table = [] {
    CalibrationTable hostile;
    hostile.tensors[kHostile].add(std::vector<float>{1.0F});
    return hostile;
  }();
  ReportInputs inputs = with_table(table);
  inputs.reference.name = inputs.model.name = kHostile;
  inputs.format = inputs.weights = inputs.activations = inputs.evaluation_source = kHostile;
  inputs.calibration_data_hash = inputs.evaluation_data_hash = kHostile;
  inputs.reference.sha256 = inputs.model.sha256 = kHostile;
  inputs.run = {kHostile, kHostile, 1, 1, kHostile, 1};
  PlannedActivation activation;
  activation.high = 1;
  activation.observer = kHostile;
  inputs.plan.activations[kHostile] = activation;
  inputs.plan.nodes[kHostile] = {kHostile, false, kHostile};
  inputs.evaluation.layers.push_back({kHostile, kHostile, kHostile, 1.0, 0.5, 2.0});
  inputs.evaluation.metrics.user[kHostile] = 1;
  const std::string page = render_html(make_report(inputs));
  CHECK(count(page, "<script") == 0);
  CHECK(count(page, "<img") == 0);
  CHECK(count(page, "</title><") == count(render_html(make_report(test::example_inputs())),
                                          "</title><") +
                                        2);  // the layer's and the histogram's own titles
  CHECK(count(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") > 10);
}

TEST_CASE("long names may break after their separators", "[report]") {
  CHECK(html::name("a/b_<.c") == "<span class=\"name\">a/<wbr>b_<wbr>&lt;.<wbr>c</span>");
}

TEST_CASE("control characters do not reach the page", "[report]") {
  CHECK(html::escape(std::string("a\0b\x1B", 4)) ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD");
  CHECK(html::escape("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#39;");
}

TEST_CASE("a page of a model alone leaves out what was not measured", "[report]") {
  ReportInputs inputs;
  inputs.model = {"net.onnx", std::string(64, 'b'), 12000};
  inputs.evaluation.metrics.samples = 3;
  const std::string page = render_html(make_report(inputs));
  CHECK_THAT(page, ContainsSubstring("Accuracy not judged"));
  CHECK_THAT(page, ContainsSubstring("Measured on 3 samples"));
  CHECK(count(page, "Error by layer") == 0);
  CHECK(count(page, "Top-1") == 0);
  CHECK(count(page, "nan") == 0);
}

TEST_CASE("layers beyond the eight worst are folded away", "[report]") {
  ReportInputs inputs = test::example_inputs();
  for (int i = 0; i < 20; ++i) {
    inputs.evaluation.layers.push_back({"tail" + std::to_string(i), "v", "Conv", 60.0, 1, 0});
  }
  CHECK_THAT(render_html(make_report(inputs)), ContainsSubstring("The other 15 layers"));
}

TEST_CASE("ticks are round numbers within the axis", "[report]") {
  CHECK(html::round_ticks(0, 10, 5) == std::vector<double>{0, 2, 4, 6, 8, 10});
  CHECK(html::round_ticks(-3, 3, 4) == std::vector<double>{-2, 0, 2});
  CHECK(html::round_ticks(5, 5, 4) == std::vector<double>{5});
  CHECK(html::tick_digits({0.1, 0.15, 0.2}) == 2);
  CHECK(html::tick_digits({0, 20, 40}) == 0);
}

TEST_CASE("a scale leaves room at both ends and holds values inside", "[report]") {
  const html::Scale scale = {0, 10};
  CHECK(scale.at(0) == "3.00%");
  CHECK(scale.at(5) == "50.00%");
  CHECK(scale.at(99) == "97.00%");
}
