// Losses of classes: cross entropies.
#include "autodiff/ops/loss.hpp"

#include <cmath>
#include <string>

#include "autodiff/core/elementwise.hpp"
#include "autodiff/core/losses.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/core/typed.hpp"
#include "autodiff/error.hpp"
#include "autodiff/formulas/loss.hpp"
#include "autodiff/kernels/class_loss.hpp"
#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/arrange.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/contraction.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/softmax.hpp"

namespace cadena {
namespace detail {
namespace {

template <class T>
bool any_outside_unit(const Tensor& p) {
  const T* v = p.data<T>();
  bool any = false;  // without an exit the loop is vectorised; NaN passes, and the loss shows it
  for (std::int64_t i = 0; i < p.numel(); ++i) any |= (v[i] < 0) | (v[i] > 1);
  return any;
}

void check_probabilities(const Tensor& given) {
  const NoGrad guard;
  const Tensor plain = unwrapped(given);
  const Tensor p = contiguous(is_floating(plain.dtype()) ? plain : to(plain, f64));
  repeatable("binary_cross_entropy", [p] {
    if (p.dtype() == f32 ? any_outside_unit<float>(p) : any_outside_unit<double>(p))
      throw ValueError("[binary_cross_entropy] expected probabilities in [0, 1], got values in [" +
                       std::to_string(min(p).item()) + ", " + std::to_string(max(p).item()) +
                       "]; for logits there is binary_cross_entropy_with_logits");
  });
}

/// Scores (N, C, ...) or (C), targets (N, ...) or (), one weight per class.
void check_class_loss(const char* op, const Tensor& scores, const Tensor& target, const Tensor& weight) {
  const auto prefix = [&] { return "[" + std::string(op) + "] expected "; };
  check_real(op, scores);
  if (target.dtype() != i64)
    throw DtypeError(prefix() + "i64 targets, got " + std::string(name(target.dtype())));
  Shape expected = scores.shape();
  if (!expected.empty()) expected.erase(expected.rank() == 1 ? 0 : 1);
  if (scores.dim() == 0 || !(target.shape() == expected))
    throw ShapeError(prefix() + "scores (N, C, ...) and targets (N, ...), got " + to_string(scores.shape()) +
                     " and " + to_string(target.shape()));
  const auto classes = scores.size(scores.dim() == 1 ? 0 : 1);
  if (weight.defined() && !(weight.shape() == Shape{classes}))
    throw ShapeError(prefix() + "one weight per class (" + std::to_string(classes) + "), got " +
                     to_string(weight.shape()));
}

/// A loss of rows (N, C) and targets (N), for scores of any rank: the classes go last and the rest into one
/// batch.
template <class Options>
Tensor by_rows(Tensor (*loss)(const Tensor&, const Tensor&, const Options&), const Tensor& scores,
               const Tensor& target, const Options& o) {
  const auto classes = scores.size(scores.dim() == 1 ? 0 : 1);
  const Tensor last = scores.dim() == 1 ? scores : movedim(scores, 1, -1);
  const Tensor losses = loss(reshape(last, {target.numel(), classes}), reshape(target, {target.numel()}), o);
  return o.reduction == Reduction::none ? reshape(losses, target.shape()) : losses;
}

/// Cross entropy with the probabilities of all classes as targets.
Tensor soft_cross_entropy(const Tensor& x, const Tensor& target, const CrossEntropyOptions& o) {
  check_real("cross_entropy", x);
  const int axis = x.dim() == 1 ? 0 : 1;
  const auto classes = x.size(axis);
  if (o.weight.defined() && !(o.weight.shape() == Shape{classes}))
    throw ShapeError("[cross_entropy] expected one weight per class (" + std::to_string(classes) + "), got " +
                     to_string(o.weight.shape()));
  Tensor goal = to(target, x.dtype());
  if (o.label_smoothing > 0)
    goal = add(mul(goal, 1 - o.label_smoothing), o.label_smoothing / static_cast<double>(classes));
  if (o.weight.defined()) {
    Shape along;
    for (int i = 0; i < x.dim(); ++i) along.push_back(i == axis ? classes : 1);
    goal = mul(goal, reshape(to(o.weight, x.dtype()), along));
  }
  return reduced(neg(vecdot(goal, log_softmax(x, axis), axis)), o.reduction);
}

/// @throws ShapeError unless what was multiplied by a weight kept its shape
void check_broadcast(const char* op, const Tensor& losses, const Shape& shape) {
  if (!(losses.shape() == shape))
    throw ShapeError("[" + std::string(op) + "] expected weights that broadcast to " + to_string(shape) +
                     ", got a result of " + to_string(losses.shape()));
}
Tensor weighted(const char* op, const Tensor& losses, const Tensor& weight) {
  if (!weight.defined()) return losses;
  const Tensor result = mul(losses, weight);
  check_broadcast(op, result, losses.shape());
  return result;
}

/// Factor of every sample: its class's weight, or 0 where the target is to be ignored.
Tensor sample_weights(const Tensor& target, const Tensor& safe_target, const Tensor& weight,
                      std::int64_t ignore, DType dtype) {
  NoGrad guard;
  const Tensor factor =
      weight.defined()
          ? reshape(index_select(to(weight, dtype), 0, reshape(safe_target, {safe_target.numel()})),
                    target.shape())
          : ones(target.shape(), dtype);
  return where(eq(target, ignore), 0, factor);
}

/// A contiguous (N, C, ...) as (outer, classes, inner).
struct ClassAxis {
  std::int64_t outer, classes, inner = 1;

