// The matrix product against sums in long double, over shapes, strides, thread counts and alignments.
#include "autodiff/kernels/gemm.hpp"
#include "kernels_support.hpp"

namespace cadena::kernels::test {
namespace {

template <class T>
struct Operand {
  std::vector<T> memory;
  MatrixRef<T> ref;
};

enum class Order : std::uint8_t { rows, columns, padded, strided, backwards, repeated };

template <class T>
Operand<T> operand(std::int64_t rows, std::int64_t columns, Order order, std::int64_t shift = 0) {
  Operand<T> o{random_values<T>(2 * (rows + 3) * (columns + 3) + shift + 1), {}};
  T* p = o.memory.data() + shift;
  switch (order) {
    case Order::rows:
      o.ref = {p, columns, 1};
      break;
    case Order::columns:
      o.ref = {p, 1, rows};
      break;
    case Order::padded:
      o.ref = {p, columns + 3, 1};
      break;
    case Order::strided:
      o.ref = {p, 2 * columns, 2};
      break;
    case Order::backwards:
      o.ref = {p + rows * columns, -columns, -1};
      break;
    case Order::repeated:
      o.ref = {p, 0, 1};
      break;
  }
  return o;
}

// Largest error in units of eps * sum |a b| (+ |start|), which a chain of k additions keeps below k.
template <class T>
double error_of(std::int64_t m, std::int64_t n, std::int64_t k, MatrixRef<T> a, MatrixRef<T> b, const T* c,
                std::int64_t ldc, const std::function<long double(std::int64_t, std::int64_t)>& start) {
  double worst = 0;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      long double sum = start(i, j), size = std::abs(sum);
      for (std::int64_t p = 0; p < k; ++p) {
        const long double x =
            static_cast<long double>(a.data[i * a.row + p * a.col]) * b.data[p * b.row + j * b.col];
        sum += x, size += std::abs(x);
      }
      const long double error = std::abs(c[i * ldc + j] - sum);
      if (!(error == 0))
        worst = std::max(worst, static_cast<double>(error / (size * std::numeric_limits<T>::epsilon())));
      if (error != error) worst = inf<double>;
    }
  return worst;
}

template <class T>
void check(std::int64_t m, std::int64_t n, std::int64_t k, Order a_order, Order b_order, bool accumulate,
           bool bias) {
  SCOPED_TRACE(testing::Message() << m << "x" << k << "x" << n << " orders " << static_cast<int>(a_order)
                                  << " " << static_cast<int>(b_order) << " accumulate " << accumulate
                                  << " bias " << bias);
  const auto a = operand<T>(m, k, a_order), b = operand<T>(k, n, b_order);
  const std::int64_t ldc = n + (m + n) % 3;
  const auto before = random_values<T>((m + 1) * (ldc + 1));
  const auto row = random_values<T>(n);
  auto c = before;
  gemm<T>(m, n, k, a.ref, b.ref, c.data(), std::max<std::int64_t>(ldc, 1),
          {.accumulate = accumulate, .bias = bias ? row.data() : nullptr});
  const auto start = [&](std::int64_t i, std::int64_t j) -> long double {
    return (accumulate ? static_cast<long double>(before[static_cast<std::size_t>(i * ldc + j)]) : 0.0L) +
           (bias ? static_cast<long double>(row[static_cast<std::size_t>(j)]) : 0.0L);
  };
  EXPECT_LE(error_of(m, n, k, a.ref, b.ref, c.data(), ldc, start), 2 + static_cast<double>(k) / 4);
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(c.size()); ++i)
    if (ldc == 0 || i % ldc >= n || i / ldc >= m) {
      ASSERT_EQ(c[static_cast<std::size_t>(i)], before[static_cast<std::size_t>(i)])
          << "wrote outside C at " << i;
    }
}

constexpr Order orders[] = {Order::rows,    Order::columns,   Order::padded,
                            Order::strided, Order::backwards, Order::repeated};

template <class T>
class Gemm : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Types);

TYPED_TEST(Gemm, AgreesOverShapesAndOrders) {
  const std::int64_t sizes[] = {1, 2, 3, 7, 16, 17, 50};
  for (auto m : sizes)
    for (auto n : sizes)
      for (auto k : sizes)
        for (auto a : {Order::rows, Order::columns})
          for (auto b : {Order::rows, Order::columns})
            check<TypeParam>(m, n, k, a, b, (m + n) % 2 == 0, (m + k) % 3 == 0);
}

