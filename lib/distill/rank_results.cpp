#include "lib/distill/rank_results.h"

#include <cstring>
#include <string>

#include "lib/base/error.h"

namespace limbeck {
namespace {

void put(std::string& bytes, const void* data, size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}

std::string packed(const std::vector<ShardReport>& reports) {
  std::string bytes;
  for (const ShardReport& report : reports) {
    put(bytes, &report.loss, sizeof(double));
    put(bytes, report.terms.data(), report.terms.size() * sizeof(double));
    for (const BatchStatistics& site : report.statistics) {
      put(bytes, site.mean.raw(), site.mean.bytes());
      put(bytes, site.variance.raw(), site.variance.bytes());
      put(bytes, &site.count, sizeof(site.count));
    }
  }
  return bytes;
}

/// Takes values off the front of what another rank has sent.
class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}
  bool empty() const { return at_ == bytes_.size(); }
  void take(void* target, size_t size) {
    if (size > bytes_.size() - at_) {
      throw_error(Category::kInternal, "training", "ranks must send reports of the same size",
                  std::to_string(bytes_.size()) + " bytes", "report this bug with the command");
    }
    if (size > 0) std::memcpy(target, bytes_.data() + at_, size);
    at_ += size;
  }
  Tensor take_like(const Tensor& like) {
    Tensor tensor = Tensor::allocate(like.type(), like.dims());
    take(tensor.mutable_raw(), tensor.bytes());
    return tensor;
  }

 private:
  const std::string& bytes_;
  size_t at_ = 0;
};

ShardReport take_report(Reader& reader, const ShardReport& like) {
  ShardReport report;
  reader.take(&report.loss, sizeof(double));
  report.terms.resize(like.terms.size());
  reader.take(report.terms.data(), report.terms.size() * sizeof(double));
  for (const BatchStatistics& site : like.statistics) {
    BatchStatistics taken;
    taken.mean = reader.take_like(site.mean);
    taken.variance = reader.take_like(site.variance);
    reader.take(&taken.count, sizeof(taken.count));
    report.statistics.push_back(std::move(taken));
  }
  return report;
}

}  // namespace

std::vector<ShardReport> reports_of_all(Communicator& ranks, const std::vector<ShardReport>& own) {
  std::vector<ShardReport> all;
  for (const std::string& bytes : ranks.gather_all(packed(own))) {
    Reader reader(bytes);
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
    if (const std::optional<double> score = measure()) put(bytes, &*score, sizeof(double));
  }
  bytes = ranks.broadcast(bytes);
  if (bytes.empty()) return std::nullopt;
  double score = 0;
  Reader(bytes).take(&score, sizeof(double));
  return score;
}

std::string first_text(Communicator& ranks, const std::string& own) {
  for (std::string& text : ranks.gather_all(own)) {
    if (!text.empty()) return std::move(text);
  }
  return "";
}

}  // namespace limbeck
