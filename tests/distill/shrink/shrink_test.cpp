// Targets, limits, errors and determinism of shrinking.
#include "lib/distill/shrink/shrink.h"

#include <catch2/matchers/catch_matchers_string.hpp>

#include "lib/base/file.h"
#include "lib/distill/shrink/channel_rules.h"
#include "lib/distill/shrink/reinitialise.h"
#include "lib/ops/op.h"
#include "tests/distill/shrink/shrink_support.h"
#include "tests/model/expect_error.h"
#include "tests/support/paths.h"
#include "tests/support/trainer_support.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Two convolutions of width 16 and a classifier.
ModelBuilder plain_model() {
  ModelBuilder builder(17);
  builder.input("image", {-1, 3, 6, 6});
  add_filters(builder, "a", {16, 3, 3, 3}, 1, {});
  add_filters(builder, "b", {16, 16, 3, 3}, 2, {});
  builder.weight("fc.w", noise({5, 16}, 3)).weight("fc.b", noise({5}, 4));
  add_conv(builder, "image", "a", "x");
  builder.node("Relu", {"x"}, {"xr"});
  add_conv(builder, "xr", "b", "y");
  builder.node("Relu", {"y"}, {"yr"});
  builder.node("GlobalAveragePool", {"yr"}, {"g"});
  builder.node("Flatten", {"g"}, {"flat"});
  builder.node("Gemm", {"flat", "fc.w", "fc.b"}, {"logits"}).with("transB", 1);
  builder.output("logits");
  return builder;
}

std::string bytes_of(const Model& model) {
  const TemporaryFolder folder;
  save_model(model, folder / "student.onnx");
  return read_file(folder / "student.onnx");
}

ShrinkOptions share_of_macs(double share) {
  ShrinkOptions options;
  options.macs = share;
  return options;
}

ErrorInfo shrink_error(const Model& teacher, const ShrinkOptions& options) {
  return error_of([&] { shrink(teacher, options); });
}

ErrorInfo parse_error(const std::string& text) {
  return error_of([&] { parse_shrink(text, "--student"); });
}

}  // namespace

TEST_CASE("the options of shrink are read from key=value pairs", "[distill][shrink]") {
  const ShrinkOptions options = parse_shrink(
      "macs=0.5,blocks=2,min_share=0.25,min_channels=8,multiple=4,importance=weights,samples=64,"
      "batch_norm=false,weights=random",
      "--student");
  CHECK(options.macs == 0.5);
  CHECK_FALSE(options.size);
  CHECK(options.blocks == 2);
  CHECK(options.min_share == 0.25);
  CHECK(options.min_channels == 8);
  CHECK(options.multiple == 4);
  CHECK(options.importance == ImportanceSource::kWeights);
  CHECK(options.samples == 64);
  CHECK_FALSE(options.batch_norm);
  CHECK(options.random_weights);
  CHECK_FALSE(parse_shrink("size=0.25,weights=inherited", "").random_weights);
  CHECK(parse_shrink("size=0.25,blocks=false", "").blocks == 0);
  CHECK_FALSE(parse_shrink("size=0.25,blocks=true", "").blocks);
}

TEST_CASE("wrong options of shrink are told with their place", "[distill][shrink]") {
  check_error(parse_error("blocks=1"), Category::kUsage, "--student",
              "exactly one of macs and size must be given", "neither of them");
  check_error(parse_error("macs=0.5,size=0.5"), Category::kUsage, "--student",
              "exactly one of macs and size must be given", "both of them");
  check_error(parse_error("macs=1.5"), Category::kUsage, "--student macs",
              "the share that stays must be above 0 and below 1", "1.5");
  check_error(parse_error("macs=half"), Category::kUsage, "--student macs",
              "the value must be a number", "'half'");
  check_error(parse_error("macs=0.5,depth=3"), Category::kUsage, "--student",
              "it must be a list of key=value with the keys macs, size, blocks, min_share, "
              "min_channels, multiple, importance, samples, batch_norm, weights",
              "'depth=3'");
  check_error(parse_error("macs=0.5,importance=luck"), Category::kUsage, "--student importance",
              "the value must be gradients or weights", "'luck'");
  check_error(parse_error("macs=0.5,weights=none"), Category::kUsage, "--student weights",
              "the value must be inherited or random", "'none'");
  check_error(parse_error("macs=0.5,multiple=0"), Category::kUsage, "--student multiple",
              "the value must be at least 1", "0");
  CHECK(parse_error("macs=nan").place == "--student macs");
  CHECK(parse_error("").place == "--student");
}

