// Jobs of several processes over MPI. No other folder calls it.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <thread>

#include "lib/base/error.h"
#include "lib/base/progress.h"
#include "lib/distributed/launcher.h"
#include "lib/distributed/mpi_calls.h"
#include "lib/distributed/world.h"

namespace limbeck {

void throw_lost_rank(const std::string& received) {
  throw_error(Category::kInterrupted, "limbeck",
              "every rank must go on until the job is done, and mpirun stops all when one ends",
              received, "see the messages of mpirun and of the other ranks, and start again");
}

void check_mpi(int result) {
  if (result == MPI_SUCCESS) return;
  std::string text(MPI_MAX_ERROR_STRING, '\0');
  int length = 0;
  MPI_Error_string(result, text.data(), &length);
  text.resize(static_cast<size_t>(length));
  throw_lost_rank(text);
}

void pause_briefly() {
  if (interrupted()) throw_lost_rank("a signal");
  std::this_thread::sleep_for(std::chrono::microseconds(50));
}

void exit_interrupted(int rank) {
  if (rank != 0) std::this_thread::sleep_for(std::chrono::seconds(2));
  std::_Exit(exit_code(Category::kInterrupted));
}

namespace {

bool completed(MPI_Request& request) {
  const InsideMpi inside;
  int complete = 0;
  check_mpi(MPI_Test(&request, &complete, MPI_STATUS_IGNORE));
  return complete != 0;
}

}  // namespace

void wait_for(MPI_Request& request) {
  for (;;) {
    if (completed(request)) return;
    pause_briefly();
  }
}

namespace {

/// Most bytes in one call: counts are int.
constexpr size_t kMostAtOnce = size_t{1} << 30;

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator() {
    int provided = 0;
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided));
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &comm_));
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &leaving_));
    for (MPI_Comm comm : {comm_, leaving_}) MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    check_mpi(MPI_Comm_rank(comm_, &rank_));
    check_mpi(MPI_Comm_size(comm_, &size_));
    MPI_Comm machine = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine));
    check_mpi(MPI_Comm_size(machine, &ranks_here_));
    check_mpi(MPI_Comm_free(&machine));
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int ranks_here() const override { return ranks_here_; }

  std::string broadcast(const std::string& bytes) override {
    uint64_t length = bytes.size();
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibcast(&length, 1, MPI_UINT64_T, 0, comm_, &request));
    wait_for(request);
    std::string result = rank_ == 0 ? bytes : std::string(length, '\0');
    for (size_t at = 0; at < length; at += kMostAtOnce) {
      const auto count = static_cast<int>(std::min<size_t>(kMostAtOnce, length - at));
      check_mpi(MPI_Ibcast(result.data() + at, count, MPI_BYTE, 0, comm_, &request));
      wait_for(request);
    }
    return result;
  }

  std::vector<std::string> gather_all(const std::string& mine) override {
    return gathered(mine, true);
  }
  std::vector<std::string> gather(const std::string& mine) override {
    return gathered(mine, false);
  }

  std::unique_ptr<OrderedSum> start_sum(const std::vector<size_t>& pieces) override {
    return mpi_sum(comm_, pieces);
  }

  int leave(int code, const std::string& message);

 private:
  std::vector<std::string> gathered(const std::string& mine, bool everywhere) const {
    const auto ranks = static_cast<size_t>(size_);
    std::vector<uint64_t> sizes(ranks);
    const uint64_t own = mine.size();
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(
        MPI_Iallgather(&own, 1, MPI_UINT64_T, sizes.data(), 1, MPI_UINT64_T, comm_, &request));
    wait_for(request);
    std::vector<int> counts;
    std::vector<int> starts;
    uint64_t total = 0;
    for (const uint64_t size : sizes) {
      starts.push_back(static_cast<int>(total));
      counts.push_back(static_cast<int>(size));
      total += size;
      if (total <= std::numeric_limits<int>::max()) continue;
      throw_error(Category::kUnsupported, "ranks", "one exchange must stay below 2 GiB",
                  std::to_string(total) + " bytes", "use fewer ranks, or a smaller model");
    }
    const bool takes = everywhere || rank_ == 0;
    std::string all(takes ? total : 0, '\0');
    if (everywhere) {
      check_mpi(MPI_Iallgatherv(mine.data(), static_cast<int>(own), MPI_BYTE, all.data(),
                                counts.data(), starts.data(), MPI_BYTE, comm_, &request));
    } else {
      check_mpi(MPI_Igatherv(mine.data(), static_cast<int>(own), MPI_BYTE, all.data(),
                             counts.data(), starts.data(), MPI_BYTE, 0, comm_, &request));
    }
    wait_for(request);
    std::vector<std::string> result;
    for (size_t rank = 0; takes && rank < ranks; ++rank)
      result.push_back(all.substr(static_cast<size_t>(starts[rank]), sizes[rank]));
    return result;
  }

  /// The exit codes of all ranks once all have come to their end; empty when some do not.
  std::vector<int> codes_of_all(int code) const;

  MPI_Comm comm_ = MPI_COMM_NULL;
  /// For the end alone: other ranks may be anywhere in what they tell each other.
  MPI_Comm leaving_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  int ranks_here_ = 1;
};

MpiCommunicator*& joined() {
  static MpiCommunicator* communicator = nullptr;
  return communicator;
}

std::vector<int> MpiCommunicator::codes_of_all(int code) const {
  // Long enough for a failure that all ranks share to come up on each of them.
  constexpr auto kPatience = std::chrono::seconds(2);
  const auto start = std::chrono::steady_clock::now();
  // Never freed where they are left to MPI unfinished.
  auto* codes = new std::vector<int>(static_cast<size_t>(size_));
  auto* own = new int(code);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallgather(own, 1, MPI_INT, codes->data(), 1, MPI_INT, leaving_, &request));
  for (int complete = 0;;) {
    check_mpi(MPI_Test(&request, &complete, MPI_STATUS_IGNORE));
    if (complete != 0) return *codes;
    if (code != 0 && std::chrono::steady_clock::now() - start > kPatience) return {};
    pause_briefly();
  }
}

int MpiCommunicator::leave(int code, const std::string& message) {
  const auto tell = [&] {
    const std::string who = rank_ == 0 ? "" : "rank " + std::to_string(rank_) + ": ";
    if (!message.empty()) std::cerr << who << message << std::endl;
  };
  if (rank_ == 0) tell();
  std::cout.flush();
  // mpirun is ending the job, or will: a rank that exits in this way ends it.
  if (code == exit_code(Category::kInterrupted)) exit_interrupted(rank_);
  try {
    const std::vector<int> codes = codes_of_all(code);
    if (codes.empty()) {
      if (rank_ != 0) tell();
      MPI_Abort(MPI_COMM_WORLD, code);
    } else if (rank_ != 0 && codes.front() != code) {
      tell();
    }
  } catch (const Error&) {
    if (code != 0) std::_Exit(code);
    exit_interrupted(rank_);  // a signal while the others were awaited
  }
  MPI_Finalize();
  return code;
}

}  // namespace

Communicator& world() {
  static const std::unique_ptr<Communicator> ranks = []() -> std::unique_ptr<Communicator> {
    if (!has_launcher()) return local_communicator();
    auto communicator = std::make_unique<MpiCommunicator>();
    joined() = communicator.get();
    return communicator;
  }();
  return *ranks;
}

bool built_with_mpi() { return true; }

int leave_world(int code, const std::string& message) {
  if (joined() != nullptr) return joined()->leave(code, message);
  if (!message.empty()) std::cerr << message << "\n";
  return code;
}

}  // namespace limbeck
