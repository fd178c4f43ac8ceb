// Losses of numbers: differences, quantiles, likelihoods.
#include <cmath>
#include <numbers>

#include "autodiff/core/losses.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/formulas/loss.hpp"
#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"

namespace cadena {
namespace detail {

OpInfo pair_loss_row(const Meta& meta, const PairLoss& loss) {
  std::vector<Case> cases;
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{3, 4}, Shape{67}})
    for (auto r : {Reduction::mean, Reduction::sum, Reduction::none})
      cases.push_back({{shape, shape}, [=](const TensorList& x) { return loss(x[0], x[1], r); }});
  cases.push_back({{{0}, {0}}, [=](const TensorList& x) { return loss(x[0], x[1], Reduction::sum); }});
  return composite(case_row(meta, "loss", std::move(cases), [loss](std::int64_t n) {
    return Case{{{n}, {n}}, [loss](const TensorList& x) { return loss(x[0], x[1], Reduction::mean); }};
  }));
}

namespace {

void check_option(const char* op, const char* expected, double value, bool ok) {
  if (!ok)
    throw ValueError("[" + std::string(op) + "] expected " + expected + ", got " + std::to_string(value));
}

}  // namespace
}  // namespace detail

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  detail::check_same_shape("mse_loss", input, target);
  return detail::reduced_elementwise(formulas::SquaredError{}, reduction, input, target);
}

Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  detail::check_same_shape("l1_loss", input, target);
  return detail::reduced_elementwise(formulas::AbsoluteError{}, reduction, input, target);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, Reduction reduction, double beta) {
  detail::check_option("smooth_l1_loss", "beta >= 0", beta, beta >= 0);
  detail::check_same_shape("smooth_l1_loss", input, target);
  if (beta == 0) return l1_loss(input, target, reduction);
  return detail::reduced_elementwise(formulas::SmoothAbsoluteError{beta}, reduction, input, target);
}

Tensor huber_loss(const Tensor& input, const Tensor& target, Reduction reduction, double delta) {
  detail::check_option("huber_loss", "delta > 0", delta, delta > 0);
  detail::check_same_shape("huber_loss", input, target);
  return detail::reduced_elementwise(formulas::HuberError{delta}, reduction, input, target);
}

Tensor log_cosh_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  detail::check_same_shape("log_cosh_loss", input, target);
  return detail::reduced_elementwise(formulas::LogCoshError{}, reduction, input, target);
}

Tensor quantile_loss(const Tensor& input, const Tensor& target, double q, Reduction reduction) {
  detail::check_option("quantile_loss", "0 < q < 1", q, q > 0 && q < 1);
  detail::check_same_shape("quantile_loss", input, target);
  return detail::reduced_elementwise(formulas::QuantileError{q}, reduction, input, target);
}

Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, const PoissonNllLossOptions& o) {
  detail::check_option("poisson_nll_loss", "eps >= 0", o.eps, o.eps >= 0);
  Tensor losses =
      o.log_input ? sub(exp(input), mul(target, input)) : sub(input, mul(target, log(add(input, o.eps))));
  if (o.full) {
    const Tensor stirling =
        add(sub(mul(target, log(target)), target), mul(log(mul(target, 2 * std::numbers::pi)), 0.5));
    losses = add(losses, where(gt(target, 1), stirling, 0));
  }
  return detail::reduced(losses, o.reduction);
}

Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                         const GaussianNllLossOptions& o) {
  detail::check_option("gaussian_nll_loss", "eps > 0", o.eps, o.eps > 0);
  const auto& shape = input.shape();
  Shape one_each = shape, without_last = shape;
  if (!shape.empty()) one_each[shape.rank() - 1] = 1, without_last.erase(shape.rank() - 1);
  if (!(var.shape() == shape || var.shape() == one_each || var.shape() == without_last))
    throw ShapeError("[gaussian_nll_loss] expected a var of shape " + to_string(shape) + " or " +
                     to_string(one_each) + ", got " + to_string(var.shape()));
  detail::repeatable("gaussian_nll_loss", [given = var.detach()] {
    if (given.numel() > 0 && any(lt(given, 0)).item() != 0)
      throw ValueError("[gaussian_nll_loss] expected variances >= 0, got " +
                       std::to_string(min(given).item()));
  });
  const Tensor spread = var.dim() < input.dim() ? unsqueeze(var, -1) : var;
  // What is clamped keeps its gradient, so that a variance can grow again.
  const Tensor clamped = add(spread, sub(maximum(spread.detach(), o.eps), spread.detach()));
  Tensor losses = mul(add(log(clamped), div(square(sub(input, target)), clamped)), 0.5);
  if (o.full) losses = add(losses, 0.5 * std::log(2 * std::numbers::pi));
  return detail::reduced(losses, o.reduction);
}

