// The number types that files hold, and how they become ours. Not part of the public interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "autodiff/tensor.hpp"

namespace cadena::data {

enum class ElementType : std::uint8_t { boolean, i8, u8, i16, u16, i32, u32, i64, u64, f16, bf16, f32, f64 };

constexpr std::size_t itemsize(ElementType t) {
  constexpr std::size_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8};
  return sizes[static_cast<int>(t)];
}

/// What a tensor holds them as: every integer becomes i64, the half floats f32; nothing is rounded.
constexpr DType dtype_of(ElementType t) {
  if (t == ElementType::boolean) return boolean;
  if (t <= ElementType::u64) return i64;
  return t == ElementType::f64 ? f64 : f32;
}

constexpr ElementType element_type(DType t) {
  constexpr ElementType types[] = {ElementType::f32, ElementType::f64, ElementType::i64,
                                   ElementType::boolean};
  return types[static_cast<int>(t)];
}

enum class Endian : std::uint8_t { little, big };

/// Stores `n` elements at `from` into the contiguous `to`, of dtype dtype_of(type), from element `first` on.
/// @return the place among the n of the first number that does not fit: a u64 above 2^63 - 1
std::optional<std::int64_t> decode(ElementType type, Endian order, const std::uint8_t* from, std::int64_t n,
                                   Tensor& to, std::int64_t first = 0);

/// The bytes of all elements in row-major order; little endian. The tensor must be contiguous.
std::span<const std::uint8_t> raw_bytes(const Tensor& dense);

}  // namespace cadena::data
