#include "lib/distill/teacher_cache.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/progress.h"
#include "lib/base/schema.h"
#include "lib/engine/stream.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int64_t kMicroBatch = 32;
constexpr size_t kHashedPiece = size_t{1} << 20;
constexpr size_t kHashLength = 64;
constexpr const char* kKind = "limbeck teacher outputs";

/// SHA-256 of the SHA-256 of each MiB: bytes are hashed while they are written, piece by piece.
class PieceHash {
 public:
  void add(std::string_view bytes) {
    piece_ += bytes;
    while (piece_.size() >= kHashedPiece) {
      hashes_ += sha256(std::string_view(piece_).substr(0, kHashedPiece));
      piece_.erase(0, kHashedPiece);
    }
  }
  std::string finish() { return sha256(hashes_ + sha256(piece_)); }

 private:
  std::string piece_;
  std::string hashes_;
};

Json header_of(const TeacherCacheKey& key, int64_t samples, const std::vector<Dims>& rows) {
  Json outputs = Json::array();
  for (size_t i = 0; i < key.outputs.size(); ++i)
    outputs.push_back(
        {{"name", key.outputs[i]}, {"dims", i < rows.size() ? Json(rows[i]) : Json()}});
  return {{"version", 1},     {"kind", kKind},      {"teacher", key.teacher},
          {"data", key.data}, {"samples", samples}, {"outputs", outputs}};
}

std::string text_of(const Json& header) {
  return header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

fs::path path_of(const TeacherCacheKey& key, int64_t samples, const fs::path& folder) {
  return folder / (sha256(text_of(header_of(key, samples, {}))).substr(0, 16) + ".teacher");
}

size_t floats_of(const Dims& row) { return static_cast<size_t>(element_count(row, "output")); }

std::vector<Dims> rows_of(const std::vector<Tensor>& outputs, int64_t samples,
                          const std::vector<std::string>& names) {
  std::vector<Dims> rows;
  for (const Tensor& output : outputs) {
    const bool fits =
        output.type() == DataType::kFloat && output.rank() > 0 && output.dim(0) == samples;
    if (!fits) {
      throw_error(Category::kUnsupported, "output '" + names[rows.size()] + "' of the teacher",
                  "cached answers are one row of floats for each sample",
                  data_type_name(output.type()) + " " + dims_text(output.dims()),
                  "train without --teacher-cache");
    }
    rows.emplace_back(output.dims().begin() + 1, output.dims().end());
  }
  return rows;
}

/// All outputs of each sample, sample by sample.
std::string bytes_of(const std::vector<Tensor>& outputs, const std::vector<Dims>& rows,
                     size_t samples) {
  std::string bytes;
  for (size_t n = 0; n < samples; ++n) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      const size_t row = floats_of(rows[i]) * sizeof(float);
      bytes.append(reinterpret_cast<const char*>(outputs[i].raw()) + n * row, row);
    }
  }
  return bytes;
}

void write_cache(const fs::path& path, const Engine& teacher, const Dataset& dataset,
                 const TeacherCacheKey& key, const TeacherCacheOptions& options) {
  create_folder(options.folder);
  AtomicFile file(path);
  PieceHash hash;
  std::vector<Dims> rows;
  const auto write = [&](const std::string& bytes) {
    file.write(bytes);
    hash.add(bytes);
  };
  StreamOptions stream;
  stream.micro_batch = kMicroBatch;
  stream.may_split = false;
  stream.threads = options.threads;
  stream.quiet = options.quiet;
  stream.label = "asking the teacher";
  stream_batches({&teacher}, dataset, sample_order(dataset.size(), 0, 0), stream,
                 [&](const Batch& batch, const std::vector<std::vector<Tensor>>& results) {
                   const auto samples = static_cast<int64_t>(batch.indices.size());
                   const std::vector<Dims> found = rows_of(results[0], samples, key.outputs);
                   if (rows.empty()) {
                     rows = found;
                     write(text_of(header_of(key, dataset.size(), rows)));
                   } else if (found != rows) {
                     throw_error(Category::kUnsupported, "the teacher's outputs",
                                 "cached answers have the same size for every sample",
                                 "another from sample " + std::to_string(batch.indices.front()),
                                 "train without --teacher-cache");
                   }
                   write(bytes_of(results[0], rows, batch.indices.size()));
                 });
  file.write(hash.finish());
  file.commit();
}

