#include "autodiff/kernels/random.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

#include "autodiff/core/philox.hpp"
#include "autodiff/kernels/parallel.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t chunk_bytes = 4096;  // of random words at a time: stays in the first-level cache
constexpr std::int64_t chunks_per_task = 32;
constexpr std::int64_t parallel_from = 1 << 15;  // elements; below, waking threads costs more than it saves

/// Random words as the type that one element of T is made of: 32 bits for float, 64 for double.
template <class T>
using Word = std::conditional_t<std::is_same_v<T, float>, std::uint32_t, std::uint64_t>;

template <class W>
void fill_words(W* words, int blocks, std::uint64_t position, detail::PhiloxKey key) {
  for (int b = 0; b < blocks; ++b) {
    const auto block = detail::philox_block(detail::philox_counter(position + static_cast<unsigned>(b)), key);
    if constexpr (sizeof(W) == 4) {
      for (int j = 0; j < 4; ++j) words[4 * b + j] = block.v[j];
    } else {
      for (int j = 0; j < 2; ++j) words[2 * b + j] = detail::philox_u64(block, j);
    }
  }
}

/// Cuts `n` elements into chunks and calls convert(words, out, count) for each; words has an even count.
template <class T, class Convert>
void fill(T* out, std::int64_t n, RandomStart start, const Convert& convert) {
  constexpr std::int64_t chunk = chunk_bytes / static_cast<std::int64_t>(sizeof(T));
  constexpr std::int64_t task = chunk * chunks_per_task;
  const auto key = detail::philox_key(start.seed);
  for_blocks((n + task - 1) / task, n >= parallel_from, [&](std::int64_t t) {
    alignas(64) Word<T> words[chunk];
    const std::int64_t end = std::min(n, (t + 1) * task);
    for (std::int64_t first = t * task; first < end; first += chunk) {
      const auto count = static_cast<int>(std::min(chunk, end - first));
      fill_words(words, static_cast<int>(blocks_for<T>(count)), start.position + blocks_for<T>(first), key);
      convert(words, out + first, count);
    }
  });
}

/// Strictly inside (0, 1): the middle of one of 2^32 or 2^52 equal cells. Exact.
inline double open_unit(std::uint32_t w) { return (static_cast<double>(w) + 0.5) * 0x1p-32; }
inline double open_unit(std::uint64_t w) {
  // 1.f by its bits, minus 1: exact, and cheaper than converting 64-bit integers on most CPUs.
  return std::bit_cast<double>((w >> 12) | 0x3FF0000000000000) - (1 - 0x1p-53);
}

/// sum c[i] z^i, by fused steps.
template <std::size_t n>
inline double polynomial(const double (&c)[n], double z) {
  double s = c[n - 1];
#pragma GCC unroll 16
  for (std::size_t i = 1; i < n; ++i) s = std::fma(s, z, c[n - 1 - i]);
  return s;
}

/// Natural logarithm for normal u > 0, to about 1 ulp, also beside 1. u = 2^k m with m in [sqrt(1/2),
/// sqrt(2)), log m = 2 atanh((m - 1) / (m + 1)).
inline double log_of(double u) {
  constexpr double c[] = {1.0,      1 / 3.0,  1 / 5.0,  1 / 7.0,  1 / 9.0, 1 / 11.0,
                          1 / 13.0, 1 / 15.0, 1 / 17.0, 1 / 19.0, 1 / 21.0};
  constexpr double ln2 = 0.693147180559945309417;
  const auto bits = std::bit_cast<std::uint64_t>(u);
  const std::int32_t k = (static_cast<std::int32_t>(bits >> 32) - 0x3FE6A09E) >> 20;
  const double m = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(k) << 52));
  const double f = (m - 1) / (m + 1);
  return std::fma(static_cast<double>(k), ln2, (f + f) * polynomial(c, f * f));
}

struct SinCos {
  double sin, cos;
};

