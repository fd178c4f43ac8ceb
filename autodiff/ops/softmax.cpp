// softmax, log_softmax and logsumexp: row kernels, with derivatives in plain operations beside the fast ones.
#include "autodiff/kernels/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/softmax.hpp"

namespace cadena {
namespace detail {
namespace {

/// Runs a row kernel `f<T>(rows, n, pointers..., out)` on contiguous copies of the operands.
template <class F>
Tensor row_kernel(const F& f, const Shape& shape, const Tensor& a, const Tensor& b) {
  const Tensor x = contiguous(a), y = contiguous(b);
  Tensor out = make_tensor(shape, shape.numel(), x.dtype());
  void* to = raw_data(out);
  if (x.dtype() == f32)
    f(x.data<float>(), y.data<float>(), static_cast<float*>(to));
  else
    f(x.data<double>(), y.data<double>(), static_cast<double*>(to));
  return out;
}

/// The axis of a softmax, counted from the end: -1, or one short enough to be worked on where it is.
struct Along {
  static constexpr std::int64_t longest = 128;

  int axis = -1;

  std::int64_t outer(const Tensor& x) const {
    std::int64_t count = 1;
    for (int d = 0; d < x.dim() + axis; ++d) count *= x.shape()[d];
    return count;
  }
  std::int64_t n(const Tensor& x) const { return x.size(axis); }
  std::int64_t inner(const Tensor& x) const {
    std::int64_t count = 1;
    for (int d = x.dim() + axis + 1; d < x.dim(); ++d) count *= x.shape()[d];
    return count;
  }
};

// Softmax's Jacobian is symmetric, so one product serves both modes.

struct Softmax : Along {
  static constexpr Meta meta{.name = "softmax",
                             .reads = {Y},
                             .formula = "exp(x) / sum(exp(x))",
                             .derivative = "dX = y (G - sum(G y))"};
  Tensor eval(const Tensor& x) const {
    const auto o = outer(x), k = n(x), i = inner(x);
    return row_kernel(
        [=, this](auto* in, auto*, auto* out) {
          axis == -1 ? kernels::softmax(k == 0 ? 0 : o, k, in, out)
                     : kernels::softmax_columns(o, k, i, in, out);
        },
        x.shape(), x, x);
  }
  Tensor batch(const BatchedCall& c) const { return apply(*this, c.x[0]); }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const { gin[0] = product(s.y(), g); }
  Tensor jvp(const Saved& s, const Tensor* t) const { return product(s.y(), t[0]); }

