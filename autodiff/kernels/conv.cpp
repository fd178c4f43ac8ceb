#include "autodiff/kernels/conv.hpp"

#include <type_traits>

#include "autodiff/kernels/conv_columns.hpp"
#include "autodiff/kernels/conv_onednn.hpp"

namespace cadena::kernels {
namespace {

// oneDNN pads channels to blocks: with up to three of them columns are faster, and so they are where moving
// data into its layout would take longer than the work. It has kernels of its own for single channels.
bool suits_onednn(const ConvShape& s) {
  const bool depthwise = s.groups > 1 && s.groups == s.in && s.in == s.out;
  return s.work() >= 1 << 17 && (s.in / s.groups > 3 || depthwise);
}

}  // namespace

template <class T>
void conv(const ConvShape& s, const T* x, const T* w, const T* bias, T* y) {
  if constexpr (std::is_same_v<T, float>)
    if (suits_onednn(s) && conv_by_onednn(s, x, w, bias, y)) return;
  conv_by_columns(s, x, w, bias, y);
}

template <class T>
void conv_transpose(const ConvShape& s, const T* y, const T* w, const T* bias, T* x) {
  if constexpr (std::is_same_v<T, float>)
    if (suits_onednn(s) && conv_transpose_by_onednn(s, y, w, bias, x)) return;
  conv_transpose_by_columns(s, y, w, bias, x);
}

template <class T>
void conv_weight(const ConvShape& s, const T* x, const T* y, T* w) {
  if constexpr (std::is_same_v<T, float>)
    if (suits_onednn(s) && conv_weight_by_onednn(s, x, y, w)) return;
  conv_weight_by_columns(s, x, y, w);
}

template void conv(const ConvShape&, const float*, const float*, const float*, float*);
template void conv(const ConvShape&, const double*, const double*, const double*, double*);
template void conv_transpose(const ConvShape&, const float*, const float*, const float*, float*);
template void conv_transpose(const ConvShape&, const double*, const double*, const double*, double*);
template void conv_weight(const ConvShape&, const float*, const float*, float*);
template void conv_weight(const ConvShape&, const double*, const double*, double*);

}  // namespace cadena::kernels
