#include "nn/init.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"

namespace cadena::nn::init {

namespace {

void check_range(const char* op, const char* expected, bool ok, double a, double b) {
  if (!ok)
    throw ValueError(std::string("[") + op + "] expected " + expected + ", got " + std::to_string(a) +
                     " and " + std::to_string(b));
}

/// t = offset + factor * numbers.
Tensor fill(Tensor t, Tensor numbers, double factor, double offset) {
  NoGrad no_grad;
  numbers.mul_(factor);
  if (offset != 0) numbers.add_(full({}, offset, t.dtype()));
  return t.copy_(numbers);
}

void check_matrix(const char* op, const Tensor& t) {
  if (t.dim() != 2)
    throw ShapeError(std::string("[") + op + "] expected 2 dimensions, got " + to_string(t.shape()));
}

/// Empty weights have no fan; any positive number does for them.
double positive(std::int64_t fan) { return static_cast<double>(std::max<std::int64_t>(fan, 1)); }

double kaiming_std(const Tensor& t, const KaimingOptions& o) {
  const auto [in, out] = fans(t);
  return calculate_gain(o.nonlinearity, o.slope) / std::sqrt(positive(o.mode == FanMode::fan_in ? in : out));
}

double xavier_std(const Tensor& t, double gain) {
  const auto [in, out] = fans(t);
  return gain * std::sqrt(2 / positive(in + out));
}

/// A uniform distribution of this deviation ends at sqrt(3) times it.
Tensor uniform_with_std(Tensor t, double std, Generator& g) {
  const auto bound = std::sqrt(3.0) * std;
  return uniform_(std::move(t), -bound, bound, g);
}

}  // namespace

Fans fans(const Tensor& weight) {
  const auto& s = weight.shape();
  if (s.rank() < 2) throw ShapeError("[init] expected at least 2 dimensions for a fan, got " + to_string(s));
  std::int64_t field = 1;
  for (int i = 2; i < s.rank(); ++i) field *= s[i];
  return {.in = s[1] * field, .out = s[0] * field};
}

double calculate_gain(Nonlinearity f, double slope) {
  switch (f) {
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::leaky_relu:
      return std::sqrt(2 / (1 + slope * slope));
    case Nonlinearity::selu:
      return 0.75;
    default:
      return 1;
  }
}

Tensor constant_(Tensor t, Scalar value) {
  NoGrad no_grad;
  return t.fill_(value);
}
Tensor zeros_(Tensor t) { return constant_(std::move(t), 0); }
Tensor ones_(Tensor t) { return constant_(std::move(t), 1); }

Tensor uniform_(Tensor t, double low, double high, Generator& g) {
  check_range("uniform_", "low <= high", low <= high, low, high);
  auto numbers = rand(t.shape(), g, t.dtype());
  return fill(std::move(t), std::move(numbers), high - low, low);
}

Tensor normal_(Tensor t, double mean, double std, Generator& g) {
  check_range("normal_", "a mean and a deviation >= 0", std >= 0, mean, std);
  auto numbers = randn(t.shape(), g, t.dtype());
  return fill(std::move(t), std::move(numbers), std, mean);
}

Tensor trunc_normal_(Tensor t, double mean, double std, double low, double high, Generator& g) {
  check_range("trunc_normal_", "std > 0", std > 0, std, std);
  check_range("trunc_normal_", "low < high", low < high, low, high);
  NoGrad no_grad;
  return t.copy_(cadena::random::truncated_normal(mean, std, low, high,
                                                  {.shape = t.shape(), .dtype = t.dtype(), .generator = &g}));
}

Tensor xavier_uniform_(Tensor t, double gain, Generator& g) {
  const auto std = xavier_std(t, gain);
  return uniform_with_std(std::move(t), std, g);
}
Tensor xavier_normal_(Tensor t, double gain, Generator& g) {
  const auto std = xavier_std(t, gain);
  return normal_(std::move(t), 0, std, g);
}
Tensor kaiming_uniform_(Tensor t, KaimingOptions options, Generator& g) {
  const auto std = kaiming_std(t, options);
  return uniform_with_std(std::move(t), std, g);
}
Tensor kaiming_normal_(Tensor t, KaimingOptions options, Generator& g) {
  const auto std = kaiming_std(t, options);
  return normal_(std::move(t), 0, std, g);
}

Tensor lecun_uniform_(Tensor t, Generator& g) {
  return kaiming_uniform_(std::move(t), {.nonlinearity = Nonlinearity::linear}, g);
}
Tensor lecun_normal_(Tensor t, Generator& g) {
  return kaiming_normal_(std::move(t), {.nonlinearity = Nonlinearity::linear}, g);
}

Tensor eye_(Tensor t) {
  check_matrix("eye_", t);
  NoGrad no_grad;
  return t.copy_(eye(t.size(0), t.size(1), t.dtype()));
}

Tensor dirac_(Tensor t, std::int64_t groups) {
  if (t.dim() < 3 || t.dim() > 5)
    throw ShapeError("[dirac_] expected (out, in, kernel...) with 3 to 5 dimensions, got " +
                     to_string(t.shape()));
  if (groups < 1 || t.size(0) % groups != 0)
    throw ValueError("[dirac_] expected groups that divide " + std::to_string(t.size(0)) + " channels, got " +
                     std::to_string(groups));
  const auto per_group = t.size(0) / groups;
  NoGrad no_grad;
  zeros_(t);
  for (std::int64_t out = 0; out < t.size(0); ++out) {
    const auto in = out % per_group;
    if (in >= t.size(1)) continue;
    auto centre = t[out][in];
    while (centre.dim() > 0) centre = centre[centre.size(0) / 2];
    centre.fill_(1);
  }
  return t;
}

Tensor orthogonal_(Tensor t, double gain, Generator& g) {
  if (t.dim() < 2)
    throw ShapeError("[orthogonal_] expected at least 2 dimensions, got " + to_string(t.shape()));
  if (t.numel() == 0) return t;
  NoGrad no_grad;
  const auto rows = t.size(0), columns = t.numel() / rows;
  const auto [q, r] = qr(randn({std::max(rows, columns), std::min(rows, columns)}, g, t.dtype()));
  const Tensor uniform = q * sign(diagonal(r)) * gain;  // without the signs not all matrices are alike
  return t.copy_((rows < columns ? uniform.t() : uniform).reshape(t.shape()));
}

Tensor sparse_(Tensor t, double sparsity, double std, Generator& g) {
  check_matrix("sparse_", t);
  check_range("sparse_", "0 <= sparsity <= 1", sparsity >= 0 && sparsity <= 1, sparsity, sparsity);
  normal_(t, 0, std, g);
  NoGrad no_grad;
  const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(t.size(0))));
  const Tensor rank = argsort(argsort(rand(t.shape(), g, f64), 0), 0);
  return t.copy_(where(rank < zeros, 0, t));
}

}  // namespace cadena::nn::init
