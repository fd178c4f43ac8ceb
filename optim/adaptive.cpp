#include "optim/adaptive.hpp"

#include <cmath>

#include "optim/arithmetic.hpp"

namespace cadena::optim {

template class OptimizerWith<AdagradOptions>;
template class OptimizerWith<RMSpropOptions>;
template class OptimizerWith<AdadeltaOptions>;

// ---- Adagrad

SlotNames Adagrad::slots(const AdagradOptions&, const Tensor&) const {
  static constexpr const char* names[] = {"sum"};
  return names;
}

Tensor Adagrad::initial(const AdagradOptions& o, const Tensor& weight, const std::string&) const {
  return full(weight.shape(), o.initial_accumulator_value, weight.dtype());
}

void Adagrad::update(Update& u, const AdagradOptions& o) {
  const auto gradient = with_l2(o);
  const double rate = o.lr / (1 + static_cast<double>(u.step - 1) * o.lr_decay);
  u.each<1>([&]<class T>(T& w, T g, T& sum) {
    g = gradient(w, g);
    sum += g * g;
    w -= T(rate) * g / (std::sqrt(sum) + T(o.eps));
  });
}

// ---- RMSprop

SlotNames RMSprop::slots(const RMSpropOptions& o, const Tensor&) const {
  static constexpr const char* names[] = {"square_avg", "momentum_buffer", "grad_avg"};
  static constexpr const char* without_momentum[] = {"square_avg", "grad_avg"};
  if (o.centered && o.momentum == 0) return without_momentum;
  return {names, 1u + (o.momentum != 0) + o.centered};
}

namespace {

template <bool momentum, bool centered>
void rmsprop(Update& u, const RMSpropOptions& o) {
  const auto gradient = with_l2(o);
  u.each<1 + momentum + centered>([&]<class T>(T& w, T g, T& v, auto&... more) {
    [[maybe_unused]] T* const slot[] = {&v, &more...};
    g = gradient(w, g);
    v = T(o.alpha) * v + T(1 - o.alpha) * g * g;
    T variance = v;
    if constexpr (centered) {
      T& mean = *slot[1 + momentum];
      mean = T(o.alpha) * mean + T(1 - o.alpha) * g;
      variance -= mean * mean;
      variance = variance < 0 ? T(0) : variance;
    }
    T x = g / (std::sqrt(variance) + T(o.eps));
    if constexpr (momentum) x = *slot[1] = T(o.momentum) * *slot[1] + x;
    w -= T(o.lr) * x;
  });
}

}  // namespace

void RMSprop::update(Update& u, const RMSpropOptions& o) {
  if (o.momentum != 0)
    o.centered ? rmsprop<true, true>(u, o) : rmsprop<true, false>(u, o);
  else
    o.centered ? rmsprop<false, true>(u, o) : rmsprop<false, false>(u, o);
}

// ---- Adadelta

SlotNames Adadelta::slots(const AdadeltaOptions&, const Tensor&) const {
  static constexpr const char* names[] = {"square_avg", "acc_delta"};
  return names;
}

void Adadelta::update(Update& u, const AdadeltaOptions& o) {
  const auto gradient = with_l2(o);
  const auto average = [&]<class T>(T& mean, T x) { mean = T(o.rho) * mean + T(1 - o.rho) * x * x; };
  u.each<2>([&]<class T>(T& w, T g, T& squares, T& moves) {
    g = gradient(w, g);
    average(squares, g);
    const T move = std::sqrt(moves + T(o.eps)) / std::sqrt(squares + T(o.eps)) * g;
    average(moves, move);
    w -= T(o.lr) * move;
  });
}

}  // namespace cadena::optim
