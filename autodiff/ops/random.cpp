// Random draws. What carries a gradient is arithmetic on parameterless noise; the noise itself is a constant.
#include "autodiff/ops/random.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/sampling.hpp"
#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/scan.hpp"
#include "autodiff/ops/search.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/softmax.hpp"

namespace cadena {
namespace detail {
namespace {

Generator& generator_of(const random::DrawOptions& o) {
  return o.generator ? *o.generator : default_generator();
}

kernels::RandomStart start(Generator& g, std::int64_t blocks) {
  return {g.seed(), g.advance(static_cast<std::uint64_t>(blocks))};
}

/// Parameters of a draw as tensors of one floating dtype, and the shape of the result, to which they
/// broadcast.
struct Parameters {
  std::vector<Tensor> values;
  Shape shape;
  DType dtype = f32;

  Parameters(const char* op, std::initializer_list<Operand> operands, const random::DrawOptions& o) {
    bool any = false;
    for (const auto& operand : operands) {
      if (!operand.tensor()) continue;
      const DType t = operand.tensor()->dtype();
      dtype = any ? promote(dtype, t) : t;
      any = true;
    }
    if (!any) dtype = o.dtype;
    if (any && !is_floating(dtype)) dtype = f32;
    if (!is_floating(dtype))
      throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(dtype)));
    for (const auto& operand : operands) {
      values.push_back(operand.tensor() ? to(*operand.tensor(), dtype) : full({}, operand.scalar(), dtype));
      shape = broadcast(op, shape, values.back().shape());
    }
    if (!o.shape) return;
    if (!(broadcast(op, shape, *o.shape) == *o.shape))
      throw ShapeError("[" + std::string(op) + "] expected parameters that broadcast to the shape " +
                       to_string(*o.shape) + ", got " + to_string(shape));
    shape = *o.shape;
  }

  /// Value of parameter i for every element, in double: contiguous, outside the graph.
  Tensor spread(std::size_t i) const {
    NoGrad guard;
    return contiguous(expand(to(values[i], f64), shape));
  }
};

Tensor both(const Tensor& a, const Tensor& b) { return where(a, b, a); }

/// All elements fulfil the condition; NaN does not.
void check_all(const char* op, const Tensor& condition, const char* expected, const Tensor& x) {
  if (on_tape()) [[unlikely]]
    return tape->act(op, [=, plain = x.detach()] { check_all(op, condition, expected, plain); });
  NoGrad guard;
  if (sum(condition).item<std::int64_t>() == condition.numel()) return;
  throw ValueError("[" + std::string(op) + "] expected " + expected + ", got values in [" +
                   std::to_string(min(x).item()) + ", " + std::to_string(max(x).item()) + "]");
}
void check_positive(const char* op, const char* what, const Tensor& x) {
  check_all(op, both(x > 0, x < std::numeric_limits<double>::infinity()), what, x);
}

/// Uniform and normal noise, the same for f32 and f64 up to rounding, which must not reach 1.
Tensor uniform_noise(const Parameters& p, Generator& g) {
  const Tensor u = rand(p.shape, g, f64);
  return p.dtype == f64 ? u : minimum(to(u, f32), 1 - 0x1p-24);
}
Tensor normal_noise(const Parameters& p, Generator& g) { return to(randn(p.shape, g, f64), p.dtype); }

/// Noise of a parameterless law.
Tensor noise(kernels::StandardLaw law, const Shape& shape, DType dtype, Generator& g) {
  const auto n = checked_numel("random", shape, itemsize(dtype));
  return repeatable("random", [=, from = DrawnFrom(g)] {
    Generator& stream = *from;
    Tensor out = make_tensor(shape, n, dtype);
    if (dtype == f32)
      kernels::fill_law(law, out.mutable_data<float>(), n, start(stream, n));
    else
      kernels::fill_law(law, out.mutable_data<double>(), n, start(stream, n));
    return out;
  });
}

/// Draws in double with the kernel `fill(parameters..., out, n, start)`.
template <class Fill, class... Parameter>
Tensor drawn(const Fill& fill, Generator& g, const Parameter&... parameters) {
  return repeatable("random", [=, from = DrawnFrom(g)] {
    const Tensor& first = std::get<0>(std::tie(parameters...));
    Tensor out = make_tensor(first.shape(), first.numel(), f64);
    fill(parameters.template data<double>()..., out.mutable_data<double>(), out.numel(),
         start(*from, out.numel()));
    return out;
  });
}

Tensor log_gamma_noise(const Tensor& concentration, Generator& g) {
  return drawn(kernels::fill_log_gamma, g, concentration);
}

/// Linear, and its own transpose: the same elements are dropped whenever it is applied.
struct Dropout : Linear<Dropout> {
  static constexpr Meta meta{.name = "dropout",
                             .formula = "x / (1 - p) or 0",
                             .derivative = "dX = G / (1 - p) where x was kept, else 0",
                             .conventions = "p = 1: zeros"};
  double p;
  std::int64_t blocks;
  std::optional<DrawnFrom> generator;
  /// Shared with the transposed ops, which drop the same.
  std::shared_ptr<kernels::RandomStart> from = std::make_shared<kernels::RandomStart>();

