// 3 x 3 kernels of stride 1 with 16 multiplications for four results instead of 36: Winograd's F(2x2, 3x3)
// (Lavin and Gray, Fast algorithms for convolutional neural networks, 2016). With windows d of 4 x 4, kernels
// g and results y of 2 x 2,
//
//   y = A' [(G g G') * (B' d B)] A,
//
// where * multiplies element by element and is summed over channels. It is the same trilinear form as ever,
// so the other contractions use the same three matrices. In each of d's products, what is added lies in one
// window of the kernel: no result depends on elements outside of its window, and errors are of the size of
// the plain sums'.
#pragma once

#include "autodiff/kernels/conv_planes.hpp"

namespace cadena::kernels {

/// Whether this is the way, and the faster one.
bool suits_winograd(const ConvForm& f);

template <class T>
void conv_by_winograd(const ConvForm& f, const T* source, const T* w, const T* bias, T* target);
template <class T>
void conv_weight_by_winograd(const ConvForm& f, const T* x, const T* y, T* w);

}  // namespace cadena::kernels
