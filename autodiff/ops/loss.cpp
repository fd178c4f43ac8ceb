// Losses.
#include "autodiff/ops/loss.hpp"

#include <cmath>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/softmax.hpp"
#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/softmax.hpp"

namespace cadena {
namespace detail {
namespace {

Tensor reduced(const Tensor& losses, Reduction reduction) {
  return reduction == Reduction::none ? losses : reduction == Reduction::sum ? sum(losses) : mean(losses);
}

void check_same_shape(const char* op, const Tensor& input, const Tensor& target) {
  if (!(input.shape() == target.shape()))
    throw ShapeError("[" + std::string(op) + "] expected input and target of one shape, got " +
                     to_string(input.shape()) + " and " + to_string(target.shape()));
}

/// Scores (N, C) or (C), targets (N) or (), one weight per class.
void check_class_loss(const char* op, const Tensor& scores, const Tensor& target, const Tensor& weight) {
  const std::string prefix = "[" + std::string(op) + "] expected ";
  if (!is_floating(scores.dtype()))
    throw DtypeError(prefix + "scores of f32 or f64, got " + std::string(name(scores.dtype())));
  if (target.dtype() != i64)
    throw DtypeError(prefix + "i64 targets, got " + std::string(name(target.dtype())));
  const bool fits = (scores.dim() == 1 && target.dim() == 0) ||
                    (scores.dim() == 2 && target.shape() == Shape{scores.shape()[0]});
  if (!fits)
    throw ShapeError(prefix + "scores (N, C) and targets (N), got " + to_string(scores.shape()) + " and " +
                     to_string(target.shape()));
  if (weight.defined() && !(weight.shape() == Shape{scores.size(-1)}))
    throw ShapeError(prefix + "one weight per class (" + std::to_string(scores.size(-1)) + "), got " +
                     to_string(weight.shape()));
}

/// Factor of every sample: its class's weight, or 0 where the target is to be ignored. (N)
Tensor sample_weights(const Tensor& target, const Tensor& safe_target, const Tensor& weight,
                      std::int64_t ignore, DType dtype) {
  NoGrad guard;
  const Tensor factor =
      weight.defined() ? index_select(to(weight, dtype), 0, safe_target) : ones(target.shape(), dtype);
  return where(eq(target, ignore), 0, factor);
}

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

/// Softmax and negative log likelihood in one pass over (N, C).
struct CrossEntropy : Fused<CrossEntropy> {
  static constexpr Meta meta{.name = "cross_entropy",
                             .reads = {X1},
                             .formula = "mean(-log_softmax(x)[i, target[i]])",
                             .derivative = "dX = G (softmax(x) - one_hot(target)) / n"};
  Constant target;
  CrossEntropyOptions options;
  Tensor lse;        ///< of each row, from the forward pass
  double total = 1;  ///< what the mean divides by

  Tensor reference(const TensorList& x) const {
    return cross_entropy_reference(x[0], target.get(meta.name), options);
  }
  void vjp_fast(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.x(0).dtype() == f32)
      gin[0] = run_vjp<float>(contiguous(s.x(0)), contiguous(g));
    else
      gin[0] = run_vjp<double>(contiguous(s.x(0)), contiguous(g));
  }

  template <class T>
  kernels::CrossEntropyTargets<T> targets(const Tensor& t) const {
    return {t.data<std::int64_t>(), options.ignore_index,
            options.weight.defined() ? options.weight.data<T>() : nullptr, options.label_smoothing};
  }
  template <class T>
  Tensor run(const Tensor& x) {
    const Tensor t = target.get(meta.name);
    const auto rows = x.size(0), n = x.size(1);
    if (auto bad = kernels::find_bad_target(rows, n, targets<T>(t)))
      throw IndexError("[cross_entropy] expected targets in [0, " + std::to_string(n) + "), got " +
                       std::to_string(*bad));
    Tensor losses = make_tensor({rows}, rows, x.dtype());
    lse = make_tensor({rows}, rows, x.dtype());
    kernels::cross_entropy<T>(rows, n, x.data<T>(), targets<T>(t), static_cast<T*>(raw_data(lse)),
                              static_cast<T*>(raw_data(losses)));
    if (options.reduction == Reduction::none) return losses;
    if (options.reduction == Reduction::mean) total = kernels::total_weight(rows, targets<T>(t));
    return options.reduction == Reduction::sum ? sum(losses) : div(sum(losses), total);
  }

