#include "lib/distill/rank_results.h"

#include <string>

#include "lib/distributed/packed_bytes.h"

namespace limbeck {
namespace {

std::string packed(const std::vector<ShardReport>& reports) {
  std::string bytes;
  for (const ShardReport& report : reports) {
    put_value(bytes, report.loss);
    put_values(bytes, report.terms);
    for (const BatchStatistics& site : report.statistics) {
      put_bytes(bytes, site.mean.raw(), site.mean.bytes());
      put_bytes(bytes, site.variance.raw(), site.variance.bytes());
      put_value(bytes, site.count);
    }
  }
  return bytes;
}

Tensor take_like(PackedReader& reader, const Tensor& like) {
  Tensor tensor = Tensor::allocate(like.type(), like.dims());
  reader.take(tensor.mutable_raw(), tensor.bytes());
  return tensor;
}

ShardReport take_report(PackedReader& reader, const ShardReport& like) {
  ShardReport report;
  report.loss = reader.take_value<double>();
  report.terms = reader.take_values<double>(like.terms.size());
  for (const BatchStatistics& site : like.statistics) {
    BatchStatistics taken;
    taken.mean = take_like(reader, site.mean);
    taken.variance = take_like(reader, site.variance);
    reader.take(&taken.count, sizeof(taken.count));
    report.statistics.push_back(std::move(taken));
  }
  return report;
}

}  // namespace

std::vector<ShardReport> reports_of_all(Communicator& ranks, const std::vector<ShardReport>& own) {
  std::vector<ShardReport> all;
  for (const std::string& bytes : ranks.gather_all(packed(own))) {
    PackedReader reader(bytes);
    while (!reader.empty()) all.push_back(take_report(reader, own.front()));
  }
  return all;
}

void require_same_run(Communicator& ranks, const TrainIdentity& identity) {
  require_agreement(ranks, "the recipe", identity.recipe);
  require_agreement(ranks, "the teacher", identity.teacher);
  require_agreement(ranks, "the student", identity.student);
  require_agreement(ranks, "the training data", identity.data);
}

TrainState state_of_leader(Communicator& ranks, const TrainState& state,
                           const TrainIdentity& identity) {
  const std::string place = "the state of rank 0";
  const std::string own = ranks.leads() ? encode_checkpoint(state, identity, place) : "";
  const std::string sent = ranks.broadcast(own);
  return ranks.leads() ? state : decode_checkpoint(sent, identity, state, place);
}

std::optional<double> score_of_leader(Communicator& ranks,
                                      const std::function<std::optional<double>()>& measure) {
  std::string bytes;
  if (ranks.leads()) {
    if (const std::optional<double> score = measure()) put_value(bytes, *score);
  }
  bytes = ranks.broadcast(bytes);
  if (bytes.empty()) return std::nullopt;
  return PackedReader(bytes).take_value<double>();
}

std::string first_text(Communicator& ranks, const std::string& own) {
  for (std::string& text : ranks.gather_all(own)) {
    if (!text.empty()) return std::move(text);
  }
  return "";
}

}  // namespace limbeck
