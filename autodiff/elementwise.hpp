// Elementwise operations of one's own, from a value formula alone:
//
//   auto swish = cadena::elementwise("swish", [](auto x) { return x / (1 + exp(-x)); });
//   Tensor y = swish(x);
//
// One fused pass for the value and one per derivative, forward mode, any order. The formula may use
// arithmetic, comparisons, `where(condition, a, b)` and the functions of formulas.hpp, called without a
// namespace; it is read with SIMD lanes, with duals, with tensors and, to be shown, with symbols. Opt-in:
// includes xsimd.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "autodiff/core/elementwise.hpp"
#include "autodiff/formulas.hpp"
#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/special.hpp"

namespace cadena {

/// A value and its derivatives along N inputs.
template <class L, int N>
struct Dual {
  L value;
  std::array<L, N> d;

  Dual(L v) : value(v), d(zero()) {}  // NOLINT(google-explicit-constructor)
  template <kernels::Literal S>
  Dual(S s) : value(s), d(zero()) {}  // NOLINT(google-explicit-constructor)
  Dual(L v, const std::array<L, N>& derivatives) : value(v), d(derivatives) {}

  friend Dual operator+(const Dual& a, const Dual& b) { return lift<formulas::Add>(a, b); }
  friend Dual operator-(const Dual& a, const Dual& b) { return lift<formulas::Sub>(a, b); }
  friend Dual operator*(const Dual& a, const Dual& b) { return lift<formulas::Mul>(a, b); }
  friend Dual operator/(const Dual& a, const Dual& b) { return lift<formulas::Div>(a, b); }
  friend Dual operator-(const Dual& a) { return lift<formulas::Neg>(a); }
  friend auto operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend auto operator<=(const Dual& a, const Dual& b) { return a.value <= b.value; }
  friend auto operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
  friend auto operator>=(const Dual& a, const Dual& b) { return a.value >= b.value; }
  friend auto eq(const Dual& a, const Dual& b) { return eq(a.value, b.value); }
  friend auto isnan(const Dual& a) { return isnan(a.value); }
#define CADENA_OP(Op, function) \
  friend Dual function(const Dual& x) { return lift<formulas::Op>(x); }
  CADENA_UNARY_OPS(CADENA_OP)
#undef CADENA_OP
#define CADENA_OP(Op, function) \
  friend Dual function(const Dual& a, const Dual& b) { return lift<formulas::Op>(a, b); }
  CADENA_BINARY_OPS(CADENA_OP)
#undef CADENA_OP
#define CADENA_OP(Op, function)                                       \
  template <kernels::Literal... A>                                    \
  friend Dual function(const Dual& x, A... attributes) {              \
    return lift(formulas::Op{static_cast<double>(attributes)...}, x); \
  }
  CADENA_ATTRIBUTE_OPS(CADENA_OP)
#undef CADENA_OP
  friend Dual gelu(const Dual& x) { return lift(formulas::Gelu{}, x); }
  friend Dual logit(const Dual& x) { return lift(formulas::Logit{}, x); }
  friend Dual polygamma(int n, const Dual& x) { return lift(formulas::Polygamma{n}, x); }
  friend Dual lerp(const Dual& a, const Dual& b, const Dual& weight) {
    using formulas::Lerp;
    const L y = Lerp::f(a.value, b.value, weight.value);
    Dual out(y);
    add_term(out, a, Lerp::dx1(a.value, b.value, weight.value, y), false);
    add_term(out, b, Lerp::dx2(a.value, b.value, weight.value, y), false);
    add_term(out, weight, Lerp::dx3(a.value, b.value, weight.value, y), false);
    return out;
  }

  /// The chain rule, with the op's one formula for each derivative. A zero derivative stays zero where the
  /// formula is singular.
  template <class Op>
  static Dual lift(const Dual& a) {
    return lift(Op{}, a);
  }
  template <class Op>
  static Dual lift(const Op& op, const Dual& a) {
    const L y = op.f(a.value);
    Dual out(y);
    add_term(out, a, op.dx(a.value, y), Op::meta.singular);
    return out;
  }
  template <class Op>
  static Dual lift(const Dual& a, const Dual& b) {
    const L y = Op::f(a.value, b.value);
    Dual out(y);
    add_term(out, a, Op::dx1(a.value, b.value, y), Op::meta.singular);
    add_term(out, b, Op::dx2(a.value, b.value, y), Op::meta.singular);
    return out;
  }

