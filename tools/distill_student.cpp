#include "tools/distill_student.h"

#include <string_view>

#include "lib/distill/training_data.h"

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

}  // namespace

std::optional<std::string> shrink_request(const std::filesystem::path& student) {
  // A recipe's folder stands in front of it.
  constexpr std::string_view kPrefix = "shrink:";
  const std::string name = student.filename().string();
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return name.substr(kPrefix.size());
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