  explicit ClassAxis(const Shape& shape) : outer(shape[0]), classes(shape[1]) {
    for (int d = 2; d < shape.rank(); ++d) inner *= shape[d];
  }
  std::int64_t rows() const { return outer * inner; }
};

/// @throws IndexError
template <class T>
void check_targets(const char* op, const ClassAxis& n, const kernels::CrossEntropyTargets<T>& t) {
  if (auto bad = kernels::find_bad_target(n.rows(), n.classes, t))
    throw IndexError("[" + std::string(op) + "] expected targets in [0, " + std::to_string(n.classes) +
                     "), got " + std::to_string(*bad));
}

/// nll_loss of (N, C) in plain operations.
Tensor nll_reference(const Tensor& log_probs, const Tensor& target, const NllLossOptions& o) {
  const Tensor safe = where(eq(target, o.ignore_index), 0, target);
  const Tensor all = contiguous(unwrapped(target));
  repeatable("nll_loss", [all, classes = log_probs.size(1), ignore = o.ignore_index] {
    const kernels::CrossEntropyTargets<float> targets{all.data<std::int64_t>(), ignore};
    check_targets("nll_loss", ClassAxis({all.numel(), classes}), targets);
  });
  const Tensor picked = squeeze(gather(log_probs, 1, unsqueeze(safe, 1)), 1);
  const Tensor weights = sample_weights(target, safe, o.weight, o.ignore_index, log_probs.dtype());
  // Ignored samples contribute exactly nothing, even where their log probability is infinite.
  const Tensor losses = where(eq(weights, 0), 0, neg(mul(picked, weights)));
  if (o.reduction == Reduction::none) return losses;
  return o.reduction == Reduction::sum ? sum(losses) : div(sum(losses), sum(weights));
}

/// -weight log_probs of each sample's class; linear.
struct Nll : Linear<Nll> {
  static constexpr Meta meta{.name = "nll_loss",
                             .formula = "-mean(x[i, target[i]])",
                             .derivative = "dX = -G / n at the targets, else 0",
                             .conventions = "no target that counts: mean NaN, sum 0"};
  Constant target, weight;
  std::int64_t ignore = 0;
  Reduction reduction = Reduction::mean;
  double total = 1;  ///< what the mean divides by