 private:
  Tensor product(const Tensor& y, const Tensor& v) const {
    if (composed(y, v)) return mul(y, sub(v, sum(mul(v, y), axis, true)));
    const auto o = outer(y), k = n(y), i = inner(y);
    return row_kernel(
        [=, this](auto* yp, auto* vp, auto* out) {
          axis == -1 ? kernels::softmax_vjp(k == 0 ? 0 : o, k, yp, vp, out)
                     : kernels::softmax_vjp_columns(o, k, i, yp, vp, out);
        },
        y.shape(), y, v);
  }
};

struct LogSoftmax : Along {
  static constexpr Meta meta{.name = "log_softmax",
                             .reads = {Y},
                             .formula = "x - log(sum(exp(x)))",
                             .derivative = "dX = G - exp(y) sum(G)"};
  Tensor eval(const Tensor& x) const {
    const auto o = outer(x), k = n(x), i = inner(x);
    return row_kernel(
        [=, this](auto* in, auto*, auto* out) {
          axis == -1 ? kernels::log_softmax(k == 0 ? 0 : o, k, in, out)
                     : kernels::log_softmax_columns(o, k, i, in, out);
        },
        x.shape(), x, x);
  }
  Tensor batch(const BatchedCall& c) const { return apply(*this, c.x[0]); }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor y = s.y();
    if (composed(y, g)) {
      gin[0] = sub(g, mul(exp(y), sum(g, axis, true)));
      return;
    }
    const auto o = outer(y), k = n(y), i = inner(y);
    gin[0] = row_kernel(
        [=, this](auto* yp, auto* gp, auto* out) {
          axis == -1 ? kernels::log_softmax_vjp(k == 0 ? 0 : o, k, yp, gp, out)
                     : kernels::log_softmax_vjp_columns(o, k, i, yp, gp, out);
        },
        y.shape(), y, g);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    return sub(t[0], sum(mul(exp(s.y()), t[0]), axis, true));
  }
};

/// The axis goes.
struct LogSumExp : Along {
  static constexpr Meta meta{
      .name = "logsumexp",
      .reads = {X1 | Y},
      .formula = "log(sum(exp(x)))",
      .derivative = "dX = G exp(x - y)",
      .conventions = "-inf only: -inf, derivative 0; +inf: shared by the +inf; empty: -inf"};
  Tensor eval(const Tensor& x) const {
    const auto o = outer(x), k = n(x), i = inner(x);
    Shape shape = x.shape();
    shape.erase(x.dim() + axis);
    return row_kernel(
        [=, this](auto* in, auto*, auto* out) {
          axis == -1 ? kernels::logsumexp(o, k, in, out) : kernels::logsumexp_columns(o, k, i, in, out);
        },
        shape, x, x);
  }
  Tensor batch(const BatchedCall& c) const { return apply(*this, c.x[0]); }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    gin[0] = composed(s.x(0), g) ? mul(unsqueeze(g, axis), weights(s)) : product(s.x(0), s.y(), g);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const { return sum(mul(t[0], weights(s)), axis); }

 private:
  /// g d y / dx
  Tensor product(const Tensor& x, const Tensor& y, const Tensor& g) const {
    const auto o = outer(x), k = n(x), i = inner(x);
    const Tensor factors = contiguous(g);
    return row_kernel(
        [=, this](auto* xp, auto* yp, auto* out) {
          const auto* f = factors.data<std::remove_pointer_t<decltype(out)>>();
          axis == -1 ? kernels::logsumexp_vjp(k == 0 ? 0 : o, k, xp, yp, f, out)
                     : kernels::logsumexp_vjp_columns(o, k, i, xp, yp, f, out);
        },
        x.shape(), x, y);
  }
  Tensor constant_weights(const Tensor& x, const Tensor& y) const {
    NoGrad guard;
    if (is_batched(x)) {
      const Tensor in[] = {x, y};
      const BatchedCall call(in, 2);
      return call.wrap(constant_weights(call.x[0], call.x[1]));
    }
    if (on_tape()) [[unlikely]]
      return repeatable(meta.name, [=, op = *this] { return op.constant_weights(x, y); });
    return product(x, y, ones(y.shape(), y.dtype()));
  }
  /// exp(x - y), that is softmax(x); in rows of infinite y the weights are constant: 0 over -inf, shared by
  /// the +inf.
  Tensor weights(const Saved& s) const {
    const Tensor& x = s.x(0);
    const Tensor y = s.y();
    const Tensor constant = constant_weights(x, y);
    if (!composed(constant)) return constant;
    const Tensor top = unsqueeze(y, axis);
    const Tensor finite = lt(abs(top.detach()), std::numeric_limits<double>::infinity());
    return where(finite, exp(sub(x, where(finite, top, 0))), constant);
  }
};

/// A short axis where it is, any other last.
template <class Op>
Tensor along_axis(const Op& op, const char* name, const Tensor& x, int axis) {
  if (!is_floating(x.dtype()))
    throw DtypeError("[" + std::string(name) + "] expected f32 or f64, got " +
                     std::string(cadena::name(x.dtype())));
  if (x.dim() == 0) return reshape(apply(op, reshape(x, {1})), {});
  const int a = normalize_axis(name, axis, x.dim());
  if (a == x.dim() - 1) return apply(op, x);
  if (x.size(a) > Along::longest) return transpose(apply(op, transpose(x, a, -1)), a, -1);
  Op there = op;
  there.axis = a - x.dim();
  return apply(there, x);
}

template <Tensor (*f)(const Tensor&, int), Tensor (*reference)(const Tensor&, int)>
OpInfo softmax_row(const Meta& meta) {
  return {meta, "softmax",
          [](Sampler& s) {
            std::vector<Sample> list;
            const std::pair<Shape, int> cases[] = {{{}, 0},      {{1}, 0},       {{5}, 0},    {{3, 4}, 1},
                                                   {{3, 4}, 0},  {{2, 3, 2}, 1}, {{3, 0}, 1}, {{0, 3}, 1},
                                                   {{2, 67}, 1}, {{9, 10}, -1}};
            for (const auto& [shape, axis] : cases)
              list.push_back({to_string(shape) + " axis " + std::to_string(axis),
                              {s.draw(shape)},
                              [axis = axis](const TensorList& x) { return f(x[0], axis); },
                              [axis = axis](const TensorList& x) { return reference(x[0], axis); }});
            return list;
          },
          [](Sampler& s, std::int64_t n) {
            return Sample{"rows of 1000",
                          {s.draw({std::max<std::int64_t>(n / 1000, 1), 1000})},
                          [](const TensorList& x) { return f(x[0], 1); }};
          }};
}

Tensor logsumexp_over(const Tensor& x, int axis) { return logsumexp(x, axis); }
Tensor logsumexp_reference(const Tensor& x, int axis) {
  return log(sum(exp(x), x.dim() == 0 ? Axes() : Axes(axis)));
}
Tensor softmax_reference(const Tensor& x, int axis) {
  return div(exp(x), sum(exp(x), x.dim() == 0 ? Axes() : Axes(axis), true));
}
Tensor log_softmax_reference(const Tensor& x, int axis) { return log(softmax_reference(x, axis)); }

}  // namespace

OpList softmax_ops() {
  return {softmax_row<softmax, softmax_reference>(Softmax::meta),
          softmax_row<log_softmax, log_softmax_reference>(LogSoftmax::meta),
          softmax_row<logsumexp_over, logsumexp_reference>(LogSumExp::meta)};
}

}  // namespace detail