 private:
  static std::array<L, N> zero() {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return std::array<L, N>{((void)I, L(0))...}; }
    (std::make_index_sequence<N>{});
  }
  static void add_term(Dual&, const Dual&, formulas::Zero, bool) {}
  static void add_term(Dual& out, const Dual& a, formulas::One, bool) {
    for (std::size_t i = 0; i < N; ++i) out.d[i] = out.d[i] + a.d[i];
  }
  static void add_term(Dual& out, const Dual& a, const L& slope, bool singular) {
    for (std::size_t i = 0; i < N; ++i) {
      const L term = slope * a.d[i];
      out.d[i] = out.d[i] + (singular ? where(eq(a.d[i], 0), 0, term) : term);
    }
  }
};

template <class T, class Arch, class L, int N>
Dual<L, N> where(kernels::LaneMask<T, Arch> c, const Dual<L, N>& a, const Dual<L, N>& b) {
  Dual<L, N> out(where(c, a.value, b.value));
  for (std::size_t i = 0; i < N; ++i) out.d[i] = where(c, a.d[i], b.d[i]);
  return out;
}
template <class T, class Arch, class L, int N, kernels::Literal S>
Dual<L, N> where(kernels::LaneMask<T, Arch> c, const Dual<L, N>& a, S b) {
  return where(c, a, Dual<L, N>(b));
}
template <class T, class Arch, class L, int N, kernels::Literal S>
Dual<L, N> where(kernels::LaneMask<T, Arch> c, S a, const Dual<L, N>& b) {
  return where(c, Dual<L, N>(a), b);
}

template <class L, int N>
Dual<L, N> where(const SymbolCondition& c, const Dual<L, N>& a, const Dual<L, N>& b) {
  Dual<L, N> out(where(c, a.value, b.value));
  for (std::size_t i = 0; i < N; ++i) out.d[i] = where(c, a.d[i], b.d[i]);
  return out;
}
template <class L, int N, kernels::Literal S>
Dual<L, N> where(const SymbolCondition& c, const Dual<L, N>& a, S b) {
  return where(c, a, Dual<L, N>(b));
}
template <class L, int N, kernels::Literal S>
Dual<L, N> where(const SymbolCondition& c, S a, const Dual<L, N>& b) {
  return where(c, Dual<L, N>(a), b);
}

// What symbols print as its formula rather than by its name.
inline Symbol add(const Symbol& a, const Symbol& b) { return a + b; }
inline Symbol sub(const Symbol& a, const Symbol& b) { return a - b; }
inline Symbol mul(const Symbol& a, const Symbol& b) { return a * b; }
inline Symbol div(const Symbol& a, const Symbol& b) { return a / b; }
inline Symbol lerp(const Symbol& a, const Symbol& b, const Symbol& weight) { return a + weight * (b - a); }
#define CADENA_OP(Op, function)                                   \
  template <kernels::Literal... A>                                \
  Symbol function(const Symbol& x, A... attributes) {             \
    return formulas::Op{static_cast<double>(attributes)...}.f(x); \
  }
CADENA_ATTRIBUTE_OPS(CADENA_OP)
#undef CADENA_OP

namespace detail {

/// A user's formula with everything derived from it. Nodes share it.
template <class F>
struct UserFormula {
  std::string name;
  F f;
  std::array<ElementwiseRules, max_arity> rules;  // by arity - 1
};

template <class F>
struct UserNode final : ElementwiseNode {
  std::shared_ptr<const UserFormula<F>> formula;
  UserNode(std::shared_ptr<const UserFormula<F>> u, int arity)
      : ElementwiseNode(u->rules[static_cast<std::size_t>(arity) - 1]), formula(std::move(u)) {}
  const void* op() const override { return formula.get(); }
};

template <class F, class T, int N>
void user_value_loop(const void* op, void* out, const void* const* in, unsigned splat, std::int64_t n) {
  using L = kernels::Lane<T>;
  const F& f = static_cast<const UserFormula<F>*>(op)->f;
  lane_loop<T, (1u << N) - 1>([&](auto... x) { return L(f(x...)); }, out, in, splat, n,
                              std::make_index_sequence<N>{});
}

/// Cotangent times the derivative for input I: the formula read with a dual along that input.
template <class F, class T, int N, int I>
void user_partial_loop(const void* op, void* out, const void* const* in, unsigned splat, std::int64_t n) {
  using L = kernels::Lane<T>;
  using D = Dual<L, 1>;
  const F& f = static_cast<const UserFormula<F>*>(op)->f;
  auto product = [&](L g, auto... x) -> L {
    const L lanes[] = {x...};
    const D y = [&]<std::size_t... K>(std::index_sequence<K...>) {
      return D(f(D(lanes[K], {L(K == I ? 1 : 0)})...));
    }
    (std::make_index_sequence<N>{});
    return where(eq(g, 0), 0, g * y.d[0]);
  };
  // Operands are {g, x..., y}; y is not read.
  lane_loop<T, (1u << (N + 1)) - 1>(product, out, in, splat, n, std::make_index_sequence<N + 1>{});
}

/// The same in recorded tensor operations, for higher orders.
template <class F, int N, int I>
Tensor user_recorded(const void* op, const Tensor& g, const Tensor* x, const Tensor&) {
  const F& f = static_cast<const UserFormula<F>*>(op)->f;
  const bool record = is_grad_enabled();
  EnableGrad mode;
  TensorList in;
  for (int k = 0; k < N; ++k) in.push_back(k == I ? fresh_inputs({x[k]})[0] : x[k]);
  const Tensor y = [&]<std::size_t... K>(std::index_sequence<K...>) { return Tensor(f(in[K]...)); }
  (std::make_index_sequence<N>{});
  if (!y.requires_grad()) return {};
  return grad(TensorList{y}, {in[I]}, {.create_graph = record, .retain_graph = true, .allow_unused = true},
              {expand(g, y.shape())})[0];
}

/// The formula as text, and its derivatives: read with duals of symbols.
template <class F, int N>
SymbolicOp user_symbolic(const void* op) {
  const F& f = static_cast<const UserFormula<F>*>(op)->f;
  using D = Dual<Symbol, 1>;
  SymbolicOp out;
  out.arguments = N == 1   ? std::vector<std::string>{"x"}
                  : N == 2 ? std::vector<std::string>{"a", "b"}
                           : std::vector<std::string>{"a", "b", "c"};
  const auto argument = [&](std::size_t k) { return Symbol::variable(out.arguments[k]); };
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    out.value = Symbol(f(argument(K)...));
    for (std::size_t i = 0; i < N; ++i)
      out.derivatives.push_back(D(f(D(argument(K), {Symbol(K == i ? 1 : 0)})...)).d[0]);
  }
  (std::make_index_sequence<N>{});
  return out;
}

