#include "autodiff/kernels/map_sum.hpp"

#include <algorithm>
#include <array>

#include "autodiff/kernels/collapse.hpp"
#include "autodiff/kernels/reduce_tree.hpp"

namespace cadena::kernels {
namespace {

constexpr auto most = static_cast<std::size_t>(map_max_inputs);

template <class T>
class Rows {
 public:
  Rows(SumLoop loop, const void* op, const Shape& outer, const MapInput* in, int n_inputs, unsigned splat,
       std::int64_t n)
      : loop_(loop), op_(op), count_(static_cast<std::size_t>(n_inputs)), splat_(splat), n_(n) {
    outer_.shape = outer;
    Strides still;
    for (int d = 0; d < outer.rank(); ++d) still.push_back(0);
    for (std::size_t k = 0; k < most; ++k) {
      data_[k] = k < count_ ? static_cast<const T*>(in[k].data) : nullptr;
      outer_.strides[k] = k < count_ ? in[k].strides : still;
    }
    outer_ = collapse(outer_);
    adjoin_ = splat == 0 && outer_.shape.rank() <= 1;
    for (std::size_t k = 0; k < count_; ++k)
      if (outer_.shape.rank() == 1) adjoin_ = adjoin_ && outer_.strides[k][0] == n;
  }

  std::int64_t rows() const { return outer_.shape.numel(); }

  /// to[r] = sum of elements [i, i + count) of row `first` + r, which must adjoin if there are several.
  void sums(std::int64_t first, std::int64_t rows, std::int64_t i, std::int64_t count, T* to) const {
    const auto at = outer_.shape.rank() == 1 ? steps(first) : offsets_of(outer_.shape, outer_.strides, first);
    alignas(64) T repeated[most][64 / sizeof(T)];
    const void* operands[most];
    for (std::size_t k = 0; k < count_; ++k) {
      const bool splat = splat_ >> k & 1U;
      const T* x = data_[k] + at[k] + (splat ? 0 : i);
      if (splat) std::fill_n(repeated[k], 64 / sizeof(T), *x);
      operands[k] = splat ? repeated[k] : x;
    }
    loop_(op_, to, operands, splat_, count, rows);
  }
  bool adjoin() const { return adjoin_; }

 private:
  std::array<std::int64_t, most> steps(std::int64_t row) const {
    std::array<std::int64_t, most> at;
    for (std::size_t k = 0; k < most; ++k) at[k] = row * outer_.strides[k][0];
    return at;
  }

  SumLoop loop_;
  const void* op_;
  std::size_t count_;
  unsigned splat_;
  std::int64_t n_;
  Loops<most> outer_;
  const T* data_[most];
  bool adjoin_;  ///< one row begins where the last one ends, in every operand
};

template <class T>
void sum_rows(const Rows<T>& rows, std::int64_t n, T* out) {
  if (n > row_block<T>) {
    const auto block = [&](std::int64_t r, std::int64_t i, std::int64_t count) {
      T sum;
      rows.sums(r, 1, i, count, &sum);
      return sum;
    };
    return reduce_long_rows<Sum>(rows.rows(), n, block, out);
  }
  for_row_groups<T>(rows.rows(), n, [&](std::int64_t first, std::int64_t last) {
    if (rows.adjoin()) return rows.sums(first, last - first, 0, n, out + first);
    for (std::int64_t r = first; r < last; ++r) rows.sums(r, 1, 0, n, out + r);
  });
}

}  // namespace

void map_sum(SumLoop loop, const void* op, DType dtype, const Shape& outer, const MapInput* in, int n_inputs,
             unsigned splat, std::int64_t n, void* out) {
  if (outer.numel() == 0) return;
  if (dtype == f32)
    sum_rows(Rows<float>(loop, op, outer, in, n_inputs, splat, n), n, static_cast<float*>(out));
  else
    sum_rows(Rows<double>(loop, op, outer, in, n_inputs, splat, n), n, static_cast<double*>(out));
}

}  // namespace cadena::kernels
