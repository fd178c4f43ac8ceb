// Convolution and its transpose as matrix products whose rows of windows are read where they lie in padded
// planes (conv_planes.hpp), without writing them out as columns.
#pragma once

#include "autodiff/kernels/conv_planes.hpp"

namespace cadena::kernels {

template <class T>
void conv_direct(const ConvShape& s, const T* x, const T* w, const T* bias, T* y);
template <class T>
void conv_transpose_direct(const ConvShape& s, const T* y, const T* w, const T* bias, T* x);
template <class T>
void conv_weight_direct(const ConvShape& s, const T* x, const T* y, T* w);

/// For forms whose targets have one residue along every axis.
template <class T>
void conv_by_channels(const ConvForm& f, const T* source, const T* w, const T* bias, T* target);

}  // namespace cadena::kernels
