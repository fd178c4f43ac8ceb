#include "autodiff/kernels/random.hpp"

#include <algorithm>
#include <type_traits>

#include "autodiff/core/philox.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/random_math.hpp"

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
  constexpr std::int64_t chunk = chunk_bytes / 8;
  const auto key = detail::philox_key(start.seed);
  const auto draw = [&](std::int64_t i, std::uint64_t bits) {
    if (range == 0) return bits;
    Wide product = Wide{bits} * range;
    for (std::uint32_t attempt = 1; static_cast<std::uint64_t>(product) < uneven; ++attempt) {
      const std::uint64_t position = start.position + static_cast<std::uint64_t>(i / 2);
      product = Wide{again(start, position, attempt, static_cast<int>(i % 2))} * range;
    }
    return static_cast<std::uint64_t>(product >> 64);
  };
  for_blocks((n + task - 1) / task, n >= parallel_from, [&](std::int64_t t) {
    alignas(64) std::uint64_t words[chunk];
    const std::int64_t end = std::min(n, (t + 1) * task);
    for (std::int64_t first = t * task; first < end; first += chunk) {
      const std::int64_t count = std::min(chunk, end - first);
      fill_words(words, static_cast<int>((count + 1) / 2),
                 start.position + static_cast<std::uint64_t>(first / 2), key);
      for (std::int64_t i = 0; i < count; ++i)
        out[first + i] = static_cast<T>(
            static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + draw(first + i, words[i])));
    }
  });
}

void fill_bits(std::uint64_t* out, std::int64_t n, RandomStart start) {
  const auto key = detail::philox_key(start.seed);
  for (std::int64_t i = 0; i < n; ++i)
    out[i] = detail::philox_u64(
        detail::philox_block(detail::philox_counter(start.position + static_cast<std::uint64_t>(i)), key), 0);
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
