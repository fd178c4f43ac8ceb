#include "optim/adam.hpp"

#include <cmath>

namespace cadena::optim {

template class OptimizerWith<AdamOptions>;
template class OptimizerWith<AdamWOptions>;

namespace {

template <class O>
void check(const O& o) {
  const auto is_beta = [](double b) { return b >= 0 && b < 1; };
  expect(o.name, "lr", o.lr, o.lr >= 0, ">= 0");
  expect(o.name, "betas[0]", o.betas[0], is_beta(o.betas[0]), "a number in [0, 1)");
  expect(o.name, "betas[1]", o.betas[1], is_beta(o.betas[1]), "a number in [0, 1)");
  expect(o.name, "eps", o.eps, o.eps >= 0, ">= 0");
  expect(o.name, "weight_decay", o.weight_decay, o.weight_decay >= 0, ">= 0");
}

std::span<const char* const> names_of_slots(bool amsgrad) {
  static constexpr const char* names[] = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};
  return {names, amsgrad ? 3u : 2u};
}

/// The part that Adam and AdamW share. `decayed(w, g)` returns the gradient and may change the weight.
template <class O, class Decay>
void adam(Update& u, const O& o, Decay decayed) {
  const auto correction = [&](double beta) {
    return o.bias_correction ? 1 - std::pow(beta, static_cast<double>(u.step)) : 1.0;
  };
  const auto [beta1, beta2] = o.betas;
  const double rate = o.lr / correction(beta1), scale = std::sqrt(correction(beta2));
  const auto averages = [&, b1 = beta1, b2 = beta2]<class T>(T g, T& m, T& v) {
    m = T(b1) * m + T(1 - b1) * g;
    v = T(b2) * v + T(1 - b2) * g * g;
  };
  const auto move = [&]<class T>(T& w, T m, T v) { w -= T(rate) * m / (std::sqrt(v) / T(scale) + T(o.eps)); };

  if (o.amsgrad) {
    u.each<3>([&]<class T>(T& w, T g, T& m, T& v, T& largest) {
      averages(decayed(w, o.maximize ? -g : g), m, v);
      largest = largest >= v ? largest : (largest != largest ? largest : v);  // NaN stays
      move(w, m, largest);
    });
  } else {
    u.each<2>([&]<class T>(T& w, T g, T& m, T& v) {
      averages(decayed(w, o.maximize ? -g : g), m, v);
      move(w, m, v);
    });
  }
}

}  // namespace

void AdamOptions::check() const { optim::check(*this); }
std::span<const char* const> Adam::slots(const AdamOptions& o) const { return names_of_slots(o.amsgrad); }

void Adam::update(Update& u, const AdamOptions& o) {
  // A decay of 0 is left out, as in PyTorch: 0 * w would not be 0 for an infinite w.
  if (o.weight_decay == 0)
    adam(u, o, []<class T>(T&, T g) { return g; });
  else
    adam(u, o, [&]<class T>(T& w, T g) { return g + T(o.weight_decay) * w; });
}

void AdamWOptions::check() const { optim::check(*this); }
std::span<const char* const> AdamW::slots(const AdamWOptions& o) const { return names_of_slots(o.amsgrad); }

void AdamW::update(Update& u, const AdamWOptions& o) {
  const double kept = 1 - o.lr * o.weight_decay;
  adam(u, o, [&]<class T>(T& w, T g) {
    w *= T(kept);
    return g;
  });
}

}  // namespace cadena::optim
