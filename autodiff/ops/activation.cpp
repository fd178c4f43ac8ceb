#include "autodiff/formulas/activation.hpp"

#include <cstdio>
#include <string>

#include "autodiff/core/elementwise_family.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/softmax.hpp"

namespace cadena {

CADENA_ACTIVATION_UNARY_OPS(CADENA_UNARY_FUNCTION)

namespace {

std::string text(double v) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", v);
  return buffer;
}

struct Halves {
  Tensor first, second;
};

Halves halves(const char* op, const Tensor& x, int axis) {
  const int a = x.dim() ? normalize_axis(op, axis, x.dim()) : 0;
  if (x.dim() == 0 || x.shape()[a] % 2 != 0)
    throw ShapeError("[" + std::string(op) + "] expected an even extent of axis " + std::to_string(axis) +
                     ", got " + to_string(x.shape()));
  const std::int64_t half = x.shape()[a] / 2;
  return {slice(x, a, {0, half}), slice(x, a, {half, {}})};
}

}  // namespace

Tensor gelu(const Tensor& x, std::string_view approximate) {
  if (approximate == "none") return detail::elementwise_call(formulas::Gelu{}, x);
  if (approximate == "tanh") return detail::elementwise_call(formulas::GeluTanh{}, x);
  throw ValueError("[gelu] expected approximate = \"none\" or \"tanh\", got \"" + std::string(approximate) +
                   "\"");
}

Tensor softplus(const Tensor& x, double beta) {
  if (!(beta > 0)) throw ValueError("[softplus] expected beta > 0, got " + text(beta));
  return beta == 1 ? softplus(x) : softplus(x * beta) / beta;
}

Tensor leaky_relu(const Tensor& x, double negative_slope) {
  return detail::elementwise_call(formulas::LeakyRelu{negative_slope}, x);
}

Tensor prelu(const Tensor& x, const Tensor& weight) {
  const std::int64_t channels = x.dim() >= 2 ? x.shape()[1] : 1;
  if (weight.numel() == 1 && weight.dim() <= 1)
    return detail::elementwise_call(formulas::Prelu{}, x, weight.dim() ? reshape(weight, {}) : weight);
  if (weight.dim() != 1 || weight.numel() != channels)
    throw ShapeError("[prelu] expected one weight or " + std::to_string(channels) + ", got shape " +
                     to_string(weight.shape()) + " for input " + to_string(x.shape()));
  Shape shape;
  for (int d = 0; d < x.dim(); ++d) shape.push_back(d == 1 ? channels : 1);
  return detail::elementwise_call(formulas::Prelu{}, x, reshape(weight, shape));
}

Tensor elu(const Tensor& x, double alpha) { return detail::elementwise_call(formulas::Elu{alpha}, x); }

Tensor celu(const Tensor& x, double alpha) {
  if (alpha == 0) throw ValueError("[celu] expected alpha other than 0, got 0");
  return detail::elementwise_call(formulas::Celu{alpha}, x);
}

Tensor hardtanh(const Tensor& x, double min_val, double max_val) {
  if (!(min_val < max_val))
    throw ValueError("[hardtanh] expected min_val < max_val, got " + text(min_val) + " and " + text(max_val));
  return detail::elementwise_call(formulas::Hardtanh{min_val, max_val}, x);
}

Tensor hardshrink(const Tensor& x, double lambd) {
  return detail::elementwise_call(formulas::Hardshrink{lambd}, x);
}

Tensor softshrink(const Tensor& x, double lambd) {
  if (!(lambd >= 0)) throw ValueError("[softshrink] expected lambd >= 0, got " + text(lambd));
  return detail::elementwise_call(formulas::Softshrink{lambd}, x);
}

Tensor threshold(const Tensor& x, double threshold, double value) {
  return detail::elementwise_call(formulas::Threshold{threshold, value}, x);
}

Tensor glu(const Tensor& x, int axis) {
  const auto [a, b] = halves("glu", x, axis);
  return a * sigmoid(b);
}
Tensor swiglu(const Tensor& x, int axis) {
  const auto [a, b] = halves("swiglu", x, axis);
  return silu(a) * b;
}
Tensor geglu(const Tensor& x, int axis) {
  const auto [a, b] = halves("geglu", x, axis);
  return gelu(a) * b;
}
Tensor reglu(const Tensor& x, int axis) {
  const auto [a, b] = halves("reglu", x, axis);
  return relu(a) * b;
}

Tensor softmin(const Tensor& x, int axis) { return softmax(-x, axis); }

