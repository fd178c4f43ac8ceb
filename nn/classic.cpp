#include "nn/classic.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"

namespace cadena::nn {

namespace {

std::string sizes(const Tensor& weight, const Tensor& bias) {
  return "in_features=" + std::to_string(weight.size(1)) +
         ", out_features=" + std::to_string(weight.size(0)) + ", bias=" + (bias.defined() ? "True" : "False");
}

/// One unit of a Hopfield network. Sums of the rounded weights that should be 0 are a little off; such a unit
/// must not move, or recalling might never end.
struct Unit {
  const double* weights;
  double bias, epsilon;

  double next(const std::vector<double>& s, std::size_t self) const {
    double sum = bias, magnitude = std::abs(bias);
    for (std::size_t j = 0; j < s.size(); ++j) {
      sum += weights[j] * s[j];
      magnitude += std::abs(weights[j]);
    }
    if (std::abs(sum) <= 2 * epsilon * magnitude) return s[self];
    return sum > 0 ? 1 : -1;
  }
};

double epsilon_of(const Tensor& t) {
  return t.dtype() == f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
}

/// What a recall works on, in double whatever the dtype.
struct Dynamics {
  std::vector<double> weight, bias;
  double epsilon;

  Unit unit(std::size_t i) const { return {weight.data() + i * bias.size(), bias[i], epsilon}; }

  double energy(const std::vector<double>& s) const {
    double e = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < s.size(); ++j) sum += weight[i * s.size() + j] * s[j];
      e -= s[i] * (sum / 2 + bias[i]);
    }
    return e;
  }
};

/// 0, 1, ..., n - 1, or shuffled.
std::vector<std::int64_t> order_of(std::size_t n, bool shuffle, Generator& g) {
  if (shuffle) return randperm(static_cast<std::int64_t>(n), g).to_vector<std::int64_t>();
  std::vector<std::int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

}  // namespace

Perceptron::Perceptron(std::int64_t in_features, std::int64_t out_features, PerceptronOptions options)
    : weight(zeros({out_features, in_features}, options.dtype)), at_zero_(options.at_zero) {
  if (options.bias) bias = zeros({out_features}, options.dtype);
  if (at_zero_ != 0 && at_zero_ != 1)
    throw ValueError("[Perceptron] expected 0 or 1 for at_zero, got " + std::to_string(at_zero_));
}

Tensor Perceptron::forward(const Tensor& x) { return heaviside(linear(x, weight, bias), at_zero_); }

void Perceptron::visit(Visitor& v) {
  v("weight", weight);
  v("bias", bias);
}

std::string Perceptron::extra_repr() const {
  return sizes(weight, bias) + ", at_zero=" + (at_zero_ == 1 ? "1" : "0");
}

Adaline::Adaline(std::int64_t in_features, std::int64_t out_features, AdalineOptions options)
    : weight(zeros({out_features, in_features}, options.dtype)) {
  if (options.bias) bias = zeros({out_features}, options.dtype);
}

Tensor Adaline::forward(const Tensor& x) { return linear(x, weight, bias); }
Tensor Adaline::classify(const Tensor& x) { return heaviside(forward(x), 1) * 2 - 1; }

void Adaline::visit(Visitor& v) {
  v("weight", weight);
  v("bias", bias);
}

std::string Adaline::extra_repr() const { return sizes(weight, bias); }

Hopfield::Hopfield(std::int64_t size, DType dtype)
    : weight(zeros({size, size}, dtype)), bias(zeros({size}, dtype)) {
  if (!is_floating(dtype))
    throw DtypeError("[Hopfield] expected f32 or f64, got " + std::string(name(dtype)));
}

std::vector<double> Hopfield::signs(const char* what, const Tensor& states, bool several) const {
  const auto n = bias.size(0);
  if ((states.dim() != 1 && !(several && states.dim() == 2)) || states.size(-1) != n)
    throw ShapeError("[Hopfield] expected " + std::string(what) + " of " + std::to_string(n) +
                     " units, got " + cadena::to_string(states.shape()));
  auto values = states.to_vector<double>();
  for (const double s : values)
    if (s != 1 && s != -1)
      throw ValueError("[Hopfield] expected " + std::string(what) + " of -1 and 1, got " + std::to_string(s));
  return values;
}

void Hopfield::store(const Tensor& patterns) {
  signs("patterns", patterns, true);
  const auto n = bias.size(0);
  if (n == 0) return;
  const NoGrad no_grad;
  const auto p = patterns.detach().to(weight.dtype()).reshape({-1, n});
  weight.add_(matmul(p.t(), p) * (1 - eye(n, weight.dtype())) / n);
}

double Hopfield::next(const Tensor& state, std::int64_t unit) const {
  const auto s = signs("a state", state, false);
  const auto row = weight.select(0, unit).to_vector<double>();
  const auto self = static_cast<std::size_t>(unit < 0 ? unit + bias.size(0) : unit);
  return Unit{row.data(), bias[unit].item(), epsilon_of(weight)}.next(s, self);
}

HopfieldRecall Hopfield::recall(const Tensor& state, HopfieldRecallOptions options,
                                Generator& generator) const {
  auto s = signs("a state", state, false);
  if (options.max_sweeps < 1)
    throw ValueError("[Hopfield] expected max_sweeps >= 1, got " + std::to_string(options.max_sweeps));
  const Dynamics net{weight.to_vector<double>(), bias.to_vector<double>(), epsilon_of(weight)};
  HopfieldRecall result{.state = {}, .converged = false, .energy = {net.energy(s)}};
  std::vector<double> before_last;
  for (std::int64_t sweep = 0; sweep < options.max_sweeps && !result.converged; ++sweep) {
    const auto last = s;
    if (options.update == HopfieldUpdate::synchronous) {
      for (std::size_t i = 0; i < s.size(); ++i) s[i] = net.unit(i).next(last, i);
    } else {
      for (const auto i : order_of(s.size(), options.shuffle, generator)) {
        const auto self = static_cast<std::size_t>(i);
        s[self] = net.unit(self).next(s, self);
      }
    }
    result.energy.push_back(net.energy(s));
    result.converged = s == last;
    if (!result.converged && options.update == HopfieldUpdate::synchronous && s == before_last) break;
    before_last = last;
  }
  result.state = tensor(s).to(weight.dtype());
  return result;
}

Tensor Hopfield::energy(const Tensor& state) const {
  const auto n = bias.size(0);
  if ((state.dim() != 1 && state.dim() != 2) || state.size(-1) != n)
    throw ShapeError("[Hopfield] expected a state of " + std::to_string(n) + " units, got " +
                     cadena::to_string(state.shape()));
  const auto s = state.to(weight.dtype());
  return -(s * (matmul(s, weight) / 2 + bias)).sum({-1});
}

Tensor Hopfield::forward(const Tensor& states) {
  signs("states", states, true);
  if (states.dim() == 1) return recall(states).state;
  if (states.size(0) == 0) return states.to(weight.dtype());
  std::vector<Tensor> recalled;
  for (std::int64_t i = 0; i < states.size(0); ++i) recalled.push_back(recall(states[i]).state);
  return stack(recalled);
}

void Hopfield::visit(Visitor& v) {
  v("weight", weight);
  v("bias", bias);
}

std::string Hopfield::extra_repr() const { return "size=" + std::to_string(bias.size(0)); }

}  // namespace cadena::nn
