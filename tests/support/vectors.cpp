#include "tests/support/vectors.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/ops/op.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

/// LIMBECK_ONNX_VECTORS may name the data of another version.
fs::path root_folder() {
  const char* folder = std::getenv("LIMBECK_ONNX_VECTORS");
  return folder != nullptr ? folder : "/usr/share/libonnx-testdata/data";
}

constexpr const char* kSuites[] = {"node", "pytorch-converted", "pytorch-operator", "simple"};

/// Attributes that opset 7 dropped because what they asked for became the rule.
const std::set<std::string> kDroppedAtOpset7 = {"broadcast", "is_test", "consumed_inputs"};
/// Operators that opset 7 reads as opset 1 did.
const std::set<std::string> kSameSinceOpset1 = {"GlobalAveragePool", "GlobalMaxPool", "Not",
                                                "Softplus", "Softsign"};
const std::set<std::string> kBroadcasting = {"Add", "Sub",   "Mul",     "Div",  "Pow", "And",
                                             "Or",  "Equal", "Greater", "Less", "Xor"};

bool has_many_slopes(const onnx::GraphProto& graph, const onnx::NodeProto& node) {
  const auto& weights = graph.initializer();
  return std::any_of(weights.begin(), weights.end(), [&](const onnx::TensorProto& weight) {
    return weight.name() == node.input(1) && weight.dims_size() == 1 && weight.dims(0) > 1;
  });
}

/// Opset 7 reads the node as its opset does, unless it broadcasts from an axis of its own.
bool may_lift_to_opset_7(const onnx::GraphProto& graph, const onnx::NodeProto& node,
                         int64_t opset) {
  if (opset < 6) return kSameSinceOpset1.contains(node.op_type());
  if (node.op_type() == "PRelu") return !has_many_slopes(graph, node);
  const bool has_axis =
      std::any_of(node.attribute().begin(), node.attribute().end(),
                  [](const onnx::AttributeProto& attribute) { return attribute.name() == "axis"; });
  return node.op_type() != "Upsample" && !(has_axis && kBroadcasting.contains(node.op_type()));
}

void lift_to_opset_7(onnx::ModelProto* proto) {
  for (auto& import : *proto->mutable_opset_import()) {
    if (import.domain().empty()) import.set_version(7);
  }
  for (auto& node : *proto->mutable_graph()->mutable_node()) {
    auto* attributes = node.mutable_attribute();
    const auto dropped = [](const auto& a) { return kDroppedAtOpset7.contains(a.name()); };
    attributes->erase(std::remove_if(attributes->begin(), attributes->end(), dropped),
                      attributes->end());
  }
}

int64_t opset_of(const onnx::ModelProto& proto, const std::string& domain) {
  for (const auto& import : proto.opset_import()) {
    if (import.domain() == domain) return import.version();
  }
  return 0;
}

onnx::ModelProto read_proto(const fs::path& folder) {
  onnx::ModelProto proto;
  if (!proto.ParseFromString(read_file(folder / "model.onnx"))) {
    throw_error(Category::kInvalidModel, folder.string(), "a test vector must hold a model",
                "other bytes", "install libonnx-testdata again");
  }
  const int64_t opset = opset_of(proto, "");
  const auto& nodes = proto.graph().node();
  const auto may_lift = [&](const onnx::NodeProto& node) {
    return may_lift_to_opset_7(proto.graph(), node, opset);
  };
  if (opset < 7 && std::all_of(nodes.begin(), nodes.end(), may_lift)) lift_to_opset_7(&proto);
  return proto;
}

void sort_operators(const onnx::GraphProto& graph, const onnx::ModelProto& model,
                    std::set<std::string>* rows, std::set<std::string>* absent) {
  for (const auto& node : graph.node()) {
    const bool found =
        find_op(node.domain(), node.op_type(), opset_of(model, node.domain())) != nullptr;
    const std::string name =
        node.domain().empty() ? node.op_type() : node.domain() + "." + node.op_type();
    (found ? rows : absent)->insert(name);
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) sort_operators(attribute.g(), model, rows, absent);
    }
  }
}

