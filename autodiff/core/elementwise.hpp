// From a formula to an operation: the fused loops, the recorded reading with tensors, and the node.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "autodiff/core/op.hpp"
#include "autodiff/formulas/formula.hpp"
#include "autodiff/kernels/map.hpp"
// What a formula may call when it is read with tensors.
#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/rounding.hpp"
#include "autodiff/ops/special.hpp"
#include "autodiff/ops/trigonometric.hpp"
#include "autodiff/symbol.hpp"

namespace cadena::detail {

inline constexpr int max_arity = 3;

/// Everything about an elementwise op that can be shared by all: one table per op, of plain function
/// pointers.
struct ElementwiseRules {
  enum class Flow : std::uint8_t { computed, passes, stops };

  Meta meta;
  int arity;
  kernels::MapLoop value[3];               ///< by dtype f32, f64, i64 (null if not integral)
  Flow flow[max_arity];                    ///< of the cotangent to input i
  kernels::MapLoop partial[max_arity][2];  ///< operands: cotangent, inputs, output
  /// Cotangent times partial i, in recorded tensor operations.
  Tensor (*recorded[max_arity])(const void* op, const Tensor& g, const Tensor* x, const Tensor& y);
  /// The formulas as text.
  SymbolicOp (*symbolic)(const void* op);
};

struct ElementwiseNode : RecordedNode {
  const ElementwiseRules* rules;
  explicit ElementwiseNode(const ElementwiseRules& r) : rules(&r) {}
  virtual const void* op() const { return nullptr; }
  std::string_view name() const override { return rules->meta.name; }
  void vjp(const Tensor& g, const bool* need, Tensor* gin) override;
  Tensor jvp(const Tensor* tangents) override;
  const Meta* meta() const override { return &rules->meta; }
  SymbolicOp symbolic() const override;
  Tensor replay(std::span<const Tensor> inputs) const override;
  bool is_elementwise() const override { return true; }

