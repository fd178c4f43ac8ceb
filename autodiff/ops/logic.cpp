#include "autodiff/ops/logic.hpp"

#include <functional>
#include <limits>
#include <string>

#include "autodiff/core/elementwise.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/compare.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"

namespace cadena {

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

Tensor truth(const Tensor& x) { return x.dtype() == boolean ? x : ne(x, 0); }
Tensor always(bool value) { return full({}, value, boolean); }

template <class F>
void bit_loop(const void*, void* out, const void* const* in, unsigned, std::int64_t n) {
  auto operand = [&](int k) { return static_cast<const std::int64_t*>(in[k]); };
  for (std::int64_t i = 0; i < n; ++i) static_cast<std::int64_t*>(out)[i] = F{}(operand(0)[i], operand(1)[i]);
}

struct ShiftLeft {
  std::int64_t operator()(std::int64_t a, std::int64_t by) const {
    return by < 0 || by > 63 ? 0 : static_cast<std::int64_t>(static_cast<std::uint64_t>(a) << by);
  }
};
struct ShiftRight {
  std::int64_t operator()(std::int64_t a, std::int64_t by) const {
    return a >> (by < 0 || by > 63 ? 63 : by);
  }
};

template <class F>
Tensor bitwise(const char* op, const Tensor& a, const Tensor& b) {
  for (const Tensor* t : {&a, &b})
    if (is_floating(t->dtype()))
      throw DtypeError("[" + std::string(op) + "] expected i64 or bool, got " +
                       std::string(name(t->dtype())));
  detail::ElementwiseRules rules{};
  rules.meta.name = op;
  rules.arity = 2;
  rules.value[2] = bit_loop<F>;
  const Tensor in[] = {to(a, i64), to(b, i64)};
  const Tensor out = detail::elementwise_value(rules, nullptr, in);
  return a.dtype() == boolean && b.dtype() == boolean ? to(out, boolean) : out;
}

}  // namespace

Tensor isinf(const Tensor& x) { return eq(abs(x.detach()), inf); }
Tensor isfinite(const Tensor& x) { return lt(abs(x.detach()), inf); }
Tensor isposinf(const Tensor& x) { return eq(x, inf); }
Tensor isneginf(const Tensor& x) { return eq(x, -inf); }

Tensor isclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  NoGrad guard;
  const DType dtype = a.dtype() == f32 && b.dtype() == f32 ? f32 : f64;
  const Tensor in[] = {to(a, dtype), to(b, dtype)};
  if (detail::any_batched(in, 2)) {
    const detail::BatchedCall call(in, 2);
    const TensorList x = call.aligned();
    return call.wrap(isclose(x[0], x[1], rtol, atol, equal_nan));
  }
  const Shape shape = broadcast("isclose", in[0].shape(), in[1].shape());
  const auto numel = checked_numel("isclose", shape, 1);
  return detail::repeatable("isclose", [=, x = in[0], y = in[1]] {
    Tensor out = detail::make_tensor(shape, numel, boolean);
    kernels::is_close({rtol, atol, equal_nan}, detail::view_of(x), detail::view_of(y), detail::view_of(out));
    return out;
  });
}

Tensor logical_and(const Tensor& a, const Tensor& b) { return where(truth(a), truth(b), always(false)); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return where(truth(a), always(true), truth(b)); }
Tensor logical_xor(const Tensor& a, const Tensor& b) { return ne(truth(a), truth(b)); }
Tensor logical_not(const Tensor& x) { return eq(truth(x), always(false)); }

Tensor bitwise_and(const Tensor& a, const Tensor& b) {
  return bitwise<std::bit_and<std::int64_t>>("bitwise_and", a, b);
}
Tensor bitwise_or(const Tensor& a, const Tensor& b) {
  return bitwise<std::bit_or<std::int64_t>>("bitwise_or", a, b);
}
Tensor bitwise_xor(const Tensor& a, const Tensor& b) {
  return bitwise<std::bit_xor<std::int64_t>>("bitwise_xor", a, b);
}
Tensor bitwise_left_shift(const Tensor& a, const Tensor& b) {
  return bitwise<ShiftLeft>("bitwise_left_shift", a, b);
}
Tensor bitwise_right_shift(const Tensor& a, const Tensor& b) {
  return bitwise<ShiftRight>("bitwise_right_shift", a, b);
}
Tensor bitwise_not(const Tensor& x) {
  return x.dtype() == boolean ? logical_not(x)
                              : bitwise<std::bit_xor<std::int64_t>>("bitwise_not", x, full({}, -1, i64));
}

}  // namespace cadena
