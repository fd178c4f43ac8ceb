// Factories whose values are not random. `empty` and `from_blob`, which need the inside of a tensor, live
// elsewhere.
#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "autodiff/core/tape.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {
namespace {

__extension__ using Wide = __int128;  // holds every sum and product of two 64-bit integers

std::string bracketed(const char* op) { return std::string("[").append(op).append("] "); }

std::string text(double v) {
  std::ostringstream out;
  out.precision(17);
  out << v;
  return out.str();
}

/// `value` as T. @throws ValueError for NaN, infinities and fractions beyond the range of i64
template <Element T>
T converted(const char* op, const Scalar& value) {
  if constexpr (std::same_as<T, std::int64_t>) {
    const auto v = value.to<double>();
    if (is_floating(value.kind()) && !(v >= -0x1p63 && v < 0x1p63))
      throw ValueError(bracketed(op) + "expected a number that i64 can hold, got " + text(v));
  }
  return value.to<T>();
}

Tensor filled(const char* op, const Shape& shape, Scalar value, DType dtype) {
  checked_numel(op, shape, itemsize(dtype));
  return visit(dtype, [&]<class T>(T) {
    const T v = converted<T>(op, value);
    const detail::ConstantScope constant;
    Tensor out = empty(shape, dtype);
    std::fill_n(out.mutable_data<T>(), out.numel(), v);
    return out;
  });
}

// ---- nested braces ----

/// The shape along the first entries; `expect_shape` finds out whether the others agree.
Shape shape_of(const NestedList& values) {
  Shape shape;
  for (const auto* v = &values; v->is_list(); v = v->list().data()) {
    shape.push_back(static_cast<std::int64_t>(v->list().size()));
    if (v->list().empty()) break;
  }
  return shape;
}

void expect_shape(const NestedList& values, const Shape& shape, int axis) {
  if (!values.is_list() && axis == shape.rank()) return;
  if (!values.is_list() || axis == shape.rank())
    throw ShapeError("[tensor] expected lists of one depth, got numbers and lists side by side");
  const auto size = static_cast<std::int64_t>(values.list().size());
  if (size != shape[axis])
    throw ShapeError("[tensor] expected rows of one length, got " + std::to_string(shape[axis]) + " and " +
                     std::to_string(size) + " entries along axis " + std::to_string(axis));
  for (const auto& v : values.list()) expect_shape(v, shape, axis + 1);
}

/// Calls f(scalar) for every number in row-major order.
template <class F>
void for_each(const NestedList& values, const F& f) {
  if (!values.is_list()) return f(values.scalar());
  for (const auto& v : values.list()) for_each(v, f);
}

// ---- ranges ----

bool all_whole(const Scalar& a, const Scalar& b, const Scalar& c) {
  return !is_floating(a.kind()) && !is_floating(b.kind()) && !is_floating(c.kind());
}

[[noreturn]] void too_many(const char* op, double count) {
  throw ShapeError(bracketed(op) + "expected fewer than 2^63 bytes, got " + text(count) + " elements");
}

/// Number of values start, start + step, ... before `end`; exact.
std::int64_t count_whole(std::int64_t start, std::int64_t end, std::int64_t step) {
  const Wide distance = Wide{end} - start, towards = step > 0 ? distance : -distance;
  if (towards <= 0) return 0;
  const Wide stride = step > 0 ? Wide{step} : -Wide{step}, count = (towards + stride - 1) / stride;
  if (count > std::numeric_limits<std::int64_t>::max()) too_many("arange", static_cast<double>(count));
  return static_cast<std::int64_t>(count);
}

// Fused in the source, so that no compiler has the choice.
double entry(double start, double step, std::int64_t i) {
  return std::fma(static_cast<double>(i), step, start);
}

/// In unsigned arithmetic: the result is in range, i * step alone need not be.
std::int64_t entry(std::int64_t start, std::int64_t step, std::int64_t i) {
  using U = std::uint64_t;
  return static_cast<std::int64_t>(static_cast<U>(start) + static_cast<U>(i) * static_cast<U>(step));
}

/// Number of values start, start + step, ... before `end`, for fractions. Where rounding would bring the last
/// value to `end`, it is left out.
std::int64_t count_real(double start, double end, double step) {
  const double count = std::max(0.0, std::ceil((end - start) / step));
  if (!(count < 0x1p63)) too_many("arange", count);
  auto n = static_cast<std::int64_t>(count);
  const auto reaches_end = [&](std::int64_t i) {
    const double v = entry(start, step, i);
    return step > 0 ? v >= end : v <= end;
  };
  if (n > 0 && reaches_end(n - 1)) --n;
  return n;
}

/// `count` values start, start + step, ..., each computed from its index, so that errors do not pile up.
template <class From>
Tensor range(std::int64_t count, From start, From step, DType dtype) {
  checked_numel("arange", {count}, itemsize(dtype));
  const detail::ConstantScope constant;
  Tensor out = empty({count}, dtype);
  visit(dtype, [&]<class T>(T) {
    auto* p = out.mutable_data<T>();
    for (std::int64_t i = 0; i < count; ++i) p[i] = static_cast<T>(entry(start, step, i));
  });
  return out;
}

}  // namespace

