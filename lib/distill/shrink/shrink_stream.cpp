#include "lib/distill/shrink/shrink_stream.h"

#include <algorithm>

#include "lib/base/error.h"

namespace limbeck {

std::vector<int64_t> shrink_samples(const Model& model, const ShrinkData& data, int64_t samples) {
  const int64_t size = data.dataset.size();
  const int64_t batch = std::max<int64_t>(fixed_batch(model), 1);
  const int64_t count = std::min(samples, size) / batch * batch;
  if (count == 0) {
    throw_error(Category::kData, "data set",
                "it must fill one batch of the model, " + std::to_string(batch) + " samples",
                std::to_string(std::min(samples, size)), "take more samples");
  }
  return sample_order(size, count, data.seed);
}

StreamOptions shrink_stream(const Model& model, const ShrinkData& data) {
  StreamOptions options;
  const int64_t fixed = fixed_batch(model);
  if (fixed > 0) options.micro_batch = fixed;
  options.may_split = fixed == 0;
  options.threads = data.threads;
  return options;
}

}  // namespace limbeck
