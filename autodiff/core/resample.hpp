// The op behind average pools and interpolation.
#pragma once

#include "autodiff/kernels/resample.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::detail {

/// x with every line along `axis` (>= 0), of taps.in elements, replaced by taps.out() weighted sums of them.
/// f32 or f64. Its derivative is the same with the transposed taps.
Tensor resample(const Tensor& x, int axis, kernels::Taps taps);

}  // namespace cadena::detail
