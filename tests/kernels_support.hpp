// Shared by the kernels' tests: random memory, strided views over it, and comparisons bit by bit.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "autodiff/kernels/view.hpp"
#include "autodiff/parallel.hpp"

namespace cadena::kernels::test {

inline std::mt19937_64& generator() {
  static std::mt19937_64 g(20240229);
  return g;
}

/// Numbers in [-1, 1), or integers in [-9, 9].
template <class T>
std::vector<T> random_values(std::int64_t n) {
  std::vector<T> v(static_cast<std::size_t>(n));
  for (auto& x : v) {
    if constexpr (std::is_floating_point_v<T>)
      x = std::uniform_real_distribution<T>(-1, 1)(generator());
    else
      x = static_cast<T>(std::uniform_int_distribution<int>(-9, 9)(generator()));
  }
  return v;
}

/// Random elements in a buffer of their own, seen through a view with the given strides, and a margin on both
/// sides.
template <class T>
struct Buffer {
  static constexpr std::int64_t margin = 5;
  std::vector<T> memory;
  View view;

  Buffer(const Shape& shape, const Strides& strides, std::int64_t shift = 0) {
    std::int64_t low = 0, high = 0;
    for (int d = 0; d < shape.rank(); ++d) {
      const std::int64_t reach = shape[d] > 0 ? (shape[d] - 1) * strides[d] : 0;
      (reach < 0 ? low : high) += reach;
    }
    memory = random_values<T>(high - low + 1 + 2 * margin + shift);
    view = {memory.data() + margin + shift - low, dtype_of<T>(), shape, strides};
  }
  Buffer(const Buffer&) = delete;
};

inline Strides row_major(const Shape& shape) {
  Strides s = Strides();
  for (int d = 0; d < shape.rank(); ++d) s.push_back(1);
  std::int64_t step = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) s[d] = step, step *= shape[d];
  return s;
}

/// Ways to lay a shape out in memory.
enum class Layout : std::uint8_t { dense, reversed, stepped, negative, repeated, padded };
inline constexpr Layout layouts[] = {Layout::dense,    Layout::reversed, Layout::stepped,
                                     Layout::negative, Layout::repeated, Layout::padded};

inline Strides strides_of(const Shape& shape, Layout layout) {
  Strides s = row_major(shape);
  const int rank = shape.rank();
  std::int64_t step = 1;
  switch (layout) {
    case Layout::dense:
      break;
    case Layout::reversed:  // as if transposed
      for (int d = 0; d < rank; ++d) s[d] = step, step *= shape[d];
      break;
    case Layout::stepped:
      for (int d = 0; d < rank; ++d) s[d] *= 2;
      break;
    case Layout::negative:
      for (int d = 0; d < rank; ++d) s[d] *= -1;
      break;
    case Layout::repeated:
      if (rank > 0) s[0] = 0;
      break;
    case Layout::padded:
      for (int d = 0; d + 1 < rank; ++d) s[d] += 3 * (s[d] / std::max<std::int64_t>(shape[rank - 1], 1));
      break;
  }
  return s;
}

/// f(index, offset) for every index of a view, in row-major order.
inline void for_each(const View& v,
                     const std::function<void(const std::vector<std::int64_t>&, std::int64_t)>& f) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(v.shape.rank()), 0);
  for (std::int64_t n = v.shape.numel(); n > 0; --n) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * v.strides[static_cast<int>(d)];
    f(index, offset);
    for (std::size_t d = index.size(); d-- > 0;) {
      if (++index[d] < v.shape[static_cast<int>(d)]) break;
      index[d] = 0;
    }
  }
}

template <class T>
testing::AssertionResult same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size())
    return testing::AssertionFailure() << a.size() << " and " << b.size() << " elements";
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(T)) != 0)
      return testing::AssertionFailure() << "element " << i << ": " << a[i] << " and " << b[i];
  return testing::AssertionSuccess();
}

/// Sets the number of threads until the end of the scope.
class Threads {
 public:
  explicit Threads(int n) : before_(num_threads()) { set_num_threads(n); }
  Threads(const Threads&) = delete;
  ~Threads() { set_num_threads(before_); }

 private:
  int before_;
};

/// The result of `run` has the same bits with 1, 2, 3 and 5 threads.
template <class F>
void expect_same_bits_for_any_threads(const F& run) {
  const auto one = [&] {
    const Threads t(1);
    return run();
  }();
  for (int n : {2, 3, 5}) {
    const Threads t(n);
    EXPECT_TRUE(same_bits(one, run())) << "1 and " << n << " threads";
  }
}

template <class T>
constexpr T nan = std::numeric_limits<T>::quiet_NaN();
template <class T>
constexpr T inf = std::numeric_limits<T>::infinity();

template <class T>
bool same(T a, T b) {
  return a == b || (a != a && b != b);
}

}  // namespace cadena::kernels::test
