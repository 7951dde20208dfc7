// Shards on several ranks: gradients travel while later ones are computed.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <utility>

#include "lib/autodiff/shards.h"
#include "lib/base/ordered_run.h"
#include "lib/ops/dropout_training.h"

namespace limbeck {
namespace {

/// Elements that travel together, about: few enough to begin early, enough to be worth a message.
constexpr size_t kPieceElements = size_t{1} << 16;

/// Parameters whose gradients travel as one piece, in the order of completion.
struct Piece {
  std::vector<size_t> parameters;
  size_t elements = 0;
};

std::vector<Piece> cut_pieces(const Tape& tape) {
  std::vector<Piece> pieces;
  for (const size_t parameter : tape.completion_order()) {
    if (pieces.empty() || pieces.back().elements >= kPieceElements) pieces.emplace_back();
    pieces.back().parameters.push_back(parameter);
    pieces.back().elements += static_cast<size_t>(tape.parameters()[parameter].initial.count());
  }
  return pieces;
}

void add_to(std::span<float> sum, std::span<const float> part) {
  for (size_t i = 0; i < part.size(); ++i) sum[i] += part[i];
}

/// Gradients of the own shards as they are completed by the threads that compute them.
class Arrivals {
 public:
  Arrivals(const std::vector<Piece>& pieces, size_t shards, size_t parameters)
      : pieces_(pieces),
        piece_of_(parameters),
        missing_(pieces.size()),
        gradients_(shards, std::vector<Tensor>(parameters)) {
    for (size_t i = 0; i < pieces.size(); ++i) {
      missing_[i] = pieces[i].parameters.size() * shards;
      for (const size_t parameter : pieces[i].parameters) piece_of_[parameter] = i;
    }
  }

  void arrive(size_t shard, size_t parameter, Tensor gradient) {
    const std::lock_guard lock(mutex_);
    gradients_[shard][parameter] = std::move(gradient);
    if (--missing_[piece_of_[parameter]] == 0) changed_.notify_all();
  }

  /// No more will come: all is there, or a shard has failed.
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  /// Waits a moment for a piece of all own shards.
  bool wait(size_t piece) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(1),
                             [&] { return ended_ || missing_[piece] == 0; });
  }

  bool whole(size_t piece) {
    const std::lock_guard lock(mutex_);
    return missing_[piece] == 0;
  }

  /// Adds a piece of all own shards, in their order. Once it is there.
  void add(size_t piece, std::span<float> sum) {
    for (std::vector<Tensor>& shard : gradients_) {
      size_t at = 0;
      for (const size_t parameter : pieces_[piece].parameters) {
        Tensor& gradient = shard[parameter];
        add_to(sum.subspan(at), gradient.as<float>());
        at += static_cast<size_t>(gradient.count());
        gradient = {};
      }
    }
  }

 private:
  const std::vector<Piece>& pieces_;
  std::vector<size_t> piece_of_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<size_t> missing_;  ///< by piece
  bool ended_ = false;
  std::vector<std::vector<Tensor>> gradients_;  ///< by shard, then by parameter
};

std::vector<size_t> sizes_of(const std::vector<Piece>& pieces) {
  std::vector<size_t> sizes;
  sizes.reserve(pieces.size());
  for (const Piece& piece : pieces) sizes.push_back(piece.elements);
  return sizes;
}

std::vector<Tensor> unpacked(const Tape& tape, const std::vector<Piece>& pieces,
                             const OrderedSum& sum) {
  std::vector<Tensor> tensors(tape.parameters().size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    const float* from = sum.total(i).data();
    for (const size_t parameter : pieces[i].parameters) {
      Tensor tensor =
          Tensor::allocate(DataType::kFloat, tape.parameters()[parameter].initial.dims());
      const auto to = tensor.mutable_as<float>();
      std::copy(from, from + to.size(), to.begin());
      from += to.size();
      tensors[parameter] = std::move(tensor);
    }
  }
  return tensors;
}

}  // namespace

ShardedGradients run_shards(const Tape& tape, std::span<const Tensor> parameters,
                            const std::vector<std::vector<Tensor>>& shards, uint64_t seed,
                            const ShardLoss& loss, int threads, const RankShards& own) {
  if (own.ranks == nullptr) return run_shards(tape, parameters, shards, seed, loss, threads);
  const std::vector<Piece> pieces = cut_pieces(tape);
  const std::unique_ptr<OrderedSum> sum = own.ranks->start_sum(sizes_of(pieces));
  Arrivals arrivals(pieces, shards.size(), parameters.size());
  ShardedGradients result;
  result.statistics.resize(shards.size());
  const auto compute = [&](int64_t index) {
    const auto i = static_cast<size_t>(index);
    Pass pass = tape.forward(parameters, shards[i], derived_seed(seed, own.first + i));
    const std::vector<Tensor> dy = loss(i, pass);
    result.statistics[i] = std::move(pass.statistics);
    tape.backward(std::move(pass), dy, [&](size_t parameter, const Tensor& gradient) {
      arrivals.arrive(i, parameter, gradient);
    });
  };
  // This thread looks after what travels, others compute.
  auto computed = std::async(std::launch::async, [&] {
    try {
      run_in_order(static_cast<int64_t>(shards.size()), std::max(1, threads), compute,
                   [](int64_t) {});
    } catch (...) {
      arrivals.end();
      throw;
    }
    arrivals.end();
  });
  for (size_t piece = 0; piece < pieces.size(); ++piece) {
    while (!arrivals.wait(piece)) sum->progress();
    if (!arrivals.whole(piece)) computed.get();  // raises what stopped the computation
    sum->put(piece, [&arrivals, piece](std::span<float> total) { arrivals.add(piece, total); });
    sum->progress();
  }
  computed.get();
  sum->finish();
  result.parameters = unpacked(tape, pieces, *sum);
  return result;
}

std::vector<Tensor> sum_over_ranks(Communicator& ranks,
                                   const std::vector<std::vector<Tensor>>& shards) {
  std::vector<size_t> sizes;
  for (const Tensor& tensor : shards.front()) sizes.push_back(static_cast<size_t>(tensor.count()));
  const std::unique_ptr<OrderedSum> sum = ranks.start_sum(sizes);
  for (size_t i = 0; i < sizes.size(); ++i) {
    sum->put(i, [&shards, i](std::span<float> total) {
      for (const auto& shard : shards) add_to(total, shard[i].as<float>());
    });
  }
  sum->finish();
  std::vector<Tensor> result;
  for (size_t i = 0; i < sizes.size(); ++i) {
    result.push_back(Tensor::allocate(DataType::kFloat, shards.front()[i].dims()));
    const auto total = sum->total(i);
    std::copy(total.begin(), total.end(), result.back().mutable_as<float>().begin());
  }
  return result;
}

}  // namespace limbeck
