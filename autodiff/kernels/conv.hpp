// Convolutions over contiguous memory in one to three dimensions. They are three contractions of one
// trilinear form,
//
//   sum over n, o, c, t, k of  y[n, o, t] * w[o, c, k] * x[n, c, t * stride + k * dilation - padding],
//
// each over two of its arguments, giving the third: x and w give the convolution y, y and w its transpose, x
// and y the gradient of the weights. The same bits for any number of threads.
#pragma once

#include <array>
#include <cstdint>

namespace cadena::kernels {

/// Extents of x (batch, in, x...), w (out, in / groups, kernel...) and y (batch, out, y...). Fewer than three
/// dimensions stand last, behind ones. Where an index of x falls outside, x counts as zero.
struct ConvShape {
  using Extents = std::array<std::int64_t, 3>;
  int rank = 1;  ///< dimensions of the convolution
  std::int64_t batch = 0, in = 0, out = 0, groups = 1;
  Extents x{1, 1, 1}, kernel{1, 1, 1}, y{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1}, padding{0, 0, 0};

  static std::int64_t product(const Extents& e) { return e[0] * e[1] * e[2]; }
  std::int64_t x_size() const { return product(x); }  ///< of one channel of one sample
  std::int64_t y_size() const { return product(y); }
  std::int64_t w_size() const { return in / groups * product(kernel); }  ///< of one output channel
  std::int64_t work() const { return batch * out * w_size() * y_size(); }
};

/// y from x and w. @param bias [out] or null
template <class T>
void conv(const ConvShape& s, const T* x, const T* w, const T* bias, T* y);
/// x from y and w. @param bias [in] or null
template <class T>
void conv_transpose(const ConvShape& s, const T* y, const T* w, const T* bias, T* x);
/// w from x and y.
template <class T>
void conv_weight(const ConvShape& s, const T* x, const T* y, T* w);

}  // namespace cadena::kernels
