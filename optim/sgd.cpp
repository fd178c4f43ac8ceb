#include "optim/sgd.hpp"

#include <cmath>

namespace cadena::optim {

template class OptimizerWith<SGDOptions>;

void SGDOptions::check() const {
  expect(name, "lr", lr, lr >= 0, ">= 0");
  expect(name, "momentum", momentum, momentum >= 0, ">= 0");
  expect(name, "dampening", dampening, std::isfinite(dampening), "a finite number");
  expect(name, "weight_decay", weight_decay, weight_decay >= 0, ">= 0");
  expect(name, "nesterov", nesterov, !nesterov || (momentum > 0 && dampening == 0),
         "false without momentum or with dampening");
}

std::span<const char* const> SGD::slots(const SGDOptions& o) const {
  static constexpr const char* names[] = {"momentum_buffer"};
  return {names, o.momentum != 0 ? 1u : 0u};
}

void SGD::update(Update& u, const SGDOptions& o) {
  // A decay of 0 is left out, as in PyTorch: 0 * w would not be 0 for an infinite w.
  const auto gradient = [&o]<class T>(T w, T g) {
    g = o.maximize ? -g : g;
    return o.weight_decay != 0 ? g + T(o.weight_decay) * w : g;
  };
  if (o.momentum == 0) {
    u.each<0>([&]<class T>(T& w, T g) { w -= T(o.lr) * gradient(w, g); });
    return;
  }
  const double decay = u.fresh ? 0 : o.momentum, gain = u.fresh ? 1 : 1 - o.dampening;
  u.each<1>([&]<class T>(T& w, T g, T& m) {
    g = gradient(w, g);
    m = T(decay) * m + T(gain) * g;
    w -= T(o.lr) * (o.nesterov ? g + T(o.momentum) * m : m);
  });
}

}  // namespace cadena::optim
