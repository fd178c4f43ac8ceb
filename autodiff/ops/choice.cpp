// where and comparisons.
#include "autodiff/ops/choice.hpp"

#include <string>

#include "autodiff/core/elementwise.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/compare.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {
namespace detail {
namespace {

/// Linear in both arguments; nothing leaks from the one that was not chosen.
struct Where {
  static constexpr Meta meta{.name = "where",
                             .formula = "a where c, else b",
                             .derivative = "dA = G where c, else 0; dB = 0 where c, else G",
                             .conventions = "nothing leaks from the branch that is not taken"};
  Constant condition;

  Tensor eval(const Tensor& a, const Tensor& b) const {
    const Tensor& c = condition.get(meta.name);
    const Shape shape = broadcast("where", broadcast("where", a.shape(), b.shape()), c.shape());
    Tensor out = make_tensor(shape, checked_numel("where", shape, itemsize(a.dtype())), a.dtype());
    kernels::where(view_of(c), view_of(a), view_of(b), view_of(out));
    return out;
  }
  const Tensor& attribute() const { return condition.get(meta.name); }
  Tensor batch(const BatchedCall& c) const {
    const TensorList x = c.aligned();
    return cadena::where(x[2], x[0], x[1]);
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor& c = condition.get(meta.name);
    if (s.needs(0)) gin[0] = cadena::where(c, g, zeros({}, g.dtype()));
    if (s.needs(1)) gin[1] = cadena::where(c, zeros({}, g.dtype()), g);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    const Tensor zero = zeros({}, s.node().dtype);
    return cadena::where(condition.get(meta.name), t[0].defined() ? t[0] : zero,
                         t[1].defined() ? t[1] : zero);
  }
};

/// Common dtype of two operands, without the detour of bool over i64.
void promote_pair(const Operand& a, const Operand& b, Tensor* in) {
  const Operand operands[] = {a, b};
  const bool both_bool =
      a.tensor() && b.tensor() && a.tensor()->dtype() == boolean && b.tensor()->dtype() == boolean;
  if (both_bool)
    in[0] = *a.tensor(), in[1] = *b.tensor();
  else
    promote_operands({.name = "compare", .integral = true}, operands, in, 2);
}

Tensor compare(kernels::Comparison op, const char* op_name, const Operand& a, const Operand& b) {
  Tensor in[2];
  promote_pair(a, b, in);
  if (any_batched(in, 2)) {
    const BatchedCall call(in, 2);
    const TensorList x = call.aligned();
    return call.wrap(compare(op, op_name, x[0], x[1]));
  }
  const Shape shape = broadcast(op_name, in[0].shape(), in[1].shape());
  const auto numel = checked_numel(op_name, shape, 1);
  return repeatable(op_name, [=, x = in[0], y = in[1]] {
    Tensor out = make_tensor(shape, numel, boolean);
    kernels::compare(op, view_of(x), view_of(y), view_of(out));
    return out;
  });
}

}  // namespace

OpList choice_ops() {
  auto sample = [](Sampler& s, const Shape& c, const Shape& a, const Shape& b) {
    Tensor condition = gt(s.draw(c), 0);
    return Sample{to_string(c) + " " + to_string(a) + " " + to_string(b),
                  {s.draw(a), s.draw(b)},
                  [condition](const TensorList& x) { return where(condition, x[0], x[1]); }};
  };
  auto samples = [sample](Sampler& s) {
    std::vector<Sample> list;
    const Shape cases[][3] = {
        {{}, {}, {}},          {{5}, {5}, {5}}, {{3, 4}, {4}, {}},  {{4}, {3, 1}, {3, 4}},
        {{2, 1}, {3}, {2, 3}}, {{0}, {1}, {0}}, {{67}, {67}, {67}}, {{2, 3, 4}, {3, 1}, {1, 1, 4}}};
    for (const auto& c : cases) list.push_back(sample(s, c[0], c[1], c[2]));
    return list;
  };
  auto large = [sample](Sampler& s, std::int64_t n) { return sample(s, {n}, {n}, {n}); };
  const auto extreme = [](const char* name, const char* formula, auto f) {
    // Apart, for ties are kinks.
    const auto call = [f](const TensorList& x) { return f(x[0], add(x[1], 0.013)); };
    return composite(
        case_row({.name = name,
                  .domain = {all_different, all_different},
                  .formula = formula,
                  .conventions = "derivative 1/2 each at ties; NaN only where both are"},
                 "choice", {{{{5}, {5}}, call}, {{{3, 4}, {4}}, call}, {{{}, {3}}, call}, {{{0}, {0}}, call}},
                 [call](std::int64_t n) {
                   return Case{{{n}, {n}}, call};
                 }));
  };
  return {{Where::meta, "choice", samples, large},
          extreme("fmax", "max(a, b), of which neither is NaN", cadena::fmax),
          extreme("fmin", "min(a, b), of which neither is NaN", cadena::fmin)};
}

}  // namespace detail

Tensor where(const Tensor& condition, const Operand& a, const Operand& b) {
  if (condition.dtype() != boolean)
    throw DtypeError("[where] expected a bool condition, got " + std::string(name(condition.dtype())));
  Tensor in[2];
  detail::promote_pair(a, b, in);
  return detail::apply(detail::Where{detail::Constant(condition)}, in[0], in[1]);
}

Tensor eq(const Operand& a, const Operand& b) { return detail::compare(kernels::Comparison::eq, "eq", a, b); }
Tensor ne(const Operand& a, const Operand& b) { return detail::compare(kernels::Comparison::ne, "ne", a, b); }
Tensor lt(const Operand& a, const Operand& b) { return detail::compare(kernels::Comparison::lt, "lt", a, b); }
Tensor le(const Operand& a, const Operand& b) { return detail::compare(kernels::Comparison::le, "le", a, b); }
Tensor gt(const Operand& a, const Operand& b) { return lt(b, a); }
Tensor ge(const Operand& a, const Operand& b) { return le(b, a); }
Tensor isnan(const Tensor& x) { return ne(x, x); }

namespace detail {
namespace {

/// a where it beats b or b is NaN, else b; `both` of equals.
Tensor unless_nan(const Tensor& a, const Tensor& b, const Tensor& a_beats,
                  Tensor (*both)(const Operand&, const Operand&)) {
  const Tensor even = eq(a, b);
  return where(even, both(where(even, a, 0), where(even, b, 0)), where(logical_or(isnan(b), a_beats), a, b));
}

}  // namespace
}  // namespace detail

Tensor fmax(const Tensor& a, const Tensor& b) {
  broadcast("fmax", a.shape(), b.shape());
  return detail::unless_nan(a, b, gt(a, b), maximum);
}
Tensor fmin(const Tensor& a, const Tensor& b) {
  broadcast("fmin", a.shape(), b.shape());
  return detail::unless_nan(a, b, lt(a, b), minimum);
}

bool equal(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  NoGrad guard;
  return sum(eq(a, b)).item<std::int64_t>() == a.numel();
}

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  if (!(a.shape() == b.shape()))
    throw ShapeError("[allclose] expected equal shapes, got " + to_string(a.shape()) + " and " +
                     to_string(b.shape()));
  const NoGrad guard;
  return all(isclose(a, b, rtol, atol, equal_nan)).item<bool>();
}

}  // namespace cadena
