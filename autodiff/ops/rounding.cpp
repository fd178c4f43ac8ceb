#include "autodiff/formulas/rounding.hpp"

#include <string>

#include "autodiff/core/elementwise_family.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/rounding.hpp"

namespace cadena {

CADENA_ROUNDING_UNARY_OPS(CADENA_UNARY_FUNCTION)

Tensor heaviside(const Operand& x, const Operand& at_zero) {
  return detail::elementwise_call(formulas::Heaviside{}, x, at_zero);
}

namespace {

/// Whole numbers have no infinity to answer with.
template <class Op>
Tensor divide(const Op& op, const Operand& a, const Operand& b) {
  const Operand operands[] = {a, b};
  Tensor in[2];
  detail::promote_operands(Op::meta, operands, in, 2);
  if (!is_floating(in[1].dtype()))
    detail::repeatable(Op::meta.name, [divisor = in[1]] {
      if (sum(eq(divisor, 0)).item<std::int64_t>() > 0)
        throw ValueError("[" + std::string(Op::meta.name) +
                         "] expected integers other than 0 to divide by, got a 0 in " +
                         to_string(divisor.shape()));
    });
  return detail::elementwise_call(op, in[0], in[1]);
}

}  // namespace

Tensor fmod(const Operand& a, const Operand& b) { return divide(formulas::Fmod{}, a, b); }
Tensor remainder(const Operand& a, const Operand& b) { return divide(formulas::Remainder{}, a, b); }
Tensor floor_divide(const Operand& a, const Operand& b) { return divide(formulas::FloorDivide{}, a, b); }

namespace detail {

namespace {

/// The dividend is drawn between two multiples of the divisor: at the multiples the functions jump.
OpInfo division_row(const Meta& meta, const char* family, Tensor (*f)(const Operand&, const Operand&)) {
  auto draw = [=](Sampler& s, const Shape& a, const Shape& b) {
    NoGrad guard;
    const Tensor divisor = s.draw(b, meta.domain[1]);
    const Tensor quotient = floor(s.draw(a, Domain{.low = -3, .high = 3})) + s.draw(a, unit);
    return Sample{to_string(a) + " " + to_string(b), {quotient * divisor, divisor}, [f](const TensorList& x) {
                    return f(x[0], x[1]);
                  }};
  };
  auto samples = [draw](Sampler& s) {
    const std::pair<Shape, Shape> shapes[] = {
        {{}, {}},     {{5}, {5}},   {{5}, {}},    {{3, 4}, {4}},   {{3, 4}, {3, 1}}, {{0}, {1}},
        {{2, 0}, {}}, {{19}, {19}}, {{65}, {65}}, {{2, 3, 4}, {}}, {{6, 5}, {6, 5}}, {{7, 1}, {1}}};
    std::vector<Sample> list;
    for (const auto& [a, b] : shapes) list.push_back(draw(s, a, b));
    return list;
  };
  return {meta, family, samples, [draw](Sampler& s, std::int64_t n) { return draw(s, {n}, {n}); }};
}

}  // namespace

OpList rounding_ops() {
  constexpr auto family = "rounding";
  return {CADENA_ROUNDING_UNARY_OPS(CADENA_UNARY_ROW)  //
          elementwise_row(formulas::Heaviside::meta, family, heaviside),
          division_row(formulas::Fmod::meta, family, fmod),
          division_row(formulas::Remainder::meta, family, remainder),
          division_row(formulas::FloorDivide::meta, family, floor_divide)};
}

}  // namespace detail
}  // namespace cadena
