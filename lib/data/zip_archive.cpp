#include "lib/data/zip_archive.h"

#include <zip.h>

#include <utility>

#include "lib/base/error.h"

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

using Member = std::unique_ptr<zip_file_t, MemberCloser>;

/// The directory of an archive is not to be trusted with the size of an allocation.
void check_size(const zip_stat_t& status, uint64_t archive, uint64_t largest,
                const std::string& place) {
  const std::string claim = "a size of " + std::to_string(status.size) + " bytes in " +
                            std::to_string(status.comp_size) + " compressed ones";
  const bool stored = status.comp_method == ZIP_CM_STORE;
  const bool lies =
      stored ? status.size != status.comp_size : status.size / kLargestRatio > status.comp_size;
  if (lies || status.comp_size > archive) fail(place, claim);
  if (status.size <= largest) return;
  throw_error(Category::kData, place,
              "a member must have at most " + std::to_string(largest) + " bytes", claim,
              "remove it from the archive, or store the data outside of an archive");
}

std::string read_member(zip_file_t* member, uint64_t size, const std::string& place) {
  std::string bytes(size, '\0');
  const zip_int64_t got = zip_fread(member, bytes.data(), bytes.size());
  if (got < 0) fail(place, zip_file_strerror(member));
  if (got != static_cast<zip_int64_t>(bytes.size())) fail(place, "a member that ends early");
  // One more read reaches the end of the member, where the library checks the CRC.
  char extra = 0;
  const zip_int64_t more = zip_fread(member, &extra, 1);
  if (more < 0) fail(place, zip_file_strerror(member));
  if (more > 0) fail(place, "a member longer than the directory says");
  return bytes;
}

}  // namespace

/// The library's view of an archive, for one thread at a time: the whole directory in memory.
class ZipArchive::Handle {
 public:
  explicit Handle(const std::string& path) {
    int code = 0;
    archive_ = zip_open(path.c_str(), ZIP_RDONLY, &code);
    if (archive_ != nullptr) return;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    fail(path, reason);
  }
  ~Handle() { zip_discard(archive_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  zip_t* get() const { return archive_; }

 private:
  zip_t* archive_ = nullptr;
};

ZipArchive::ZipArchive(const std::filesystem::path& path)
    : place_(path.string()), bytes_(MappedFile::open(path)->bytes().size()) {
  // To the library this is an archive without members; to a user it is a failed download.
  if (bytes_ == 0) fail(place_, "an empty file");
  handle_ = std::make_unique<Handle>(place_);
  const zip_int64_t count = zip_get_num_entries(handle_->get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(handle_->get(), static_cast<zip_uint64_t>(i), 0);
    if (name == nullptr) fail(place_, zip_strerror(handle_->get()));
    names_.emplace_back(name);
  }
}

ZipArchive::~ZipArchive() = default;

std::string ZipArchive::read(size_t index, uint64_t largest) const {
  const std::string place = place_ + ", member '" + names_.at(index) + "'";
  const std::lock_guard lock(mutex_);
  zip_stat_t status;
  if (zip_stat_index(handle_->get(), index, 0, &status) != 0)
    fail(place, zip_strerror(handle_->get()));
  check_size(status, bytes_, largest, place);
  const Member member(zip_fopen_index(handle_->get(), index, 0));
  if (member == nullptr) fail(place, zip_strerror(handle_->get()));
  return read_member(member.get(), status.size, place);
}

}  // namespace limbeck
