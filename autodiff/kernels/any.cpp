#include "autodiff/kernels/any.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "autodiff/kernels/parallel.hpp"

namespace cadena::kernels {
namespace {

// bool as the numbers 0 and 1, whose loops are vectorised.
using Byte = unsigned char;

template <bool all>
Byte put(Byte a, Byte b) {
  return static_cast<Byte>(all ? a & b : a | b);
}

// Rows of at most eight, of which each is a part of one word.
template <bool all>
void tiny_rows(std::int64_t rows, std::int64_t n, const Byte* x, bool* out) {
  const std::uint64_t ones = 0x0101010101010101U >> (64 - 8 * n);
  std::int64_t r = 0;
  for (; r * n + 8 <= rows * n; ++r) {
    std::uint64_t word = 0;
    std::memcpy(&word, x + r * n, 8);
    out[r] = all ? (word & ones) == ones : (word & ones) != 0;
  }
  for (; r < rows; ++r) {
    Byte found = all;
    for (std::int64_t j = 0; j < n; ++j) found = put<all>(found, x[r * n + j]);
    out[r] = found != 0;
  }
}

template <bool all>
void any_typed(const Lines& l, const Byte* x, bool* out) {
  constexpr std::int64_t strip = 4096;
  const std::int64_t strips = (l.inner + strip - 1) / strip, tasks = l.outer * strips,
                     work = std::max<std::int64_t>(1, l.n * std::min(l.inner, strip)),
                     group = std::max<std::int64_t>(1, 16384 / work);
  for_blocks((tasks + group - 1) / group, l.outer * l.n * l.inner >= parallel_bytes, [&](std::int64_t b) {
    const std::int64_t first = b * group, last = std::min(tasks, first + group);
    if (l.inner == 1 && l.n > 0 && l.n <= 8)
      return tiny_rows<all>(last - first, l.n, x + first * l.n, out + first);
    for (std::int64_t t = first; t < last; ++t) {
      const std::int64_t at = t % strips * strip, width = std::min(strip, l.inner - at);
      const Byte* in = x + t / strips * l.n * l.inner + at;
      bool* to = out + t / strips * l.inner + at;
      if (l.inner == 1) {
        Byte found = all;
        for (std::int64_t j = 0; j < l.n; ++j) found = put<all>(found, in[j]);
        *to = found != 0;
        continue;
      }
      auto* bytes = reinterpret_cast<Byte*>(to);
      std::fill_n(bytes, width, Byte{all});
      for (std::int64_t j = 0; j < l.n; ++j, in += l.inner)
        for (std::int64_t i = 0; i < width; ++i) bytes[i] = put<all>(bytes[i], in[i]);
    }
  });
}

}  // namespace

void any_of(const Lines& lines, bool all, const bool* x, bool* out) {
  const auto* bytes = reinterpret_cast<const Byte*>(x);
  all ? any_typed<true>(lines, bytes, out) : any_typed<false>(lines, bytes, out);
}

}  // namespace cadena::kernels