[[noreturn]] void throw_damaged(const fs::path& path, const std::string& received) {
  throw_error(Category::kData, path.string(), "the file must hold undamaged answers of a teacher",
              received, "delete it: it is computed again");
}

/// Bounds before the hash, the hash before the content.
std::string_view checked_content(const MappedFile& file, const fs::path& path) {
  const std::string_view all(reinterpret_cast<const char*>(file.bytes().data()),
                             file.bytes().size());
  if (all.size() < kHashLength) throw_damaged(path, std::to_string(all.size()) + " bytes");
  const std::string_view content = all.substr(0, all.size() - kHashLength);
  PieceHash hash;
  for (size_t at = 0; at < content.size(); at += kHashedPiece)
    hash.add(content.substr(at, kHashedPiece));
  if (hash.finish() != all.substr(content.size()))
    throw_damaged(path, "a checksum that does not match");
  return content;
}

std::vector<Dims> checked_rows(const nlohmann::json& header, const TeacherCacheKey& key,
                               int64_t samples, size_t bytes, const fs::path& path) {
  std::vector<Dims> rows;
  try {
    for (const nlohmann::json& output : header.at("outputs"))
      rows.push_back(output.at("dims").get<Dims>());
  } catch (const nlohmann::json::exception&) {
    throw_damaged(path, "a header without outputs");
  }
  if (header != nlohmann::json::parse(text_of(header_of(key, samples, rows))))
    throw_damaged(path, "a header of other models or data");
  // Before anything is multiplied.
  for (const Dims& row : rows) {
    if (floats_of(row) > bytes) throw_damaged(path, "outputs larger than the file");
  }
  return rows;
}

}  // namespace

TeacherCache::TeacherCache(std::shared_ptr<const MappedFile> file, size_t start,
                           std::vector<Dims> rows)
    : file_(std::move(file)), start_(start), rows_(std::move(rows)) {
  for (const Dims& row : rows_) row_bytes_ += floats_of(row) * sizeof(float);
}

std::shared_ptr<const TeacherCache> TeacherCache::open(const Engine& teacher,
                                                       const Dataset& dataset,
                                                       const TeacherCacheKey& key,
                                                       const TeacherCacheOptions& options) {
  const fs::path path = path_of(key, dataset.size(), options.folder);
  if (!fs::exists(path)) write_cache(path, teacher, dataset, key, options);
  auto file = MappedFile::open(path);
  const std::string_view content = checked_content(*file, path);
  const size_t end = content.find('\n');
  if (end == std::string_view::npos) throw_damaged(path, "no header");
  const nlohmann::json header = parse_json(content.substr(0, end), path.string());
  std::vector<Dims> rows = checked_rows(header, key, dataset.size(), content.size(), path);
  std::shared_ptr<const TeacherCache> cache(
      new TeacherCache(std::move(file), end + 1, std::move(rows)));
  const size_t wanted = end + 1 + cache->row_bytes_ * static_cast<size_t>(dataset.size());
  if (content.size() != wanted) throw_damaged(path, std::to_string(content.size()) + " bytes");
  return cache;
}

std::vector<Tensor> TeacherCache::read(std::span<const int64_t> indices) const {
  const std::byte* samples = file_->bytes().data() + start_;
  std::vector<Tensor> outputs;
  size_t offset = 0;
  for (const Dims& row : rows_) {
    Dims dims = row;
    dims.insert(dims.begin(), static_cast<int64_t>(indices.size()));
    Tensor output = Tensor::allocate(DataType::kFloat, std::move(dims));
    const size_t bytes = floats_of(row) * sizeof(float);
    std::byte* target = output.mutable_raw();
    for (const int64_t index : indices) {
      std::memcpy(target, samples + static_cast<size_t>(index) * row_bytes_ + offset, bytes);
      target += bytes;
    }
    offset += bytes;
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace limbeck
