#include "lib/data/zip_archive.h"

#include <zip.h>

#include <mutex>

#include "lib/base/error.h"
#include "lib/base/file.h"

namespace limbeck {
namespace {

/// Deflate cannot expand further; a member that claims more is damaged or hostile.
constexpr uint64_t kLargestRatio = 1040;

[[noreturn]] void fail(const std::string& place, const std::string& received) {
  throw_error(Category::kData, place, "the file must be a whole ZIP archive", received,
              "download or copy the archive again");
}

struct MemberCloser {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};

}  // namespace

struct ZipArchive::Handle {
  std::shared_ptr<const MappedFile> mapping;
  zip_t* archive = nullptr;
  std::mutex mutex;

  Handle(const std::filesystem::path& path, const std::string& place)
      : mapping(MappedFile::open(path)) {
    const auto bytes = mapping->bytes();
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    if (source != nullptr) archive = zip_open_from_source(source, ZIP_RDONLY, &error);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (archive != nullptr) return;
    if (source != nullptr) zip_source_free(source);
    fail(place, reason);
  }
  ~Handle() { zip_discard(archive); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

ZipArchive::ZipArchive(const std::filesystem::path& path)
    : place_(path.string()), handle_(std::make_unique<Handle>(path, place_)) {
  const zip_int64_t count = zip_get_num_entries(handle_->archive, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(handle_->archive, static_cast<zip_uint64_t>(i), 0);
    if (name == nullptr) fail(place_, zip_strerror(handle_->archive));
    names_.emplace_back(name);
  }
}

ZipArchive::~ZipArchive() = default;

std::string ZipArchive::read(size_t index) const {
  const std::string place = place_ + ", member '" + names_.at(index) + "'";
  const std::lock_guard lock(handle_->mutex);
  zip_stat_t status;
  if (zip_stat_index(handle_->archive, index, 0, &status) != 0)
    fail(place, zip_strerror(handle_->archive));
  if (status.size / kLargestRatio > status.comp_size)
    fail(place, "a size of " + std::to_string(status.size) + " bytes in " +
                    std::to_string(status.comp_size) + " compressed ones");
  const std::unique_ptr<zip_file_t, MemberCloser> member(
      zip_fopen_index(handle_->archive, index, 0));
  if (member == nullptr) fail(place, zip_strerror(handle_->archive));
  std::string bytes(status.size, '\0');
  const zip_int64_t got = zip_fread(member.get(), bytes.data(), bytes.size());
  if (got != static_cast<zip_int64_t>(bytes.size())) {
    const char* reason = zip_file_strerror(member.get());
    fail(place, got < 0 ? reason : "a member that ends early");
  }
  // One more read reaches the end of the member, where the library checks the CRC.
  char extra = 0;
  if (zip_fread(member.get(), &extra, 1) != 0) fail(place, zip_file_strerror(member.get()));
  return bytes;
}

}  // namespace limbeck