  Tensor eval(const Tensor& x) {
    const Tensor in = contiguous(x), &t = target.get(meta.name);
    const ClassAxis n(x.shape());
    const Tensor losses = fresh(t.shape(), x.dtype());
    in_type(x.dtype(), [&]<class T>(T) {
      check_targets(meta.name.data(), n, targets<T>());
      kernels::nll<T>(n.outer, n.classes, n.inner, in.data<T>(), targets<T>(), written<T>(losses));
      if (reduction == Reduction::mean) total = kernels::total_weight(n.rows(), targets<T>());
    });
    if (reduction == Reduction::none) return losses;
    return reduction == Reduction::sum ? sum(losses) : div(sum(losses), total);
  }
  Tensor transpose(const Tensor& g, const Shape& in) const {
    if (composed(g)) return scattered(g, in);
    const ClassAxis n(in);
    const Tensor slopes = contiguous(g), out = fresh(in, g.dtype());
    in_type(g.dtype(), [&]<class T>(T) {
      kernels::nll_vjp<T>(n.outer, n.classes, n.inner, targets<T>(), slopes.data<T>(),
                          reduction == Reduction::none ? 1 : 0, static_cast<T>(1 / total), written<T>(out));
    });
    return out;
  }

 private:
  template <class T>
  kernels::CrossEntropyTargets<T> targets() const {
    return {target.get(meta.name).data<std::int64_t>(), ignore,
            weight.defined() ? weight.get(meta.name).data<T>() : nullptr};
  }
  /// The transpose in plain operations.
  Tensor scattered(const Tensor& g, const Shape& in) const {
    const Tensor& t = target.get(meta.name);
    const Tensor safe = where(eq(t, ignore), 0, t),
                 classes = weight.defined() ? weight.get(meta.name) : Tensor();
    const Tensor w = sample_weights(t, safe, classes, ignore, g.dtype());
    const Tensor each = where(eq(w, 0), 0, mul(neg(div(g, total)), w));
    return scatter_add(zeros(in, g.dtype()), 1, unsqueeze(safe, 1), unsqueeze(each, 1));
  }
};

/// Cross entropy in plain operations, per sample or reduced: what the kernel must equal.
Tensor cross_entropy_reference(const Tensor& x, const Tensor& target, const CrossEntropyOptions& o) {
  const Tensor log_probs = log_softmax(x, 1);
  const double smooth = o.label_smoothing;
  NllLossOptions plain{Reduction::none, o.ignore_index, o.weight};
  Tensor losses = nll_loss(log_probs, target, plain);
  const Tensor counts = ne(target, o.ignore_index);
  if (smooth > 0) {
    const Tensor w = o.weight.defined() ? to(o.weight, x.dtype()) : ones({x.size(1)}, x.dtype());
    const Tensor spread = where(counts, neg(sum(mul(log_probs, w), 1)), 0);
    losses = add(mul(losses, 1 - smooth), mul(spread, smooth / static_cast<double>(x.size(1))));
  }
  if (o.reduction == Reduction::none) return losses;
  if (o.reduction == Reduction::sum) return sum(losses);
  const Tensor safe = where(counts, target, 0);
  return div(sum(losses), sum(sample_weights(target, safe, o.weight, o.ignore_index, x.dtype())));
}

/// Softmax and negative log likelihood in one pass over (N, C, ...).
struct CrossEntropy : Fused<CrossEntropy> {
  static constexpr Meta meta{.name = "cross_entropy",
                             .reads = {X1},
                             .formula = "mean(-log_softmax(x)[i, target[i]])",
                             .derivative = "dX = G (softmax(x) - one_hot(target)) / n",
                             .conventions = "no target that counts: mean NaN, sum 0"};
  Constant target;
  CrossEntropyOptions options;
  Tensor sums;       ///< (2, samples), from the forward pass: kernels::RowSums
  double total = 1;  ///< what the mean divides by

  Tensor reference(const TensorList& x) const {
    return by_rows(cross_entropy_reference, x[0], target.get(meta.name), options);
  }
  Tensor eval(const Tensor& logits) {
    const Tensor x = contiguous(logits);
    return x.dtype() == f32 ? run<float>(x) : run<double>(x);
  }
  void vjp_fast(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.x(0).dtype() == f32)
      gin[0] = run_vjp<float>(contiguous(s.x(0)), contiguous(g));
    else
      gin[0] = run_vjp<double>(contiguous(s.x(0)), contiguous(g));
  }