TEST_CASE("random weights are those of reinitialise in the same network", "[distill][shrink]") {
  const Model teacher = plain_model().build();
  const ShrinkResult kept = shrink(teacher, share_of_macs(0.5));
  ShrinkOptions options = share_of_macs(0.5);
  options.random_weights = true;
  const ShrinkResult fresh = shrink(teacher, options);
  CHECK(fresh.macs_after == kept.macs_after);
  CHECK(fresh.student.graph.dump() == reinitialise(kept.student, 1).graph.dump());
  const auto weights = constants_of(fresh.student);
  CHECK(weights == constants_of(reinitialise(kept.student, 1)));
  CHECK(weights != constants_of(kept.student));
}

TEST_CASE("constants that the model lists as inputs too are declared as they were cut",
          "[distill][shrink]") {
  ModelBuilder builder = plain_model();
  onnx::GraphProto* graph = builder.proto().mutable_graph();
  for (const onnx::TensorProto& constant : graph->initializer()) {
    onnx::ValueInfoProto* input = graph->add_input();
    input->set_name(constant.name());
    auto* type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(constant.data_type());
    for (const int64_t dim : constant.dims()) type->mutable_shape()->add_dim()->set_dim_value(dim);
  }
  const ShrinkResult result = shrink(builder.build(), share_of_macs(0.5));
  const TemporaryFolder folder;
  save_model(result.student, folder / "student.onnx");
  onnx::ModelProto written;
  REQUIRE(written.ParseFromString(read_file(folder / "student.onnx")));
  std::map<std::string, std::vector<int64_t>> dims;
  for (const onnx::TensorProto& constant : written.graph().initializer())
    dims[constant.name()] = {constant.dims().begin(), constant.dims().end()};
  size_t listed = 0;
  for (const onnx::ValueInfoProto& input : written.graph().input()) {
    const auto constant = dims.find(input.name());
    if (constant == dims.end()) continue;
    std::vector<int64_t> declared;
    for (const auto& dim : input.type().tensor_type().shape().dim())
      declared.push_back(dim.dim_value());
    INFO(input.name());
    CHECK(declared == constant->second);
    ++listed;
  }
  CHECK(listed > 0);
}

TEST_CASE("the share of MACs or of bytes is met from both sides", "[distill][shrink]") {
  const Model teacher = plain_model().build();
  for (const double share : {0.9, 0.5, 0.25}) {
    const ShrinkResult by_macs = shrink(teacher, share_of_macs(share));
    const double macs =
        static_cast<double>(by_macs.macs_after) / static_cast<double>(by_macs.macs_before);
    CHECK(macs <= share * 1.03);
    CHECK(macs >= share * 0.97);
    ShrinkOptions options;
    options.size = share;
    const ShrinkResult by_size = shrink(teacher, options);
    const double size =
        static_cast<double>(by_size.bytes_after) / static_cast<double>(by_size.bytes_before);
    CHECK(size <= share * 1.03);
    CHECK(size >= share * 0.97);
  }
}

TEST_CASE("the teacher stays, and the same arguments give the same bytes", "[distill][shrink]") {
  const Model teacher = plain_model().build();
  const std::string before = bytes_of(teacher);
  const std::string first = bytes_of(shrink(teacher, share_of_macs(0.5)).student);
  CHECK(first == bytes_of(shrink(teacher, share_of_macs(0.5)).student));
  CHECK(before == bytes_of(teacher));
  CHECK(first.size() < before.size());
}

TEST_CASE("widths stay multiples of what is asked for", "[distill][shrink]") {
  ShrinkOptions options = share_of_macs(0.4);
  options.multiple = 4;
  const ShrinkResult result = shrink(plain_model().build(), options);
  for (const ShrunkLayer& layer : result.layers) {
    if (layer.op_type == "Conv") CHECK(layer.outputs_after % 4 == 0);
  }
  CHECK(result.macs_after < result.macs_before);
}

TEST_CASE("every layer keeps its smallest part", "[distill][shrink]") {
  ShrinkOptions options = share_of_macs(0.04);
  options.min_channels = 1;
  options.min_share = 0;
  const ShrinkResult narrow = shrink(plain_model().build(), options);
  for (const ShrunkLayer& layer : narrow.layers) CHECK(layer.outputs_after >= 1);
  options.min_share = 0.5;
  const ErrorInfo error = shrink_error(plain_model().build(), options);
  CHECK(error.category == Category::kUsage);
  CHECK(error.place == "shrink");
  // Half of both widths leaves 3456 + 2304 + 40 of 6912 + 9216 + 80.
  CHECK_THAT(error.received, ContainsSubstring("35.8 % of that before, 4.0 % wanted"));
}