  Dropout(double probability, std::int64_t numel, Generator& g)
      : p(probability), blocks((numel + 3) / 4), generator(g) {}
  void redraw() {
    if (generator) *from = start(**generator, blocks);
  }
  Tensor eval(const Tensor& input) const {
    const Tensor x = contiguous(input);
    Tensor out = make_tensor(x.shape(), x.numel(), x.dtype());
    const double scale = p < 1 ? 1 / (1 - p) : 0;
    if (x.dtype() == f32)
      kernels::dropout(x.data<float>(), p, static_cast<float>(scale), out.mutable_data<float>(), x.numel(),
                       *from);
    else
      kernels::dropout(x.data<double>(), p, scale, out.mutable_data<double>(), x.numel(), *from);
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape& in) const { return again(expand(g, in)); }
  Tensor jvp(const Saved&, const Tensor* t) const { return again(t[0]); }

 private:
  Tensor again(const Tensor& x) const {
    Dropout same = *this;
    same.generator.reset();
    return apply(std::move(same), x);
  }
};

void check_dropout(const char* op, const Tensor& x, double p) {
  if (!(p >= 0 && p <= 1))
    throw ValueError("[" + std::string(op) + "] expected 0 <= p <= 1, got " + std::to_string(p));
  if (!is_floating(x.dtype()))
    throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(x.dtype())));
}

/// x's shape with 1 for all but the first `kept` axes: where one draw stands for all that follows.
Shape leading_extents(const char* op, const Tensor& x, int kept) {
  if (x.dim() < kept)
    throw ShapeError("[" + std::string(op) + "] expected at least " + std::to_string(kept) +
                     " dimensions, got " + to_string(x.shape()));
  Shape shape = x.shape();
  for (int i = kept; i < x.dim(); ++i) shape[i] = 1;
  return shape;
}

/// Dropout with one draw for each element of `draws`.
Tensor scaled(const Tensor& x, const Shape& draws, double p, bool training, Generator& generator) {
  if (!training || p == 0) return x;
  return mul(x, dropout(ones(draws, x.dtype()), p, true, generator));
}

/// Alpha dropout with one draw for each element of `draws`.
Tensor saturated(const Tensor& x, const Shape& draws, double p, bool training, Generator& generator) {
  if (!training || p == 0) return x;
  if (p == 1) return mul(x, 0);
  constexpr double dropped = -1.7580993408473766;  // -scale * alpha of selu: where it saturates
  const double a = 1 / std::sqrt((1 - p) * (1 + p * dropped * dropped)), b = -a * p * dropped;
  const Tensor kept = gt(dropout(ones(draws, x.dtype()), p, true, generator), 0);
  return where(kept, add(mul(x, a), b), a * dropped + b);
}

/// A row whose draws start from the same state at every call.
template <class Draw>
OpInfo random_row(const Meta& meta, std::vector<std::vector<Shape>> shapes, const Draw& draw) {
  auto call = [draw](const TensorList& x) {
    Generator g(29);
    return draw(x, g);
  };
  std::vector<Case> cases;
  for (auto& list : shapes) cases.push_back({std::move(list), call});
  const auto inputs = cases[0].shapes.size();
  return case_row(meta, "random", std::move(cases), [call, inputs](std::int64_t n) {
    return Case{std::vector<Shape>(inputs, Shape{n / 256, 256}), call};
  });
}

template <class Draw>
OpInfo law_row(const char* name, const Domain& second, const char* formula, const Draw& draw) {
  const Meta meta{.name = name, .domain = {real, second}, .formula = formula};
  return composite(random_row(meta, {{{}, {}}, {{3}, {3}}, {{3, 1}, {4}}, {{0}, {}}, {{2, 3}, {}}},
                              [draw](const TensorList& x, Generator& g) {
                                return draw(x[0], x[1], random::DrawOptions{.generator = &g});
                              }));
}

}  // namespace