 private:
  template <class T>
  kernels::CrossEntropyTargets<T> targets(const Tensor& t) const {
    return {t.data<std::int64_t>(), options.ignore_index,
            options.weight.defined() ? options.weight.data<T>() : nullptr, options.label_smoothing};
  }
  template <class T>
  Tensor run(const Tensor& x) {
    const Tensor t = target.get(meta.name);
    const ClassAxis n(x.shape());
    check_targets(meta.name.data(), n, targets<T>(t));
    const Tensor losses = fresh(t.shape(), x.dtype());
    sums = fresh({2, n.rows()}, x.dtype());
    kernels::cross_entropy<T>(n.outer, n.classes, n.inner, x.data<T>(), targets<T>(t), row_sums<T>(n.rows()),
                              written<T>(losses));
    if (options.reduction == Reduction::none) return losses;
    if (options.reduction == Reduction::mean) total = kernels::total_weight(n.rows(), targets<T>(t));
    return options.reduction == Reduction::sum ? sum(losses) : div(sum(losses), total);
  }
  template <class T>
  kernels::RowSums<T> row_sums(std::int64_t rows) const {
    T* first = static_cast<T*>(raw_data(sums));
    return {first, first + rows};
  }
  template <class T>
  Tensor run_vjp(const Tensor& x, const Tensor& g) const {
    const Tensor& t = target.get(meta.name);
    const ClassAxis n(x.shape());
    const Tensor out = fresh(x.shape(), x.dtype());
    kernels::cross_entropy_vjp<T>(n.outer, n.classes, n.inner, x.data<T>(), row_sums<T>(n.rows()),
                                  targets<T>(t), g.data<T>(), options.reduction == Reduction::none ? 1 : 0,
                                  static_cast<T>(1 / total), written<T>(out));
    return out;
  }
};

std::vector<Sample> cross_entropy_samples(Sampler& s) {
  std::vector<Sample> list;
  struct Case {
    Shape shape;
    CrossEntropyOptions options;
    const char* label;
  };
  const Tensor weight = s.draw({5}, unit);
  const Case cases[] = {{{4, 5}, {}, "mean"},
                        {{4, 5}, {.reduction = Reduction::sum}, "sum"},
                        {{4, 5}, {.reduction = Reduction::none}, "none"},
                        {{4, 5}, {.ignore_index = 2}, "ignoring 2"},
                        {{6, 5}, {.weight = weight}, "weighted"},
                        {{6, 5}, {.weight = weight, .label_smoothing = 0.2}, "weighted and smoothed"},
                        {{3, 5},
                         {.reduction = Reduction::none, .ignore_index = 1, .label_smoothing = 0.1},
                         "smoothed, ignoring 1"},
                        {{1, 1}, {}, "one class"},
                        {{3, 67}, {}, "many classes"},
                        {{0, 5}, {.reduction = Reduction::sum}, "no samples"}};
  for (const auto& c : cases) {
    const Tensor target = s.index({c.shape[0]}, c.shape[1]);
    list.push_back(
        {to_string(c.shape) + " " + c.label,
         {s.draw(c.shape)},
         [target, o = c.options](const TensorList& x) { return cross_entropy(x[0], target, o); },
         [target, o = c.options](const TensorList& x) { return cross_entropy_reference(x[0], target, o); }});
  }
  const CrossEntropyOptions images{.weight = weight, .label_smoothing = 0.1};
  const Tensor pixels = s.index({2, 3}, 5);
  list.push_back({"images", {s.draw({2, 5, 3})}, [=](const TensorList& x) {
                    return cross_entropy(x[0], pixels, images);
                  }});
  for (const Shape& shape : {Shape{4, 5}, Shape{5}, Shape{2, 5, 3}})
    for (const CrossEntropyOptions& o : {CrossEntropyOptions{}, images})
      list.push_back({to_string(shape) + " probabilities",
                      {s.draw(shape), s.draw(shape, unit)},
                      [o](const TensorList& x) { return cross_entropy(x[0], x[1], o); }});
  return list;
}

std::vector<Sample> nll_samples(Sampler& s) {
  std::vector<Sample> list;
  const Tensor weight = s.draw({5}, unit);
  for (const NllLossOptions& o : {NllLossOptions{}, NllLossOptions{.reduction = Reduction::sum},
                                  NllLossOptions{.reduction = Reduction::none},
                                  NllLossOptions{.ignore_index = 2}, NllLossOptions{.weight = weight}}) {
    const Tensor target = s.index({4}, 5);
    list.push_back(
        {"4 of 5 classes", {s.draw({4, 5})}, [=](const TensorList& x) { return nll_loss(x[0], target, o); }});
  }
  const Tensor pixels = s.index({2, 3}, 5);
  list.push_back({"images", {s.draw({2, 5, 3})}, [=](const TensorList& x) {
                    return nll_loss(x[0], pixels, {.weight = weight});
                  }});
  return list;
}

}  // namespace

OpList loss_ops() {
  return {{CrossEntropy::meta, "loss", cross_entropy_samples,
           [](Sampler& s, std::int64_t n) {
             const Shape shape{std::max<std::int64_t>(n / 1000, 1), 1000};
             const Tensor target = s.index({shape[0]}, 1000);
             return Sample{"1000 classes", {s.draw(shape)}, [target](const TensorList& x) {
                             return cross_entropy(x[0], target);
                           }};
           }},
          pair_loss_row({.name = "binary_cross_entropy",
                         // Near 0 and 1 the fifth derivative, 24 / p^5, spoils the differences.
                         .domain = {Domain{.low = 0.3, .high = 0.7}, unit},
                         .formula = "mean(-(y log p + (1 - y) log(1 - p)))",
                         .conventions = "logarithms clamped at -100, the gradient agrees"},
                        [](const Tensor& p, const Tensor& y, Reduction r) {
                          const Tensor weight = full({}, 0.75);
                          return binary_cross_entropy(p, y, r) +
                                 binary_cross_entropy(p, y, {.reduction = r, .weight = weight});
                        }),
          pair_loss_row({.name = "binary_cross_entropy_with_logits",
                         .domain = {real, unit},
                         .formula = "mean((1 - y) x + (1 + (w - 1) y) softplus(-x)), w = pos_weight or 1"},
                        [](const Tensor& x, const Tensor& y, Reduction r) {
                          const Tensor weight = full({}, 0.75), pos_weight = full({}, 3);
                          return binary_cross_entropy_with_logits(x, y, r) +
                                 binary_cross_entropy_with_logits(
                                     x, y, {.reduction = r, .weight = weight, .pos_weight = pos_weight});
                        }),
          pair_loss_row({.name = "sigmoid_focal_loss",
                         .domain = {real, unit},
                         .formula = "alpha_t (1 - p_t)^gamma (-log p_t) for p = sigmoid(x)"},
                        [](const Tensor& x, const Tensor& y, Reduction r) {
                          return sigmoid_focal_loss(x, y, {.reduction = r}) +
                                 sigmoid_focal_loss(x, y, {.alpha = -1, .gamma = 1.5, .reduction = r});
                        }),
          {Nll::meta, "loss", nll_samples, [](Sampler& s, std::int64_t n) {
             const Shape shape{std::max<std::int64_t>(n / 1000, 1), 1000};
             const Tensor target = s.index({shape[0]}, 1000);
             return Sample{"1000 classes", {s.draw(shape)}, [target](const TensorList& x) {
                             return nll_loss(x[0], target);
                           }};
           }}};
}

}  // namespace detail

