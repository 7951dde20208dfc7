#include <algorithm>

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
  target->set_average_min(sketch.average_min());
  target->set_average_max(sketch.average_max());
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

Sketch read_sketch(const proto::TensorSketch& source, const std::string& place) {
  const int64_t first = int64_t{source.first_bin()} + Sketch::kHalfBins;
  if (first < 0 || first + source.counts_size() > kBins)
    throw_damaged(place, "bins outside the grid");
  std::vector<uint64_t> bins(static_cast<size_t>(kBins), 0);
  std::copy(source.counts().begin(), source.counts().end(), bins.begin() + first);
  return Sketch::restore(source.exponent(), source.min(), source.max(), source.average_min(),
                         source.average_max(), std::move(bins));
}

}  // namespace

void save_table(const CalibrationTable& table, const std::filesystem::path& path) {
  proto::CalibrationTable message;
  message.set_version(kTableVersion);
  message.set_model_hash(table.model_hash);
  message.set_data_hash(table.data_hash);
  message.set_samples(table.samples);
  message.set_seed(table.seed);
  for (const auto& [name, sketch] : table.tensors)
    write_sketch(name, sketch, message.add_tensors());
  write_file_atomically(path, message.SerializeAsString());
}

CalibrationTable load_table(const std::filesystem::path& path) {
  proto::CalibrationTable message;
  if (!message.ParseFromString(read_file(path)))
    throw_damaged(path.string(), "bytes that do not parse");
  if (message.version() != kTableVersion) {
    throw_damaged(path.string(),
                  "version " + std::to_string(message.version()) + " where 1 is known");
  }
  CalibrationTable table;
  table.model_hash = message.model_hash();
  table.data_hash = message.data_hash();
  table.samples = message.samples();
  table.seed = message.seed();
  for (const auto& sketch : message.tensors()) {
    table.tensors[sketch.name()] =
        read_sketch(sketch, path.string() + ": tensor '" + sketch.name() + "'");
  }
  return table;
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
