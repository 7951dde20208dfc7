// One opener for each kind of data set; the table that names them is in open.cpp. Internal to
// lib/data.
#pragma once

#include <memory>

#include "lib/data/dataset.h"
#include "lib/data/description.h"

namespace limbeck {

// All raise kIo for missing files and kData for what the files hold.
std::unique_ptr<Dataset> open_idx(const Description& description);
std::unique_ptr<Dataset> open_images(const Description& description);
std::unique_ptr<Dataset> open_csv(const Description& description);
std::unique_ptr<Dataset> open_npy(const Description& description);
std::unique_ptr<Dataset> open_npz(const Description& description);
std::unique_ptr<Dataset> open_pb(const Description& description);

}  // namespace limbeck
