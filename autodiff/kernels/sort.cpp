#include "autodiff/kernels/sort.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

// Unsigned keys that compare as the values do.

std::uint32_t key_of(float v) {
  if (v != v) return std::numeric_limits<std::uint32_t>::max();
  const auto bits = std::bit_cast<std::uint32_t>(v == 0 ? 0.0F : v);
  return bits >> 31 ? ~bits : bits | 0x8000'0000U;
}
std::uint64_t key_of(double v) {
  if (v != v) return std::numeric_limits<std::uint64_t>::max();
  const auto bits = std::bit_cast<std::uint64_t>(v == 0 ? 0.0 : v);
  return bits >> 63 ? ~bits : bits | 0x8000'0000'0000'0000U;
}
std::uint64_t key_of(std::int64_t v) { return static_cast<std::uint64_t>(v) ^ 0x8000'0000'0000'0000U; }

// A key and its position. Keys of 32 bits share a word with the position where that has room.
struct Entry {
  std::uint64_t key;
  std::int64_t at;

  template <class K>
  static Entry of(K key, std::int64_t at) {
    return {key, at};
  }
  std::int64_t position() const { return at; }
  friend bool operator<(const Entry& a, const Entry& b) {
    return a.key < b.key || (a.key == b.key && a.at < b.at);
  }
};
struct PackedEntry {
  std::uint64_t word;

  static PackedEntry of(std::uint32_t key, std::int64_t at) {
    return {std::uint64_t{key} << 32 | static_cast<std::uint64_t>(at)};
  }
  std::int64_t position() const { return static_cast<std::int64_t>(word & 0xFFFF'FFFFU); }
  friend bool operator<(PackedEntry a, PackedEntry b) { return a.word < b.word; }
};

// f(row number, entries of the row) for all rows, in groups that are worth a task.
template <class E, class T, class F>
void for_entries(const Rows& x, bool descending, const F& f) {
  if (x.rows == 0 || x.n == 0) return;
  const std::int64_t group = std::max<std::int64_t>(1, 4096 / x.n);
  const bool parallel = x.rows * x.n >= 1 << 14;
  for_blocks<Schedule::stealing>((x.rows + group - 1) / group, parallel, [&](std::int64_t b) {
    const Scratch<E> entries(x.n);
    for (std::int64_t r = b * group; r < std::min(x.rows, (b + 1) * group); ++r) {
      const T* row = static_cast<const T*>(x.data) + r * x.n;
      for (std::int64_t i = 0; i < x.n; ++i) {
        const auto key = key_of(row[i]);
        entries[i] = E::of(descending ? static_cast<decltype(key)>(~key) : key, i);
      }
      f(r, entries.get());
    }
  });
}

template <class F>
void for_rows(const Rows& x, bool descending, const F& f) {
  if (x.dtype == f32 && x.n <= std::int64_t{1} << 32)
    for_entries<PackedEntry, float>(x, descending, f);
  else if (x.dtype == f32)
    for_entries<Entry, float>(x, descending, f);
  else if (x.dtype == f64)
    for_entries<Entry, double>(x, descending, f);
  else
    for_entries<Entry, std::int64_t>(x, descending, f);
}

template <class T>
void mode_typed(const Rows& x, const std::int64_t* order, std::int64_t* indices) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const T* row = static_cast<const T*>(x.data) + r * x.n;
    const std::int64_t* o = order + r * x.n;
    std::int64_t longest = 0;
    for (std::int64_t start = 0, end = 0; start < x.n; start = end) {
      while (end < x.n && key_of(row[o[end]]) == key_of(row[o[start]])) ++end;
      if (end - start > longest) longest = end - start, indices[r] = o[start];
    }
  }
}

}  // namespace

void argsort(const Rows& x, bool descending, std::int64_t k, std::int64_t* indices) {
  for_rows(x, descending, [&](std::int64_t r, auto* entries) {
    if (8 * k < x.n)
      std::partial_sort(entries, entries + k, entries + x.n);
    else
      std::sort(entries, entries + x.n);
    for (std::int64_t j = 0; j < k; ++j) indices[r * k + j] = entries[j].position();
  });
}

void arg_kth(const Rows& x, const std::int64_t* k, std::int64_t* indices) {
  for_rows(x, false, [&](std::int64_t r, auto* entries) {
    std::nth_element(entries, entries + k[r], entries + x.n);
    indices[r] = entries[k[r]].position();
  });
}

void arg_mode(const Rows& x, const std::int64_t* order, std::int64_t* indices) {
  if (x.dtype == f32)
    mode_typed<float>(x, order, indices);
  else if (x.dtype == f64)
    mode_typed<double>(x, order, indices);
  else
    mode_typed<std::int64_t>(x, order, indices);
}

}  // namespace cadena::kernels
