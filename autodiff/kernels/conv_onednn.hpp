// f32 convolution by oneDNN. Its results depend on the number of threads it was prepared for, so it is always
// prepared for one: samples are dealt out here, in blocks that depend on the shape alone.
#pragma once

#include "autodiff/kernels/conv.hpp"

namespace cadena::kernels {

// Each does nothing and returns false where oneDNN has no fast kernel. @throws Error, MemoryError

[[nodiscard]] bool conv_by_onednn(const ConvShape& s, const float* x, const float* w, const float* bias,
                                  float* y);
[[nodiscard]] bool conv_transpose_by_onednn(const ConvShape& s, const float* y, const float* w,
                                            const float* bias, float* x);
[[nodiscard]] bool conv_weight_by_onednn(const ConvShape& s, const float* x, const float* y, float* w);

}  // namespace cadena::kernels
