#include <algorithm>
#include <cmath>
#include <limits>

#include "calibration.pb.h"
#include "calibration/calibration.h"
#include "lib/base/error.h"
#include "lib/base/file.h"

namespace limbeck {
namespace {

constexpr uint32_t kTableVersion = 1;
constexpr int64_t kBins = 2 * Sketch::kHalfBins;

void write_sketch(const std::string& name, const Sketch& sketch, proto::TensorSketch* target) {
  target->set_name(name);
  target->set_min(sketch.min());
  target->set_max(sketch.max());
  target->set_average_min(sketch.exact_average_min());
  target->set_average_max(sketch.exact_average_max());
  target->set_exponent(sketch.exponent());
  const auto& bins = sketch.bins();
  const auto filled = [](uint64_t count) { return count > 0; };
  const auto first = std::find_if(bins.begin(), bins.end(), filled);
  const auto last = std::find_if(bins.rbegin(), bins.rend(), filled).base();
  target->set_first_bin(static_cast<int32_t>(first - bins.begin() - Sketch::kHalfBins));
  for (auto it = first; it < last; ++it) target->add_counts(*it);
}

[[noreturn]] void throw_damaged(const std::string& place, const std::string& received) {
  throw_error(Category::kData, place, "the file must be an undamaged calibration table", received,
              "calibrate again with limbeck calibrate");
}

bool is_range(double low, double high) {
  return std::isfinite(low) && std::isfinite(high) && low <= high;
}

std::vector<uint64_t> read_bins(const proto::TensorSketch& source, const std::string& place) {
  const int64_t first = int64_t{source.first_bin()} + Sketch::kHalfBins;
  if (first < 0 || first + source.counts_size() > kBins)
    throw_damaged(place, "bins outside the grid");
  uint64_t free = std::numeric_limits<int64_t>::max();
  for (const uint64_t count : source.counts()) {
    if (count > free) throw_damaged(place, "more values than can be counted");
    free -= count;
  }
  if (free == std::numeric_limits<int64_t>::max()) throw_damaged(place, "no values");
  std::vector<uint64_t> bins(static_cast<size_t>(kBins), 0);
  std::copy(source.counts().begin(), source.counts().end(), bins.begin() + first);
  return bins;
}

Sketch read_sketch(const proto::TensorSketch& source, const std::string& place) {
  if (source.exponent() < Sketch::kSmallestExponent || source.exponent() > Sketch::kLargestExponent)
    throw_damaged(place, "bins of the width 2^" + std::to_string(source.exponent()));
  if (!is_range(source.min(), source.max()) ||
      !is_range(source.average_min(), source.average_max()))
    throw_damaged(place, "extremes that are no range");
  return Sketch::restore(source.exponent(), source.min(), source.max(), source.average_min(),
                         source.average_max(), read_bins(source, place));
}

/// The table's message, once version and checksum are right.
proto::CalibrationTable open_envelope(const std::string& bytes, const std::string& place) {
  proto::CalibrationFile file;
  if (!file.ParseFromString(bytes)) throw_damaged(place, "bytes that do not parse");
  if (file.version() > kTableVersion) {
    throw_error(Category::kData, place,
                "a calibration table must be of version 1, the newest that this limbeck knows",
                "version " + std::to_string(file.version()),
                "use a newer limbeck, or calibrate again with this one");
  }
  if (file.version() == 0) throw_damaged(place, "bytes without a version");
  if (sha256(file.table()) != file.sha256()) throw_damaged(place, "a checksum that does not match");
  proto::CalibrationTable table;
  if (!table.ParseFromString(file.table())) throw_damaged(place, "bytes that do not parse");
  return table;
}

}  // namespace

std::string encode_table(const CalibrationTable& table) {
  proto::CalibrationTable message;
  message.set_model_hash(table.model_hash);
  message.set_data_hash(table.data_hash);
  message.set_samples(table.samples);
  message.set_seed(table.seed);
  for (const auto& [name, sketch] : table.tensors)
    write_sketch(name, sketch, message.add_tensors());
  for (const auto& [name, values] : table.means) {
    proto::ChannelMeans* means = message.add_means();
    means->set_name(name);
    means->mutable_values()->Add(values.begin(), values.end());
  }
  proto::CalibrationFile file;
  file.set_version(kTableVersion);
  file.set_table(message.SerializeAsString());
  file.set_sha256(sha256(file.table()));
  return file.SerializeAsString();
}

void save_table(const CalibrationTable& table, const std::filesystem::path& path) {
  write_file_atomically(path, encode_table(table));
}

CalibrationTable decode_table(const std::string& bytes, const std::string& origin) {
  const proto::CalibrationTable message = open_envelope(bytes, origin);
  CalibrationTable table;
  table.model_hash = message.model_hash();
  table.data_hash = message.data_hash();
  table.samples = message.samples();
  table.seed = message.seed();
  for (const auto& sketch : message.tensors()) {
    const std::string place = origin + ": tensor '" + sketch.name() + "'";
    if (!table.tensors.emplace(sketch.name(), read_sketch(sketch, place)).second)
      throw_damaged(place, "two sketches");
  }
  for (const auto& means : message.means()) {
    const bool finite = std::all_of(means.values().begin(), means.values().end(),
                                    [](double mean) { return std::isfinite(mean); });
    if (!finite)
      throw_damaged(origin + ": tensor '" + means.name() + "'", "means that are no numbers");
    table.means[means.name()].assign(means.values().begin(), means.values().end());
  }
  return table;
}

CalibrationTable load_table(const std::filesystem::path& path) {
  return decode_table(read_file(path), path.string());
}

void require_model(const CalibrationTable& table, const std::string& model_hash,
                   const std::filesystem::path& table_path) {
  if (table.model_hash == model_hash) return;
  throw_error(Category::kUsage, table_path.string(),
              "a calibration table belongs to the model it was made from",
              "a table of model " + table.model_hash.substr(0, 12) + " for model " +
                  model_hash.substr(0, 12),
              "calibrate this model with limbeck calibrate");
}

}  // namespace limbeck
