// Loops that fill memory with random numbers. Element i depends on (seed, position, i) only. The arithmetic
// uses exact conversions, correctly rounded operations and explicit fused multiply-adds, so the bits are the
// same for any compiler, instruction set and number of threads.
#pragma once

#include <cstdint>

namespace cadena::kernels {

/// Where a draw begins: the seed and the first Philox block.
struct RandomStart {
  std::uint64_t seed;
  std::uint64_t position;
};

/// Philox blocks that `n` elements of T use: four f32 or two f64 to a block. T is float or double.
template <class T>
constexpr std::uint64_t blocks_for(std::int64_t n) {
  constexpr std::uint64_t per_block = 16 / sizeof(T);
  return (static_cast<std::uint64_t>(n) + per_block - 1) / per_block;
}

/// Uniform on [0, 1): multiples of 2^-24 (f32) or 2^-53 (f64), never 1. T is float or double.
template <class T>
void fill_uniform(T* out, std::int64_t n, RandomStart start);

/// Standard normal by Box and Muller's method in double precision; reaches 6.8 (f32) or 8.6 (f64) standard
/// deviations. T is float or double.
template <class T>
void fill_normal(T* out, std::int64_t n, RandomStart start);

/// Uniform on low, ..., low + range - 1 without bias; range 0 stands for 2^64. Two elements use a block. T is
/// any element type that holds all these numbers exactly.
template <class T>
void fill_integers(T* out, std::int64_t n, std::int64_t low, std::uint64_t range, RandomStart start);

/// out[i] = the first 64 bits of block `start.position` + i, which Generator::next gives one by one.
void fill_bits(std::uint64_t* out, std::int64_t n, RandomStart start);

}  // namespace cadena::kernels
