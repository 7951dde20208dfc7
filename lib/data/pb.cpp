#include <algorithm>
#include <cstring>
#include <utility>

#include "lib/base/error.h"
#include "lib/data/base_dataset.h"
#include "lib/data/kinds.h"
#include "lib/data/test_case.h"

namespace limbeck {
namespace {

struct RowPosition {
  size_t test_case = 0;
  int64_t row = 0;
};

class PbDataset : public BaseDataset {
 public:
  PbDataset(DatasetParts parts, std::vector<TestCase> cases)
      : BaseDataset(std::move(parts)), cases_(std::move(cases)) {
    for (size_t i = 0; i < cases_.size(); ++i) {
      for (int64_t row = 0; row < cases_[i].rows; ++row) positions_.push_back({i, row});
    }
  }

 protected:
  std::vector<Tensor> read_inputs(std::span<const int64_t> indices) const override {
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < input_names().size(); ++i) inputs.push_back(stack(indices, i));
    return inputs;
  }

 private:
  const RowPosition& position(int64_t index) const {
    return positions_.at(static_cast<size_t>(index));
  }

  Tensor load(size_t number, size_t input) const {
    const auto path = input_path(cases_[number].folder, input);
    Tensor tensor = read_case_input(path);
    if (tensor.dim(0) == cases_[number].rows) return tensor;
    throw_error(Category::kData, path.string(), "a file must not change while it is read",
                std::to_string(tensor.dim(0)) + " samples instead of " +
                    std::to_string(cases_[number].rows),
                "start again");
  }

  void check_same(const Tensor& first, const Tensor& tensor, int64_t index, size_t input) const {
    const bool same =
        first.type() == tensor.type() && std::equal(first.dims().begin() + 1, first.dims().end(),
                                                    tensor.dims().begin() + 1, tensor.dims().end());
    if (same) return;
    throw SamplesDiffer({Category::kData,
                         cases_[position(index).test_case].folder.string() + ", sample " +
                             std::to_string(index) + ", input '" + input_names()[input] + "'",
                         "all samples of a batch must have the type and shape of the first, " +
                             data_type_name(first.type()) + " " + dims_text(first.dims()),
                         data_type_name(tensor.type()) + " " + dims_text(tensor.dims()),
                         "give samples of one shape, or export the model with a free batch size"});
  }

  Tensor stack(std::span<const int64_t> indices, size_t input) const {
    size_t number = position(indices.front()).test_case;
    const Tensor first = load(number, input);
    Dims dims = first.dims();
    dims.front() = static_cast<int64_t>(indices.size());
    Tensor result = Tensor::allocate(first.type(), dims);
    const size_t size = result.bytes() / indices.size();
    std::byte* target = result.mutable_raw();
    Tensor tensor = first;
    for (const int64_t index : indices) {
      const RowPosition& at = position(index);
      if (at.test_case != number) tensor = load(at.test_case, input);
      number = at.test_case;
      check_same(first, tensor, index, input);
      if (size > 0) std::memcpy(target, tensor.raw() + static_cast<size_t>(at.row) * size, size);
      target += size;
    }
    return result;
  }

  std::vector<TestCase> cases_;
  std::vector<RowPosition> positions_;
};

void check_names(const TestCase& test_case, const std::vector<std::string>& names,
                 const Description& description) {
  if (test_case.names != names) {
    throw_error(Category::kData, test_case.folder.string(),
                "all test cases must feed the same inputs in the same order",
                std::to_string(test_case.names.size()) + " inputs with other names",
                "name the inputs with 'inputs' in the description");
  }
  if (description.has("input") && names.size() != 1) {
    throw_error(Category::kData, description.place,
                "'input' renames the input of a data set with one input",
                std::to_string(names.size()) + " inputs", "use the list 'inputs' instead");
  }
}

}  // namespace

std::unique_ptr<Dataset> open_pb(const Description& description) {
  const auto path = description.file("path");
  DatasetParts parts;
  parts.place = path.string();
  parts.description = description.json;
  std::vector<TestCase> cases;
  for (const auto& folder : case_folders(path)) {
    cases.push_back(check_test_case(folder, description));
    check_names(cases.back(), cases.front().names, description);
    parts.size += cases.back().rows;
    for (size_t i = 0; i < cases.back().names.size(); ++i) {
      const auto file = input_path(folder, i);
      parts.files.push_back({file.lexically_relative(path).generic_string(), file});
    }
  }
  parts.input_names = cases.front().names;
  return std::make_unique<PbDataset>(std::move(parts), std::move(cases));
}

}  // namespace limbeck
