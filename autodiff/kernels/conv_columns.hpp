// Convolution as a matrix product over columns: every position's window of x becomes a column. The way for
// f64, for few channels and for small problems.
#pragma once

#include "autodiff/kernels/conv.hpp"

namespace cadena::kernels {

template <class T>
void conv_by_columns(const ConvShape& s, const T* x, const T* w, const T* bias, T* y);
template <class T>
void conv_transpose_by_columns(const ConvShape& s, const T* y, const T* w, const T* bias, T* x);
template <class T>
void conv_weight_by_columns(const ConvShape& s, const T* x, const T* y, T* w);

/// out[i] = parts[0][i] + parts[1][i] + ... for `count` parts of n contiguous elements each.
template <class T>
void add_parts(const T* parts, std::int64_t count, std::int64_t n, T* out);

}  // namespace cadena::kernels