template <class F, int N>
ElementwiseRules user_rules() {
  ElementwiseRules r{};
  r.arity = N;
  r.meta.reads = {X1 | X2 | X3, X1 | X2 | X3, X1 | X2 | X3};
  r.meta.singular = true;
  r.symbolic = user_symbolic<F, N>;
  r.value[0] = user_value_loop<F, float, N>;
  r.value[1] = user_value_loop<F, double, N>;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((r.partial[I][0] = user_partial_loop<F, float, N, static_cast<int>(I)>), ...);
    ((r.partial[I][1] = user_partial_loop<F, double, N, static_cast<int>(I)>), ...);
    ((r.recorded[I] = user_recorded<F, N, static_cast<int>(I)>), ...);
  }
  (std::make_index_sequence<N>{});
  return r;
}

}  // namespace detail

/// What `elementwise` returns: call it with as many tensors (or numbers) as the formula has arguments.
template <class F>
class ElementwiseFunction {
  template <class>
  struct Lanes {
    using type = kernels::Lane<float>;
  };

 public:
  ElementwiseFunction(std::string name, F f) {
    auto u =
        std::make_shared<detail::UserFormula<F>>(detail::UserFormula<F>{std::move(name), std::move(f), {}});
    using L = kernels::Lane<float>;
    if constexpr (std::is_invocable_v<F, L>) u->rules[0] = detail::user_rules<F, 1>();
    if constexpr (std::is_invocable_v<F, L, L>) u->rules[1] = detail::user_rules<F, 2>();
    if constexpr (std::is_invocable_v<F, L, L, L>) u->rules[2] = detail::user_rules<F, 3>();
    for (auto& rules : u->rules) rules.meta.name = u->name;
    formula_ = std::move(u);
  }

  /// Broadcasts and promotes like any binary operation; integers become f32. One to three arguments, as many
  /// as the formula has.
  template <class... In>
  requires(sizeof...(In) >= 1 && sizeof...(In) <= detail::max_arity &&
           std::is_invocable_v<F, typename Lanes<In>::type...>) Tensor
  operator()(const In&... in) const {
    constexpr int n = sizeof...(In);
    const auto& rules = formula_->rules[n - 1];
    const Operand operands[] = {Operand(in)...};
    Tensor inputs[n];
    detail::promote_operands(rules.meta, operands, inputs, n);
    using Shared = std::shared_ptr<const detail::UserFormula<F>>;
    return detail::elementwise(rules, formula_.get(), inputs, [&]() {
      return detail::Ref<detail::ElementwiseNode>::adopt(new detail::UserNode<F>(Shared(formula_), n));
    });
  }

 private:
  std::shared_ptr<const detail::UserFormula<F>> formula_;
};

/// @param name appears in errors and in `grad_fn`
/// @param f a generic lambda, e.g. `[](auto x, auto y) { return x * sigmoid(y); }`, without side effects
template <class F>
ElementwiseFunction<F> elementwise(std::string name, F f) {
  return {std::move(name), std::move(f)};
}

}  // namespace cadena
