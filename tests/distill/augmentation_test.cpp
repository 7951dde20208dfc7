#include "lib/distill/augmentation.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <utility>

#include "tests/model/expect_error.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::WithinAbs;
using nlohmann::json;

namespace {

using Values = std::vector<float>;

Values changed(const AugmentationOptions& options, const AugmentationDraw& draw, const Dims& dims,
               Values image) {
  augment_image(options, draw, dims, image);
  return image;
}

void check_values(const Values& values, const Values& wanted) {
  REQUIRE(values.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) CHECK_THAT(values[i], WithinAbs(wanted[i], 1e-6));
}

/// Images [1, 2, 3] whose values are 10 * index + position.
class CountingImages : public Dataset {
 public:
  explicit CountingImages(bool labelled, size_t rank = 4) : labelled_(labelled), rank_(rank) {}
  int64_t size() const override { return 7; }
  const std::vector<std::string>& input_names() const override { return names_; }
  bool has_labels() const override { return labelled_; }
  int64_t class_count() const override { return 7; }
  std::string hash() const override { return "hash"; }
  Batch read(std::span<const int64_t> indices) const override {
    Batch batch;
    Values values;
    for (const int64_t index : indices) {
      for (int64_t i = 0; i < 6; ++i) values.push_back(static_cast<float>(10 * index + i));
      batch.indices.push_back(index);
      if (labelled_) batch.labels.push_back(index);
    }
    Dims dims = {static_cast<int64_t>(indices.size()), 1, 2, 3};
    if (rank_ == 2) dims = {dims[0], 6};
    batch.inputs.push_back(Tensor::from<float>(dims, values));
    return batch;
  }

 private:
  bool labelled_;
  size_t rank_;
  std::vector<std::string> names_ = {""};
};

AugmentationOptions everything() {
  AugmentationOptions options;
  options.flip = 0.5;
  options.crop_padding = 1;
  options.brightness = 0.4;
  options.contrast = 0.4;
  options.cutout = 1;
  options.mixup = 1;
  options.mean = {32};
  options.deviation = {64};
  return options;
}

Values row_of(const AugmentedBatch& batch, size_t row) {
  const Values all = batch.batch.inputs[0].to_float();
  return {all.begin() + static_cast<std::ptrdiff_t>(6 * row),
          all.begin() + static_cast<std::ptrdiff_t>(6 * row + 6)};
}

AugmentationOptions mixup_only(double alpha) {
  AugmentationOptions options;
  options.mixup = alpha;
  return options;
}

}  // namespace

TEST_CASE("a mirrored image has its columns in reverse", "[distill]") {
  check_values(changed({}, {.mirrored = true}, {2, 1, 3}, {1, 2, 3, 4, 5, 6}), {3, 2, 1, 6, 5, 4});
}

TEST_CASE("a moved window shows black beyond the edge", "[distill]") {
  AugmentationOptions options;
  options.mean = {0.5};
  options.deviation = {0.25};
  // Black is (0 - 1/2) / (1/4).
  check_values(changed(options, {.down = 1, .right = -1}, {1, 2, 3}, {1, 2, 3, 4, 5, 6}),
               {-2, 4, 5, -2, -2, -2});
  check_values(
      changed(options, {.mirrored = true, .down = 0, .right = 1}, {1, 2, 3}, {1, 2, 3, 4, 5, 6}),
      {-2, 3, 2, -2, 6, 5});
}

TEST_CASE("brightness multiplies pixels and stops at white", "[distill]") {
  check_values(changed({}, {.brightness = 1.5}, {1, 1, 3}, {0, 0.5F, 0.8F}), {0, 0.75F, 1});
  AugmentationOptions options;
  options.mean = {0.5};
  options.deviation = {0.5};
  // Values -1, 0, 1 are pixels 0, 1/2, 1; halved 0, 1/4, 1/2.
  check_values(changed(options, {.brightness = 0.5}, {1, 1, 3}, {-1, 0, 1}), {-1, -0.5F, 0});
}

TEST_CASE("contrast moves pixels away from the mean gray", "[distill]") {
  // Mean 0.4: distances -0.2 and 0.2 become half as large.
  check_values(changed({}, {.contrast = 0.5}, {1, 1, 2}, {0.2F, 0.6F}), {0.3F, 0.5F});
  // Red alone: gray 0.299 of it everywhere.
  check_values(changed({}, {.contrast = 0}, {3, 1, 1}, {1, 0, 0}), {0.299F, 0.299F, 0.299F});
}

