#include "autodiff/random.hpp"

#include "autodiff/core/philox.hpp"
#include "autodiff/error.hpp"

namespace cadena {

PhiloxBlock philox(std::uint64_t seed, std::uint64_t position) {
  return detail::philox_block(detail::philox_counter(position), detail::philox_key(seed));
}

std::uint64_t Generator::next() { return detail::philox_u64(philox(seed_, advance(1)), 0); }

// Lemire's method: the high half of bits * n is uniform once the low half is not among the few values that
// would make some results more frequent than others.
std::uint64_t Generator::below(std::uint64_t n) {
  if (n == 0) throw ValueError("[Generator::below] expected n > 0, got 0");
  __extension__ using Wide = unsigned __int128;
  const std::uint64_t uneven = (0 - n) % n;  // 2^64 mod n
  for (;;) {
    const Wide product = static_cast<Wide>(next()) * n;
    if (static_cast<std::uint64_t>(product) >= uneven) return static_cast<std::uint64_t>(product >> 64);
  }
}

// A new seed from a part of the counter space that no draw visits (word 3 is set). It depends on the seed and
// the stream only, not on the position, so that splitting does not care what was drawn before.
Generator Generator::split(std::uint64_t stream) const {
  constexpr std::uint32_t split_tag = 0x73706C74;  // "splt"
  const auto block =
      detail::philox_block(detail::philox_counter(stream, 0, split_tag), detail::philox_key(seed_));
  return Generator(detail::philox_u64(block, 0));
}

Generator& default_generator() {
  thread_local Generator generator;
  return generator;
}

void manual_seed(std::uint64_t seed) {
  detail::check_draw_on_tape();
  default_generator() = Generator(seed);
}

}  // namespace cadena