TYPED_TEST(Gemm, AgreesForAnyStrides) {
  for (auto [m, n, k] :
       {std::array{1, 1, 1}, {1, 40, 9}, {40, 1, 9}, {5, 130, 33}, {70, 9, 5}, {140, 60, 20}, {9, 9, 1}})
    for (auto a : orders)
      for (auto b : orders)
        for (bool accumulate : {false, true})
          for (bool bias : {false, true}) check<TypeParam>(m, n, k, a, b, accumulate, bias);
}

// Large enough for several blocks of k, rows and columns, for the packed and the unpacked way.
TYPED_TEST(Gemm, AgreesOverBlocks) {
  for (auto [m, n, k] : {std::array{300, 60, 400},
                         {20, 300, 900},
                         {1, 1500, 70},
                         {1500, 1, 70},
                         {2, 70, 900},
                         {6, 200, 90},
                         {3, 5, 9000},
                         {1, 1, 20'000},
                         {1, 7, 8300},
                         {70, 20, 8192}})
    for (auto b : {Order::rows, Order::columns})
      for (auto a : {Order::rows, Order::columns}) check<TypeParam>(m, n, k, a, b, false, true);
}

TYPED_TEST(Gemm, EmptySizes) {
  for (auto [m, n, k] : {std::array{0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {0, 0, 0}, {1, 1, 0}, {5, 1, 0}})
    for (bool accumulate : {false, true})
      for (bool bias : {false, true}) check<TypeParam>(m, n, k, Order::rows, Order::rows, accumulate, bias);
}

TYPED_TEST(Gemm, SameBitsForAnyThreads) {
  using T = TypeParam;
  for (auto [m, n, k] : {std::array{256, 256, 64},
                         {64, 784, 256},
                         {300, 100, 900},
                         {1, 3000, 700},
                         {3000, 1, 700},
                         {4, 2000, 300},
                         {7, 130, 2000},
                         {5000, 10, 40},
                         {129, 10, 3000},
                         {6, 7, 40'000},
                         {60, 64, 10'000}})
    for (auto a : {Order::rows, Order::columns})
      for (auto b : {Order::rows, Order::columns}) {
        SCOPED_TRACE(testing::Message()
                     << m << "x" << k << "x" << n << " " << static_cast<int>(a) << static_cast<int>(b));
        const auto x = operand<T>(m, k, a), y = operand<T>(k, n, b);
        expect_same_bits_for_any_threads([&, m = m, n = n, k = k] {
          std::vector<T> c(static_cast<std::size_t>(m * n));
          gemm<T>(m, n, k, x.ref, y.ref, c.data(), n);
          return c;
        });
      }
}

TYPED_TEST(Gemm, SameBitsForAnyAlignment) {
  using T = TypeParam;
  for (auto [m, n, k] : {std::array{5, 7, 9}, {1, 100, 50}, {100, 1, 50}, {70, 50, 130}, {150, 60, 40}})
    for (auto a : {Order::rows, Order::columns})
      for (auto b : {Order::rows, Order::columns}) {
        std::vector<T> first;
        for (std::int64_t shift : {0, 1, 3}) {
          generator().seed(7);
          const auto source_a = random_values<T>(m * k), source_b = random_values<T>(k * n);
          auto x = operand<T>(m, k, a, shift), y = operand<T>(k, n, b, 2 * shift);
          std::copy(source_a.begin(), source_a.end(), x.memory.begin() + shift);
          std::copy(source_b.begin(), source_b.end(), y.memory.begin() + 2 * shift);
          std::vector<T> c(static_cast<std::size_t>(m * n + shift));
          gemm<T>(m, n, k, x.ref, y.ref, c.data() + shift, n);
          c.erase(c.begin(), c.begin() + shift);
          if (first.empty()) first = c;
          EXPECT_TRUE(same_bits(first, c)) << m << "x" << k << "x" << n << " shifted by " << shift;
        }
      }
}

// No element of C may depend on numbers outside its row of A and column of B, not even on NaN in lanes beside
// them.
TYPED_TEST(Gemm, NanStaysInItsRowAndColumn) {
  using T = TypeParam;
  const std::int64_t m = 19, n = 21, k = 11;
  auto a = operand<T>(m, k, Order::rows), b = operand<T>(k, n, Order::rows);
  a.memory[3 * k + 4] = nan<T>;
  b.memory[2 * n + 5] = inf<T>;
  b.memory[k * n] = nan<T>;  // just behind B
  std::vector<T> c(static_cast<std::size_t>(m * n));
  gemm<T>(m, n, k, a.ref, b.ref, c.data(), n);
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      const T v = c[static_cast<std::size_t>(i * n + j)];
      EXPECT_EQ(std::isnan(v), i == 3) << i << ", " << j;
      EXPECT_EQ(std::isinf(v), i != 3 && j == 5) << i << ", " << j;
    }
}

// Many tiny products, a register full of them at a time, are those of single ones, stored either way.
TYPED_TEST(Gemm, ManyTinyOnes) {
  using T = TypeParam;
  for (const std::int64_t count : {16, 33, 40})
    for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{1, 1, 8}, {3, 3, 3}, {4, 1, 5}, {2, 8, 8}})
      for (const bool turn_a : {false, true})
        for (const bool turn_b : {false, true}) {
          const auto a = random_values<T>(count * m * k), b = random_values<T>(count * k * n);
          std::vector<T> c(static_cast<std::size_t>(count * m * n) + 1, T(77)), one = c;
          const std::int64_t a_row = turn_a ? 1 : k, a_col = turn_a ? m : 1, b_row = turn_b ? 1 : n,
                             b_col = turn_b ? k : 1;
          gemm_batched<T>({count}, m, n, k, {a.data(), a_row, a_col}, Strides{m * k},
                          {b.data(), b_row, b_col}, Strides{k * n}, c.data());
          for (std::int64_t i = 0; i < count; ++i)
            gemm<T>(m, n, k, {a.data() + i * m * k, a_row, a_col}, {b.data() + i * k * n, b_row, b_col},
                    one.data() + i * m * n, n);
          for (std::size_t i = 0; i < c.size(); ++i)
            ASSERT_NEAR(c[i], one[i], 4 * std::numeric_limits<T>::epsilon()) << m << n << k << " " << i;
        }
}

TYPED_TEST(Gemm, Batched) {
  using T = TypeParam;
  struct Case {
    Shape batch;
    Strides a, b;
  };
  for (auto [m, n, k] : {std::array{3, 4, 5}, {1, 6, 3}, {20, 33, 40}, {2, 2, 0}, {64, 64, 64}}) {
    const std::int64_t am = m * k, bm = k * n;
    for (const auto& [batch, a_batch, b_batch] :
         {Case{{4}, {am}, {bm}}, Case{{4}, {am}, {0}}, Case{{4}, {0}, {bm}}, Case{{2, 3}, {am, 0}, {0, bm}},
          Case{{2, 3, 2}, {0, 0, am}, {6 * bm, 2 * bm, bm}}, Case{{}, {}, {}}, Case{{0}, {am}, {bm}},
          Case{{40}, {am}, {bm}}, Case{{3}, {am + 2}, {0}}}) {
      const auto a = operand<T>(m * 40, k, Order::rows), b = operand<T>(k * 40, n, Order::rows);
      const auto bias = random_values<T>(n);
      const std::int64_t count = batch.numel();
      const auto run = [&, m = m, n = n, k = k, &shape = batch, &sa = a_batch, &sb = b_batch] {
        std::vector<T> c(static_cast<std::size_t>(count * m * n));
        gemm_batched<T>(shape, m, n, k, {a.ref.data, k, 1}, sa, {b.ref.data, n, 1}, sb, c.data(),
                        {.bias = bias.data()});
        return c;
      };
      const auto c = run();
      View items{nullptr, f32, batch, row_major(batch)};
      for_each(items, [&, m = m, n = n, k = k, &sa = a_batch, &sb = b_batch](const auto& index,
                                                                             std::int64_t at) {
        std::int64_t ao = 0, bo = 0;
        for (std::size_t d = 0; d < index.size(); ++d)
          ao += index[d] * sa[static_cast<int>(d)], bo += index[d] * sb[static_cast<int>(d)];
        const double error =
            error_of<T>(m, n, k, {a.ref.data + ao, k, 1}, {b.ref.data + bo, n, 1}, c.data() + at * m * n, n,
                        [&](auto, std::int64_t j) { return bias[static_cast<std::size_t>(j)]; });
        EXPECT_LE(error, 2 + static_cast<double>(k) / 4) << "item " << at << " of " << to_string(items.shape);
      });
      expect_same_bits_for_any_threads(run);
    }
  }
}

}  // namespace
}  // namespace cadena::kernels::test
