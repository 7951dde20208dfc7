// The ordered sum over MPI: a chain from rank to rank, then a broadcast from the last one.
#include <utility>

#include "lib/distributed/mpi_calls.h"

namespace limbeck {
namespace {

class MpiSum final : public OrderedSum {
 public:
  MpiSum(MPI_Comm comm, const std::vector<size_t>& pieces) : comm_(comm), pieces_(pieces.size()) {
    check_mpi(MPI_Comm_rank(comm, &rank_));
    check_mpi(MPI_Comm_size(comm, &size_));
    for (size_t i = 0; i < pieces.size(); ++i) {
      Piece& piece = pieces_[i];
      piece.sum.assign(pieces[i], -0.0F);
      if (!is_last()) piece.total.resize(pieces[i]);
      if (rank_ == 0) continue;
      check_mpi(MPI_Irecv(piece.sum.data(), count(piece), MPI_FLOAT, rank_ - 1, tag(i), comm_,
                          &piece.received));
    }
  }

  ~MpiSum() override {
    // Left early, by an error: MPI may still write into the buffers, and the job ends anyway.
    if (done()) return;
    // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): without memory the job ends as well
    static std::vector<std::vector<Piece>>& abandoned = *new std::vector<std::vector<Piece>>();
    abandoned.push_back(std::move(pieces_));
  }
  MpiSum(const MpiSum&) = delete;
  MpiSum& operator=(const MpiSum&) = delete;

  void put(size_t piece, Add add) override { pieces_.at(piece).add = std::move(add); }

  void progress() override {
    const InsideMpi inside;
    while (next_ < pieces_.size() && forward(next_)) ++next_;
    for (size_t i = first_open_; i < next_; ++i) {
      test(pieces_[i].sent);
      test(pieces_[i].spread);
      if (i == first_open_ && pieces_[i].closed()) ++first_open_;
    }
  }

  void finish() override {
    for (progress(); !done(); progress()) pause_briefly();
  }

  std::span<const float> total(size_t piece) const override {
    return is_last() ? pieces_.at(piece).sum : pieces_.at(piece).total;
  }

 private:
  struct Piece {
    std::vector<float> sum;    ///< of the ranks up to this one
    std::vector<float> total;  ///< of all ranks; the last rank has it in `sum`
    Add add;
    MPI_Request received = MPI_REQUEST_NULL;
    MPI_Request sent = MPI_REQUEST_NULL;
    MPI_Request spread = MPI_REQUEST_NULL;
    bool closed() const { return sent == MPI_REQUEST_NULL && spread == MPI_REQUEST_NULL; }
  };

  bool is_last() const { return rank_ + 1 == size_; }
  bool done() const { return first_open_ == pieces_.size(); }
  static int count(const Piece& piece) { return static_cast<int>(piece.sum.size()); }
  /// Messages of one pair of ranks never overtake each other: the tag is but a check.
  static int tag(size_t piece) { return static_cast<int>(piece % 32767); }

  static bool test(MPI_Request& request) {
    int complete = 1;
    if (request != MPI_REQUEST_NULL) check_mpi(MPI_Test(&request, &complete, MPI_STATUS_IGNORE));
    return complete != 0;
  }

  /// Adds this rank's part and hands the piece on; false while something is missing. Pieces go in
  /// order because collective calls must, on all ranks.
  bool forward(size_t index) {
    Piece& piece = pieces_[index];
    if (!test(piece.received) || !piece.add) return false;
    piece.add(piece.sum);
    piece.add = {};
    if (!is_last())
      check_mpi(MPI_Isend(piece.sum.data(), count(piece), MPI_FLOAT, rank_ + 1, tag(index), comm_,
                          &piece.sent));
    check_mpi(MPI_Ibcast(is_last() ? piece.sum.data() : piece.total.data(), count(piece), MPI_FLOAT,
                         size_ - 1, comm_, &piece.spread));
    return true;
  }

  MPI_Comm comm_;
  int rank_ = 0;
  int size_ = 1;
  std::vector<Piece> pieces_;
  size_t next_ = 0;        ///< first piece that has not been handed on
  size_t first_open_ = 0;  ///< first piece that is still under way
};

}  // namespace

std::unique_ptr<OrderedSum> mpi_sum(MPI_Comm comm, const std::vector<size_t>& pieces) {
  return std::make_unique<MpiSum>(comm, pieces);
}

}  // namespace limbeck