/// Sine and cosine of 2 pi a for a in (0, 1): quarter turns are taken off exactly, Taylor's series does the
/// rest.
inline SinCos sincos_turns(double a) {
  constexpr double s[] = {1.0,
                          -1 / 6.0,
                          1 / 120.0,
                          -1 / 5040.0,
                          1 / 362880.0,
                          -1 / 39916800.0,
                          1 / 6227020800.0,
                          -1 / 1307674368000.0,
                          1 / 355687428096000.0};
  constexpr double c[] = {1.0,
                          -1 / 2.0,
                          1 / 24.0,
                          -1 / 720.0,
                          1 / 40320.0,
                          -1 / 3628800.0,
                          1 / 479001600.0,
                          -1 / 87178291200.0,
                          1 / 20922789888000.0};
  constexpr double two_pi = 6.28318530717958647693;
  const auto quarter = static_cast<std::int32_t>(std::fma(a, 4.0, 0.5));
  const double x = std::fma(static_cast<double>(quarter), -0.25, a) * two_pi;  // the difference is exact
  const double z = x * x, sin = x * polynomial(s, z), cos = polynomial(c, z);
  const bool swap = (quarter & 1) != 0;
  const double sign_sin = (quarter & 2) != 0 ? -1.0 : 1.0;
  const double sign_cos = ((quarter + 1) & 2) != 0 ? -1.0 : 1.0;
  return {sign_sin * (swap ? cos : sin), sign_cos * (swap ? sin : cos)};
}

/// Two uniform numbers in (0, 1) -> two independent normal ones.
template <class W>
inline SinCos normal_pair(W w0, W w1) {
  const double radius = std::sqrt(-2 * log_of(open_unit(w0)));
  const auto direction = sincos_turns(open_unit(w1));
  return {radius * direction.sin, radius * direction.cos};
}

/// Bits of the second and later attempts of element `half` of the block at `position`.
std::uint64_t again(RandomStart start, std::uint64_t position, std::uint32_t attempt, int half) {
  const auto counter = detail::philox_counter(position, attempt);
  return detail::philox_u64(detail::philox_block(counter, detail::philox_key(start.seed)), half);
}

}  // namespace

template <class T>
void fill_uniform(T* out, std::int64_t n, RandomStart start) {
  fill(out, n, start, [](const Word<T>* words, T* to, int count) {
    for (int i = 0; i < count; ++i) {
      if constexpr (sizeof(T) == 4)
        to[i] = static_cast<float>(words[i] >> 8) * 0x1p-24F;
      else
        to[i] = static_cast<double>(words[i] >> 11) * 0x1p-53;
    }
  });
}

template <class T>
void fill_normal(T* out, std::int64_t n, RandomStart start) {
  fill(out, n, start, [](const Word<T>* words, T* to, int count) {
    for (int i = 0; i + 1 < count; i += 2) {
      const auto z = normal_pair(words[i], words[i + 1]);
      to[i] = static_cast<T>(z.cos);
      to[i + 1] = static_cast<T>(z.sin);
    }
    if (count % 2 != 0) to[count - 1] = static_cast<T>(normal_pair(words[count - 1], words[count]).cos);
  });
}

// Lemire's method, as in Generator::below; a rejected element draws again from counters of its own.
template <class T>
void fill_integers(T* out, std::int64_t n, std::int64_t low, std::uint64_t range, RandomStart start) {
  __extension__ using Wide = unsigned __int128;
  constexpr std::int64_t task = 1 << 14;
  const std::uint64_t uneven = range == 0 ? 0 : (0 - range) % range;
  const auto key = detail::philox_key(start.seed);
  for_blocks((n + task - 1) / task, n >= parallel_from, [&](std::int64_t t) {
    PhiloxBlock block{};
    for (std::int64_t i = t * task; i < std::min(n, (t + 1) * task); ++i) {
      const std::uint64_t position = start.position + static_cast<std::uint64_t>(i / 2);
      if (i % 2 == 0) block = detail::philox_block(detail::philox_counter(position), key);
      std::uint64_t bits = detail::philox_u64(block, static_cast<int>(i % 2));
      for (std::uint32_t attempt = 1; static_cast<std::uint64_t>(Wide{bits} * range) < uneven; ++attempt)
        bits = again(start, position, attempt, static_cast<int>(i % 2));
      const std::uint64_t offset = range == 0 ? bits : static_cast<std::uint64_t>((Wide{bits} * range) >> 64);
      out[i] = static_cast<T>(static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset));
    }
  });
}

template void fill_uniform(float*, std::int64_t, RandomStart);
template void fill_uniform(double*, std::int64_t, RandomStart);
template void fill_normal(float*, std::int64_t, RandomStart);
template void fill_normal(double*, std::int64_t, RandomStart);
template void fill_integers(float*, std::int64_t, std::int64_t, std::uint64_t, RandomStart);
template void fill_integers(double*, std::int64_t, std::int64_t, std::uint64_t, RandomStart);
template void fill_integers(std::int64_t*, std::int64_t, std::int64_t, std::uint64_t, RandomStart);
template void fill_integers(bool*, std::int64_t, std::int64_t, std::uint64_t, RandomStart);

}  // namespace cadena::kernels
