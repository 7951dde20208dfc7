#include "calibration/rank_rounds.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "lib/base/error.h"
#include "lib/distributed/packed_bytes.h"

namespace limbeck {
namespace {

/// Most micro-batches of a rank in one round: memory does not grow with the data.
constexpr int64_t kLongestRound = 32;

template <typename T>
void put(std::string& bytes, const std::vector<T>& values) {
  put_value<uint64_t>(bytes, values.size());
  put_values(bytes, values);
}

template <typename T>
std::vector<T> take(PackedReader& reader) {
  const auto count = reader.take_value<uint64_t>();
  return reader.take_values<T>(count);
}

void put(std::string& bytes, const Partial& partial) {
  put_value<int64_t>(bytes, partial.samples);
  put_value<uint64_t>(bytes, partial.extremes.size());
  for (const auto& extremes : partial.extremes) put(bytes, extremes);
  for (const auto& sums : partial.sums) put(bytes, sums);
}

Partial take_partial(PackedReader& reader) {
  Partial partial;
  partial.samples = reader.take_value<int64_t>();
  const auto tensors = reader.take_value<uint64_t>();
  for (uint64_t i = 0; i < tensors; ++i) partial.extremes.push_back(take<Extremes>(reader));
  for (uint64_t i = 0; i < tensors; ++i) partial.sums.push_back(take<double>(reader));
  return partial;
}

std::string text_of(const ErrorInfo& info) {
  // Names in files need not be UTF-8.
  return nlohmann::json(
             {exit_code(info.category), info.place, info.rule, info.received, info.next_step})
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

[[noreturn]] void throw_again(const std::string& text) {
  const auto info = nlohmann::json::parse(text);
  throw_error(static_cast<Category>(info.at(0).get<int>()), info.at(1), info.at(2), info.at(3),
              info.at(4));
}

/// What `work` raised, or nothing; a signal passes through.
std::optional<ErrorInfo> failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.category() == Category::kInterrupted) throw;
    return error.info();
  }
  return std::nullopt;
}

}  // namespace

void map_samples_on_ranks(Communicator& ranks, const Dataset& dataset,
                          std::span<const int64_t> order, const StreamOptions& options,
                          const std::function<Partial(const Batch&)>& map,
                          const std::function<void(Partial&)>& reduce) {
  const auto total = static_cast<int64_t>(order.size());
  const int64_t count = (total + options.micro_batch - 1) / options.micro_batch;
  const int64_t even = (count + ranks.size() - 1) / ranks.size();
  const int64_t length = std::clamp<int64_t>(even, 1, kLongestRound);
  for (int64_t round = 0; round < count; round += length * ranks.size()) {
    const auto sample = [&](int64_t micro_batch) {
      return static_cast<size_t>(std::min(total, micro_batch * options.micro_batch));
    };
    const size_t first = sample(round + ranks.rank() * length);
    const size_t last = sample(round + (ranks.rank() + 1) * length);
    std::string bytes;
    const auto failure = failure_of([&] {
      map_samples<Partial>(dataset, order.subspan(first, last - first), options, map,
                           [&](Partial& partial) { put(bytes, partial); });
    });
    for (const std::string& text : ranks.gather_all(failure ? text_of(*failure) : ""))
      if (!text.empty()) throw_again(text);
    for (const std::string& part : ranks.gather(bytes)) {
      for (PackedReader reader(part); !reader.empty();) {
        Partial partial = take_partial(reader);
        reduce(partial);
      }
    }
  }
}

}  // namespace limbeck
