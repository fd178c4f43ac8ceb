#include "optim/rules.hpp"

#include <cmath>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"

namespace cadena::optim {

namespace {

std::string describe(DType dtype) { return std::string(name(dtype)); }
std::string describe(const Tensor& t) {
  return t.defined() ? to_string(t.shape()) + " " + describe(t.dtype()) : "none";
}

/// (out) for one sample, (samples, out) for several.
Shape output_shape(const Tensor& x, std::int64_t out) {
  auto shape = x.shape();
  shape[x.dim() - 1] = out;
  return shape;
}

double checked_lr(const char* rule, double lr) {
  if (!(lr >= 0 && std::isfinite(lr)))
    throw ValueError(std::string("[") + rule + "] lr: expected a finite number >= 0, got " +
                     std::to_string(lr));
  return lr;
}

/// As (samples, width), in the weight's dtype. A vector is one sample, or several of width 1 where that is
/// meant. Memory shared with the weight is copied, which must not change underneath.
Tensor rows(const Tensor& t, std::int64_t samples, std::int64_t width, const Tensor& weight) {
  const auto values = t.detach().to(weight.dtype()).reshape({samples, width});
  return values.shares_storage(weight) ? values.clone() : values;
}

}  // namespace

LearningRule::LearningRule(const char* name, double lr, Samples samples)
    : name_(name), lr_(checked_lr(name, lr)), samples_(samples) {}

void LearningRule::set_lr(double lr) { lr_ = checked_lr(name_.c_str(), lr); }

void LearningRule::fail(const std::string& expected, const std::string& got) const {
  throw ValueError("[" + name_ + "] expected " + expected + ", got " + got);
}

void LearningRule::check_target(const Tensor& target) const {
  if (!target.defined()) fail("a target", "none");
}

void LearningRule::check(const Tensor& weight, const Tensor& bias, const Tensor& x,
                         const Tensor& target) const {
  const auto expect_shape = [&](bool ok, const char* expected, const Tensor& got) {
    if (!ok)
      throw ShapeError("[" + name_ + "] expected " + expected + ", got " + describe(got) +
                       " for a weight of " + describe(weight));
  };
  expect_shape(weight.defined() && weight.dim() == 2, "a weight (out, in)", weight);
  const auto out = weight.size(0), in = weight.size(1);
  if (!is_floating(weight.dtype()))
    throw DtypeError("[" + name_ + "] expected a weight of f32 or f64, got " + describe(weight));
  for (const auto& t : {bias, x, target})
    if (t.defined() && is_floating(t.dtype()) && t.dtype() != weight.dtype())
      throw DtypeError("[" + name_ + "] expected " + describe(weight.dtype()) + ", got " + describe(t));
  if (bias.defined() && !takes_bias()) fail("no bias", describe(bias));
  expect_shape(!bias.defined() || bias.shape() == Shape{out}, "a bias (out)", bias);
  if (bias.defined() && !is_floating(bias.dtype()))
    throw DtypeError("[" + name_ + "] expected a bias of f32 or f64, got " + describe(bias));
  expect_shape(x.defined() && (x.dim() == 1 || x.dim() == 2) && x.size(-1) == in,
               "x as (in) or (samples, in)", x);
  auto short_form = x.shape();
  short_form.erase(x.dim() - 1);
  expect_shape(!target.defined() || target.shape() == output_shape(x, out) ||
                   (out == 1 && target.shape() == short_form),
               "a target (out) or (samples, out)", target);
  check_target(target);
}

RuleStep LearningRule::step(Tensor weight, Tensor bias, const Tensor& x, const Tensor& target) {
  const NoGrad no_grad;
  check(weight, bias, x, target);
  const auto out = weight.size(0), in = weight.size(1), samples = x.dim() == 2 ? x.size(0) : 1;
  const auto inputs = rows(x, samples, in, weight);
  const auto targets = target.defined() ? rows(target, samples, out, weight) : Tensor();
  RuleStep done{.output = empty({samples, out}, weight.dtype()),
                .weight = zeros({out, in}, weight.dtype()),
                .bias = bias.defined() ? zeros({out}, weight.dtype()) : Tensor()};
  const auto block = samples_ == Samples::batch_sum ? samples : 1;
  for (std::int64_t first = 0; first < samples; first += block) {
    const Slice part{first, first + block};
    const auto now =
        change(weight, bias, inputs.slice(0, part), targets.defined() ? targets.slice(0, part) : Tensor());
    done.output.slice(0, part).copy_(now.output);
    done.weight.add_(now.weight);
    if (bias.defined()) done.bias.add_(now.bias);
  }
  done.output = done.output.reshape(target.defined() ? target.shape() : output_shape(x, out));
  return done;
}

RuleStep LearningRule::change(Tensor& weight, Tensor& bias, const Tensor& x, const Tensor& target) const {
  const auto s = signal(linear(x, weight, bias), target);
  auto dw = matmul(s.factor.t(), x);
  if (s.decay.defined()) dw -= s.decay.sum({0}).unsqueeze(1) * weight;
  dw.mul_(lr_);
  weight.add_(dw);
  if (!bias.defined()) return {s.output, dw, {}};
  auto db = s.factor.sum({0}) * lr_;
  bias.add_(db);
  return {s.output, dw, db};
}

LearningRule::Signal Hebb::signal(const Tensor& net, const Tensor& target) const {
  const auto& y = target.defined() ? target : net;
  return {.output = y, .factor = y};
}

LearningRule::Signal Oja::signal(const Tensor& net, const Tensor&) const {
  return {.output = net, .factor = net, .decay = square(net)};
}
void Oja::check_target(const Tensor& target) const {
  if (target.defined()) fail("no target", describe(target));
}

Perceptron::Perceptron(PerceptronOptions options)
    : LearningRule("Perceptron", options.lr, options.samples), at_zero_(options.at_zero) {
  if (at_zero_ != 0 && at_zero_ != 1) fail("0 or 1 for at_zero", std::to_string(at_zero_));
}

LearningRule::Signal Perceptron::signal(const Tensor& net, const Tensor& target) const {
  const auto y = heaviside(net, at_zero_);
  return {.output = y, .factor = target - y};
}
void Perceptron::check_target(const Tensor& target) const {
  LearningRule::check_target(target);
  for (const double t : target.to_vector<double>())
    if (t != 0 && t != 1) fail("targets of 0 or 1", std::to_string(t));
}

LearningRule::Signal Delta::signal(const Tensor& net, const Tensor& target) const {
  return {.output = net, .factor = target - net};
}

}  // namespace cadena::optim
