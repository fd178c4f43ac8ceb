#include "nn/init.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/grad.hpp"

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

}  // namespace cadena::nn::init