 private:
  bool vjp_unrecorded(const Tensor& g, const bool* need, Tensor* gin);
  Tensor partial(int i, const Tensor& g, const Tensor* x, const Tensor& y);
};

/// Dtype promotion of the operands, recorded where it needs a cast; numbers become tensors of that dtype.
void promote_operands(const Meta& meta, const Operand* operands, Tensor* inputs, int n);

/// Evaluates; inputs have one dtype, which the op supports.
Tensor elementwise_value(const ElementwiseRules& rules, const void* op, const Tensor* inputs);
/// Hangs the node on the value.
void elementwise_attach(Ref<ElementwiseNode> node, const Tensor& out, const Tensor* inputs);

/// Evaluates on a tape and records as usual.
Tensor elementwise_on_tape(const Ref<ElementwiseNode>& node, const Tensor* inputs);

/// Evaluates and, where needed, records with the node that `make` returns. What `op` points at outlives the
/// call, or the node holds it.
template <bool outlives = false, class Make>
Tensor elementwise(const ElementwiseRules& rules, const void* op, const Tensor* inputs, const Make& make) {
  Tensor out;
  if (any_batched(inputs, static_cast<std::size_t>(rules.arity))) [[unlikely]] {
    const BatchedCall call(inputs, static_cast<std::size_t>(rules.arity));
    out = call.wrap(elementwise<outlives>(rules, op, call.aligned().data(), make));
  } else if (!outlives && on_tape()) [[unlikely]] {
    return elementwise_on_tape(make(), inputs);
  } else {
    out = elementwise_value(rules, op, inputs);
  }
  if (is_floating(raw_impl(out)->dtype) &&
      recording(rules.meta.name, inputs, static_cast<std::size_t>(rules.arity)))
    elementwise_attach(make(), out, inputs);
  return out;
}

/// g * d where an exactly zero g wins over an infinite or undefined d.
Tensor absorbing_mul(const Tensor& g, const Operand& d);

/// dtype of `where(c, 1, 0)` while a formula is read with tensors, so that literals keep the tensors'
/// precision.
extern constinit thread_local DType literal_dtype;

// Loops.

/// i64 in formulas. Division is that of Python, and whoever calls makes sure that no divisor is zero.
struct Whole {
  std::int64_t v;
  constexpr Whole(std::int64_t value) : v(value) {}  // NOLINT(google-explicit-constructor): literals
  static std::int64_t wrap(std::uint64_t u) { return static_cast<std::int64_t>(u); }
  std::uint64_t u() const { return static_cast<std::uint64_t>(v); }
  friend Whole operator+(Whole a, Whole b) { return {wrap(a.u() + b.u())}; }
  friend Whole operator-(Whole a, Whole b) { return {wrap(a.u() - b.u())}; }
  friend Whole operator*(Whole a, Whole b) { return {wrap(a.u() * b.u())}; }
  friend Whole operator-(Whole a) { return {wrap(0 - a.u())}; }
  friend Whole abs(Whole a) { return a.v < 0 ? -a : a; }
  friend Whole maximum(Whole a, Whole b) { return a.v > b.v ? a : b; }
  friend Whole minimum(Whole a, Whole b) { return a.v < b.v ? a : b; }
  friend bool operator<(Whole a, Whole b) { return a.v < b.v; }
  friend bool operator>(Whole a, Whole b) { return a.v > b.v; }
  friend Whole where(bool c, Whole a, Whole b) { return c ? a : b; }
  friend Whole floor(Whole a) { return a; }
  friend Whole ceil(Whole a) { return a; }
  friend Whole trunc(Whole a) { return a; }
  friend Whole round(Whole a) { return a; }
  // The smallest number divided by -1 would trap.
  friend Whole fmod(Whole a, Whole b) { return b.v == -1 ? 0 : a.v % b.v; }
  friend Whole remainder(Whole a, Whole b) {
    const Whole rest = fmod(a, b);
    return rest.v != 0 && (rest.v < 0) != (b.v < 0) ? rest + b : rest;
  }
  friend Whole floor_divide(Whole a, Whole b) {
    if (b.v == -1) return -a;
    const Whole rest = fmod(a, b);
    return a.v / b.v - (rest.v != 0 && (rest.v < 0) != (b.v < 0));
  }
};

/// out[i] = formula(in[0][i], ...), `Mask` telling which operands are there; the others read as NaN. An
/// operand in `splat` stays where it is: its register holds the same value for all.
template <class T, unsigned Mask, std::size_t... I, class F>
void lane_loop(const F& formula, void* out, const void* const* in, unsigned splat, std::int64_t n,
               std::index_sequence<I...>) {
  using L = kernels::Lane<T>;
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  T* to = static_cast<T*>(out);
  const T* from[] = {static_cast<const T*>(in[I])...};
  const std::int64_t step[] = {(splat >> I & 1U ? 0 : L::size)...};
  auto full = [&]<std::size_t K>() -> L {
    if constexpr (Mask >> K & 1u) {
      const T* p = from[K];
      from[K] += step[K];
      return L::load(p);
    } else {
      return nan;
    }
  };
  auto first = [&]<std::size_t K>(std::int64_t count) -> L {
    if constexpr (Mask >> K & 1u)
      return L::load_first(from[K], count);
    else
      return nan;
  };
  std::int64_t i = 0;
  for (; i + L::size <= n; i += L::size) L(formula(full.template operator()<I>()...)).store(to + i);
  if (i < n) L(formula(first.template operator()<I>(n - i)...)).store_first(to + i, n - i);
}

/// How a loop holds an op. A copy of its own stays in registers; behind a pointer it might be what is written
/// to.
template <class Op>
using HeldByLoop = std::conditional_t<std::is_trivially_copyable_v<Op>, const Op, const Op&>;

template <class Op, class T, int N>
void value_loop(const void* op, void* out, const void* const* in, unsigned splat, std::int64_t n) {
  HeldByLoop<Op> formula = *static_cast<const Op*>(op);
  if constexpr (std::is_same_v<T, std::int64_t>) {
    for (std::int64_t i = 0; i < n; ++i) {
      auto x = [&](int k) { return Whole{static_cast<const std::int64_t*>(in[k])[i]}; };
      if constexpr (N == 1)
        static_cast<std::int64_t*>(out)[i] = formula.f(x(0)).v;
      else
        static_cast<std::int64_t*>(out)[i] = formula.f(x(0), x(1)).v;
    }
  } else {
    lane_loop<T, (1u << N) - 1>([&](auto... x) { return formula.f(x...); }, out, in, splat, n,
                                std::make_index_sequence<N>{});
  }
}

/// The op's partial derivative for input I, read with whatever the arguments are.
template <class Op, int N, int I, class... X>
auto read_partial(const Op& op, const X&... xy) {
  if constexpr (N == 1)
    return op.dx(xy...);
  else if constexpr (I == 0)
    return op.dx1(xy...);
  else if constexpr (I == 1)
    return op.dx2(xy...);
  else
    return op.dx3(xy...);
}

/// Bits of the operands {g, x..., y} from the declared reads.
template <int N>
constexpr unsigned operand_mask(std::uint8_t reads) {
  return 1u | (reads & ((1u << N) - 1)) << 1 | (reads & Y ? 1u << (N + 1) : 0u);
}

template <class Op, class T, int N, int I>
void partial_loop(const void* op, void* out, const void* const* in, unsigned splat, std::int64_t n) {
  HeldByLoop<Op> formula = *static_cast<const Op*>(op);
  using L = kernels::Lane<T>;
  auto product = [&](L g, auto... xy) -> L {
    const L d = read_partial<Op, N, I>(formula, xy...);
    if constexpr (Op::meta.singular)
      return where(eq(g, 0), 0, g * d);
    else
      return g * d;
  };
  lane_loop<T, operand_mask<N>(Op::meta.reads[I])>(product, out, in, splat, n,
                                                   std::make_index_sequence<N + 2>{});
}

template <class Op, int N, int I>
Tensor recorded_partial(const void* op, const Tensor& g, const Tensor* x, const Tensor& y) {
  const Op& formula = *static_cast<const Op*>(op);
  auto times = [&](const Operand& d) { return Op::meta.singular ? absorbing_mul(g, d) : mul(g, d); };
  if constexpr (N == 1)
    return times(read_partial<Op, N, I>(formula, x[0], y));
  else if constexpr (N == 2)
    return times(read_partial<Op, N, I>(formula, x[0], x[1], y));
  else
    return times(read_partial<Op, N, I>(formula, x[0], x[1], x[2], y));
}

inline Symbol symbol_of(const Symbol& s) { return s; }
inline Symbol symbol_of(formulas::One) { return 1; }
inline Symbol symbol_of(formulas::Zero) { return 0; }

template <class Op, int N>
SymbolicOp symbolic(const void* op) {
  const Op& formula = *static_cast<const Op*>(op);
  const auto name = Symbol::variable;
  const Symbol x = name("x"), a = name("a"), b = name("b"), c = name("c"), y = name("y");
  if constexpr (N == 1)
    return {{"x"}, symbol_of(formula.f(x)), {symbol_of(formula.dx(x, y))}};
  else if constexpr (N == 2)
    return {{"a", "b"},
            symbol_of(formula.f(a, b)),
            {symbol_of(formula.dx1(a, b, y)), symbol_of(formula.dx2(a, b, y))}};
  else
    return {{"a", "b", "c"},
            symbol_of(formula.f(a, b, c)),
            {symbol_of(formula.dx1(a, b, c, y)), symbol_of(formula.dx2(a, b, c, y)),
             symbol_of(formula.dx3(a, b, c, y))}};
}

/// What partial I is, read with lanes: One, Zero, a literal or a lane.
template <class Op, int N, int I, std::size_t... K>
auto partial_type(std::index_sequence<K...>) {
  return read_partial<Op, N, I>(Op{}, ((void)K, kernels::Lane<float>(0))...);
}

template <class Op, int N, int I>
constexpr void fill_partial(ElementwiseRules& r) {
  using D = decltype(partial_type<Op, N, I>(std::make_index_sequence<N + 1>{}));
  using Flow = ElementwiseRules::Flow;
  r.flow[I] = std::is_same_v<D, formulas::One>    ? Flow::passes
              : std::is_same_v<D, formulas::Zero> ? Flow::stops
                                                  : Flow::computed;
  if constexpr (!std::is_same_v<D, formulas::One> && !std::is_same_v<D, formulas::Zero>) {
    r.partial[I][0] = partial_loop<Op, float, N, I>;
    r.partial[I][1] = partial_loop<Op, double, N, I>;
    r.recorded[I] = recorded_partial<Op, N, I>;
  }
}

template <class Op, int N>
constexpr ElementwiseRules make_rules() {
  ElementwiseRules r{};
  r.meta = Op::meta;
  r.arity = N;
  r.value[0] = value_loop<Op, float, N>;
  r.value[1] = value_loop<Op, double, N>;
  if constexpr (Op::meta.integral) r.value[2] = value_loop<Op, std::int64_t, N>;
  fill_partial<Op, N, 0>(r);
  if constexpr (N >= 2) fill_partial<Op, N, 1>(r);
  if constexpr (N >= 3) fill_partial<Op, N, 2>(r);
  r.symbolic = symbolic<Op, N>;
  return r;
}

/// The table of a formula struct.
template <class Op, int N>
inline constexpr ElementwiseRules rules_of = make_rules<Op, N>();

/// Holds the attributes of the op it records.
template <class Op>
struct AttributeNode final : ElementwiseNode {
  Op attributes;
  AttributeNode(const ElementwiseRules& r, const Op& o) : ElementwiseNode(r), attributes(o) {}
  const void* op() const override { return &attributes; }
};

/// The op applied to tensors and numbers, broadcast and promoted.
template <class Op, class... In>
Tensor elementwise_call(const Op& op, const In&... in) {
  constexpr int n = sizeof...(In);
  const Operand operands[] = {Operand(in)...};
  Tensor inputs[n];
  promote_operands(Op::meta, operands, inputs, n);
  const ElementwiseRules& rules = rules_of<Op, n>;
  if constexpr (std::is_empty_v<Op>) {
    static constexpr Op none{};
    return elementwise<true>(rules, &none, inputs,
                             [&] { return Ref<ElementwiseNode>::adopt(new ElementwiseNode(rules)); });
  } else {
    return elementwise(rules, &op, inputs,
                       [&] { return Ref<ElementwiseNode>::adopt(new AttributeNode<Op>(rules, op)); });
  }
}

}  // namespace cadena::detail
