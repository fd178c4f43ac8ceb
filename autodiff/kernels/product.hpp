// Products along the middle of contiguous memory.
#pragma once

#include "autodiff/kernels/scan.hpp"

namespace cadena::kernels {

/// gx[j] = g times the product of all elements of x's line but x[j]. @param y the products (outer, inner) of
/// the lines, like g
template <class T>
void product_of_others(const Lines& lines, const T* x, const T* y, const T* g, T* gx);

}  // namespace cadena::kernels
