#include "lib/model/fix_shape.h"

#include <algorithm>

#include "lib/base/error.h"

namespace limbeck {
namespace {

std::string numbers_text(const std::vector<int64_t>& dims) {
  std::string text;
  for (const int64_t dim : dims) text += (text.empty() ? "" : ",") + std::to_string(dim);
  return "[" + text + "]";
}

Value& input_named(const Graph& graph, const std::string& name) {
  std::string known;
  for (Value* input : graph.inputs()) {
    if (input->name() == name) return *input;
    known += (known.empty() ? "'" : ", '") + input->name() + "'";
  }
  throw_error(Category::kUsage, "shape of '" + name + "'", "it must name an input of the model",
              "a model with the inputs " + known, "correct the name");
}

void check_fits(const Value& input, const std::vector<int64_t>& dims) {
  const bool positive =
      !dims.empty() && std::all_of(dims.begin(), dims.end(), [](int64_t dim) { return dim > 0; });
  const bool same_rank = !input.shape || input.shape->size() == dims.size();
  const auto fits = [](const Dim& declared, int64_t dim) {
    return !declared.known() || declared.value == dim;
  };
  const bool agrees =
      same_rank &&
      (!input.shape || std::equal(input.shape->begin(), input.shape->end(), dims.begin(), fits));
  if (positive && agrees) return;
  throw_error(Category::kUsage, "shape of '" + input.name() + "'",
              "it must give a number from one on for every dimension of " +
                  (input.shape ? shape_text(*input.shape) : "the input"),
              numbers_text(dims), "change open dimensions only");
}

/// A symbol has one value in the whole graph.
void replace_symbol(const Graph& graph, const std::string& symbol, int64_t number) {
  for (Value* value : graph.values()) {
    if (!value->shape) continue;
    for (Dim& dim : *value->shape) {
      if (!dim.known() && dim.symbol == symbol) dim = Dim{number, ""};
    }
  }
}

}  // namespace

void fix_input_shape(Model* model, const std::string& name, const std::vector<int64_t>& dims) {
  Value& input = input_named(model->graph, name);
  check_fits(input, dims);
  const Shape declared = input.shape.value_or(Shape{});
  for (size_t i = 0; i < declared.size(); ++i) {
    if (!declared[i].known() && !declared[i].symbol.empty())
      replace_symbol(model->graph, declared[i].symbol, dims[i]);
  }
  input.shape = Shape();
  for (const int64_t dim : dims) input.shape->push_back(Dim{dim, ""});
}

}  // namespace limbeck