std::string type_barrier(const onnx::ValueInfoProto& info) {
  const auto& type = info.type();
  if (type.has_sequence_type()) return "a sequence as input or output";
  if (type.has_optional_type()) return "an optional as input or output";
  const bool text = type.tensor_type().elem_type() == onnx::TensorProto::STRING;
  return text ? "a tensor of strings as input or output" : "";
}

std::string find_barrier(const onnx::ModelProto& proto) {
  if (const int64_t opset = opset_of(proto, ""); opset > 0 && opset < 7)
    return "opset " + std::to_string(opset_of(proto, ""));
  for (const auto* infos : {&proto.graph().input(), &proto.graph().output()}) {
    for (const auto& info : *infos) {
      if (const std::string barrier = type_barrier(info); !barrier.empty()) return barrier;
    }
  }
  return "";
}

Vector describe(const std::string& suite, const fs::path& folder) {
  const onnx::ModelProto proto = read_proto(folder);
  std::set<std::string> rows;
  std::set<std::string> absent;
  sort_operators(proto.graph(), proto, &rows, &absent);
  const int last = proto.graph().node_size() - 1;
  return {suite + "/" + folder.filename().string(),
          folder,
          last < 0 ? "" : proto.graph().node(last).op_type(),
          {rows.begin(), rows.end()},
          {absent.begin(), absent.end()},
          find_barrier(proto)};
}

std::vector<Vector> find_vectors() {
  std::vector<Vector> found;
  for (const std::string suite : kSuites) {
    const fs::path root = root_folder() / suite;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::directory_iterator(root)) {
      if (fs::exists(entry.path() / "model.onnx")) found.push_back(describe(suite, entry.path()));
    }
  }
  std::sort(found.begin(), found.end(),
            [](const Vector& a, const Vector& b) { return a.name < b.name; });
  return found;
}

/// libonnx 1.12 writes its bfloat16 vectors as uint16.
Tensor as_declared(Tensor tensor, const Value* value) {
  if (value == nullptr || value->type != DataType::kBfloat16) return tensor;
  const auto owner = std::make_shared<Tensor>(std::move(tensor));
  return Tensor::view(DataType::kBfloat16, owner->dims(), {owner->raw(), owner->bytes()}, owner,
                      value->name());
}

}  // namespace

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> kVectors = find_vectors();
  return kVectors;
}

bool in_scope(const Vector& vector) { return vector.absent.empty() && vector.barrier.empty(); }

Model load_vector_model(const Vector& vector) {
  return parse_model(read_proto(vector.folder).SerializeAsString(), vector.folder);
}

std::vector<Tensor> load_vector_tensors(const fs::path& set, const std::string& prefix,
                                        const std::vector<Value*>& values) {
  std::vector<Tensor> tensors;
  for (size_t i = 0;; ++i) {
    const fs::path path = set / (prefix + "_" + std::to_string(i) + ".pb");
    if (!fs::exists(path)) return tensors;
    onnx::TensorProto proto;
    if (!proto.ParseFromString(read_file(path))) {
      throw_error(Category::kData, path.string(), "a test vector must hold a tensor", "other bytes",
                  "install libonnx-testdata again");
    }
    const Value* value = i < values.size() ? values[i] : nullptr;
    tensors.push_back(as_declared(tensor_from_proto(proto, set, path.string()), value));
  }
}

std::vector<fs::path> vector_sets(const Vector& vector) {
  std::vector<fs::path> sets;
  for (const auto& entry : fs::directory_iterator(vector.folder)) {
    if (entry.path().filename().string().starts_with("test_data_set_"))
      sets.push_back(entry.path());
  }
  std::sort(sets.begin(), sets.end());
  return sets;
}

}  // namespace limbeck::test
