#include "lib/base/philox.h"

namespace limbeck {
namespace {

constexpr uint64_t kMultiplier0 = 0xD2511F53U;
constexpr uint64_t kMultiplier1 = 0xCD9E8D57U;
// The golden ratio and sqrt(3) - 1, as 32-bit fractions: the Weyl sequences of the key.
constexpr uint32_t kWeyl0 = 0x9E3779B9U;
constexpr uint32_t kWeyl1 = 0xBB67AE85U;
constexpr int kRounds = 10;

uint32_t high(uint64_t product) { return static_cast<uint32_t>(product >> 32U); }
uint32_t low(uint64_t product) { return static_cast<uint32_t>(product); }

uint32_t indexed(uint32_t purpose, uint32_t draw) {
  // Purposes are few and draws of one stream are few: 8 and 24 bits.
  return purpose << 24U | (draw & 0xFFFFFFU);
}

}  // namespace

PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t first = kMultiplier0 * counter[0];
    const uint64_t second = kMultiplier1 * counter[2];
    counter = {high(second) ^ counter[1] ^ key[0], low(second), high(first) ^ counter[3] ^ key[1],
               low(first)};
    key = {key[0] + kWeyl0, key[1] + kWeyl1};
  }
  return counter;
}

RandomStream::RandomStream(uint64_t seed, uint32_t purpose, uint32_t epoch, uint64_t index)
    : key_{low(seed), high(seed)}, purpose_(purpose), epoch_(epoch), index_(index) {}

double RandomStream::uniform() {
  const PhiloxCounter words =
      philox({indexed(purpose_, draw_++), epoch_, low(index_), high(index_)}, key_);
  const uint64_t bits = static_cast<uint64_t>(words[0]) << 32U | words[1];
  return static_cast<double>(bits >> 11U) * 0x1.0p-53;
}

int64_t RandomStream::below(int64_t bound) {
  return static_cast<int64_t>(uniform() * static_cast<double>(bound));
}

}  // namespace limbeck