OpList random_ops() {
  const std::vector<std::vector<Shape>> shapes = {{{}},  {{5}},    {{3, 4}}, {{2, 3, 4}},
                                                  {{0}}, {{2, 0}}, {{67}}};
  const std::vector<std::vector<Shape>> channels = {
      {{2, 3, 4}}, {{3, 2}}, {{2, 3, 2, 2}}, {{1, 1}}, {{0, 3}}};
  return {
      random_row(Dropout::meta, shapes,
                 [](const TensorList& x, Generator& g) { return dropout(x[0], 0.3, true, g); }),
      composite(random_row(
          {.name = "feature_dropout", .formula = "x m / (1 - p), m per channel"}, channels,
          [](const TensorList& x, Generator& g) { return feature_dropout(x[0], 0.4, true, true, g); })),
      composite(
          random_row({.name = "alpha_dropout", .formula = "a (x m + alpha' (1 - m)) + b"}, shapes,
                     [](const TensorList& x, Generator& g) { return alpha_dropout(x[0], 0.3, true, g); })),
      composite(random_row(
          {.name = "feature_alpha_dropout", .formula = "a (x m + alpha' (1 - m)) + b, m per channel"},
          channels,
          [](const TensorList& x, Generator& g) { return feature_alpha_dropout(x[0], 0.4, true, true, g); })),
      composite(random_row({.name = "drop_path", .formula = "x m / (1 - p), m per sample"}, channels,
                           [](const TensorList& x, Generator& g) { return drop_path(x[0], 0.4, true, g); })),
      composite(random_row({.name = "rrelu",
                            .domain = {kink_at_zero},
                            .formula = "x where x > 0, else x slope",
                            .conventions = "outside training leaky_relu with the mean slope"},
                           shapes,
                           [](const TensorList& x, Generator& g) { return rrelu(x[0], 0.1, 0.4, true, g); })),
      composite(random_row(
          {.name = "gumbel_softmax", .formula = "softmax((x + gumbel) / tau)"},
          {{{5}}, {{3, 4}}, {{2, 1}}, {{0, 3}}},
          [](const TensorList& x, Generator& g) { return gumbel_softmax(x[0], 0.7, false, -1, g); })),
      composite(
          random_row({.name = "permutation", .formula = "x[p]"}, {{{5}}, {{3, 4}}, {{1}}, {{0, 2}}},
                     [](const TensorList& x, Generator& g) { return random::permutation(x[0], 0, g); })),
      composite(random_row(
          {.name = "exponential", .domain = {positive}, .formula = "noise / rate"}, shapes,
          [](const TensorList& x, Generator& g) { return random::exponential(x[0], {.generator = &g}); })),
      law_row("uniform", Domain{.low = 2.1, .high = 3}, "low + (high - low) u", random::uniform),
      law_row("normal", positive, "mean + std noise", random::normal),
      law_row("laplace", positive, "loc + scale noise", random::laplace),
      law_row("gumbel", positive, "loc + scale noise", random::gumbel),
  };
}

}  // namespace detail

