#include "optim/sgd.hpp"

#include <algorithm>
#include <cmath>

#include "optim/arithmetic.hpp"

namespace cadena::optim {

template class OptimizerWith<SGDOptions>;
template class OptimizerWith<ASGDOptions>;
template class OptimizerWith<RpropOptions>;

// ---- SGD

void SGDOptions::check() const {
  expect(name, "nesterov", nesterov, !nesterov || (momentum > 0 && dampening == 0),
         "false without momentum or with dampening");
}

SlotNames SGD::slots(const SGDOptions& o, const Tensor&) const {
  static constexpr const char* names[] = {"momentum_buffer"};
  return {names, o.momentum != 0 ? 1u : 0u};
}

void SGD::update(Update& u, const SGDOptions& o) {
  const auto gradient = with_l2(o);
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

// ---- ASGD

SlotNames ASGD::slots(const ASGDOptions&, const Tensor&) const {
  static constexpr const char* names[] = {"ax"};
  return names;
}

void ASGD::update(Update& u, const ASGDOptions& o) {
  const auto gradient = with_l2(o);
  const auto before = static_cast<double>(u.step - 1);
  const double eta = o.lr / std::pow(1 + o.lambd * o.lr * before, o.alpha), kept = 1 - o.lambd * eta;
  const double mu = 1 / std::max(1.0, before - o.t0), rest = 1 - mu;
  u.each<1>([&]<class T>(T& w, T g, T& average) {
    w = T(kept) * w - T(eta) * gradient(w, g);
    average = T(mu) * w + T(rest) * average;
  });
}

// ---- Rprop

void RpropOptions::check() const {
  expect(name, "etaminus", etas[0], etas[0] < 1, "a number in (0, 1)");
  expect(name, "etaplus", etas[1], etas[1] > 1, "> 1");
  expect(name, "step_size_max", step_sizes[1], step_sizes[1] >= step_sizes[0], "at least step_size_min");
}

SlotNames Rprop::slots(const RpropOptions&, const Tensor&) const {
  static constexpr const char* names[] = {"prev", "step_size"};
  return names;
}

Tensor Rprop::initial(const RpropOptions& o, const Tensor& weight, const std::string& slot) const {
  return full(weight.shape(), slot == "step_size" ? o.lr : 0, weight.dtype());
}

void Rprop::update(Update& u, const RpropOptions& o) {
  const auto [least, most] = o.step_sizes;
  // Every slot is read once, first, and written once: so g++ makes vector code of the choices.
  u.each<2>([&, least = least, most = most]<class T>(T& w, T g, T& prev, T& size) {
    const T before = prev, now = size;
    g = o.maximize ? -g : g;
    const T turn = sign(g) * sign(before);  // the product of the gradients could underflow
    T next = now * (turn > 0 ? T(o.etas[1]) : (turn < 0 ? T(o.etas[0]) : T(1)));
    next = next < T(least) ? T(least) : next;
    next = next > T(most) ? T(most) : next;
    const T followed = turn < 0 ? T(0) : g;
    prev = followed;
    size = next;
    w -= sign(followed) * next;
  });
}

}  // namespace cadena::optim
