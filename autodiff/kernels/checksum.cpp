#include "autodiff/kernels/checksum.hpp"

#include <bit>
#include <cstring>

namespace cadena::kernels {

namespace {

constexpr std::uint64_t odd = 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio

std::uint64_t mixed(std::uint64_t h, std::uint64_t word) { return std::rotl((h ^ word) * odd, 29); }

}  // namespace

std::uint64_t checksum(const void* data, std::size_t bytes) {
  // Four independent chains, so that one multiplication need not wait for the last.
  std::uint64_t h[4] = {1, 2, 3, 4};
  const auto* p = static_cast<const unsigned char*>(data);
  std::size_t i = 0;
  for (; i + sizeof h <= bytes; i += sizeof h) {
    std::uint64_t words[4];
    std::memcpy(words, p + i, sizeof words);
    for (int k = 0; k < 4; ++k) h[k] = mixed(h[k], words[k]);
  }
  for (; i < bytes; ++i) h[0] = mixed(h[0], p[i]);
  std::uint64_t sum = bytes;
  for (auto lane : h) sum = mixed(sum, lane);
  return sum ^ sum >> 32;
}

}  // namespace cadena::kernels
