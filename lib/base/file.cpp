#include "lib/base/file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "lib/base/error.h"

namespace limbeck {
namespace {

[[noreturn]] void throw_io(const std::filesystem::path& path, const char* rule, int code,
                           const char* next_step) {
  throw_error(Category::kIo, path.string(), rule, std::strerror(code), next_step);
}

using Digest = std::array<unsigned char, crypto_hash_sha256_BYTES>;

std::string hexadecimal(const Digest& digest) {
  std::string text(2 * digest.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  text.pop_back();
  return text;
}

struct Descriptor {
  int value;
  explicit Descriptor(int v) : value(v) {}
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

}  // namespace

void create_folder(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (!failure && std::filesystem::is_directory(path)) return;
  throw_io(path, "the output folder must be one that can be made",
           failure ? failure.value() : ENOTDIR, "choose another folder");
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value < 0)
    throw_io(path, "the file must be readable", errno, "check the path and its permissions");
  struct stat status {};
  if (::fstat(file.value, &status) != 0)
    throw_io(path, "the file must be readable", errno, "check the path");
  if (!S_ISREG(status.st_mode)) {
    throw_error(Category::kIo, path.string(), "a regular file is needed", "a folder or a device",
                "name a file");
  }
  const auto size = static_cast<size_t>(status.st_size);
  const std::byte* data = nullptr;
  if (size > 0) {
    void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
    if (mapping == MAP_FAILED)
      throw_io(path, "the file must be mappable", errno, "free memory or copy the file locally");
    data = static_cast<const std::byte*>(mapping);
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(data, size));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr)
    ::munmap(const_cast<std::byte*>(data_),
             size_);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

std::string read_file(const std::filesystem::path& path) {
  const auto mapping = MappedFile::open(path);
  return {reinterpret_cast<const char*>(mapping->bytes().data()), mapping->bytes().size()};
}

AtomicFile::AtomicFile(std::filesystem::path final_path) : final_path_(std::move(final_path)) {
  std::string name =
      (final_path_.parent_path() / ("." + final_path_.filename().string() + ".XXXXXX")).string();
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) {
    throw_io(final_path_, "the output folder must exist and be writable", errno,
             "create the folder or choose another");
  }
  temporary_path_ = name;
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_path_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      throw_io(final_path_, "the output must be writable", errno, "free disk space and run again");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void AtomicFile::commit() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor_, 0666 & ~mask);
  if (::fsync(descriptor_) != 0)
    throw_io(final_path_, "the output must reach the disk", errno, "check the disk");
  if (::rename(temporary_path_.c_str(), final_path_.c_str()) != 0) {
    throw_io(final_path_, "the output must be renamable into place", errno,
             "check that no folder has this name");
  }
  ::close(descriptor_);
  descriptor_ = -1;
  const auto folder =
      final_path_.has_parent_path() ? final_path_.parent_path() : std::filesystem::path(".");
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.value >= 0) ::fsync(directory.value);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

std::string sha256(std::span<const std::byte> bytes) {
  Digest digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  return hexadecimal(digest);
}

std::string sha256(std::string_view bytes) { return sha256(std::as_bytes(std::span(bytes))); }

std::string sha256_file(const std::filesystem::path& path) {
  // Read in pieces: a mapping of a large file would count as memory of this process.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value < 0)
    throw_io(path, "the file must be readable", errno, "check the path and its permissions");
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::vector<unsigned char> piece(size_t{1} << 20);
  for (;;) {
    const ssize_t got = ::read(file.value, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_io(path, "the file must be readable", errno, "check the disk");
    if (got == 0) break;
    crypto_hash_sha256_update(&state, piece.data(), static_cast<unsigned long long>(got));
  }
  Digest digest{};
  crypto_hash_sha256_final(&state, digest.data());
  return hexadecimal(digest);
}

}  // namespace limbeck
