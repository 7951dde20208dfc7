#include "lib/data/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/file.h"

namespace limbeck {
namespace {

constexpr int kGzipWindow = 15 + 16;
constexpr size_t kChunk = size_t{1} << 20U;

/// Owns a zlib stream.
class Inflater {
 public:
  explicit Inflater(const std::string& place) : place_(place) {
    if (inflateInit2(&stream_, kGzipWindow) != Z_OK) fail("zlib cannot start");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  std::string run(std::string_view rest, size_t largest) {
    std::string result;
    std::vector<char> chunk(std::min(kChunk, largest));
    int status = Z_OK;
    while (result.size() < largest && (status != Z_STREAM_END || !rest.empty())) {
      // A gzip file may hold several members one after the other.
      if (status == Z_STREAM_END) inflateReset(&stream_);
      status = step(&rest, &chunk, &result);
    }
    result.resize(std::min(result.size(), largest));
    return result;
  }

 private:
  int step(std::string_view* rest, std::vector<char>* chunk, std::string* result) {
    const auto offered =
        static_cast<uInt>(std::min<size_t>(rest->size(), std::numeric_limits<uInt>::max()));
    // zlib's interface lacks const; it does not write to its input.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest->data()));
    stream_.avail_in = offered;
    stream_.next_out = reinterpret_cast<Bytef*>(chunk->data());
    stream_.avail_out = static_cast<uInt>(chunk->size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_BUF_ERROR) fail("the stream ends early");
    if (status != Z_OK && status != Z_STREAM_END)
      fail(stream_.msg != nullptr ? stream_.msg : "a damaged stream");
    rest->remove_prefix(offered - stream_.avail_in);
    result->append(chunk->data(), chunk->size() - stream_.avail_out);
    return status;
  }

  [[noreturn]] void fail(const std::string& received) const {
    throw_error(Category::kData, place_, "the file must be a whole gzip stream", received,
                "download or copy the file again");
  }

  const std::string& place_;
  z_stream stream_{};
};

}  // namespace

std::string read_plain_or_gzip(const std::filesystem::path& path, size_t largest) {
  const auto mapping = MappedFile::open(path);
  const std::string_view bytes(reinterpret_cast<const char*>(mapping->bytes().data()),
                               mapping->bytes().size());
  if (!bytes.starts_with("\x1f\x8b")) return std::string(bytes.substr(0, largest));
  const std::string place = path.string();
  return Inflater(place).run(bytes, largest);
}

}  // namespace limbeck
