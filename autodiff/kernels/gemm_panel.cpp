#include "autodiff/kernels/gemm_panel.hpp"

#include <algorithm>

#include "autodiff/kernels/partial.hpp"
#include "autodiff/kernels/unroll.hpp"

namespace cadena::kernels {
namespace {

template <class T>
using Batch = xsimd::batch<T>;
template <class T>
constexpr std::int64_t width = static_cast<std::int64_t>(Batch<T>::size);

// Vector V of a row of NV, of which the last may be partial.
template <int V, int NV, class T>
Batch<T> load_vector(const T* row, const Partial<T>& last) {
  if constexpr (V == NV - 1)
    return last.load(row + V * width<T>);
  else
    return Batch<T>::load_unaligned(row + V * width<T>);
}

// One tile of C. Short tiles run KU interleaved chains over k, or they would wait for each addition to
// finish.
template <int MR, int NV, class T>
void tile(const GemmPanel<T>& s, std::int64_t row) {
  constexpr int KU = MR * NV >= 6 ? 1 : MR * NV >= 3 ? 2 : 4;
  const Partial<T> last(s.columns - (NV - 1) * width<T>);
  const std::int64_t k = s.k, a_row = s.a_row, a_col = s.a_col, b_row = s.b_row;
  const std::int64_t inside = row % gemm_tile_rows;
  const T *a = s.a + (row - inside) * s.a_tile + inside * a_row, *b = s.b;
  Batch<T> acc[KU][MR][NV];
  const auto each = [](auto f) { unroll<MR>([&](auto i) { unroll<NV>([&](auto v) { f(i, v); }); }); };
  unroll<KU>([&](auto u) { each([&](auto i, auto v) { acc[u][i][v] = Batch<T>(T(0)); }); });
  if (k >= 64)  // C comes from afar, once per tile: ask for it now
    unroll<MR>([&](auto i) {
      unroll<NV>([&](auto v) { __builtin_prefetch(s.c + (row + i) * s.ldc + v * width<T>, 1); });
    });
  const auto step = [&](auto u, const T* ap, const T* bp) {
    Batch<T> x[NV];
    unroll<NV>([&](auto v) { x[v] = load_vector<v, NV>(bp, last); });
    unroll<MR>([&](auto i) {
      const Batch<T> y(ap[i * a_row]);
      unroll<NV>([&](auto v) { acc[u][i][v] = xsimd::fma(y, x[v], acc[u][i][v]); });
    });
  };
  std::int64_t p = 0;
  for (; p + KU <= k; p += KU)
    unroll<KU>([&](auto u) { step(u, a + u * a_col, b + u * b_row); }), a += KU * a_col, b += KU * b_row;
  for (; p < k; ++p, a += a_col, b += b_row) step(std::integral_constant<int, 0>{}, a, b);
  if constexpr (KU == 4)
    each([&](auto i, auto v) { acc[0][i][v] += acc[2][i][v], acc[1][i][v] += acc[3][i][v]; });
  if constexpr (KU >= 2) each([&](auto i, auto v) { acc[0][i][v] += acc[1][i][v]; });
  if (s.init)
    each([&](auto i, auto v) { acc[0][i][v] += load_vector<v, NV>(s.init + (row + i) * s.init_row, last); });
  each([&](auto i, auto v) {
    T* c = s.c + (row + i) * s.ldc + v * width<T>;
    if constexpr (v == NV - 1)
      last.store(c, acc[0][i][v]);
    else
      acc[0][i][v].store_unaligned(c);
  });
}

// 8 x 3 accumulators, 3 vectors of B and 1 of A fill 28 of AVX-512's 32 registers; 4 x 3 fill AVX2's 16.
template <int NV, class T>
void rows(const GemmPanel<T>& s) {
  std::int64_t i = 0;
  if constexpr (gemm_tile_rows == 8)
    for (; i + 8 <= s.m; i += 8) tile<8, NV>(s, i);
  for (; i + 4 <= s.m; i += 4) tile<4, NV>(s, i);
  for (; i + 2 <= s.m; i += 2) tile<2, NV>(s, i);
  for (; i < s.m; ++i) tile<1, NV>(s, i);
}

// Dot products of MR rows of A with NR columns of B.
template <int MR, int NR, class T>
void dots(const GemmPanel<T>& s, std::int64_t row, std::int64_t column) {
  constexpr int KU = MR * NR >= 8 ? 1 : MR * NR >= 4 ? 2 : 4;
  const std::int64_t k = s.k, a_row = s.a_row, b_row = s.b_row;
  const T *a = s.a + row * a_row, *b = s.b + column * b_row;
  Batch<T> acc[KU][MR][NR];
  const auto each = [](auto f) { unroll<MR>([&](auto i) { unroll<NR>([&](auto j) { f(i, j); }); }); };
  unroll<KU>([&](auto u) { each([&](auto i, auto j) { acc[u][i][j] = Batch<T>(T(0)); }); });
  const auto step = [&](auto u, std::int64_t p, auto load) {
    Batch<T> y[NR];
    unroll<NR>([&](auto j) { y[j] = load(b + j * b_row + p); });
    unroll<MR>([&](auto i) {
      const Batch<T> x = load(a + i * a_row + p);
      unroll<NR>([&](auto j) { acc[u][i][j] = xsimd::fma(x, y[j], acc[u][i][j]); });
    });
  };
  const auto whole = [](const T* from) { return Batch<T>::load_unaligned(from); };
  std::int64_t p = 0;
  for (; p + KU * width<T> <= k; p += KU * width<T>)
    unroll<KU>([&](auto u) { step(u, p + u * width<T>, whole); });
  for (; p < k; p += width<T>) {
    const Partial<T> some(std::min(k - p, width<T>));
    step(std::integral_constant<int, 0>{}, p, [&](const T* from) { return some.load(from); });
  }
  if constexpr (KU == 4)
    each([&](auto i, auto j) { acc[0][i][j] += acc[2][i][j], acc[1][i][j] += acc[3][i][j]; });
  if constexpr (KU >= 2) each([&](auto i, auto j) { acc[0][i][j] += acc[1][i][j]; });
  each([&](auto i, auto j) {
    const T sum = sum_lanes(acc[0][i][j]);
    s.c[(row + i) * s.ldc + column + j] = s.init ? s.init[(row + i) * s.init_row + column + j] + sum : sum;
  });
}

template <int MR, class T>
void dot_rows(const GemmPanel<T>& s, std::int64_t row) {
  std::int64_t j = 0;
  for (; j + 4 <= s.columns; j += 4) dots<MR, 4>(s, row, j);
  for (; j < s.columns; ++j) dots<MR, 1>(s, row, j);
}

}  // namespace

template <class T>
void gemm_panel(const GemmPanel<T>& s) {
  const std::int64_t vectors = (s.columns + width<T> - 1) / width<T>;
  if (vectors <= 1) return rows<1>(s);
  if (vectors == 2) return rows<2>(s);
  if (vectors == 3) return rows<3>(s);
  if (vectors == 8) return tile<1, 8>(s, 0);
  // Four to eight vectors of a single row.
  GemmPanel<T> left = s, right = s;
  left.columns = gemm_panel_columns<T>;
  right.columns -= left.columns;
  right.b += left.columns, right.c += left.columns;
  if (s.init) right.init += left.columns;
  gemm_panel(left);
  gemm_panel(right);
}

template <class T>
void gemm_dots(const GemmPanel<T>& s) {
  std::int64_t i = 0;
  if constexpr (gemm_tile_rows == 8)
    for (; i + 4 <= s.m; i += 4) dot_rows<4>(s, i);
  for (; i + 2 <= s.m; i += 2) dot_rows<2>(s, i);
  for (; i < s.m; ++i) dot_rows<1>(s, i);
}

template void gemm_panel(const GemmPanel<float>&);
template void gemm_panel(const GemmPanel<double>&);
template void gemm_dots(const GemmPanel<float>&);
template void gemm_dots(const GemmPanel<double>&);

}  // namespace cadena::kernels
