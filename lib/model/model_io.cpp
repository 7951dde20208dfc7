#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/model/graph_io.h"
#include "lib/model/model.h"

namespace limbeck {
namespace {

constexpr int64_t kOldestOpset = 7;
constexpr int kDeepestMessage = 100;
const char* const kPlace = "model";

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

void check_versions(const Model& model) {
  if (model.envelope.ir_version() <= 0) {
    throw_error(Category::kInvalidModel, kPlace, "the model must state its IR version",
                std::to_string(model.envelope.ir_version()),
                "check that the file is an ONNX model");
  }
  const int64_t opset = model.opset();
  if (opset >= kOldestOpset) return;
  for (const auto& node : model.graph.nodes()) {
    if (!node->domain().empty()) continue;
    throw_error(Category::kUnsupported, node->place(),
                "opset 7 or later of the default domain is needed",
                "opset " + std::to_string(opset), "export the model with a newer opset");
  }
}

void parse_envelope(std::span<const std::byte> bytes, onnx::ModelProto* envelope) {
  constexpr size_t kLargest = std::numeric_limits<int>::max();
  google::protobuf::io::ArrayInputStream stream(bytes.data(),
                                                static_cast<int>(std::min(bytes.size(), kLargest)));
  google::protobuf::io::CodedInputStream input(&stream);
  input.SetTotalBytesLimit(std::numeric_limits<int>::max());
  input.SetRecursionLimit(kDeepestMessage);
  if (bytes.size() > kLargest || !envelope->ParseFromCodedStream(&input) ||
      !input.ConsumedEntireMessage()) {
    throw_error(Category::kInvalidModel, kPlace, "the file must be an ONNX protobuf below 2 GiB",
                std::to_string(bytes.size()) + " bytes that do not parse",
                "export the model again; the file is truncated or not ONNX");
  }
  if (!envelope->has_graph()) {
    throw_error(Category::kInvalidModel, kPlace, "the file must hold a graph", "none",
                "check that the file is an ONNX model");
  }
}

Model parse_bytes(std::span<const std::byte> bytes, const std::filesystem::path& folder) {
  Model model;
  parse_envelope(bytes, &model.envelope);
  const std::unique_ptr<onnx::GraphProto> graph(model.envelope.release_graph());
  GraphReader reader(folder);
  reader.check_functions(&model.envelope);
  model.graph = reader.read(std::move(*graph));
  check_versions(model);
  return model;
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
  return parse_bytes(std::as_bytes(std::span(bytes)), folder);
}

Model load_model(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  try {
    Model model = parse_bytes(file->bytes(), folder);
    model.path = path;
    return model;
  } catch (const Error& error) {
    ErrorInfo info = error.info();
    info.place = path.string() + ": " + info.place;
    throw Error(std::move(info));
  }
}

namespace {

void write_proto(const onnx::ModelProto& proto, const std::filesystem::path& path) {
  AtomicFile file(path);
  {
    google::protobuf::io::FileOutputStream stream(file.descriptor());
    google::protobuf::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    const bool written = proto.SerializeToCodedStream(&output);
    output.Trim();
    if (!written || !stream.Flush()) {
      throw_error(Category::kIo, path.string(), "the output must be writable",
                  std::strerror(stream.GetErrno()), "free disk space and run again");
    }
  }
  file.commit();
}

int64_t inline_bytes(const Model& model) {
  int64_t total = 0;
  for (const Value* value : model.graph.values()) {
    if (value->is_initializer()) total += static_cast<int64_t>(value->constant()->bytes());
  }
  for (const auto& node : model.graph.nodes())
    total += static_cast<int64_t>(node->proto().ByteSizeLong());
  return total + static_cast<int64_t>(model.envelope.ByteSizeLong());
}

}  // namespace

void save_model(const Model& model, const std::filesystem::path& path, const SaveOptions& options) {
  onnx::ModelProto proto = model.envelope;
  if (inline_bytes(model) <= options.external_data_threshold) {
    GraphWriter(nullptr, "").write(model.graph, &proto);
    write_proto(proto, path);
    return;
  }
  std::filesystem::path data_path = path;
  data_path += ".data";
  AtomicFile data(data_path);
  GraphWriter(&data, data_path.filename().string()).write(model.graph, &proto);
  data.commit();
  write_proto(proto, path);
}

Model copy_model(const Model& model) {
  Model copy;
  copy.envelope = model.envelope;
  copy.path = model.path;
  onnx::GraphProto proto;
  const auto constants = GraphWriter::write_without_weights(model.graph, &proto);
  copy.graph = GraphReader(GraphWriter::folder(model.graph)).read(std::move(proto), constants);
  return copy;
}

}  // namespace limbeck
