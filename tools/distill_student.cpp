#include "tools/distill_student.h"

#include <string_view>

#include "lib/base/error.h"
#include "lib/distill/training_data.h"
#include "lib/ops/op.h"

namespace limbeck {
namespace {

constexpr const char* kPlace = "student shrink";

/// By input name, without the batch.
std::map<std::string, Dims> sample_dims(const Dataset& dataset) {
  const int64_t first = 0;
  const Batch batch = dataset.read({&first, 1});
  std::map<std::string, Dims> dims;
  for (size_t i = 0; i < batch.inputs.size(); ++i) {
    const Dims& all = batch.inputs[i].dims();
    dims[dataset.input_names()[i]] = {all.begin() + 1, all.end()};
  }
  return dims;
}

/// Files need not tell the shapes of their outputs.
Model with_shapes(const Model& model) {
  Model copy = copy_model(model);
  infer_shapes(copy);
  return copy;
}

std::string outputs_text(const Model& model) {
  std::string text;
  for (const Value* output : model.graph.outputs()) {
    text += (text.empty() ? "" : ", ") + ("'" + output->name() + "'");
    if (output->shape) text += " " + shape_text(*output->shape);
  }
  return text;
}

/// Only known dimensions can. The batch may be called anything.
bool differ(const Value& a, const Value& b) {
  if (!a.shape || !b.shape) return false;
  if (a.shape->size() != b.shape->size()) return true;
  for (size_t i = 1; i < a.shape->size(); ++i) {
    const Dim& x = (*a.shape)[i];
    const Dim& y = (*b.shape)[i];
    if (x.known() && y.known() && x.value != y.value) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> shrink_request(const std::filesystem::path& student) {
  // A recipe's folder stands in front of it.
  constexpr std::string_view kPrefix = "shrink:";
  const std::string name = student.filename().string();
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return name.substr(kPrefix.size());
}

void require_comparable(const Model& student, const Model& teacher) {
  const Model known_student = with_shapes(student);
  const Model known_teacher = with_shapes(teacher);
  const auto& ours = known_student.graph.outputs();
  const auto& theirs = known_teacher.graph.outputs();
  bool alike = ours.size() == theirs.size();
  for (size_t i = 0; alike && i < ours.size(); ++i) alike = !differ(*ours[i], *theirs[i]);
  if (alike) return;
  throw_error(Category::kUsage, "limbeck distill",
              "student and teacher must have equally many outputs of the same shape",
              "student " + outputs_text(known_student) + "; teacher " + outputs_text(known_teacher),
              "export both with the same outputs");
}

void check_request(const std::string& request) { parse_shrink(request, kPlace); }

ShrinkResult make_student(const std::string& request, const Model& teacher,
                          const StudentData& data) {
  ShrinkOptions options = parse_shrink(request, kPlace);
  const SubsetDataset samples(data.dataset, data.indices);
  options.sample_dims = sample_dims(samples);
  const ShrinkData on{samples, data.seed, data.threads};
  return shrink(teacher, options, &on);
}

}  // namespace limbeck
