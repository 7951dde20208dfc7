#include "lib/report/json_text.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace limbeck;

TEST_CASE("arrays and small objects of plain values stand on one line of a report", "[report]") {
  const auto document = nlohmann::ordered_json::parse(
      R"({"loss":[0.5,1.25],"empty":{},"layers":[{"tensor":"x","sqnr_db":20.5}],
          "run":{"files":{"a":1}}})");
  CHECK(json_text(document) ==
        "{\n"
        "  \"loss\": [0.5, 1.25],\n"
        "  \"empty\": {},\n"
        "  \"layers\": [\n"
        "    {\"tensor\": \"x\", \"sqnr_db\": 20.5}\n"
        "  ],\n"
        "  \"run\": {\n"
        "    \"files\": {\"a\": 1}\n"
        "  }\n"
        "}\n");
}

TEST_CASE("an object too long for a line has a line for each member", "[report]") {
  const nlohmann::ordered_json document = {{"verdict", std::string(300, 'x')}, {"samples", 3}};
  CHECK(json_text(document) ==
        "{\n  \"verdict\": \"" + std::string(300, 'x') + "\",\n  \"samples\": 3\n}\n");
}

TEST_CASE("report text parses back to the same document", "[report]") {
  const auto document = nlohmann::ordered_json::parse(
      R"({"a":[1,2.5,"x\"y",null,true],"b":[{"c":{"d":[1,2],"e":[]}}]})");
  CHECK(nlohmann::ordered_json::parse(json_text(document)) == document);
}
