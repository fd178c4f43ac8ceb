// The border with xtensor, to be included by those who use it: a Tensor from any xtensor expression, and a
// Tensor's memory as an xtensor view. Templates only, compiled with the user's settings: no xtensor type is
// part of Cadena's compiled interface, because XTENSOR_USE_XSIMD changes the type of xt::xarray<T>.
//
// Builds with xtensor 0.24.3 (headers in one folder) and from 0.26.0 on (in several). What was checked, and
// one trap of xtensor 0.24.3 in C++20: docs/xtensor.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/kernels/xtensor_compat.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {
namespace detail {

/// float, double and bool as they are; other numbers as i64 or f64.
template <class T>
using XtensorElement =
    std::conditional_t<Element<T>, T, std::conditional_t<std::is_integral_v<T>, std::int64_t, double>>;

template <class To, class From>
To from_xtensor_value(From v) {
  if constexpr (std::is_unsigned_v<From> && sizeof(From) == sizeof(To) && std::is_same_v<To, std::int64_t>) {
    if (v > static_cast<From>(std::numeric_limits<std::int64_t>::max()))
      throw ValueError("[from_xtensor] expected numbers below 2^63, got " + std::to_string(v));
  }
  return static_cast<To>(v);
}

/// Element count to both sides of the first element that the strides reach.
struct Reach {
  std::int64_t before = 0, after = 0;
};
inline Reach reach(const Tensor& t) {
  Reach r;
  for (int i = 0; i < t.dim(); ++i) {
    const auto last = t.strides()[i] * (t.shape()[i] - 1);
    (last < 0 ? r.before : r.after) += last < 0 ? -last : last;
  }
  return r;
}

/// A view on the memory of `t` of element type P's (float* or const float*, ...), whose copies share
/// ownership of it. Negative strides need the view on a flat range with an offset: an xt adaptor alone would
/// index it with wrapped unsigned numbers.
template <class ShapeType, class P>
auto xtensor_view(const Tensor& t, P first, ShapeType shape) {
  xt::get_strides_t<ShapeType> strides = xtl::make_sequence<xt::get_strides_t<ShapeType>>(shape.size(), 0);
  for (int i = 0; i < t.dim(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    shape[at] = static_cast<std::size_t>(t.shape()[i]);
    // xtensor broadcasts extents of 1 by their stride, which it expects to be 0.
    strides[at] = t.shape()[i] == 1 ? 0 : static_cast<std::ptrdiff_t>(t.strides()[i]);
  }
  const auto [before, after] = t.numel() == 0 ? Reach{} : reach(t);
  const auto size = t.numel() == 0 ? 0 : static_cast<std::size_t>(before + after + 1);
  using Owner = std::shared_ptr<const Tensor>;
  using Buffer = xt::xbuffer_adaptor<P, xt::smart_ownership, Owner>;
  using Flat = xt::xtensor_adaptor<Buffer, 1, xt::layout_type::row_major>;
  P begin = first - before;
  Flat flat(Buffer(std::move(begin), size, Owner(std::make_shared<const Tensor>(t))),
            std::array<std::size_t, 1>{size});
  return xt::strided_view(std::move(flat), std::move(shape), std::move(strides),
                          static_cast<std::size_t>(before), xt::layout_type::dynamic);
}

template <std::size_t N>
void expect_rank(const char* op, const Tensor& t) {
  if (static_cast<std::size_t>(t.dim()) != N)
    throw ShapeError(std::string("[").append(op) + "] expected " + std::to_string(N) +
                     " dimensions, got shape " + to_string(t.shape()));
}

/// Not xt::dynamic_shape: in xtensor 0.24.3, g++ in C++20 mode takes that for a shape of fixed rank 4 when it
/// makes a temporary, and `view = expression` then reads past the extents.
inline std::vector<std::size_t> dynamic_xtensor_shape(const Tensor& t) {
  return std::vector<std::size_t>(static_cast<std::size_t>(t.dim()));
}

}  // namespace detail

/// A new contiguous tensor with the values of any xtensor expression, each computed once.
/// float gives f32, double and long double f64, bool bool, every other integer i64.
/// @throws ShapeError beyond eight dimensions, ValueError for an unsigned number from 2^63 on
template <class E>
Tensor from_xtensor(const xt::xexpression<E>& expression) {
  const E& e = expression.derived_cast();
  using From = std::decay_t<typename E::value_type>;
  static_assert(std::is_arithmetic_v<From>, "from_xtensor takes expressions of real numbers or bool");
  using To = detail::XtensorElement<From>;
  Shape shape;
  for (const auto extent : e.shape()) shape.push_back(static_cast<std::int64_t>(extent));
  Tensor out = empty(shape, dtype_of<To>());
  To* to = out.mutable_data<To>();
  const auto n = static_cast<std::size_t>(out.numel());
  if constexpr (std::is_same_v<From, To> && !std::is_same_v<To, bool>) {
    const xt::dynamic_shape<std::size_t> target(e.shape().begin(), e.shape().end());
    auto adaptor = xt::adapt<xt::layout_type::row_major>(to, n, xt::no_ownership(), target);
    xt::noalias(adaptor) = e;
  } else {
    auto it = e.template begin<xt::layout_type::row_major>();
    for (std::size_t i = 0; i < n; ++i, ++it) to[i] = detail::from_xtensor_value<To>(static_cast<From>(*it));
  }
  return out;
}

/// A read-only xtensor view of `t`, nothing copied, whatever its strides; it keeps the memory alive. An
/// expression in which it appears by name does not: as with every xtensor container, evaluate such an
/// expression before the view goes out of scope. @throws DtypeError if T is not the dtype
template <Element T>
auto as_xtensor(const Tensor& t) {
  return detail::xtensor_view(t, t.data<T>(), detail::dynamic_xtensor_shape(t));
}
/// The same with the number of dimensions in the type. @throws ShapeError, too, unless t has N of them
template <Element T, std::size_t N>
auto as_xtensor(const Tensor& t) {
  detail::expect_rank<N>("as_xtensor", t);
  return detail::xtensor_view(t, t.data<T>(), std::array<std::size_t, N>{});
}

/// A view for writing: `as_mutable_xtensor<float>(t) += 1`. Taking it counts as one in-place write (values
/// saved for a backward pass become stale); what is written is not recorded. Under strides of 0, as after
/// `expand`, several positions are one element. @throws DtypeError if T is not the dtype
template <Element T>
auto as_mutable_xtensor(Tensor& t) {
  return detail::xtensor_view(t, t.mutable_data<T>(), detail::dynamic_xtensor_shape(t));
}
/// The same with the number of dimensions in the type. @throws ShapeError, too, unless t has N of them
template <Element T, std::size_t N>
auto as_mutable_xtensor(Tensor& t) {
  detail::expect_rank<N>("as_mutable_xtensor", t);
  return detail::xtensor_view(t, t.mutable_data<T>(), std::array<std::size_t, N>{});
}

}  // namespace cadena
