// The processes of one job, its ranks, and what they tell each other.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace limbeck {

/// A sum over the ranks, cut into pieces that travel while others are still computed. Every rank
/// adds its part to the sum of the ranks before it, so the order of additions, and with it every
/// bit, is that of one process; the last rank's result is handed to all. A rank sends and receives
/// each piece about twice, however many parts it adds. Not thread-safe: one thread calls.
class OrderedSum {
 public:
  virtual ~OrderedSum() = default;
  /// Adds this rank's part to the sum of all before it, which starts at -0 (the neutral element:
  /// -0 + x is x, for a zero of either sign too).
  using Add = std::function<void(std::span<float> sum)>;
  /// This rank's part of a piece is ready. `add` is called once, during a later call of progress()
  /// or finish(). Every piece is put once, in any order; pieces travel in theirs.
  virtual void put(size_t piece, Add add) = 0;
  /// Lets pieces travel; returns at once. Raises kInterrupted when another rank is gone.
  virtual void progress() = 0;
  /// Waits until all pieces are there. Raises kInterrupted after a signal, or when another rank is
  /// gone.
  virtual void finish() = 0;
  /// The sum over all ranks, after finish(), while the object lives.
  virtual std::span<const float> total(size_t piece) const = 0;
};

/// Every rank calls the same functions in the same order, from its main thread; each call waits for
/// the other ranks, asleep, and raises kInterrupted after a signal or when one of them is gone.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;  ///< 0 to size() - 1
  virtual int size() const = 0;
  /// Ranks on this machine, this one included.
  virtual int ranks_here() const = 0;
  /// Rank 0's bytes, on all ranks.
  virtual std::string broadcast(const std::string& bytes) = 0;
  /// Every rank's bytes, by rank. Raises kUnsupported above 2 GiB together.
  virtual std::vector<std::string> gather_all(const std::string& mine) = 0;
  /// The same on rank 0; nothing on the others.
  virtual std::vector<std::string> gather(const std::string& mine) = 0;
  /// `pieces` holds the number of elements of each; the same on all ranks.
  virtual std::unique_ptr<OrderedSum> start_sum(const std::vector<size_t>& pieces) = 0;

  /// Whether this rank writes files and talks to the user.
  bool leads() const { return rank() == 0; }
};

/// One process alone.
std::unique_ptr<Communicator> local_communicator();

/// Whether `ranks` stands for more than one process; null stands for one.
inline bool many(const Communicator* ranks) { return ranks != nullptr && ranks->size() > 1; }

/// Units [first, last) of `count` that belong to a rank: whole, in order, as even as can be.
struct RankShare {
  size_t first = 0;
  size_t last = 0;
};
inline RankShare share_of(const Communicator& ranks, size_t count) {
  const auto rank = static_cast<size_t>(ranks.rank());
  const auto size = static_cast<size_t>(ranks.size());
  return {rank * count / size, (rank + 1) * count / size};
}

/// Raises kUsage on every rank unless all bring the same `value`. `what` names it, as in "the
/// training data".
void require_agreement(Communicator& ranks, const std::string& what, const std::string& value);

}  // namespace limbeck