Tensor softmax(const Tensor& x, int axis) {
  return detail::along_axis(detail::Softmax{}, "softmax", x, axis);
}
Tensor log_softmax(const Tensor& x, int axis) {
  return detail::along_axis(detail::LogSoftmax{}, "log_softmax", x, axis);
}

Tensor logsumexp(const Tensor& x, const Axes& axes, bool keepdim) {
  if (!is_floating(x.dtype()))
    throw DtypeError("[logsumexp] expected f32 or f64, got " + std::string(name(x.dtype())));
  const Axes reduced = x.dim() == 0 ? Axes() : normalize_axes("logsumexp", axes, x.dim());
  Axes order;
  Shape rows, kept;
  std::int64_t n = 1;
  for (int i = 0; i < x.dim(); ++i) {
    const bool gone = std::find(reduced.begin(), reduced.end(), i) != reduced.end();
    if (!gone) order.push_back(i), rows.push_back(x.shape()[i]);
    if (!gone || keepdim) kept.push_back(gone ? 1 : x.shape()[i]);
    if (gone) n *= x.shape()[i];
  }
  for (auto a : reduced) order.push_back(a);
  // Neighbouring axes that are few elements stay where they are, as one.
  const int count = reduced.rank(), first = count == 0 ? 0 : static_cast<int>(reduced[0]);
  if (count > 0 && reduced[count - 1] == first + count - 1 && first + count < x.dim() && n > 0 &&
      n <= detail::Along::longest) {
    rows.insert(first, n);
    detail::LogSumExp op;
    op.axis = first - rows.rank();
    return reshape(detail::apply(op, reshape(x, rows)), kept);
  }
  rows.push_back(n);
  return reshape(detail::apply(detail::LogSumExp{}, reshape(permute(x, order), rows)), kept);
}

}  // namespace cadena
