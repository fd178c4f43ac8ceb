#include "optim/large.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/ops.hpp"
#include "optim/arithmetic.hpp"

namespace cadena::optim {

template class OptimizerWith<LionOptions>;
template class OptimizerWith<LAMBOptions>;
template class OptimizerWith<AdafactorOptions>;
template class OptimizerWith<MuonOptions>;

// ---- Lion

SlotNames Lion::slots(const LionOptions&, const Tensor&) const {
  static constexpr const char* names[] = {"exp_avg"};
  return names;
}

void Lion::update(Update& u, const LionOptions& o) {
  const auto [b1, b2] = o.betas;
  const double kept = 1 - o.lr * o.weight_decay;
  u.each<1>([&, b1 = b1, b2 = b2]<class T>(T& w, T g, T& m) {
    g = o.maximize ? -g : g;
    w = T(kept) * w - T(o.lr) * sign(T(b1) * m + T(1 - b1) * g);
    m = T(b2) * m + T(1 - b2) * g;
  });
}

// ---- LAMB

SlotNames LAMB::slots(const LAMBOptions&, const Tensor&) const {
  static constexpr const char* names[] = {"exp_avg", "exp_avg_sq"};
  return names;
}

void LAMB::update(Update& u, const LAMBOptions& o) {
  const auto [b1, b2] = o.betas;
  const double c1 = correction(b1, u.step), scale = std::sqrt(correction(b2, u.step));
  const auto direction = [&]<class T>(T w, T m, T v) {
    return m / T(c1) / (std::sqrt(v) / T(scale) + T(o.eps)) + T(o.weight_decay) * w;
  };
  const double of_weight = std::sqrt(u.sum<0>([](auto w, auto) { return static_cast<double>(w) * w; }));
  const double of_step = std::sqrt(u.sum<2>([&, b1 = b1, b2 = b2]<class T>(T w, T g, T& m, T& v) {
    g = o.maximize ? -g : g;
    m = T(b1) * m + T(1 - b1) * g;
    v = T(b2) * v + T(1 - b2) * g * g;
    const double r = direction(w, m, v);
    return r * r;
  }));
  const double rate = of_weight == 0 || of_step == 0 ? o.lr : o.lr * of_weight / of_step;
  u.each<2>([&]<class T>(T& w, T, T& m, T& v) { w -= T(rate) * direction(w, m, v); });
}

// ---- Adafactor

SlotNames Adafactor::slots(const AdafactorOptions&, const Tensor& weight) const {
  static constexpr const char* matrix[] = {"row_var", "col_var"};
  static constexpr const char* vector[] = {"variance"};
  return weight.dim() > 1 ? SlotNames(matrix) : SlotNames(vector);
}

Tensor Adafactor::initial(const AdafactorOptions& o, const Tensor& weight, const std::string& slot) const {
  if (slot == "variance") return OptimizerWith::initial(o, weight, slot);
  auto shape = weight.shape();
  shape[weight.dim() - (slot == "row_var" ? 1 : 2)] = 1;
  return zeros(shape, weight.dtype());
}

void Adafactor::update(Update& u, const AdafactorOptions& o) {
  const auto step = static_cast<double>(u.step), count = static_cast<double>(u.weight.numel());
  const double gain = std::pow(step, o.beta2_decay);
  const double dtype_eps = u.weight.dtype() == f32 ? std::numeric_limits<float>::epsilon()
                                                   : std::numeric_limits<double>::epsilon();
  const double eps1 = o.eps[0] == 0 ? dtype_eps : o.eps[0];
  const double size = std::sqrt(u.sum<0>([](auto w, auto) { return static_cast<double>(w) * w; }) / count);
  const double rate = std::max(o.eps[1], size) * std::min(o.lr, 1 / std::sqrt(step));

  const Tensor squares = square(u.grad);
  const auto follow = [&](std::size_t slot, const Tensor& now) {
    return u.slots[slot].mul_(1 - gain).add_(now, gain);
  };
  Tensor variance;
  if (u.weight.dim() > 1) {
    const Tensor rows = follow(0, squares.mean({-1}, true)), columns = follow(1, squares.mean({-2}, true));
    variance = matmul(rows / clamp(rows.mean({-2}, true), eps1), columns);
  } else {
    variance = follow(0, squares);
  }
  const Tensor move = u.grad * rsqrt(clamp(variance, eps1 * eps1));
  const double clip = std::max(1.0, std::sqrt(square(move).mean().item()) / o.d);
  if (o.weight_decay != 0) u.weight.mul_(1 - o.lr * o.weight_decay);
  u.weight.add_(move, (o.maximize ? rate : -rate) / clip);
}

// ---- Muon

void MuonOptions::check_parameter(const std::string& parameter, const Tensor& weight) {
  if (weight.dim() != 2)
    throw ShapeError("[Muon] expected matrices, got " + to_string(weight.shape()) +
                     (parameter.empty() ? "" : " as \"" + parameter + '"'));
}

SlotNames Muon::slots(const MuonOptions&, const Tensor&) const {
  static constexpr const char* names[] = {"momentum_buffer"};
  return names;
}

namespace {

/// U V^T, about, of x = U S V^T.
Tensor orthogonal(Tensor x, const MuonOptions& o) {
  const bool tall = x.size(0) > x.size(1);
  if (tall) x = x.t();
  x = x / std::max(vector_norm(x).item(), o.eps);
  const auto [a, b, c] = o.ns_coefficients;
  for (std::int64_t i = 0; i < o.ns_steps; ++i) {
    const Tensor gram = matmul(x, x.t());
    x = a * x + matmul(b * gram + c * matmul(gram, gram), x);
  }
  return tall ? x.t() : x;
}

}  // namespace

void Muon::update(Update& u, const MuonOptions& o) {
  const double gain = 1 - o.momentum, kept = 1 - o.lr * o.weight_decay, sign = o.maximize ? -1 : 1;
  u.each<1>([&]<class T>(T& w, T g, T& m) {
    m = T(o.momentum) * m + T(sign * gain) * g;
    w *= T(kept);
  });
  const Tensor direction = o.nesterov ? u.grad * (sign * gain) + u.slots[0] * o.momentum : u.slots[0];
  const auto a = static_cast<double>(u.weight.size(0)), b = static_cast<double>(u.weight.size(1));
  const double adjusted = o.adjust_lr_fn == AdjustLr::original ? std::sqrt(std::max(1.0, a / b))
                                                               : 0.2 * std::sqrt(std::max(a, b));
  u.weight.add_(orthogonal(direction, o), -o.lr * adjusted);
}

}  // namespace cadena::optim
