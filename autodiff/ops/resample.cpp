// A banded matrix along one axis: the linear op of which average pools and interpolations are made.
#include "autodiff/core/resample.hpp"

#include <algorithm>
#include <memory>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena::detail {
namespace {

struct Resample : Linear<Resample> {
  static constexpr Meta meta{.name = "resample",
                             .formula = "y[i] = sum over k of weight[i, k] x[first[i] + k]",
                             .derivative = "dX = resample(G) with the transposed weights",
                             .conventions = "outputs without weights are 0"};
  int axis;
  std::shared_ptr<const kernels::Taps> taps;

  Resample(int a, kernels::Taps t) : axis(a), taps(std::make_shared<kernels::Taps>(std::move(t))) {}
  Tensor batch(const BatchedCall& c) const {
    Resample behind(*this);
    ++behind.axis;
    return apply(std::move(behind), c.x[0]);
  }
  Tensor eval(const Tensor& x0) const {
    const Tensor x = contiguous(x0);
    Shape shape = x.shape();
    shape[axis] = taps->out();
    const Tensor out = make_tensor(shape, checked_numel("resample", shape, itemsize(x.dtype())), x.dtype());
    std::int64_t outer = 1, inner = 1;
    for (int i = 0; i < x.dim(); ++i) (i < axis ? outer : inner) *= i == axis ? 1 : shape[i];
    if (x.dtype() == f32)
      kernels::resample(*taps, outer, inner, x.data<float>(), static_cast<float*>(raw_data(out)));
    else
      kernels::resample(*taps, outer, inner, x.data<double>(), static_cast<double*>(raw_data(out)));
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape&) const {
    return cadena::detail::resample(g, axis, taps->transposed());
  }
};

/// Windows of three with uneven weights, some short, one empty, some inputs unread.
kernels::Taps sample_taps(std::int64_t in) {
  kernels::Taps t(in);
  for (std::int64_t i = 0; i < in; i += 2)
    t.push_back(i, std::vector<double>(static_cast<std::size_t>(std::min<std::int64_t>(3, in - i)),
                                       0.5 + 0.1 * static_cast<double>(i)));
  t.push_back(0, {});
  t.push_back(in - 1, {-1.5});
  return t;
}

}  // namespace

Tensor resample(const Tensor& x, int axis, kernels::Taps taps) {
  return apply(Resample(axis, std::move(taps)), x);
}

OpList resample_ops() {
  std::vector<Case> cases;
  const std::pair<Shape, int> shapes[] = {{{5}, 0},    {{2, 7}, 1}, {{7, 2}, 0}, {{2, 4, 3}, 1},
                                          {{0, 3}, 1}, {{3, 0}, 0}, {{1}, 0},    {{40, 3}, 0}};
  for (const auto& [shape, axis] : shapes)
    cases.push_back({{shape}, [axis = axis, taps = sample_taps(shape[axis])](const TensorList& x) {
                       return resample(x[0], axis, taps);
                     }});
  return {case_row(Resample::meta, "resample", std::move(cases), [](std::int64_t n) {
    return Case{{{n / 256, 16, 16}},
                [taps = sample_taps(16)](const TensorList& x) { return resample(x[0], 1, taps); }};
  })};
}

}  // namespace cadena::detail