TEST_CASE("no saturation leaves each pixel its own gray", "[distill]") {
  check_values(changed({}, {.saturation = 0}, {3, 1, 2}, {1, 0, 0, 1, 0, 0}),
               {0.299F, 0.587F, 0.299F, 0.587F, 0.299F, 0.587F});
  check_error(error_of([] {
                changed({}, {.saturation = 0}, {1, 1, 1}, {1});
              }),
              Category::kUsage, "augmentation/saturation", "images must have three channels", "1");
}

TEST_CASE("cutout clears a square that may reach over the edge", "[distill]") {
  AugmentationOptions options;
  options.cutout = 2;
  const Values ones(9, 1);
  // Rows and columns centre - 1 and centre.
  check_values(changed(options, {.hole_row = 1, .hole_column = 2}, {1, 3, 3}, ones),
               {1, 0, 0, 1, 0, 0, 1, 1, 1});
  check_values(changed(options, {.hole_row = 0, .hole_column = 0}, {1, 3, 3}, ones),
               {0, 1, 1, 1, 1, 1, 1, 1, 1});
  options.cutout = 100;
  check_values(changed(options, {.hole_row = 2, .hole_column = 0}, {1, 3, 3}, ones), Values(9, 0));
}

TEST_CASE("mixing takes a share of each image", "[distill]") {
  Values image = {4, 8};
  mix_images(0.75, Values{0, 4}, image);
  check_values(image, {3, 7});
}

TEST_CASE("draws cover their ranges evenly", "[distill]") {
  AugmentationOptions options;
  options.flip = 0.25;
  options.crop_padding = 1;
  options.brightness = 0.5;
  int mirrored = 0;
  int down[3] = {};
  int column[5] = {};
  double darkest = 2;
  double brightest = 0;
  constexpr int kDraws = 5000;
  for (int i = 0; i < kDraws; ++i) {
    const AugmentationDraw draw = draw_augmentation(options, {1, 0, i}, 4, 5);
    mirrored += draw.mirrored ? 1 : 0;
    ++down[draw.down + 1];
    ++column[draw.hole_column];
    darkest = std::min(darkest, draw.brightness);
    brightest = std::max(brightest, draw.brightness);
    CHECK(draw.contrast == 1);
    CHECK(draw.hole_row < 4);
  }
  CHECK_THAT(mirrored / double{kDraws}, WithinAbs(0.25, 0.02));
  for (const int count : down) CHECK_THAT(count / double{kDraws}, WithinAbs(1.0 / 3, 0.02));
  for (const int count : column) CHECK_THAT(count / double{kDraws}, WithinAbs(0.2, 0.02));
  CHECK(darkest >= 0.5);
  CHECK(darkest < 0.51);
  CHECK(brightest < 1.5);
  CHECK(brightest > 1.49);
}

TEST_CASE("mixup's shares have the mean and spread of their distribution", "[distill]") {
  // Variance of Beta(a, a): 1 / (4 * (2a + 1)).
  for (const double alpha : {0.2, 1.0, 2.0}) {
    INFO(alpha);
    double sum = 0;
    double squares = 0;
    int partners[4] = {};
    constexpr int kDraws = 5000;
    for (int i = 0; i < kDraws; ++i) {
      const MixDraw mix = draw_mix(mixup_only(alpha), {3, 1, i}, 4);
      sum += mix.share;
      squares += (mix.share - 0.5) * (mix.share - 0.5);
      ++partners[mix.partner];
    }
    CHECK_THAT(sum / kDraws, WithinAbs(0.5, 0.02));
    CHECK_THAT(squares / kDraws, WithinAbs(1 / (4 * (2 * alpha + 1)), 0.005));
    for (const int count : partners) CHECK_THAT(count / double{kDraws}, WithinAbs(0.25, 0.02));
  }
  CHECK(draw_mix(mixup_only(1e-9), {3, 1, 0}, 4).share >= 0);
  CHECK(draw_mix({}, {3, 1, 9}, 10).partner == 9);
}

TEST_CASE("one option's draws do not depend on the other options", "[distill]") {
  AugmentationOptions flip_only;
  flip_only.flip = 0.5;
  for (int i = 0; i < 50; ++i) {
    CHECK(draw_augmentation(flip_only, {1, 2, i}, 2, 3).mirrored ==
          draw_augmentation(everything(), {1, 2, i}, 2, 3).mirrored);
  }
}