namespace random {

using detail::check_all;
using detail::check_positive;
using detail::generator_of;
using detail::Parameters;

Tensor uniform(const Operand& low, const Operand& high, const DrawOptions& o) {
  const Parameters p("uniform", {low, high}, o);
  check_all("uniform", le(p.values[0], p.values[1]), "low <= high", sub(p.values[1], p.values[0]));
  return add(p.values[0], mul(sub(p.values[1], p.values[0]), detail::uniform_noise(p, generator_of(o))));
}

Tensor normal(const Operand& mean, const Operand& std, const DrawOptions& o) {
  const Parameters p("normal", {mean, std}, o);
  check_all("normal", ge(p.values[1], 0), "std >= 0", p.values[1]);
  return add(p.values[0], mul(p.values[1], detail::normal_noise(p, generator_of(o))));
}

Tensor exponential(const Operand& rate, const DrawOptions& o) {
  const Parameters p("exponential", {rate}, o);
  check_positive("exponential", "rate > 0", p.values[0]);
  return div(detail::noise(kernels::StandardLaw::exponential, p.shape, p.dtype, generator_of(o)),
             p.values[0]);
}

Tensor laplace(const Operand& loc, const Operand& scale, const DrawOptions& o) {
  const Parameters p("laplace", {loc, scale}, o);
  check_positive("laplace", "scale > 0", p.values[1]);
  return add(p.values[0], mul(p.values[1], detail::noise(kernels::StandardLaw::laplace, p.shape, p.dtype,
                                                         generator_of(o))));
}

Tensor gumbel(const Operand& loc, const Operand& scale, const DrawOptions& o) {
  const Parameters p("gumbel", {loc, scale}, o);
  check_positive("gumbel", "scale > 0", p.values[1]);
  return add(p.values[0], mul(p.values[1], detail::noise(kernels::StandardLaw::gumbel, p.shape, p.dtype,
                                                         generator_of(o))));
}

Tensor truncated_normal(const Operand& mean, const Operand& std, const Operand& low, const Operand& high,
                        const DrawOptions& o) {
  NoGrad guard;
  const Parameters p("truncated_normal", {mean, std, low, high}, o);
  check_positive("truncated_normal", "std > 0", p.values[1]);
  check_all("truncated_normal", le(p.values[2], p.values[3]), "low <= high", sub(p.values[3], p.values[2]));
  const Tensor m = p.spread(0), s = p.spread(1), a = p.spread(2), b = p.spread(3);
  const Tensor z =
      detail::drawn(kernels::fill_truncated_normal, generator_of(o), div(sub(a, m), s), div(sub(b, m), s));
  // Rounding to the result's dtype must not leave the interval.
  return minimum(maximum(to(add(m, mul(s, z)), p.dtype), p.values[2]), p.values[3]);
}

Tensor gamma(const Operand& concentration, const Operand& rate, const DrawOptions& o) {
  NoGrad guard;
  const Parameters p("gamma", {concentration, rate}, o);
  check_positive("gamma", "concentration > 0", p.values[0]);
  check_positive("gamma", "rate > 0", p.values[1]);
  return to(div(exp(detail::log_gamma_noise(p.spread(0), generator_of(o))), p.spread(1)), p.dtype);
}

Tensor beta(const Operand& a, const Operand& b, const DrawOptions& o) {
  NoGrad guard;
  const Parameters p("beta", {a, b}, o);
  check_positive("beta", "a > 0", p.values[0]);
  check_positive("beta", "b > 0", p.values[1]);
  Generator& g = generator_of(o);
  const Tensor first = detail::log_gamma_noise(p.spread(0), g),
               second = detail::log_gamma_noise(p.spread(1), g);
  return to(sigmoid(sub(first, second)), p.dtype);
}

Tensor dirichlet(const Tensor& concentration, const DrawOptions& o) {
  NoGrad guard;
  const Parameters p("dirichlet", {concentration}, o);
  if (p.shape.empty()) throw ShapeError("[dirichlet] expected concentrations (..., K), got ()");
  check_positive("dirichlet", "concentration > 0", p.values[0]);
  return to(softmax(detail::log_gamma_noise(p.spread(0), generator_of(o)), -1), p.dtype);
}

Tensor poisson(const Operand& rate, const DrawOptions& o) {
  NoGrad guard;
  const Parameters p("poisson", {rate}, o);
  check_all("poisson", detail::both(p.values[0] >= 0, p.values[0] < std::numeric_limits<double>::infinity()),
            "rate >= 0", p.values[0]);
  return to(detail::drawn(kernels::fill_poisson, generator_of(o), p.spread(0)), p.dtype);
}

Tensor bernoulli(const Operand& probability, const DrawOptions& o) {
  NoGrad guard;
  const Parameters p("bernoulli", {probability}, o);
  check_all("bernoulli", detail::both(p.values[0] >= 0, p.values[0] <= 1), "0 <= p <= 1", p.values[0]);
  return to(lt(rand(p.shape, generator_of(o), f64), p.spread(0)), p.dtype);
}

Tensor categorical(const Tensor& logits, const DrawOptions& o) {
  NoGrad guard;
  if (logits.dim() == 0 || logits.size(-1) == 0)
    throw ShapeError("[categorical] expected logits (..., K) with K > 0, got " + to_string(logits.shape()));
  Shape shape = o.shape.value_or(Shape{});
  for (auto extent : logits.shape()) shape.push_back(extent);
  const Tensor x = to(logits, f64);
  check_all("categorical", lt(x, std::numeric_limits<double>::infinity()), "logits below infinity", x);
  const Tensor scores = add(x, detail::noise(kernels::StandardLaw::gumbel, shape, f64, generator_of(o)));
  const Tensor best = amax(x, -1);
  check_all("categorical", gt(best, -std::numeric_limits<double>::infinity()), "a finite logit in every row",
            best);
  return argmax(scores, -1);
}

Tensor multinomial(const Tensor& weights, std::int64_t count, bool replacement, Generator& generator) {
  NoGrad guard;
  if (weights.dim() == 0 || weights.size(-1) == 0)
    throw ShapeError("[multinomial] expected weights (..., K) with K > 0, got " + to_string(weights.shape()));
  if (count < 1) throw ValueError("[multinomial] expected count >= 1, got " + std::to_string(count));
  const Tensor w = to(weights, f64);
  check_all("multinomial", detail::both(w >= 0, w < std::numeric_limits<double>::infinity()),
            "finite weights >= 0", w);
  const Tensor possible = sum(to(gt(w, 0), i64), -1);
  const std::int64_t wanted = replacement ? 1 : count;
  if (possible.numel() > 0 && min(possible).item<std::int64_t>() < wanted)
    throw ValueError("[multinomial] expected at least " + std::to_string(wanted) +
                     " positive weights in every row, got " +
                     std::to_string(min(possible).item<std::int64_t>()));
  if (replacement) {  // where a uniform number falls among the running sums, which are at most w.size(-1)
    const Tensor sums = cumsum(div(w, amax(w, -1, true)), -1);
    Shape shape = w.shape();
    shape[shape.rank() - 1] = count;
    const Tensor at = mul(rand(shape, generator, f64), slice(sums, -1, {w.size(-1) - 1, w.size(-1)}));
    return searchsorted(sums, at, true);
  }
  const Tensor logits = log(w);
  // The largest `count` of logits + Gumbel noise are a draw without replacement (Efraimidis and Spirakis,
  // 2006).
  Tensor scores = add(logits, detail::noise(kernels::StandardLaw::gumbel, w.shape(), f64, generator));
  std::vector<Tensor> picked;
  for (std::int64_t k = 0; k < count; ++k) {
    picked.push_back(argmax(scores, -1));
    if (k + 1 < count)
      scores = where(to(one_hot(picked.back(), w.size(-1)), boolean),
                     -std::numeric_limits<double>::infinity(), scores);
  }
  return stack(picked, -1);
}

Tensor permutation(const Tensor& x, int axis, Generator& generator) {
  const int a = normalize_axis("permutation", axis, x.dim());
  return index_select(x, a, randperm(x.size(a), generator));
}

}  // namespace random

