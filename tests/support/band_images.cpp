#include "tests/support/band_images.h"

#include <string>

#include "tests/support/data_files.h"

namespace limbeck::test {

void write_band_images(const std::filesystem::path& folder, uint32_t count) {
  std::string images;
  std::string labels;
  for (uint32_t n = 0; n < count; ++n) {
    for (uint32_t i = 0; i < 784; ++i) {
      const bool bright = i / 28 / 7 == n % 4;
      images += static_cast<char>((bright ? 150 : 0) + (n * 31 + i * 17) % 90);
    }
    labels += static_cast<char>(n % 4);
  }
  constexpr int kBytes = 8;
  write_file(folder / "images.idx", idx_bytes(kBytes, {count, 28, 28}, images));
  write_file(folder / "labels.idx", idx_bytes(kBytes, {count}, labels));
  write_file(folder / "data.json",
             R"({"version": 1, "kind": "idx", "path": "images.idx", "labels": "labels.idx",
                 "input": "image"})");
}

}  // namespace limbeck::test
