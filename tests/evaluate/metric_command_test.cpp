#include "lib/evaluate/metric_command.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdlib>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/evaluate/evaluate.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

Model times(float factor) {
  ModelBuilder builder(13);
  builder.input("x", {-1, 2}).output("scores");
  builder.weight("factor", floats({factor, factor}));
  builder.node("Mul", {"x", "factor"}, {"scores"});
  return builder.build();
}

Evaluation run(const std::string& command, const Model* reference, const Dataset& dataset) {
  EvaluateOptions options;
  options.quiet = true;
  options.metric_command = command;
  options.metric_patience = 60;
  return evaluate(times(2), reference, dataset, options);
}

/// Reads the frames with nothing but the standard library.
constexpr const char* kSummingScript = R"(import io, json, struct, sys, zipfile
count = total = labels = indices = batches = 0
while header := sys.stdin.buffer.readline():
    frame = json.loads(header)
    archive = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read(frame["bytes"])))
    assert archive.testzip() is None
    def values(name, code):
        data = archive.read(name + ".npy")
        data = data[10 + struct.unpack("<H", data[8:10])[0]:]
        return struct.unpack("<%d%s" % (len(data) // struct.calcsize(code), code), data)
    count += frame["samples"]
    total += sum(values("scores", "f"))
    labels += sum(values("sample_label", "q"))
    indices += sum(values("sample_index", "q"))
    batches += 1
print(json.dumps({"count": count, "total": total, "labels": labels, "indices": indices,
                  "batches": batches}))
)";

}  // namespace

TEST_CASE("a metric command reads every batch of outputs and its numbers are metrics",
          "[evaluate]") {
  if (std::system("python3 -c pass 2>/dev/null") != 0) return note_not_run("needs python3");
  const TemporaryFolder folder;
  write_file_atomically(folder / "sum.py", kSummingScript);
  std::vector<std::vector<float>> rows;
  std::vector<int64_t> labels;
  for (int i = 0; i < 20; ++i) {
    rows.push_back({static_cast<float>(i), 1});
    labels.push_back(i % 2);
  }
  const Model reference = times(1);
  const Evaluation result = run("python3 '" + (folder / "sum.py").string() + "'", &reference,
                                MemoryDataset(rows, labels));
  const auto& user = result.metrics.user;
  CHECK(user.at("count") == 20.0);
  CHECK(user.at("total") == 2.0 * (190 + 20));
  CHECK(user.at("labels") == 10.0);
  CHECK(user.at("indices") == 190.0);
  CHECK(user.at("batches") >= 1.0);
  CHECK(result.reference->user.at("total") == 190.0 + 20.0);
}

TEST_CASE("a metric command may be a line of shell", "[evaluate]") {
  const Evaluation result =
      run(R"(cat >/dev/null; echo '{"map": 41.5, "found": 7}')", nullptr, MemoryDataset({{1, 2}}));
  CHECK(result.metrics.user == std::map<std::string, double>{{"found", 7.0}, {"map", 41.5}});
}

TEST_CASE("a metric command that fails is a data error with its exit status", "[evaluate]") {
  CHECK_THROWS_MATCHES(
      run("cat >/dev/null; exit 3", nullptr, MemoryDataset({{1, 2}})), Error,
      MessageMatches(ContainsSubstring(
          "data: metric command: it must end with exit status 0; got exit status 3")));
}

TEST_CASE("answers that are no object of finite numbers are data errors", "[evaluate]") {
  const auto complaint = [](const std::string& received) {
    return MessageMatches(
        ContainsSubstring("data: metric command: its standard output must be one JSON object of "
                          "finite numbers, such as {\"map\": 41.5}; got " +
                          received));
  };
  CHECK_THROWS_MATCHES(parse_metric_answer(""), Error, complaint("nothing"));
  CHECK_THROWS_MATCHES(parse_metric_answer("mAP is 4\n"), Error, complaint("'mAP is 4 '"));
  CHECK_THROWS_MATCHES(parse_metric_answer("[1]"), Error, complaint("'[1]'"));
  CHECK_THROWS_MATCHES(parse_metric_answer("{}"), Error, complaint("'{}'"));
  CHECK_THROWS_MATCHES(parse_metric_answer(R"({"a": "4"})"), Error, complaint(R"('a': '"4"')"));
  CHECK_THROWS_MATCHES(parse_metric_answer(R"({"a": NaN})"), Error, complaint(R"('{"a": NaN}')"));
  CHECK_THROWS_MATCHES(parse_metric_answer(R"({"a": 1e999})"), Error, complaint("'{"));
  CHECK_THROWS_MATCHES(parse_metric_answer(R"({"a": {"b": 1}})"), Error, complaint("'a'"));
  CHECK_THROWS_MATCHES(parse_metric_answer(R"({"a": 1} {"a": 2})"), Error, complaint("'{"));
}

TEST_CASE("an answer that is not wholly shown ends in dots", "[evaluate]") {
  CHECK_THROWS_MATCHES(parse_metric_answer(std::string(500, 'z')), Error,
                       MessageMatches(ContainsSubstring("got '" + std::string(80, 'z') + "...'")));
}

TEST_CASE("a message is a line with the size and an archive of that size", "[evaluate]") {
  Batch batch;
  batch.indices = {4, 5};
  const std::vector<Tensor> outputs = {Tensor::from<float>({2, 1}, {1, 2})};
  const std::string message = metric_message(batch, outputs, {"y"});
  const size_t end = message.find('\n');
  const std::string bytes = std::to_string(message.size() - end - 1);
  CHECK(message.substr(0, end) == "{\"bytes\":" + bytes + ",\"samples\":2}");
  CHECK(message.find("y.npy") != std::string::npos);
  CHECK(message.find("sample_index.npy") != std::string::npos);
  CHECK(message.find("sample_label.npy") == std::string::npos);
}

TEST_CASE("an output named like a member of ours keeps its name", "[evaluate]") {
  Batch batch;
  batch.indices = {4, 5};
  const std::vector<Tensor> outputs = {Tensor::from<float>({2, 1}, {1, 2})};
  const std::string message = metric_message(batch, outputs, {"sample_index"});
  CHECK(message.find("<f4") != std::string::npos);
  CHECK(message.find("<i8") == std::string::npos);
}
