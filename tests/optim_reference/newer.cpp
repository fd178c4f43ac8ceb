#include "newer.hpp"

namespace cadena {

namespace {

constexpr int steps = 300;

/// The gradient of step t: noise whose size swings, with a drift.
Tensor gradient_at(int t, const Shape& shape, DType dtype) {
  Generator g(static_cast<std::uint64_t>(t));
  return (randn(shape, g, f64) * (1 + 0.5 * std::sin(0.05 * t)) + 0.3 * std::cos(0.02 * t)).to(dtype);
}

Vector numbers(const Tensor& t) {
  const auto v = t.to_vector<double>();
  return {v.begin(), v.end()};
}

void compare_in(const Comparison& c, DType dtype, double tolerance) {
  Generator g(42);
  auto w = randn(c.shape, g, f64).to(dtype).requires_grad_();
  const auto optimizer = optim::make_optimizer(c.optimizer, {w}, c.options);
  const auto state = optimizer->state_dict();
  std::map<std::string, long double> options;
  for (auto& [name, value] : state.groups[0].options) options[name] = value;
  const auto reference = c.reference(options, c.shape);
  auto expected = numbers(w);
  for (int t = 1; t <= steps; ++t) {
    w.set_grad(gradient_at(t, c.shape, dtype));
    optimizer->step();
    auto gradient = numbers(w.grad());
    if (options.contains("maximize") && options["maximize"] != 0)
      for (auto& x : gradient) x = -x;
    reference(expected, gradient, t);
    const auto now = numbers(w);
    long double scale = 0, error = 0;
    for (std::size_t i = 0; i < now.size(); ++i) {
      scale = std::max(scale, std::fabs(expected[i]));
      error = std::max(error, std::fabs(now[i] - expected[i]));
    }
    ASSERT_LE(static_cast<double>(error), tolerance * static_cast<double>(scale)) << "step " << t;
  }
}

}  // namespace

void compare(const Comparison& c) {
  std::string text = c.optimizer;
  for (auto& [name, value] : c.options) text += " " + name + "=" + optim::to_text(value);
  SCOPED_TRACE(text + " " + to_string(c.shape));
  compare_in(c, f64, c.f64_tolerance);
  compare_in(c, f32, c.f32_tolerance);
}

void compare_all(Comparison c, const optim::OptionValues& choices) {
  compare(c);
  c.options["maximize"] = 1;
  compare(c);
  for (auto& [name, value] : choices) {
    auto changed = c;
    changed.options[name] = value;
    compare(changed);
  }
}

}  // namespace cadena
