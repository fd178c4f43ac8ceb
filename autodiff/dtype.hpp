// Element types, scalars and the promotion rules.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace cadena {

/// Element type of a tensor, chosen at run time. `f32` is the default of every factory.
enum class DType : std::uint8_t { f32, f64, i64, boolean };

inline constexpr DType f32 = DType::f32;
inline constexpr DType f64 = DType::f64;
inline constexpr DType i64 = DType::i64;
inline constexpr DType boolean = DType::boolean;

/// Size of one element in bytes.
constexpr std::size_t itemsize(DType t) { return t == f32 ? 4 : t == boolean ? 1 : 8; }

/// True for the dtypes that can carry a gradient.
constexpr bool is_floating(DType t) { return t == f32 || t == f64; }

constexpr std::string_view name(DType t) {
  constexpr std::string_view names[] = {"f32", "f64", "i64", "bool"};
  return names[static_cast<int>(t)];
}

/// The C++ type that stores a dtype; bool is one byte holding 0 or 1.
template <class T>
concept Element = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t> ||
    std::same_as<T, bool>;

template <Element T>
constexpr DType dtype_of() {
  if constexpr (std::same_as<T, float>) return f32;
  if constexpr (std::same_as<T, double>) return f64;
  if constexpr (std::same_as<T, std::int64_t>) return i64;
  return boolean;
}

/// dtype of an operation on two tensors: bool < i64 < f32 < f64, as in `f32 + i64 -> f32`.
/// (PyTorch's rule; bool arithmetic is done in i64.)
constexpr DType promote(DType a, DType b) {
  constexpr auto rank = [](DType t) { return t == boolean ? 0 : t == i64 ? 1 : t == f32 ? 2 : 3; };
  return rank(a) >= rank(b) ? a : b;
}

/// Calls `f` with a value of the C++ type that stores `t`: `visit(t, [&]<class T>(T) { ... })`.
template <class F>
decltype(auto) visit(DType t, F&& f) {
  switch (t) {
    case DType::f32:
      return f(float{});
    case DType::f64:
      return f(double{});
    case DType::i64:
      return f(std::int64_t{});
    default:
      return f(bool{});
  }
}

/// A number in an expression, `2 * x`. It never promotes a tensor within the same kind: `f32 * 2.0` stays
/// f32; only a fractional number beside an integer tensor gives f32.
class Scalar {
 public:
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr Scalar(T v)  // NOLINT(google-explicit-constructor): numbers are meant to convert
      : real_(static_cast<double>(v)),
        integer_(std::is_integral_v<T> ? static_cast<std::int64_t>(v) : 0),
        kind_(std::is_floating_point_v<T> ? f32
              : std::is_same_v<T, bool>   ? boolean
                                          : i64) {}

  constexpr DType kind() const { return kind_; }

  template <Element T>
  constexpr T to() const {
    if constexpr (std::same_as<T, std::int64_t>)
      return kind_ == f32 ? static_cast<T>(real_) : integer_;
    else if constexpr (std::same_as<T, bool>)
      return real_ != 0;
    else
      return static_cast<T>(real_);
  }

 private:
  double real_;
  std::int64_t integer_;  // exact beyond 2^53
  DType kind_;
};

}  // namespace cadena