Tensor kl_div(const Tensor& input, const Tensor& target, const KlDivOptions& o) {
  const Tensor losses =
      o.log_target ? mul(exp(target), sub(target, input)) : sub(xlogy(target, target), mul(target, input));
  switch (o.reduction) {
    case KlReduction::batchmean:
      if (input.dim() == 0) throw ShapeError("[kl_div] expected a batch for batchmean, got ()");
      return div(sum(losses), static_cast<double>(input.size(0)));
    case KlReduction::sum:
      return sum(losses);
    case KlReduction::mean:
      return mean(losses);
    default:
      return losses;
  }
}

namespace detail {
namespace {

/// So far from the first argument that differences cross neither 0 nor 1, where losses have kinks.
constexpr Domain far_below{.low = -5, .high = -3.5};
constexpr Domain nearby{.low = 0.1, .high = 0.4};

OpInfo gaussian_row() {
  std::vector<Case> cases;
  for (const Shape& var : {Shape{3, 4}, Shape{3, 1}, Shape{3}})
    for (const GaussianNllLossOptions& o :
         {GaussianNllLossOptions{}, GaussianNllLossOptions{.full = true, .reduction = Reduction::sum},
          GaussianNllLossOptions{.reduction = Reduction::none}})
      cases.push_back({{{3, 4}, {3, 4}, var},
                       [o](const TensorList& x) { return gaussian_nll_loss(x[0], x[1], x[2], o); }});
  return composite(case_row(
      {.name = "gaussian_nll_loss",
       .domain = {real, real, positive},
       .formula = "mean((log v + (x - y)^2 / v) / 2)",
       .conventions = "variances below eps count as eps and keep their gradient"},
      "loss", std::move(cases), [](std::int64_t n) {
        return Case{{{n}, {n}, {n}}, [](const TensorList& x) { return gaussian_nll_loss(x[0], x[1], x[2]); }};
      }));
}

OpInfo kl_row() {
  std::vector<Case> cases;
  for (const Shape& shape : {Shape{5}, Shape{3, 4}})
    for (auto r : {KlReduction::none, KlReduction::mean, KlReduction::sum, KlReduction::batchmean})
      for (bool log_target : {false, true})
        cases.push_back({{shape, shape}, [=](const TensorList& x) {
                           return kl_div(x[0], x[1], {.reduction = r, .log_target = log_target});
                         }});
  return composite(case_row({.name = "kl_div",
                             .domain = {real, positive},
                             .formula = "mean(y (log y - x))",
                             .conventions = "0 where y is 0"},
                            "loss", std::move(cases), [](std::int64_t n) {
                              return Case{{{n}, {n}}, [](const TensorList& x) { return kl_div(x[0], x[1]); }};
                            }));
}

}  // namespace

OpList regression_ops() {
  using T = const Tensor&;
  const auto with = [](Meta meta, const Domain& target, const PairLoss& loss) {
    meta.domain = {Domain{.low = 0.5, .high = 1}, target, real};
    return pair_loss_row(meta, loss);
  };
  return {
      pair_loss_row(formulas::SquaredError::meta, cadena::mse_loss),
      with(formulas::AbsoluteError::meta, nearby, cadena::l1_loss),
      with(formulas::SmoothAbsoluteError::meta, nearby,
           [](T x, T y, Reduction r) { return smooth_l1_loss(x, y, r) + smooth_l1_loss(x, y - 9, r, 2); }),
      with(formulas::HuberError::meta, far_below,
           [](T x, T y, Reduction r) { return huber_loss(x, y, r) + huber_loss(x, y, r, 9); }),
      pair_loss_row(formulas::LogCoshError::meta, cadena::log_cosh_loss),
      with(formulas::QuantileError::meta, nearby,
           [](T x, T y, Reduction r) { return quantile_loss(x, y, 0.3, r) + quantile_loss(y, x, 0.3, r); }),
      pair_loss_row({.name = "poisson_nll_loss",
                     .domain = {positive, Domain{.low = 1.1, .high = 3}},
                     .formula = "mean(exp(x) - x y)"},
                    [](T x, T y, Reduction r) {
                      return poisson_nll_loss(x, y, {.full = true, .reduction = r}) +
                             poisson_nll_loss(x, y, {.log_input = false, .reduction = r});
                    }),
      gaussian_row(),
      kl_row()};
}

}  // namespace detail
}  // namespace cadena