TEST_CASE("channels that reach an unknown operator or the output stay, with the reason",
          "[distill][shrink]") {
  ModelBuilder builder(17);
  builder.input("image", {-1, 3, 6, 6});
  add_filters(builder, "a", {16, 3, 1, 1}, 1, {});
  add_conv(builder, "image", "a", "x");
  SECTION("the output") {
    builder.output("x");
    const ErrorInfo error = shrink_error(builder.build(), share_of_macs(0.5));
    CHECK(error.category == Category::kUnsupported);
    CHECK(error.rule == "the model must have channels that can be cut");
    CHECK_THAT(error.received, ContainsSubstring("they reach the output 'x'"));
  }
  SECTION("an operator of another domain") {
    auto* import = builder.proto().add_opset_import();
    import->set_domain("vendor");
    import->set_version(1);
    builder.node("Secret", {"x"}, {"y"}).in_domain("vendor");
    builder.output("y");
    const ErrorInfo error = shrink_error(builder.build(), share_of_macs(0.5));
    CHECK(error.category == Category::kUnsupported);
    CHECK_THAT(error.received, ContainsSubstring("they reach node 'n1' (Secret)"));
  }
  SECTION("a normalization over the channels") {
    builder.node("Softmax", {"x"}, {"y"}).with("axis", 1);
    builder.output("y");
    CHECK_THAT(shrink_error(builder.build(), share_of_macs(0.5)).received,
               ContainsSubstring("n1' (Softmax), which mixes them"));
  }
}

TEST_CASE("a sum with something whole keeps its channels whole", "[distill][shrink]") {
  ModelBuilder builder(17);
  builder.input("image", {-1, 16, 6, 6});
  add_filters(builder, "a", {16, 16, 1, 1}, 1, {});
  add_filters(builder, "b", {16, 16, 1, 1}, 2, {});
  add_conv(builder, "image", "a", "x");
  add_conv(builder, "x", "b", "y");
  builder.node("Add", {"y", "image"}, {"sum"});
  builder.node("GlobalAveragePool", {"sum"}, {"g"});
  builder.output("g");
  const ShrinkResult result = shrink(builder.build(), share_of_macs(0.5));
  CHECK(dims_of(result, "a.w") == Dims{8, 16, 1, 1});
  CHECK(dims_of(result, "b.w") == Dims{16, 8, 1, 1});
}

TEST_CASE("MACs of open shapes ask for the dimensions of a sample", "[distill][shrink]") {
  ModelBuilder builder(17);
  builder.input("image", {-1, 3, -1, -1});
  add_filters(builder, "a", {16, 3, 1, 1}, 1, {});
  add_filters(builder, "b", {4, 16, 1, 1}, 2, {});
  add_conv(builder, "image", "a", "x");
  add_conv(builder, "x", "b", "y");
  builder.output("y");
  auto* shape = builder.proto().mutable_graph()->mutable_input(0)->mutable_type();
  shape->mutable_tensor_type()->mutable_shape()->mutable_dim(2)->set_dim_param("H");
  shape->mutable_tensor_type()->mutable_shape()->mutable_dim(3)->set_dim_param("W");
  ShrinkOptions options = share_of_macs(0.5);
  CHECK(shrink_error(builder.build(), options).next_step ==
        "give the dimensions of one sample, or shrink by size");
  options.sample_dims[""] = {3, 8, 8};
  const ShrinkResult result = shrink(builder.build(), options);
  CHECK(result.macs_before == 64 * (48 + 64));
  CHECK(result.macs_after == 64 * (24 + 32));
  // The student's own dimensions stay open.
  CHECK_FALSE((*result.student.graph.inputs()[0]->shape)[2].known());
  options.sample_dims[""] = {4, 8, 8};
  CHECK(shrink_error(builder.build(), options).place == "shape of 'image'");
}

TEST_CASE("every operator with a rule for channels is in the operator table", "[distill][shrink]") {
  const std::vector<std::string> names = channel_rule_names();
  CHECK(std::is_sorted(names.begin(), names.end()));
  for (const std::string& name : names) {
    INFO(name);
    const bool known = find_op("", name, 20) != nullptr || find_op("", name, 9) != nullptr;
    CHECK(known);
  }
}
