#include "autodiff/kernels/sort.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <utility>

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
/// For whole numbers that are less than 2^32 apart.
struct NearLeast {
  std::int64_t least;
  std::uint32_t operator()(std::int64_t v) const {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(v) - static_cast<std::uint64_t>(least));
  }
};
std::uint64_t key_of(std::int64_t v) { return static_cast<std::uint64_t>(v) ^ 0x8000'0000'0000'0000U; }

// A key and its position. Keys of 32 bits share a word with the position where that has room.
struct Entry {
  std::uint64_t key;
  std::int64_t at;

  template <class K>
  static Entry of(K key, std::int64_t at) {
    return {key, at};
  }
  static constexpr int first_bit = 0;  // of the key
  std::uint64_t bits() const { return key; }
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
  static constexpr int first_bit = 32;
  std::uint64_t bits() const { return word; }
  std::int64_t position() const { return static_cast<std::int64_t>(word & 0xFFFF'FFFFU); }
  friend bool operator<(PackedEntry a, PackedEntry b) { return a.word < b.word; }
};

constexpr std::int64_t radix_from = 2048;

/// Sorts n entries that stand in the order of their positions: digit by digit of the keys, the lowest first,
/// and stably. Digits that are the same in all keys take no pass. @return where the entries are then: x or
/// `other`
template <class E>
E* radix_sort(E* x, E* other, std::int64_t n) {
  constexpr int width = 11, digits = (64 - E::first_bit + width - 1) / width, values = 1 << width;
  const Scratch<std::int64_t> counts(digits * values);
  std::fill_n(counts.get(), digits * values, 0);
  const auto digit = [](const E& e, int d) {
    return static_cast<std::int64_t>(e.bits() >> (E::first_bit + d * width) & (values - 1));
  };
  for (std::int64_t i = 0; i < n; ++i)
    for (int d = 0; d < digits; ++d) ++counts[d * values + digit(x[i], d)];
  for (int d = 0; d < digits; ++d) {
    std::int64_t* at = counts + d * values;
    if (at[digit(x[0], d)] == n) continue;
    for (std::int64_t v = 0, sum = 0; v < values; ++v) sum += std::exchange(at[v], sum);
    for (std::int64_t i = 0; i < n; ++i) other[at[digit(x[i], d)]++] = x[i];
    std::swap(x, other);
  }
  return x;
}

// f(row number, entries of the row) for all rows, in groups that are worth a task.
template <class E, class T, class F, class Key>
void for_entries(const Rows& x, bool descending, const F& f, const Key& key_of) {
  if (x.rows == 0 || x.n == 0) return;
  const std::int64_t group = std::max<std::int64_t>(1, 4096 / x.n);
  const bool parallel = x.rows * x.n >= 1 << 14;
  for_blocks<Schedule::stealing>((x.rows + group - 1) / group, parallel, [&](std::int64_t b) {
    const Scratch<E> entries(x.n);
    for (std::int64_t r = b * group; r < std::min(x.rows, (b + 1) * group); ++r) {
      const T* row = static_cast<const T*>(x.data) + r * x.n;
      const auto fill = [&](auto flip) {
        for (std::int64_t i = 0; i < x.n; ++i) entries[i] = E::of(flip(key_of(row[i])), i);
      };
      if (descending)
        fill([](auto key) { return static_cast<decltype(key)>(~key); });
      else
        fill([](auto key) { return key; });
      f(r, entries.get());
    }
  });
}

/// As f32, if they lie close enough.
template <class F>
bool for_near_rows(const Rows& x, bool descending, const F& f) {
  const std::int64_t n = x.rows * x.n;
  if (n == 0) return true;
  const auto* data = static_cast<const std::int64_t*>(x.data);
  std::int64_t least = data[0], largest = data[0];
  for (std::int64_t i = 0; i < n; ++i) least = std::min(least, data[i]), largest = std::max(largest, data[i]);
  if ((static_cast<std::uint64_t>(largest) - static_cast<std::uint64_t>(least)) >> 32 != 0) return false;
  for_entries<PackedEntry, std::int64_t>(x, descending, f, NearLeast{least});
  return true;
}

template <class F>
void for_rows(const Rows& x, bool descending, const F& f) {
  const auto key = [](auto v) __attribute__((always_inline)) { return key_of(v); };
  const bool packed = x.n <= std::int64_t{1} << 32;
  if (x.dtype == f32 && packed)
    for_entries<PackedEntry, float>(x, descending, f, key);
  else if (x.dtype == f32)
    for_entries<Entry, float>(x, descending, f, key);
  else if (x.dtype == f64)
    for_entries<Entry, double>(x, descending, f, key);
  else if (!packed || !for_near_rows(x, descending, f))
    for_entries<Entry, std::int64_t>(x, descending, f, key);
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
  for_rows(x, descending, [&]<class E>(std::int64_t r, E* entries) {
    std::optional<Scratch<E>> other;
    if (8 * k < x.n) {
      std::partial_sort(entries, entries + k, entries + x.n);
    } else if (x.n < radix_from) {
      std::sort(entries, entries + x.n);
    } else {
      other.emplace(x.n);
      entries = radix_sort(entries, other->get(), x.n);
    }
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
