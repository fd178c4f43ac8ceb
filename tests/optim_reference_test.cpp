// Every combination of options against the textbook formulas in long double, 1,000 steps.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "optim/optim.hpp"

namespace cadena {
namespace {

constexpr int steps = 1000;
using Vector = std::vector<long double>;

/// The gradient of step t: noise around a bowl whose sign changes now and then.
std::vector<double> gradient_at(int t, const std::vector<double>& noise, std::size_t n) {
  std::vector<double> g(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto k = (static_cast<std::size_t>(t) * 31 + i * 17) % noise.size();
    g[i] = noise[k] * (1 + 0.5 * std::sin(0.01 * t)) + 0.1 * std::cos(0.003 * t);
  }
  return g;
}

/// Runs an optimizer and `reference(w, g, t)` side by side and compares the weights in every step.
template <class Optimizer, class Options, class Reference>
void compare(const Options& options, Reference reference, DType dtype, double tolerance) {
  manual_seed(42);
  const auto start = randn({11}, f64).to(dtype);
  const auto noise = randn({997}, f64).to(dtype).template to_vector<double>();
  auto w = start.clone().requires_grad_();
  const auto first = w.template to_vector<double>();
  Vector expected(first.begin(), first.end());

  Optimizer optimizer({w}, options);
  for (int t = 1; t <= steps; ++t) {
    auto g = gradient_at(t, noise, first.size());
    const auto grad = tensor(g).to(dtype);
    g = grad.template to_vector<double>();
    w.set_grad(grad);
    optimizer.step();
    reference(expected, g, t);
    const auto now = w.template to_vector<double>();
    long double scale = 0;
    for (auto x : expected) scale = std::max(scale, std::fabs(x));
    for (std::size_t i = 0; i < now.size(); ++i)
      ASSERT_NEAR(now[i], static_cast<double>(expected[i]), tolerance * static_cast<double>(scale))
          << "step " << t << ", element " << i;
  }
}

template <class O>
std::string describe(O o) {
  std::string text;
  o.visit([&](const char* name, auto value, auto&) {
    text += std::string(name) + "=" + std::to_string(value) + " ";
  });
  return text;
}

struct SgdReference {
  optim::SGDOptions o;
  Vector m;
  void operator()(Vector& w, const std::vector<double>& grad, int t) {
    m.resize(w.size());
    for (std::size_t i = 0; i < w.size(); ++i) {
      auto g = (o.maximize ? -1 : 1) * static_cast<long double>(grad[i]) + o.weight_decay * w[i];
      if (o.momentum != 0) {
        m[i] = t == 1 ? g : o.momentum * m[i] + (1 - static_cast<long double>(o.dampening)) * g;
        g = o.nesterov ? g + o.momentum * m[i] : m[i];
      }
      w[i] -= o.lr * g;
    }
  }
};

std::vector<optim::SGDOptions> sgd_options() {
  std::vector<optim::SGDOptions> all;
  for (double momentum : {0.0, 0.9})
    for (double dampening : {0.0, 0.3})
      for (double weight_decay : {0.0, 0.02})
        for (bool nesterov : {false, true})
          for (bool maximize : {false, true})
            if (!nesterov || (momentum > 0 && dampening == 0))
              all.push_back({0.01, momentum, dampening, weight_decay, nesterov, maximize});
  return all;
}

TEST(OptimReference, Sgd) {
  for (auto& o : sgd_options()) {
    SCOPED_TRACE(describe(o));
    compare<optim::SGD>(o, SgdReference{o, {}}, f64, 1e-12);
    compare<optim::SGD>(o, SgdReference{o, {}}, f32, 2e-5);
  }
}

/// Adam, and AdamW if `decoupled`.
template <class O>
struct AdamReference {
  O o;
  bool decoupled;
  Vector m = {}, v = {}, largest = {};
  void operator()(Vector& w, const std::vector<double>& grad, int t) {
    m.resize(w.size()), v.resize(w.size()), largest.resize(w.size());
    const long double b1 = o.betas[0], b2 = o.betas[1];
    const auto c1 = o.bias_correction ? 1 - std::pow(b1, t) : 1;
    const auto c2 = o.bias_correction ? 1 - std::pow(b2, t) : 1;
    for (std::size_t i = 0; i < w.size(); ++i) {
      auto g = (o.maximize ? -1 : 1) * static_cast<long double>(grad[i]);
      if (decoupled)
        w[i] -= static_cast<long double>(o.lr) * o.weight_decay * w[i];
      else
        g += o.weight_decay * w[i];
      m[i] = b1 * m[i] + (1 - b1) * g;
      v[i] = b2 * v[i] + (1 - b2) * g * g;
      largest[i] = std::max(largest[i], v[i]);
      const auto second = o.amsgrad ? largest[i] : v[i];
      w[i] -= o.lr * (m[i] / c1) / (std::sqrt(second / c2) + o.eps);
    }
  }
};

template <class Optimizer, class O>
void compare_adam(bool decoupled) {
  for (double weight_decay : {0.0, 0.05})
    for (bool amsgrad : {false, true})
      for (bool maximize : {false, true})
        for (bool bias_correction : {false, true})
          for (auto betas : {std::array{0.9, 0.999}, std::array{0.5, 0.9}, std::array{0.0, 0.0}}) {
            const O o{0.002, betas, 1e-8, weight_decay, amsgrad, maximize, bias_correction};
            SCOPED_TRACE(describe(o));
            compare<Optimizer>(o, AdamReference<O>{o, decoupled}, f64, 1e-12);
            if (betas[0] != 0) compare<Optimizer>(o, AdamReference<O>{o, decoupled}, f32, 5e-5);
          }
}

TEST(OptimReference, Adam) { compare_adam<optim::Adam, optim::AdamOptions>(false); }
TEST(OptimReference, AdamW) { compare_adam<optim::AdamW, optim::AdamWOptions>(true); }

TEST(OptimReference, DefaultsArePyTorchs) {
  const optim::SGDOptions sgd;
  EXPECT_EQ(sgd.momentum, 0);
  const optim::AdamOptions adam;
  EXPECT_EQ(adam.lr, 1e-3);
  EXPECT_EQ(adam.betas, (std::array{0.9, 0.999}));
  EXPECT_EQ(adam.eps, 1e-8);
  EXPECT_EQ(adam.weight_decay, 0);
  EXPECT_FALSE(adam.amsgrad || adam.maximize);
  EXPECT_TRUE(adam.bias_correction);
  EXPECT_EQ(optim::AdamWOptions().weight_decay, 1e-2);
}

}  // namespace
}  // namespace cadena
