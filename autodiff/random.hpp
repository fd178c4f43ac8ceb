// Counter-based random numbers: Philox 4x32-10 (Salmon et al., SC'11). Element i of a draw depends only on
// (seed, position of the draw, i), so numbers are the same for any thread count and standard library.
#pragma once

#include <cstdint>

#include "autodiff/presence.hpp"

namespace cadena {

namespace detail {
/// Depth of the vmap calls of this thread that are running their function once for all samples.
extern constinit thread_local int vmap_level;
[[noreturn]] void refuse_batched_draw();
/// @throws CaptureError where a replay would not draw again
void check_draw_on_tape();
}  // namespace detail

/// A stream of random numbers; copying it saves its state. Use one per thread.
class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0) : seed_(seed) {}

  std::uint64_t seed() const { return seed_; }
  std::uint64_t position() const { return position_; }
  void set_position(std::uint64_t position) {
    detail::check_draw_on_tape();
    position_ = position;
  }
  /// Reserves `blocks` Philox blocks of four 32-bit numbers and returns the first one's position.
  std::uint64_t advance(std::uint64_t blocks) {
    if (detail::vmap_level > 0) [[unlikely]]
      detail::refuse_batched_draw();
    detail::check_draw_on_tape();
    auto first = position_;
    position_ += blocks;
    return first;
  }
  /// 64 random bits.
  std::uint64_t next();
  /// Uniform in [0, n), n > 0, without bias.
  std::uint64_t below(std::uint64_t n);
  std::weak_ptr<const void> watch() const { return presence_.watch(); }  ///< expires with this object
  /// An independent stream, e.g. one per worker or per sample.
  Generator split(std::uint64_t stream) const;

 private:
  std::uint64_t seed_;
  std::uint64_t position_ = 0;
  detail::Presence presence_;
};

struct PhiloxBlock {
  std::uint32_t v[4];
};
PhiloxBlock philox(std::uint64_t seed, std::uint64_t position);

/// The calling thread's default generator, used by factories and dropout. Seeded with 0 at thread start.
Generator& default_generator();
/// Restarts the default generator of the calling thread.
void manual_seed(std::uint64_t seed);

}  // namespace cadena
