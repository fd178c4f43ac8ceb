// Draws from named laws. Every element has a stream of its own, keyed by (seed, position + element), from
// which rejection methods take as much as they need: the same numbers for any number of threads and any
// dtype.
#pragma once

#include <cstdint>

#include "autodiff/kernels/random.hpp"

namespace cadena::kernels {

/// Laws without parameters.
enum class StandardLaw : std::uint8_t { exponential, laplace, gumbel };
/// T is float or double; `n` elements use `n` Philox blocks.
template <class T>
void fill_law(StandardLaw law, T* out, std::int64_t n, RandomStart start);

/// Logarithm of a gamma variate with scale 1, which does not underflow for small concentrations. Marsaglia
/// and Tsang, "A simple method for generating gamma variables", TOMS 26 (2000). @param concentration n
/// numbers > 0
void fill_log_gamma(const double* concentration, double* out, std::int64_t n, RandomStart start);

/// Counts with mean `rate` >= 0: products of uniforms below 10, else Hoermann's PTRS, "The transformed
/// rejection method for generating Poisson random variables", Insurance: Mathematics and Economics 12 (1993).
void fill_poisson(const double* rate, double* out, std::int64_t n, RandomStart start);

/// Standard normal within [low, high], low <= high, also far out in the tails. Robert, "Simulation of
/// truncated normal variables", Statistics and Computing 5 (1995).
void fill_truncated_normal(const double* low, const double* high, double* out, std::int64_t n,
                           RandomStart start);

/// out[i] = 0 with probability p, else x[i] * scale. Element i reads word i % 4 of block i / 4, for f32 and
/// f64 alike. `x` may be `out`.
template <class T>
void dropout(const T* x, double p, T scale, T* out, std::int64_t n, RandomStart start);
/// out[i] = what `dropout` with scale 1 / (1 - p) multiplies element first + i by.
template <class T>
void dropout_factors(double p, std::int64_t first, std::int64_t n, T* out, RandomStart start);

}  // namespace cadena::kernels
