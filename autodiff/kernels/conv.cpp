#include "autodiff/kernels/conv.hpp"

#include <algorithm>
#include <optional>

#include "autodiff/kernels/conv_columns.hpp"
#include "autodiff/kernels/conv_direct.hpp"
#include "autodiff/kernels/gemm.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

// Preparing planes takes longer than a smaller problem, and where they would be mostly zeros, too.
bool suits_columns(const ConvShape& s) { return s.work() < 1 << 14 || conv_form(s).is_sparse(); }

// One window that is all of x: a plain matrix product.
bool is_product(const ConvShape& s) {
  constexpr ConvShape::Extents none{0, 0, 0}, one{1, 1, 1};
  return s.groups == 1 && s.work() > 0 && s.kernel == s.x && s.y == one && s.padding == none;
}

// Where columns are summed up faster than every target collects its own: windows that do not overlap and
// have few channels, single channels of a strided convolution, and where most windows reach far outside.
bool transpose_suits_columns(const ConvShape& s) {
  const std::int64_t steps = ConvShape::product(s.stride), in = s.in / s.groups, out = s.out / s.groups;
  bool apart = steps > 1;
  for (std::size_t d = 0; d < 3; ++d) apart = apart && s.kernel[d] <= s.stride[d];
  const bool pointwise = ConvShape::product(s.kernel) == 1;
  return suits_columns(s) || transposed_form(s).is_sparse() || (apart && out > 1 && (in < 16 || pointwise)) ||
         (steps > 1 && in == 1 && out >= 16) || 2 * s.x_size() > 3 * steps * s.y_size();
}

}  // namespace

template <class T>
void conv(const ConvShape& s, const T* x, const T* w, const T* bias, T* y) {
  const std::int64_t k = s.w_size();
  if (is_product(s)) return gemm<T>(s.batch, s.out, k, {x, k, 1}, {w, 1, k}, y, s.out, {.bias = bias});
  suits_columns(s) ? conv_by_columns(s, x, w, bias, y) : conv_direct(s, x, w, bias, y);
}

template <class T>
void conv_transpose(const ConvShape& s, const T* y, const T* w, const T* bias, T* x) {
  if (is_product(s)) {
    const std::int64_t k = s.w_size();
    std::optional<Scratch<T>> add;
    if (bias) add.emplace(k);
    for (std::int64_t i = 0; bias && i < k; ++i) (*add)[i] = bias[i / s.x_size()];
    return gemm<T>(s.batch, k, s.out, {y, s.out, 1}, {w, k, 1}, x, k, {.bias = bias ? add->get() : nullptr});
  }
  transpose_suits_columns(s) ? conv_transpose_by_columns(s, y, w, bias, x)
                             : conv_transpose_direct(s, y, w, bias, x);
}

template <class T>
void conv_weight(const ConvShape& s, const T* x, const T* y, T* w) {
  const std::int64_t k = s.w_size();
  if (is_product(s)) return gemm<T>(s.out, k, s.batch, {y, 1, s.out}, {x, k, 1}, w, k);
  suits_columns(s) ? conv_weight_by_columns(s, x, y, w) : conv_weight_direct(s, x, y, w);
}

template void conv(const ConvShape&, const float*, const float*, const float*, float*);
template void conv(const ConvShape&, const double*, const double*, const double*, double*);
template void conv_transpose(const ConvShape&, const float*, const float*, const float*, float*);
template void conv_transpose(const ConvShape&, const double*, const double*, const double*, double*);
template void conv_weight(const ConvShape&, const float*, const float*, float*);
template void conv_weight(const ConvShape&, const double*, const double*, double*);

}  // namespace cadena::kernels
