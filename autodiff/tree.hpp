// The tensors in a user's own type: a struct of tensors, structs of structs, vectors, arrays, tuples and
// maps of them. Nothing is registered; the fields of a plain struct (an aggregate of up to 16 fields) are
// found by the compiler.
//
//   struct Layer { Tensor weight, bias; };
//   struct Params { Layer first, second; std::vector<Tensor> scales; double temperature; };
//
// Numbers, enumerations and strings are left alone. A class with private fields lists them once:
//
//   void visit(auto& v) { v(weight_); v(layers_); }
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {
namespace detail {

/// Becomes whatever a field wants: probes how many initialisers an aggregate takes.
struct AnyField {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor): that it is implicit is its purpose
};

template <class T, std::size_t... I>
constexpr bool takes_fields(std::index_sequence<I...>) {
  return requires { T{((void)I, AnyField{})...}; };
}

inline constexpr std::size_t max_fields = 16;

/// Number of fields of an aggregate; more than max_fields if there are too many.
template <class T, std::size_t N = max_fields + 1>
constexpr std::size_t field_count() {
  if constexpr (N == 0)
    return 0;
  else if constexpr (takes_fields<T>(std::make_index_sequence<N>{}))
    return N;
  else
    return field_count<T, N - 1>();
}

/// Calls f(field, ...) with all fields.
template <class T, class F>
void with_fields(T& t, const F& f) {
  constexpr auto n = field_count<T>();
  static_assert(n <= max_fields, "a struct of more than 16 fields needs `void visit(auto& v)`");
// clang-format off
#define CADENA_FIELDS(N, ...) else if constexpr (n == N) { auto& [__VA_ARGS__] = t; f(__VA_ARGS__); }
  if constexpr (n == 0) {}
  CADENA_FIELDS(1, a) CADENA_FIELDS(2, a, b) CADENA_FIELDS(3, a, b, c) CADENA_FIELDS(4, a, b, c, d)
  CADENA_FIELDS(5, a, b, c, d, e) CADENA_FIELDS(6, a, b, c, d, e, g) CADENA_FIELDS(7, a, b, c, d, e, g, h)
  CADENA_FIELDS(8, a, b, c, d, e, g, h, i) CADENA_FIELDS(9, a, b, c, d, e, g, h, i, j)
  CADENA_FIELDS(10, a, b, c, d, e, g, h, i, j, k) CADENA_FIELDS(11, a, b, c, d, e, g, h, i, j, k, l)
  CADENA_FIELDS(12, a, b, c, d, e, g, h, i, j, k, l, m)
  CADENA_FIELDS(13, a, b, c, d, e, g, h, i, j, k, l, m, o)
  CADENA_FIELDS(14, a, b, c, d, e, g, h, i, j, k, l, m, o, p)
  CADENA_FIELDS(15, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q)
  CADENA_FIELDS(16, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r)
#undef CADENA_FIELDS
  // clang-format on
}

template <class T>
inline constexpr bool is_text = std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>;
template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class T, std::size_t N>
inline constexpr bool is_list<std::array<T, N>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class K, class T, class C, class A>
inline constexpr bool is_map<std::map<K, T, C, A>> = true;
template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;

}  // namespace detail

/// Collects the tensors of an object in the order of its fields.
class TensorVisitor {
 public:
  template <class T>
  void operator()(T& field);
  template <class T>
  void operator()(std::string_view, T& field) {  // as nn::Module's visit spells it
    (*this)(field);
  }
  std::vector<Tensor*> tensors;
};

template <class T>
void TensorVisitor::operator()(T& field) {
  if constexpr (std::is_same_v<T, Tensor>) {
    tensors.push_back(&field);
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || detail::is_text<T>) {
    return;
  } else if constexpr (requires { field.visit(*this); }) {
    field.visit(*this);
  } else if constexpr (detail::is_list<T>) {
    if constexpr (!std::is_same_v<T, std::vector<bool>>)
      for (auto& element : field) (*this)(element);
  } else if constexpr (detail::is_map<T>) {
    for (auto& [key, element] : field) (*this)(element);
  } else if constexpr (detail::is_tuple<T>) {
    std::apply([this](auto&... element) { ((*this)(element), ...); }, field);
  } else {
    static_assert(std::is_aggregate_v<T> && !std::is_array_v<T>,
                  "expected a struct of tensors with public fields, or a class with `void visit(auto& v)`; "
                  "std::array instead of a C array");
    detail::with_fields(field, [this](auto&... element) { ((*this)(element), ...); });
  }
}

/// Pointers to the tensors of `object`, in the order of its fields.
template <class T>
std::vector<Tensor*> tensors_of(T& object) {
  TensorVisitor visitor;
  visitor(object);
  return std::move(visitor.tensors);
}

}  // namespace cadena
