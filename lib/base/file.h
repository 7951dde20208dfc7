// Files: whole reads, read-only mappings, and writes that appear whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace limbeck {

/// Read-only memory mapping of a regular file. Immutable after construction, so safe to share
/// between threads. The bytes live as long as the object. Raises kIo when the file cannot be opened
/// or is no regular file.
class MappedFile {
 public:
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size) {}
  const std::byte* data_;
  size_t size_;
};

/// The whole file as bytes. Raises kIo.
std::string read_file(const std::filesystem::path& path);

/// A file that becomes visible under its final name only by commit(): temporary file in the same
/// folder, fsync, rename, fsync of the folder. The destructor removes an uncommitted temporary. Not
/// thread-safe. Raises kIo.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path final_path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(std::string_view bytes);
  void commit();
  int descriptor() const { return descriptor_; }

 private:
  std::filesystem::path final_path_;
  std::filesystem::path temporary_path_;
  int descriptor_ = -1;
};

/// Makes a folder and its parents; an existing one is fine. Raises kIo.
void create_folder(const std::filesystem::path& path);

/// AtomicFile in one call.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Lower-case hexadecimal SHA-256 of bytes.
std::string sha256(std::span<const std::byte> bytes);
std::string sha256(std::string_view bytes);
/// SHA-256 of a file, read in pieces. Raises kIo.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace limbeck
