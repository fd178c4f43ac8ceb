#include "optim/adam.hpp"

#include <cmath>

#include "optim/arithmetic.hpp"

namespace cadena::optim {

template class OptimizerWith<AdamOptions>;
template class OptimizerWith<AdamWOptions>;
template class OptimizerWith<AdamaxOptions>;
template class OptimizerWith<NAdamOptions>;
template class OptimizerWith<RAdamOptions>;

namespace {

/// The two averages, and with `amsgrad` the largest of the second.
SlotNames names_of_averages(bool amsgrad) {
  static constexpr const char* names[] = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};
  return {names, amsgrad ? 3u : 2u};
}

/// (g, m, v): m and v move towards g and its square.
auto averages(const std::array<double, 2>& betas) {
  return [b1 = betas[0], b2 = betas[1]]<class T>(T g, T& m, T& v) {
    m = T(b1) * m + T(1 - b1) * g;
    v = T(b2) * v + T(1 - b2) * g * g;
  };
}

// ---- Adam, AdamW

/// The part that Adam and AdamW share. `decayed(w, g)` returns the gradient and may change the weight.
template <class O, class Decay>
void adam(Update& u, const O& o, Decay decayed) {
  const auto corrected = [&](double beta) { return o.bias_correction ? correction(beta, u.step) : 1.0; };
  const double rate = o.lr / corrected(o.betas[0]), scale = std::sqrt(corrected(o.betas[1]));
  const auto average = averages(o.betas);
  const auto move = [&]<class T>(T& w, T m, T v) { w -= T(rate) * m / (std::sqrt(v) / T(scale) + T(o.eps)); };

  if (o.amsgrad) {
    u.each<3>([&]<class T>(T& w, T g, T& m, T& v, T& largest) {
      average(decayed(w, o.maximize ? -g : g), m, v);
      largest = larger(largest, v);
      move(w, m, largest);
    });
  } else {
    u.each<2>([&]<class T>(T& w, T g, T& m, T& v) {
      average(decayed(w, o.maximize ? -g : g), m, v);
      move(w, m, v);
    });
  }
}

}  // namespace

SlotNames Adam::slots(const AdamOptions& o, const Tensor&) const { return names_of_averages(o.amsgrad); }

void Adam::update(Update& u, const AdamOptions& o) {
  if (o.weight_decay == 0)
    adam(u, o, []<class T>(T&, T g) { return g; });
  else
    adam(u, o, [&]<class T>(T& w, T g) { return g + T(o.weight_decay) * w; });
}

SlotNames AdamW::slots(const AdamWOptions& o, const Tensor&) const { return names_of_averages(o.amsgrad); }

void AdamW::update(Update& u, const AdamWOptions& o) {
  const double kept = 1 - o.lr * o.weight_decay;
  adam(u, o, [&]<class T>(T& w, T g) {
    w *= T(kept);
    return g;
  });
}

// ---- Adamax

SlotNames Adamax::slots(const AdamaxOptions&, const Tensor&) const {
  static constexpr const char* names[] = {"exp_avg", "exp_inf"};
  return names;
}

void Adamax::update(Update& u, const AdamaxOptions& o) {
  const auto gradient = with_l2(o);
  const auto [b1, b2] = o.betas;
  const double rate = o.lr / correction(b1, u.step);
  u.each<2>([&, b1 = b1, b2 = b2]<class T>(T& w, T g, T& m, T& largest) {
    g = gradient(w, g);
    m = T(b1) * m + T(1 - b1) * g;
    largest = larger(T(b2) * largest, std::abs(g) + T(o.eps));
    w -= T(rate) * m / largest;
  });
}

// ---- NAdam, RAdam

namespace {

/// (w, g) -> gradient, with the weight decay in it or, decoupled, done to w.
template <class O>
auto with_decay(const O& o) {
  const bool decoupled = o.decoupled_weight_decay;
  return [maximize = o.maximize, l2 = decoupled ? 0 : o.weight_decay,
          kept = decoupled ? 1 - o.lr * o.weight_decay : 1.0]<class T>(T& w, T g) {
    g = maximize ? -g : g;
    w *= T(kept);
    return l2 != 0 ? g + T(l2) * w : g;
  };
}

}  // namespace

SlotNames NAdam::slots(const NAdamOptions&, const Tensor&) const {
  static constexpr const char* names[] = {"exp_avg", "exp_avg_sq", "mu_product"};
  return names;
}

Tensor NAdam::initial(const NAdamOptions& o, const Tensor& weight, const std::string& slot) const {
  return slot == "mu_product" ? ones({}, f64) : OptimizerWith::initial(o, weight, slot);
}

void NAdam::update(Update& u, const NAdamOptions& o) {
  const auto mu_at = [&](std::int64_t t) {
    return o.betas[0] * (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * o.momentum_decay));
  };
  const double mu = mu_at(u.step), mu_next = mu_at(u.step + 1);
  const double product = u.number(2) *= mu;
  const double of_gradient = o.lr * (1 - mu) / (1 - product);
  const double of_average = o.lr * mu_next / (1 - product * mu * mu_next);
  const double scale = std::sqrt(correction(o.betas[1], u.step));
  const auto gradient = with_decay(o);
  const auto average = averages(o.betas);
  u.each<2>([&]<class T>(T& w, T g, T& m, T& v) {
    g = gradient(w, g);
    average(g, m, v);
    w -= (T(of_gradient) * g + T(of_average) * m) / (std::sqrt(v) / T(scale) + T(o.eps));
  });
}

SlotNames RAdam::slots(const RAdamOptions&, const Tensor&) const { return names_of_averages(false); }

void RAdam::update(Update& u, const RAdamOptions& o) {
  const double c1 = correction(o.betas[0], u.step), c2 = correction(o.betas[1], u.step);
  const double longest = 2 / (1 - o.betas[1]) - 1;  // of the averages' memory
  const double length = longest - 2 * static_cast<double>(u.step) * (1 - c2) / c2;
  const auto gradient = with_decay(o);
  const auto average = averages(o.betas);
  if (length <= 5) {
    u.each<2>([&, rate = o.lr / c1]<class T>(T& w, T g, T& m, T& v) {
      average(gradient(w, g), m, v);
      w -= T(rate) * m;
    });
    return;
  }
  const double rectified =
      std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
  u.each<2>([&, rate = o.lr / c1 * rectified * std::sqrt(c2)]<class T>(T& w, T g, T& m, T& v) {
    average(gradient(w, g), m, v);
    w -= T(rate) * m / (std::sqrt(v) + T(o.eps));
  });
}

}  // namespace cadena::optim
