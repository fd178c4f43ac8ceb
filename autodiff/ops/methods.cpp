// Operations as methods of Tensor: what one chains.
#include "autodiff/ops.hpp"

namespace cadena {

Tensor Tensor::reshape(const Shape& s) const { return cadena::reshape(*this, s); }
Tensor Tensor::view(const Shape& s) const { return cadena::view(*this, s); }
Tensor Tensor::unfold(int axis, std::int64_t size, std::int64_t step) const {
  return cadena::unfold(*this, axis, size, step);
}
Tensor Tensor::flatten(int start, int end) const { return cadena::flatten(*this, start, end); }
Tensor Tensor::permute(const Axes& axes) const { return cadena::permute(*this, axes); }
Tensor Tensor::transpose(int a, int b) const { return cadena::transpose(*this, a, b); }
Tensor Tensor::t() const { return cadena::t(*this); }
Tensor Tensor::expand(const Shape& s) const { return cadena::expand(*this, s); }
Tensor Tensor::squeeze(const Axes& axes) const { return cadena::squeeze(*this, axes); }
Tensor Tensor::unsqueeze(int axis) const { return cadena::unsqueeze(*this, axis); }
Tensor Tensor::select(int axis, std::int64_t i) const { return cadena::select(*this, axis, i); }
Tensor Tensor::slice(int axis, Slice range) const { return cadena::slice(*this, axis, range); }
Tensor Tensor::to(DType dtype) const { return cadena::to(*this, dtype); }
Tensor Tensor::contiguous() const { return cadena::contiguous(*this); }
Tensor Tensor::clone() const { return cadena::clone(*this); }

Tensor Tensor::sum(const Axes& axes, bool keepdim) const { return cadena::sum(*this, axes, keepdim); }
Tensor Tensor::mean(const Axes& axes, bool keepdim) const { return cadena::mean(*this, axes, keepdim); }

}  // namespace cadena