Tensor dropout(const Tensor& x, double p, bool training, Generator& generator) {
  detail::check_dropout("dropout", x, p);
  if (!training || p == 0) return x;
  detail::Dropout op(p, x.numel(), generator);
  if (!detail::on_tape()) op.redraw();
  return detail::apply(std::move(op), x);
}

Tensor feature_dropout(const Tensor& x, double p, bool training, bool batched, Generator& generator) {
  detail::check_dropout("feature_dropout", x, p);
  return detail::scaled(x, detail::leading_extents("feature_dropout", x, batched ? 2 : 1), p, training,
                        generator);
}

Tensor drop_path(const Tensor& x, double p, bool training, Generator& generator) {
  detail::check_dropout("drop_path", x, p);
  return detail::scaled(x, detail::leading_extents("drop_path", x, 1), p, training, generator);
}

Tensor alpha_dropout(const Tensor& x, double p, bool training, Generator& generator) {
  detail::check_dropout("alpha_dropout", x, p);
  return detail::saturated(x, x.shape(), p, training, generator);
}

Tensor feature_alpha_dropout(const Tensor& x, double p, bool training, bool batched, Generator& generator) {
  detail::check_dropout("feature_alpha_dropout", x, p);
  return detail::saturated(x, detail::leading_extents("feature_alpha_dropout", x, batched ? 2 : 1), p,
                           training, generator);
}

Tensor rrelu(const Tensor& x, double lower, double upper, bool training, Generator& generator) {
  detail::check_floating("rrelu", x);
  if (!(lower <= upper) || !std::isfinite(upper - lower))
    throw ValueError("[rrelu] expected finite lower <= upper, got " + std::to_string(lower) + " and " +
                     std::to_string(upper));
  if (!training) return leaky_relu(x, (lower + upper) / 2);
  const Tensor slopes = to(add(mul(rand(x.shape(), generator, f64), upper - lower), lower), x.dtype());
  return where(gt(x, 0), x, mul(x, slopes));
}

Tensor gumbel_softmax(const Tensor& logits, double tau, bool hard, int axis, Generator& generator) {
  if (!(tau > 0)) throw ValueError("[gumbel_softmax] expected tau > 0, got " + std::to_string(tau));
  const Tensor soft = softmax(div(random::gumbel(logits, 1, {.generator = &generator}), tau), axis);
  if (!hard) return soft;
  if (logits.dim() == 0) return add(soft, sub(1, soft.detach()));
  const int a = normalize_axis("gumbel_softmax", axis, logits.dim());
  const Tensor fixed = soft.detach();
  const Tensor top =
      scatter_add(zeros_like(fixed), a, argmax(fixed, a, true), ones_like(amax(fixed, a, true)));
  return add(soft, sub(top, fixed));
}

}  // namespace cadena