Tensor binary_cross_entropy(const Tensor& p, const Tensor& target, Reduction reduction) {
  return binary_cross_entropy(p, target, {.reduction = reduction});
}

Tensor binary_cross_entropy(const Tensor& p, const Tensor& target, const BinaryCrossEntropyOptions& o) {
  detail::check_same_shape("binary_cross_entropy", p, target);
  detail::check_probabilities(p);
  constexpr formulas::BinaryCrossEntropy formula;
  if (!o.weight.defined()) return detail::reduced_elementwise(formula, o.reduction, p, target);
  const Tensor losses = detail::elementwise_call(formula, p, target);
  return detail::reduced(detail::weighted("binary_cross_entropy", losses, o.weight), o.reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target, Reduction reduction) {
  return binary_cross_entropy_with_logits(logits, target, {.reduction = reduction});
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const BceWithLogitsOptions& o) {
  constexpr auto op = "binary_cross_entropy_with_logits";
  detail::check_same_shape(op, logits, target);
  constexpr formulas::BinaryCrossEntropyWithLogits formula;
  if (!o.pos_weight.defined() && !o.weight.defined())
    return detail::reduced_elementwise(formula, o.reduction, logits, target);
  Tensor losses;
  if (o.pos_weight.defined()) {
    const Tensor factor = add(mul(sub(o.pos_weight, 1), target), 1);
    losses = add(mul(sub(1, target), logits), mul(factor, softplus(neg(logits))));
    detail::check_broadcast(op, losses, logits.shape());
  } else {
    losses = detail::elementwise_call(formula, logits, target);
  }
  return detail::reduced(detail::weighted(op, losses, o.weight), o.reduction);
}

Tensor sigmoid_focal_loss(const Tensor& logits, const Tensor& target, const FocalLossOptions& o) {
  detail::check_same_shape("sigmoid_focal_loss", logits, target);
  if (!(o.gamma >= 0 && o.alpha <= 1))
    throw ValueError("[sigmoid_focal_loss] expected gamma >= 0 and alpha <= 1, got " +
                     std::to_string(o.gamma) + " and " + std::to_string(o.alpha));
  const Tensor p = sigmoid(logits), q = sub(1, target);
  const Tensor losses = sub(softplus(logits), mul(logits, target));
  const Tensor wrong = add(mul(p, q), mul(sub(1, p), target));  // 1 - p_t
  const Tensor focused = mul(losses, pow(wrong, o.gamma));
  if (o.alpha < 0) return detail::reduced(focused, o.reduction);
  return detail::reduced(mul(add(mul(target, o.alpha), mul(q, 1 - o.alpha)), focused), o.reduction);
}

Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllLossOptions& o) {
  detail::check_class_loss("nll_loss", log_probs, target, o.weight);
  if (detail::is_batched(log_probs) || detail::is_batched(target))
    return detail::by_rows(detail::nll_reference, log_probs, target, o);
  const bool single = log_probs.dim() == 1;
  const Tensor x = single ? unsqueeze(log_probs, 0) : log_probs;
  const Tensor t = contiguous(single ? unsqueeze(target.detach(), 0) : target.detach());
  detail::Nll op;
  op.target = detail::Constant(t), op.ignore = o.ignore_index;
  if (o.weight.defined()) op.weight = detail::Constant(contiguous(to(o.weight.detach(), log_probs.dtype())));
  op.reduction = o.reduction;
  const Tensor losses = detail::apply(std::move(op), x);
  return single && o.reduction == Reduction::none ? squeeze(losses, 0) : losses;
}

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  const bool soft = is_floating(target.dtype()) && logits.dim() > 0 && target.shape() == logits.shape();
  if (!soft) detail::check_class_loss("cross_entropy", logits, target, options.weight);
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    throw ValueError("[cross_entropy] expected label_smoothing in [0, 1], got " +
                     std::to_string(options.label_smoothing));
  if (soft) return detail::soft_cross_entropy(logits, target, options);
  if (logits.dim() == 1) return detail::by_rows(cross_entropy, logits, target, options);
  if (detail::is_batched(logits) || detail::is_batched(target))
    return detail::by_rows(detail::cross_entropy_reference, logits, target, options);
  detail::CrossEntropy op;
  op.target = detail::Constant(contiguous(target.detach()));
  op.options = options;
  if (options.weight.defined()) op.options.weight = contiguous(to(options.weight.detach(), logits.dtype()));
  return detail::apply(std::move(op), logits);
}

}  // namespace cadena
