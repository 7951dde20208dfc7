#include "lib/distill/train_log.h"

#include <cerrno>
#include <sstream>
#include <system_error>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/schema.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

void cut(const fs::path& path, uint64_t bytes) {
  if (bytes == 0) return;
  std::error_code failure;
  const uint64_t size = fs::file_size(path, failure);
  if (failure || size < bytes) {
    throw_error(Category::kData, path.string(),
                "the log must hold the " + std::to_string(bytes) +
                    " bytes that were there when the checkpoint was made",
                failure ? failure.message() : std::to_string(size) + " bytes",
                "put the log back, or delete the checkpoint to start anew");
  }
  fs::resize_file(path, bytes, failure);
  if (failure) {
    throw_error(Category::kIo, path.string(), "the log must be writable", failure.message(),
                "check its permissions");
  }
}

[[noreturn]] void throw_unwritable(const fs::path& path) {
  throw_error(Category::kIo, path.string(), "the log must be writable",
              std::generic_category().message(errno), "check the folder and the free space");
}

}  // namespace

TrainLog::TrainLog(fs::path path, uint64_t bytes) : path_(std::move(path)), bytes_(bytes) {
  if (path_.empty()) return;
  cut(path_, bytes);
  file_.open(path_, bytes == 0 ? std::ios::out | std::ios::trunc : std::ios::out | std::ios::app);
  if (!file_) throw_unwritable(path_);
}

void TrainLog::append(const nlohmann::ordered_json& line) {
  if (path_.empty()) return;
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  file_ << text << std::flush;
  if (!file_) throw_unwritable(path_);
  bytes_ += text.size();
}

std::vector<nlohmann::json> read_train_log(const fs::path& path) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(read_file(path));
  std::string line;
  while (std::getline(text, line)) {
    const std::string place = path.string() + ", line " + std::to_string(lines.size() + 1);
    lines.push_back(parse_json(line, place));
  }
  return lines;
}

}  // namespace limbeck
