// Philox 4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw ("Parallel random numbers: as
// easy as 1, 2, 3", SC'11): a keyed bijection of 128-bit counters. In a header because the loops need it
// inlined.
#pragma once

#include <cstdint>

#include "autodiff/random.hpp"

namespace cadena::detail {

struct PhiloxKey {
  std::uint32_t v[2];
};

constexpr PhiloxKey philox_key(std::uint64_t seed) {
  return {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
}

/// The ten rounds. How the library uses the counter: words 0 and 1 hold the position in the stream; word 2 is
/// 0 but for the second and later attempts of a rejected draw; word 3 is 0 but for `split`.
constexpr PhiloxBlock philox_block(PhiloxBlock counter, PhiloxKey key) {
  constexpr std::uint64_t multiplier[2] = {0xD2511F53, 0xCD9E8D57};
  constexpr std::uint32_t weyl[2] = {0x9E3779B9, 0xBB67AE85};
  auto& c = counter.v;
  auto& k = key.v;
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = multiplier[0] * c[0], b = multiplier[1] * c[2];
    const auto next0 = static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0];
    const auto next2 = static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1];
    c[1] = static_cast<std::uint32_t>(b);
    c[3] = static_cast<std::uint32_t>(a);
    c[0] = next0;
    c[2] = next2;
    k[0] += weyl[0];
    k[1] += weyl[1];
  }
  return counter;
}

constexpr PhiloxBlock philox_counter(std::uint64_t position, std::uint32_t word2 = 0,
                                     std::uint32_t word3 = 0) {
  return {{static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32), word2, word3}};
}

/// Words 2 * half and 2 * half + 1 of a block as one 64-bit number. @param half 0 or 1
constexpr std::uint64_t philox_u64(const PhiloxBlock& block, int half) {
  return block.v[2 * half] | static_cast<std::uint64_t>(block.v[2 * half + 1]) << 32;
}

}  // namespace cadena::detail
