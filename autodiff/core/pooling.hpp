// What the pools of several files share.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/batch.hpp"
#include "autodiff/core/windows.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena::detail {

/// A pool over the last `rank` dimensions of x.
struct Pool {
  std::string op;
  const Tensor& x;
  int rank;

  Pool(const char* name, int r, const Tensor& t, const char* tail = "")
      : op(name + std::to_string(r) + "d" + tail), x(t), rank(r) {
    if (!is_floating(x.dtype()))
      throw DtypeError("[" + op + "] expected f32 or f64, got " + std::string(cadena::name(x.dtype())));
    if (x.dim() != rank + 1 && x.dim() != rank + 2)
      throw ShapeError("[" + op + "] expected x of " + std::to_string(rank + 1) + " or " +
                       std::to_string(rank + 2) + " dimensions, got " + to_string(x.shape()));
    for (int i = 0; i < rank; ++i)
      if (extent(i) == 0) refuse("at least one element along the pooled dimensions");
  }

  [[noreturn]] void refuse(const std::string& expected) const {
    throw ShapeError("[" + op + "] expected " + expected + ", got x " + to_string(x.shape()));
  }
  void check(const char* what, const PerAxis& numbers, std::int64_t least) const {
    check_per_axis(op, what, numbers, rank, least);
  }
  int lead() const { return x.dim() - rank; }
  std::int64_t extent(int i) const { return x.shape()[lead() + i]; }
  std::int64_t planes() const {
    std::int64_t n = 1;
    for (int i = 0; i < lead(); ++i) n *= x.shape()[i];
    return n;
  }
  /// x's leading extents and these.
  Shape with(const std::array<std::int64_t, 3>& extents) const {
    Shape shape;
    for (int i = 0; i < lead(); ++i) shape.push_back(x.shape()[i]);
    for (int i = 0; i < rank; ++i) shape.push_back(extents[static_cast<std::size_t>(i)]);
    return shape;
  }
};

/// The elements of x, of the given extents in every plane, whose positions `find(x, planes, positions)`
/// writes.
template <class Find>
ValuesIndices picked(const Pool& p, const std::array<std::int64_t, 3>& extents, const Find& find) {
  const Shape shape = p.with(extents);
  checked_numel(p.op.c_str(), shape, sizeof(std::int64_t));
  std::int64_t in = 1, out = 1;
  for (int i = 0; i < p.rank; ++i) in *= p.extent(i), out *= extents[static_cast<std::size_t>(i)];
  const Tensor index = unrecorded(p.x, [=](const Tensor& v, int outer) {
    const Tensor x = contiguous(v);
    Shape all = shape;
    for (int i = outer; i > 0; --i) all.insert(0, x.shape()[i - 1]);
    const Tensor positions = make_tensor(all, all.numel(), i64);
    auto* to = static_cast<std::int64_t*>(raw_data(positions));
    const std::int64_t planes = in == 0 ? 0 : x.numel() / in;
    if (x.dtype() == f32)
      find(x.data<float>(), planes, to);
    else
      find(x.data<double>(), planes, to);
    return positions;
  });
  const Tensor values = gather(reshape(p.x, {p.planes(), in}), 1, reshape(index, {p.planes(), out}));
  return {reshape(values, shape), index};
}

/// "max_pool" + "2d" + tail, kept for the table, which lives as long as the program.
inline std::string_view pool_name(const char* op, int rank, const char* tail = "") {
  static auto* names = new std::deque<std::string>;
  return names->emplace_back(op + std::to_string(rank) + "d" + tail);
}

}  // namespace cadena::detail
