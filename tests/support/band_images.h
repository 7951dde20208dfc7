// Small labelled images that a network can learn.
#pragma once

#include <cstdint>
#include <filesystem>

namespace limbeck::test {

/// `count` images of 28x28 in four classes, a bright band in one of four rows: images.idx,
/// labels.idx and their description data.json (input "image").
void write_band_images(const std::filesystem::path& folder, uint32_t count);

}  // namespace limbeck::test