Tensor tensor(const NestedList& values) {
  bool whole = true, truth = true, any = false;
  for_each(values, [&](const Scalar& s) {
    any = true;
    whole = whole && !is_floating(s.kind());
    truth = truth && s.kind() == boolean;
  });
  return tensor(values, !any || !whole ? f32 : truth ? boolean : i64);
}

Tensor tensor(const NestedList& values, DType dtype) {
  const Shape shape = shape_of(values);
  expect_shape(values, shape, 0);
  const detail::ConstantScope constant;
  return visit(dtype, [&]<class T>(T) {
    Tensor out = empty(shape, dtype);
    T* p = out.mutable_data<T>();
    for_each(values, [&](const Scalar& s) { *p++ = converted<T>("tensor", s); });
    return out;
  });
}

template <Element T>
Tensor tensor(std::span<const T> values, const Shape& shape) {
  const auto n = checked_numel("tensor", shape, sizeof(T));
  if (static_cast<std::uint64_t>(n) != values.size())
    throw ShapeError("[tensor] expected " + std::to_string(n) + " values for shape " + to_string(shape) +
                     ", got " + std::to_string(values.size()));
  const detail::ConstantScope constant;
  Tensor out = empty(shape, dtype_of<T>());
  std::copy(values.begin(), values.end(), out.mutable_data<T>());
  return out;
}
template Tensor tensor(std::span<const float>, const Shape&);
template Tensor tensor(std::span<const double>, const Shape&);
template Tensor tensor(std::span<const std::int64_t>, const Shape&);
template Tensor tensor(std::span<const bool>, const Shape&);

Tensor zeros(const Shape& shape, DType dtype) { return filled("zeros", shape, 0, dtype); }
Tensor ones(const Shape& shape, DType dtype) { return filled("ones", shape, 1, dtype); }
Tensor full(const Shape& shape, Scalar value, DType dtype) { return filled("full", shape, value, dtype); }
Tensor empty_like(const Tensor& t) { return empty(t.shape(), t.dtype()); }
Tensor full_like(const Tensor& t, Scalar value) { return filled("full_like", t.shape(), value, t.dtype()); }
Tensor zeros_like(const Tensor& t) { return zeros(t.shape(), t.dtype()); }
Tensor ones_like(const Tensor& t) { return ones(t.shape(), t.dtype()); }

Tensor arange(Scalar start, Scalar end, Scalar step) {
  return arange(start, end, step, all_whole(start, end, step) ? i64 : f32);
}

Tensor arange(Scalar end) { return arange(0, end, 1); }

Tensor arange(Scalar start, Scalar end, Scalar step, DType dtype) {
  if (dtype == boolean) throw DtypeError("[arange] expected dtype f32, f64 or i64, got bool");
  const double a = start.to<double>(), b = end.to<double>(), s = step.to<double>();
  if (!std::isfinite(a) || !std::isfinite(b) || !std::isfinite(s) || s == 0)
    throw ValueError("[arange] expected finite bounds and a step other than 0, got start " + text(a) +
                     ", end " + text(b) + ", step " + text(s));
  if (all_whole(start, end, step) || dtype == i64) {
    const auto first = converted<std::int64_t>("arange", start),
               stride = converted<std::int64_t>("arange", step);
    const auto last = converted<std::int64_t>("arange", end);
    if (static_cast<double>(first) != a || static_cast<double>(last) != b || static_cast<double>(stride) != s)
      throw ValueError("[arange] expected whole numbers for i64, got start " + text(a) + ", end " + text(b) +
                       ", step " + text(s));
    return range(count_whole(first, last, stride), first, stride, dtype);
  }
  return range(count_real(a, b, s), a, s, dtype);
}

// From both ends towards the middle, so that the last value is exactly `end` and the row is symmetric.
Tensor linspace(double start, double end, std::int64_t steps, DType dtype) {
  if (!is_floating(dtype))
    throw DtypeError("[linspace] expected dtype f32 or f64, got " + std::string(name(dtype)));
  if (steps < 0) throw ValueError("[linspace] expected steps >= 0, got " + std::to_string(steps));
  checked_numel("linspace", {steps}, itemsize(dtype));
  const detail::ConstantScope constant;
  Tensor out = empty({steps}, dtype);
  const auto last = static_cast<double>(std::max<std::int64_t>(steps - 1, 1));
  const double step = std::isfinite(end - start) ? (end - start) / last : end / last - start / last;
  const auto fill = [&]<class T>(T* p) {
    for (std::int64_t i = 0; i < steps; ++i)
      p[i] =
          static_cast<T>(i == 0 || i < steps / 2 ? entry(start, step, i) : entry(end, -step, steps - 1 - i));
  };
  if (dtype == f32)
    fill(out.mutable_data<float>());
  else
    fill(out.mutable_data<double>());
  return out;
}

Tensor eye(std::int64_t n, DType dtype) { return eye(n, n, dtype); }

Tensor eye(std::int64_t rows, std::int64_t columns, DType dtype) {
  const detail::ConstantScope constant;
  Tensor out = filled("eye", {rows, columns}, 0, dtype);
  visit(dtype, [&]<class T>(T) {
    auto* p = out.mutable_data<T>();
    for (std::int64_t i = 0; i < std::min(rows, columns); ++i) p[i * columns + i] = T{1};
  });
  return out;
}

}  // namespace cadena