TEST_CASE("a sample is augmented alike in any batch and order", "[distill]") {
  const CountingImages data(true);
  const std::vector<int64_t> forward = {0, 1, 2, 3, 4, 5, 6};
  const std::vector<int64_t> backward = {6, 5, 4, 3, 2, 1, 0};
  const AugmentedBatch first = read_augmented(data, forward, everything(), 5, 1);
  const AugmentedBatch second = read_augmented(data, backward, everything(), 5, 1);
  for (size_t i = 0; i < forward.size(); ++i) {
    const std::vector<int64_t> one = {forward[i]};
    const AugmentedBatch alone = read_augmented(data, one, everything(), 5, 1);
    CHECK((row_of(first, i) == row_of(second, 6 - i)));
    CHECK((row_of(first, i) == row_of(alone, 0)));
    CHECK(first.labels[i].share == alone.labels[0].share);
    CHECK(first.labels[i].other == alone.labels[0].other);
  }
  CHECK((first.batch.inputs[0].to_float() !=
         read_augmented(data, forward, everything(), 5, 2).batch.inputs[0].to_float()));
  CHECK((first.batch.inputs[0].to_float() !=
         read_augmented(data, forward, everything(), 6, 1).batch.inputs[0].to_float()));
}

TEST_CASE("a mixed sample holds its partner's share of image and label", "[distill]") {
  const CountingImages data(true);
  const std::vector<int64_t> indices = {2, 4};
  const AugmentedBatch batch = read_augmented(data, indices, mixup_only(1), 9, 0);
  for (size_t i = 0; i < indices.size(); ++i) {
    const MixDraw mix = draw_mix(mixup_only(1), {9, 0, indices[i]}, 7);
    CHECK(batch.labels[i].label == indices[i]);
    CHECK(batch.labels[i].other == mix.partner);
    CHECK(batch.labels[i].share == mix.share);
    const double first = 10 * (mix.share * static_cast<double>(indices[i]) +
                               (1 - mix.share) * static_cast<double>(mix.partner));
    CHECK_THAT(row_of(batch, i)[0], WithinAbs(first, 1e-5));
  }
  CHECK(mixes_labels(mixup_only(1)));
  CHECK_FALSE(mixes_labels({}));
  CHECK(read_augmented(CountingImages(false), indices, mixup_only(1), 9, 0).labels.empty());
}

TEST_CASE("without options a batch is what the data set gives", "[distill]") {
  const std::vector<int64_t> indices = {3, 1};
  const AugmentedBatch batch = read_augmented(CountingImages(true, 2), indices, {}, 1, 0);
  CHECK((batch.batch.inputs[0].to_float() ==
         CountingImages(true, 2).read(indices).inputs[0].to_float()));
  CHECK(batch.labels.at(1).label == 1);
  CHECK(batch.labels.at(1).share == 1);
}

TEST_CASE("only images can be augmented", "[distill]") {
  const std::vector<int64_t> indices = {3, 1};
  check_error(
      error_of([&] { read_augmented(CountingImages(true, 2), indices, everything(), 1, 0); }),
      Category::kUsage, "augmentation",
      "samples must be one float image of channels x height x width", "2x6");
  AugmentationOptions options;
  options.mean = {0, 0};
  check_error(error_of([&] {
                changed(options, {}, {3, 1, 1}, {1, 2, 3});
              }),
              Category::kUsage, "augmentation",
              "there must be one mean, or one for each of the 3 channels", "2");
}

TEST_CASE("augmentation is read from JSON, with its mistakes named", "[distill]") {
  const AugmentationOptions options =
      read_augmentation(json::parse(R"({"flip": 0.5, "crop_padding": 4, "mixup": 0.2})"), "/a");
  CHECK(options.flip == 0.5);
  CHECK(options.crop_padding == 4);
  CHECK(options.mixup == 0.2);
  CHECK(options.cutout == 0);
  const auto error = [](const char* text) {
    return error_of([text] { read_augmentation(json::parse(text), "/a"); });
  };
  check_error(error(R"({"flip": true})"), Category::kUsage, "/a/flip",
              "the value must be a number from 0 to 1", "true");
  check_error(error(R"({"crop_padding": 1.5})"), Category::kUsage, "/a/crop_padding",
              "the value must be a whole number", "1.5");
  check_error(error(R"({"rotate": 1})"), Category::kUsage, "/a/rotate", "the option must exist",
              "rotate");
}
