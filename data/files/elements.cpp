#include "data/files/elements.hpp"

#include <bit>
#include <concepts>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>

namespace cadena::data {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

struct Half {
  std::uint16_t bits;
};
struct Brain {
  std::uint16_t bits;
};

/// IEEE 754 binary16.
float widen(Half h) {
  const std::uint32_t sign = (h.bits & 0x8000U) << 16U, exponent = h.bits >> 10U & 31U,
                      fraction = h.bits & 0x3FFU;
  if (exponent == 0) {  // zero and subnormals: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  return std::bit_cast<float>(sign | wide << 23U | fraction << 13U);
}
/// The upper half of a float.
float widen(Brain b) { return std::bit_cast<float>(static_cast<std::uint32_t>(b.bits) << 16U); }

template <class T>
T load(const std::uint8_t* p, Endian order) {
  std::uint8_t bytes[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = p[order == Endian::little ? i : sizeof(T) - 1 - i];
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

/// Calls f with a value of the C++ type behind `t`.
template <class F>
decltype(auto) visit_type(ElementType t, F&& f) {
  switch (t) {
    case ElementType::boolean:
      return f(bool{});
    case ElementType::i8:
      return f(std::int8_t{});
    case ElementType::u8:
      return f(std::uint8_t{});
    case ElementType::i16:
      return f(std::int16_t{});
    case ElementType::u16:
      return f(std::uint16_t{});
    case ElementType::i32:
      return f(std::int32_t{});
    case ElementType::u32:
      return f(std::uint32_t{});
    case ElementType::i64:
      return f(std::int64_t{});
    case ElementType::u64:
      return f(std::uint64_t{});
    case ElementType::f16:
      return f(Half{});
    case ElementType::bf16:
      return f(Brain{});
    case ElementType::f32:
      return f(float{});
    default:
      return f(double{});
  }
}

template <class From>
auto convert(From v) {
  if constexpr (std::same_as<From, Half> || std::same_as<From, Brain>)
    return widen(v);
  else if constexpr (std::is_integral_v<From>)
    return static_cast<std::int64_t>(v);
  else
    return v;
}

}  // namespace

std::optional<std::int64_t> decode(ElementType type, Endian order, const std::uint8_t* from, std::int64_t n,
                                   Tensor& to, std::int64_t first) {
  return visit_type(type, [&]<class From>(From) -> std::optional<std::int64_t> {
    if constexpr (std::same_as<From, bool>) {  // any byte but 0 is true; our own are 0 and 1 only
      bool* out = to.mutable_data<bool>() + first;
      for (std::int64_t i = 0; i < n; ++i) out[i] = from[i] != 0;
    } else {
      using To = decltype(convert(From{}));
      To* out = to.mutable_data<To>() + first;
      if (std::same_as<From, To> && order == Endian::little) {
        if (n > 0) std::memcpy(out, from, static_cast<std::size_t>(n) * sizeof(From));
        return std::nullopt;
      }
      for (std::int64_t i = 0; i < n; ++i) {
        const auto value = load<From>(from + static_cast<std::size_t>(i) * sizeof(From), order);
        if constexpr (std::same_as<From, std::uint64_t>)
          if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return i;
        out[i] = convert(value);
      }
    }
    return std::nullopt;
  });
}

std::span<const std::uint8_t> raw_bytes(const Tensor& dense) {
  return visit(dense.dtype(), [&]<class T>(T) {
    return std::span(reinterpret_cast<const std::uint8_t*>(dense.data<T>()),
                     static_cast<std::size_t>(dense.numel()) * sizeof(T));
  });
}

}  // namespace cadena::data