 private:
  template <class T>
  Tensor run_vjp(const Tensor& x, const Tensor& g) const {
    const Tensor& t = target.get(meta.name);
    Tensor out = make_tensor(x.shape(), x.numel(), x.dtype());
    kernels::cross_entropy_vjp<T>(x.size(0), x.size(1), x.data<T>(), lse.data<T>(), targets<T>(t),
                                  g.data<T>(), options.reduction == Reduction::none ? 1 : 0,
                                  static_cast<T>(1 / total), static_cast<T*>(raw_data(out)));
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
  return list;
}

/// A loss of two tensors of one shape, under each reduction.
OpInfo pair_loss_row(const Meta& meta, Tensor (*loss)(const Tensor&, const Tensor&, Reduction)) {
  std::vector<Case> cases;
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{3, 4}, Shape{67}})
    for (auto r : {Reduction::mean, Reduction::sum, Reduction::none})
      cases.push_back({{shape, shape}, [=](const TensorList& x) { return loss(x[0], x[1], r); }});
  cases.push_back({{{0}, {0}}, [=](const TensorList& x) { return loss(x[0], x[1], Reduction::sum); }});
  return composite(case_row(meta, "loss", std::move(cases), [loss](std::int64_t n) {
    return Case{{{n}, {n}}, [loss](const TensorList& x) { return loss(x[0], x[1], Reduction::mean); }};
  }));
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
          pair_loss_row({.name = "mse_loss", .formula = "mean((x - y)^2)"}, cadena::mse_loss),
          pair_loss_row({.name = "binary_cross_entropy",
                         // Near 0 and 1 the fifth derivative, 24 / p^5, spoils the differences.
                         .domain = {Domain{.low = 0.3, .high = 0.7}, unit},
                         .formula = "mean(-(y log p + (1 - y) log(1 - p)))",
                         .conventions = "logarithms clamped at -100, the gradient agrees"},
                        cadena::binary_cross_entropy),
          pair_loss_row({.name = "binary_cross_entropy_with_logits",
                         .domain = {real, unit},
                         .formula = "mean(softplus(x) - x y)"},
                        cadena::binary_cross_entropy_with_logits),
          composite({{.name = "nll_loss", .formula = "-mean(x[i, target[i]])"},
                     "loss",
                     nll_samples,
                     [](Sampler& s, std::int64_t n) {
                       const Shape shape{std::max<std::int64_t>(n / 1000, 1), 1000};
                       const Tensor target = s.index({shape[0]}, 1000);
                       return Sample{"1000 classes", {s.draw(shape)}, [target](const TensorList& x) {
                                       return nll_loss(x[0], target);
                                     }};
                     }})};
}

}  // namespace detail

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  detail::check_same_shape("mse_loss", input, target);
  return detail::reduced(square(sub(input, target)), reduction);
}

Tensor binary_cross_entropy(const Tensor& p, const Tensor& target, Reduction reduction) {
  detail::check_same_shape("binary_cross_entropy", p, target);
  {
    NoGrad guard;
    // Written so that NaN passes: it is not outside the interval, and the loss shows it.
    const Tensor all = detail::unwrapped(p), outside = maximum(to(lt(all, 0), i64), to(gt(all, 1), i64));
    if (sum(outside).item<std::int64_t>() > 0)
      throw ValueError("[binary_cross_entropy] expected probabilities in [0, 1], got values in [" +
                       std::to_string(min(all).item()) + ", " + std::to_string(max(all).item()) +
                       "]; for logits there is binary_cross_entropy_with_logits");
  }
  const Tensor log_p = maximum(log(p), -100), log_q = maximum(log1p(neg(p)), -100);
  return detail::reduced(neg(add(mul(target, log_p), mul(sub(1, target), log_q))), reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target, Reduction reduction) {
  detail::check_same_shape("binary_cross_entropy_with_logits", logits, target);
  return detail::reduced(sub(softplus(logits), mul(logits, target)), reduction);
}

Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllLossOptions& o) {
  detail::check_class_loss("nll_loss", log_probs, target, o.weight);
  if (log_probs.dim() == 1) {
    const Tensor loss = nll_loss(unsqueeze(log_probs, 0), unsqueeze(target, 0), o);
    return o.reduction == Reduction::none ? squeeze(loss, 0) : loss;
  }
  const Tensor safe = where(eq(target, o.ignore_index), 0, target);
  const auto classes = log_probs.size(1);
  const Tensor all = contiguous(detail::unwrapped(target));
  if (auto bad = all.numel() == 0 ? std::nullopt
                                  : kernels::find_bad_target<float>(
                                        all.numel(), classes, {all.data<std::int64_t>(), o.ignore_index}))
    throw IndexError("[nll_loss] expected targets in [0, " + std::to_string(classes) + "), got " +
                     std::to_string(*bad));
  const Tensor picked = squeeze(gather(log_probs, 1, unsqueeze(safe, 1)), 1);
  const Tensor weights = detail::sample_weights(target, safe, o.weight, o.ignore_index, log_probs.dtype());
  // Ignored samples contribute exactly nothing, even where their log probability is infinite.
  const Tensor losses = where(eq(weights, 0), 0, neg(mul(picked, weights)));
  if (o.reduction == Reduction::none) return losses;
  return o.reduction == Reduction::sum ? sum(losses) : div(sum(losses), sum(weights));
}

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  detail::check_class_loss("cross_entropy", logits, target, options.weight);
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    throw ValueError("[cross_entropy] expected label_smoothing in [0, 1], got " +
                     std::to_string(options.label_smoothing));
  if (logits.dim() == 1) {
    const Tensor loss = cross_entropy(unsqueeze(logits, 0), unsqueeze(target, 0), options);
    return options.reduction == Reduction::none ? squeeze(loss, 0) : loss;
  }
  if (detail::is_batched(logits) || detail::is_batched(target))
    return detail::cross_entropy_reference(logits, target, options);
  detail::CrossEntropy op;
  Tensor value;
  {
    NoGrad guard;
    op.target = detail::Constant(contiguous(target));
    op.options = options;
    if (options.weight.defined()) op.options.weight = contiguous(to(options.weight.detach(), logits.dtype()));
    const Tensor x = contiguous(logits);
    value = logits.dtype() == f32 ? op.run<float>(x) : op.run<double>(x);
  }
  return detail::record(std::move(op), std::move(value), &logits, 1);
}

}  // namespace cadena