namespace detail {

namespace {

constexpr auto family = "activation";

OpInfo gelu_row(const Meta& meta, Tensor (*f)(const Tensor&)) { return elementwise_row(meta, family, f); }

OpInfo prelu_row() {
  auto call = [](const TensorList& x) { return prelu(x[0], x[1]); };
  return case_row(formulas::Prelu::meta, family,
                  {{{{}, {1}}, call},
                   {{{5}, {1}}, call},
                   {{{5}, {}}, call},
                   {{{3, 4}, {4}}, call},
                   {{{2, 3, 5}, {3}}, call},
                   {{{2, 3, 2, 2}, {3}}, call},
                   {{{2, 0, 3}, {0}}, call},
                   {{{0, 3}, {3}}, call},
                   {{{65, 2}, {2}}, call}},
                  [call](std::int64_t n) {
                    return Case{{{n}, {1}}, call};
                  });
}

OpInfo gated_row(const Meta& meta, Tensor (*f)(const Tensor&, int)) {
  auto last = [f](const TensorList& x) { return f(x[0], -1); };
  auto first = [f](const TensorList& x) { return f(x[0], 0); };
  return composite(case_row(meta, family,
                            {{{{6}}, last},
                             {{{3, 4}}, last},
                             {{{4, 3}}, first, "axis=0"},
                             {{{2, 3, 10}}, last},
                             {{{0, 4}}, last},
                             {{{3, 0}}, last},
                             {{{2, 1, 5}}, first, "axis=0"}},
                            [last](std::int64_t n) {
                              return Case{{{n / 2, 2}}, last};
                            }));
}

OpList rows_with_attributes() {
  using namespace formulas;
  auto row = [](const Meta& meta, std::vector<Variant> variants) {
    return elementwise_row(meta, family, 1, std::move(variants));
  };
  return {
      row(LeakyRelu::meta,
          {{"", [](const TensorList& x) { return leaky_relu(x[0]); }},
           {"negative_slope=-0.4", [](const TensorList& x) { return leaky_relu(x[0], -0.4); }}}),
      row(Elu::meta, {{"", [](const TensorList& x) { return elu(x[0]); }},
                      {"alpha=0.6", [](const TensorList& x) { return elu(x[0], 0.6); }}}),
      row(Celu::meta, {{"", [](const TensorList& x) { return celu(x[0]); }},
                       {"alpha=0.6", [](const TensorList& x) { return celu(x[0], 0.6); }}}),
      row(Hardtanh::meta, {{"", [](const TensorList& x) { return hardtanh(x[0]); }},
                           {"max_val=3", [](const TensorList& x) { return hardtanh(x[0], -1, 3); }}}),
      row(Hardshrink::meta, {{"", [](const TensorList& x) { return hardshrink(x[0]); }}}),
      row(Softshrink::meta, {{"", [](const TensorList& x) { return softshrink(x[0]); }}}),
      row(Threshold::meta,
          {{"threshold=0.25", [](const TensorList& x) { return threshold(x[0], 0.25, -2); }}}),
  };
}

}  // namespace

OpList activation_ops() {
  OpList list = {CADENA_ACTIVATION_UNARY_OPS(CADENA_UNARY_ROW)  //
                 gelu_row(formulas::Gelu::meta, [](const Tensor& x) { return gelu(x); }),
                 gelu_row(formulas::GeluTanh::meta, [](const Tensor& x) { return gelu(x, "tanh"); }),
                 prelu_row(),
                 gated_row({.name = "glu", .formula = "a sigmoid(b), with a and b the halves of x"}, glu),
                 gated_row({.name = "swiglu", .formula = "silu(a) b, with a and b the halves of x"}, swiglu),
                 gated_row({.name = "geglu", .formula = "gelu(a) b, with a and b the halves of x"}, geglu),
                 gated_row({.name = "reglu",
                            .domain = {kink_at_zero},
                            .formula = "relu(a) b, with a and b the halves of x",
                            .conventions = "derivative of relu 0 at 0"},
                           reglu)};
  for (auto& row : rows_with_attributes()) list.push_back(std::move(row));
  auto softmin_last = [](const TensorList& x) { return softmin(x[0], -1); };
  auto softmin_first = [](const TensorList& x) { return softmin(x[0], 0); };
  list.push_back(composite(case_row({.name = "softmin", .formula = "exp(-x) / sum(exp(-x))"}, family,
                                    {{{{5}}, softmin_last},
                                     {{{3, 4}}, softmin_last},
                                     {{{4, 3}}, softmin_first, "axis=0"},
                                     {{{0, 3}}, softmin_last},
                                     {{{2, 3, 2}}, softmin_last}},
                                    [=](std::int64_t n) {
                                      return Case{{{n / 64, 64}}, softmin_last};
                                    })));
  return list;
}

}  // namespace detail
}  // namespace cadena
