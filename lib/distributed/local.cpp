// A job of one process.
#include "lib/base/error.h"
#include "lib/distributed/communicator.h"

namespace limbeck {
namespace {

class LocalSum final : public OrderedSum {
 public:
  explicit LocalSum(const std::vector<size_t>& pieces) {
    for (const size_t size : pieces) totals_.emplace_back(size, -0.0F);
  }
  void put(size_t piece, Add add) override { add(totals_.at(piece)); }
  void progress() override {}
  void finish() override {}
  std::span<const float> total(size_t piece) const override { return totals_.at(piece); }

 private:
  std::vector<std::vector<float>> totals_;
};

class LocalCommunicator final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int ranks_here() const override { return 1; }
  std::string broadcast(const std::string& bytes) override { return bytes; }
  std::vector<std::string> gather_all(const std::string& mine) override { return {mine}; }
  std::vector<std::string> gather(const std::string& mine) override { return {mine}; }
  std::unique_ptr<OrderedSum> start_sum(const std::vector<size_t>& pieces) override {
    return std::make_unique<LocalSum>(pieces);
  }
};

}  // namespace

std::unique_ptr<Communicator> local_communicator() { return std::make_unique<LocalCommunicator>(); }

void require_agreement(Communicator& ranks, const std::string& what, const std::string& value) {
  const std::vector<std::string> values = ranks.gather_all(value);
  for (size_t rank = 0; rank < values.size(); ++rank) {
    if (values[rank] == values.front()) continue;
    throw_error(Category::kUsage, "rank " + std::to_string(rank),
                what + " must be the same on every rank, " + values.front(), values[rank],
                "give every machine the same files and the same limbeck");
  }
}

}  // namespace limbeck
