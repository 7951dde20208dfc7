#include "lib/distill/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "checkpoint.pb.h"
#include "lib/base/error.h"
#include "lib/base/file.h"

namespace limbeck {
namespace {

constexpr uint32_t kCheckpointVersion = 1;
static_assert(std::endian::native == std::endian::little,
              "values are stored as they lie in memory");

using StoredTensors = google::protobuf::RepeatedPtrField<proto::StoredTensor>;

void write_tensors(const std::vector<Tensor>& tensors, StoredTensors* target) {
  for (const Tensor& tensor : tensors) {
    proto::StoredTensor* stored = target->Add();
    stored->mutable_dims()->Add(tensor.dims().begin(), tensor.dims().end());
    stored->set_values(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
  }
}

void write_sums(const LogSums& sums, proto::LogSums* target) {
  target->set_steps(sums.steps);
  target->set_loss(sums.loss);
  target->mutable_terms()->Add(sums.terms.begin(), sums.terms.end());
  target->set_gradient_norm(sums.gradient_norm);
}

LogSums read_sums(const proto::LogSums& source) {
  return {source.steps(),
          source.loss(),
          {source.terms().begin(), source.terms().end()},
          source.gradient_norm()};
}

[[noreturn]] void throw_damaged(const std::string& place, const std::string& received) {
  throw_error(Category::kData, place, "the file must be an undamaged checkpoint", received,
              "delete it and train from the start");
}

/// Tensors with the shapes of `like`.
std::vector<Tensor> read_tensors(const StoredTensors& source, const std::vector<Tensor>& like,
                                 const std::string& place) {
  std::vector<Tensor> tensors;
  if (source.size() != static_cast<int>(like.size()))
    throw_damaged(place, std::to_string(source.size()) + " tensors for " +
                             std::to_string(like.size()) + " of the student");
  for (const proto::StoredTensor& stored : source) {
    const Tensor& wanted = like[tensors.size()];
    const bool fits = std::equal(stored.dims().begin(), stored.dims().end(), wanted.dims().begin(),
                                 wanted.dims().end()) &&
                      stored.values().size() == wanted.bytes();
    if (!fits) throw_damaged(place, "a tensor of another shape");
    Tensor tensor = Tensor::allocate(DataType::kFloat, wanted.dims());
    if (tensor.bytes() > 0)
      std::memcpy(tensor.mutable_raw(), stored.values().data(), tensor.bytes());
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

/// The message, once version and checksum are right.
proto::Checkpoint open_envelope(const std::string& bytes, const std::string& place) {
  proto::CheckpointFile file;
  if (!file.ParseFromString(bytes)) throw_damaged(place, "bytes that do not parse");
  if (file.version() > kCheckpointVersion) {
    throw_error(Category::kData, place,
                "a checkpoint must be of version 1, the newest that this limbeck knows",
                "version " + std::to_string(file.version()),
                "use the limbeck that wrote it, or train from the start");
  }
  if (file.version() == 0) throw_damaged(place, "bytes without a version");
  if (sha256(file.checkpoint()) != file.sha256())
    throw_damaged(place, "a checksum that does not match");
  proto::Checkpoint checkpoint;
  if (!checkpoint.ParseFromString(file.checkpoint()))
    throw_damaged(place, "bytes that do not parse");
  return checkpoint;
}

void require_same(const std::string& what, const std::string& stored, const std::string& wanted,
                  const std::string& place) {
  if (stored == wanted) return;
  const auto shown = [](const std::string& hash) {
    constexpr size_t kDigits = 64;
    // Behind the digits of SHA-256 stands what else must agree, such as " cached".
    return hash.empty() ? std::string("none")
                        : hash.substr(0, 12) + (hash.size() > kDigits ? hash.substr(kDigits) : "");
  };
  throw_error(Category::kUsage, place,
              "a run goes on with the " + what + " that it began with, " + shown(stored),
              shown(wanted),
              "give the same recipe, models and data, or delete the checkpoint to start anew");
}

void require_identity(const proto::Checkpoint& checkpoint, const TrainIdentity& identity,
                      const std::string& place) {
  require_same("recipe", checkpoint.recipe_hash(), identity.recipe, place);
  require_same("teacher", checkpoint.teacher_hash(), identity.teacher, place);
  require_same("student", checkpoint.student_hash(), identity.student, place);
  require_same("data", checkpoint.data_hash(), identity.data, place);
}

void check_counts(const proto::Checkpoint& checkpoint, const std::string& place) {
  const bool whole = checkpoint.step() >= 0 && checkpoint.epochs() >= 0 &&
                     checkpoint.optimizer_steps() >= 0 && checkpoint.average_steps() >= 0 &&
                     checkpoint.best_epoch() >= 0 && checkpoint.group().steps() >= 0 &&
                     checkpoint.epoch().steps() >= 0 && std::isfinite(checkpoint.best_score());
  if (!whole) throw_damaged(place, "counts below zero");
}

}  // namespace

std::string encode_checkpoint(const TrainState& state, const TrainIdentity& identity,
                              const std::string& place) {
  proto::Checkpoint message;
  message.set_recipe_hash(identity.recipe);
  message.set_teacher_hash(identity.teacher);
  message.set_student_hash(identity.student);
  message.set_data_hash(identity.data);
  message.set_step(state.step);
  message.set_epochs(state.epochs);
  write_tensors(state.values, message.mutable_values());
  write_tensors(state.statistics, message.mutable_statistics());
  message.set_optimizer_steps(state.optimizer.steps);
  write_tensors(state.optimizer.first, message.mutable_first());
  write_tensors(state.optimizer.second, message.mutable_second());
  message.set_average_steps(state.average.steps);
  write_tensors(state.average.values, message.mutable_average());
  write_tensors(state.best, message.mutable_best());
  message.set_best_score(state.best_score);
  message.set_best_epoch(state.best_epoch);
  message.set_stopped(state.stopped);
  write_sums(state.group, message.mutable_group());
  write_sums(state.epoch, message.mutable_epoch());
  message.set_log_bytes(state.log_bytes);
  constexpr size_t kEnvelope = 1024;
  if (message.ByteSizeLong() > std::numeric_limits<int32_t>::max() - kEnvelope) {
    throw_error(Category::kUnsupported, place, "a checkpoint must stay below 2 GiB",
                std::to_string(message.ByteSizeLong()) + " bytes",
                "train fewer weights with `trainable`, or a smaller student");
  }
  proto::CheckpointFile file;
  file.set_version(kCheckpointVersion);
  file.set_checkpoint(message.SerializeAsString());
  file.set_sha256(sha256(file.checkpoint()));
  return file.SerializeAsString();
}

TrainState decode_checkpoint(const std::string& bytes, const TrainIdentity& identity,
                             const TrainState& initial, const std::string& place) {
  const proto::Checkpoint message = open_envelope(bytes, place);
  require_identity(message, identity, place);
  check_counts(message, place);
  const auto tensors = [&](const StoredTensors& source, const std::vector<Tensor>& like) {
    return read_tensors(source, like, place);
  };
  TrainState state;
  state.step = message.step();
  state.epochs = message.epochs();
  state.values = tensors(message.values(), initial.values);
  state.statistics = tensors(message.statistics(), initial.statistics);
  state.optimizer.steps = message.optimizer_steps();
  state.optimizer.first = tensors(message.first(), initial.optimizer.first);
  state.optimizer.second = tensors(message.second(), initial.optimizer.second);
  state.average.steps = message.average_steps();
  state.average.values = tensors(message.average(), initial.average.values);
  state.best = tensors(message.best(), initial.best);
  state.best_score = message.best_score();
  state.best_epoch = message.best_epoch();
  state.stopped = message.stopped();
  state.group = read_sums(message.group());
  state.epoch = read_sums(message.epoch());
  state.log_bytes = message.log_bytes();
  return state;
}

void save_checkpoint(const TrainState& state, const TrainIdentity& identity,
                     const std::filesystem::path& path) {
  write_file_atomically(path, encode_checkpoint(state, identity, path.string()));
}

TrainState load_checkpoint(const std::filesystem::path& path, const TrainIdentity& identity,
                           const TrainState& initial) {
  return decode_checkpoint(read_file(path), identity, initial, path.string());
}

}  // namespace limbeck
