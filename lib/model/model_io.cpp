#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/model/graph_io.h"
#include "lib/model/model.h"

namespace limbeck {
namespace {

constexpr int64_t kOldestOpset = 7;

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

void check_opset(const Model& model, const std::string& place) {
  const int64_t opset = model.opset();
  if (opset >= kOldestOpset || opset == 0) return;
  throw_error(Category::kUnsupported, place, "opset 7 or later of the default domain is needed",
              "opset " + std::to_string(opset), "export the model with a newer opset");
}

}  // namespace

int64_t Model::opset(const std::string& domain) const {
  for (const auto& import : envelope.opset_import()) {
    if (import.domain() == domain ||
        (is_default_domain(import.domain()) && is_default_domain(domain))) {
      return import.version();
    }
  }
  return 0;
}

void Model::set_opset(const std::string& domain, int64_t version) {
  for (auto& import : *envelope.mutable_opset_import()) {
    if (import.domain() == domain ||
        (is_default_domain(import.domain()) && is_default_domain(domain))) {
      import.set_version(version);
      return;
    }
  }
  auto* import = envelope.add_opset_import();
  import->set_domain(domain);
  import->set_version(version);
}

Model parse_model(const std::string& bytes, const std::filesystem::path& folder) {
  Model model;
  google::protobuf::io::ArrayInputStream stream(
      bytes.data(),
      static_cast<int>(std::min<size_t>(bytes.size(), std::numeric_limits<int>::max())));
  google::protobuf::io::CodedInputStream input(&stream);
  input.SetTotalBytesLimit(std::numeric_limits<int>::max());
  input.SetRecursionLimit(100);
  const std::string place = "model";
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !model.envelope.ParseFromCodedStream(&input) || !input.ConsumedEntireMessage()) {
    throw_error(Category::kInvalidModel, place, "the file must be an ONNX protobuf below 2 GiB",
                std::to_string(bytes.size()) + " bytes that do not parse",
                "export the model again; the file is truncated or not ONNX");
  }
  if (!model.envelope.has_graph()) {
    throw_error(Category::kInvalidModel, place, "the file must hold a graph", "none",
                "check that the file is an ONNX model");
  }
  check_opset(model, place);
  onnx::GraphProto graph = std::move(*model.envelope.mutable_graph());
  model.envelope.clear_graph();
  model.graph = GraphReader(folder).read(std::move(graph));
  return model;
}

Model load_model(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  try {
    Model model = parse_model(bytes, folder);
    model.path = path;
    return model;
  } catch (const Error& error) {
    ErrorInfo info = error.info();
    info.place = path.string() + ": " + info.place;
    throw Error(std::move(info));
  }
}

namespace {

std::string serialise(const onnx::ModelProto& proto) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    if (!proto.SerializeToCodedStream(&output)) {
      throw_error(Category::kInternal, "model", "the model must serialise", "a protobuf failure",
                  "report this bug");
    }
  }
  return bytes;
}

int64_t weight_bytes(const Graph& graph) {
  int64_t total = 0;
  for (const Value* value : graph.values()) {
    if (value->is_initializer()) total += static_cast<int64_t>(value->constant()->bytes());
  }
  return total;
}

}  // namespace

void save_model(const Model& model, const std::filesystem::path& path, const SaveOptions& options) {
  onnx::ModelProto proto = model.envelope;
  if (weight_bytes(model.graph) <= options.external_data_threshold) {
    GraphWriter(nullptr, "").write(model.graph, proto.mutable_graph());
    write_file_atomically(path, serialise(proto));
    return;
  }
  std::filesystem::path data_path = path;
  data_path += ".data";
  AtomicFile data(data_path);
  GraphWriter(&data, data_path.filename().string()).write(model.graph, proto.mutable_graph());
  const std::string bytes = serialise(proto);
  data.commit();
  write_file_atomically(path, bytes);
}

Model copy_model(const Model& model) {
  Model copy;
  copy.envelope = model.envelope;
  copy.path = model.path;
  onnx::GraphProto proto;
  std::vector<std::pair<std::string, Tensor>> constants;
  GraphWriter(nullptr, "").write_without_weights(model.graph, &proto, &constants);
  copy.graph = GraphReader(model.path.parent_path()).read(std::move(proto), constants);
  return copy;
}

}  // namespace limbeck
