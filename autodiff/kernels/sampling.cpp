#include "autodiff/kernels/sampling.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "autodiff/core/philox.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/random_math.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t task = 1 << 12;  // elements
constexpr std::int64_t parallel_from = 1 << 14;

/// The numbers of one element: block k of it is attempt k of its position.
class Stream {
 public:
  Stream(RandomStart start, std::int64_t element)
      : key_(detail::philox_key(start.seed)),
        position_(start.position + static_cast<std::uint64_t>(element)) {}

  /// Uniform, strictly inside (0, 1).
  double uniform() { return open_unit(word()); }
  double normal() {
    const std::uint64_t a = word(), b = word();
    return normal_pair(a, b).cos;
  }
  double exponential() { return -log_of(uniform()); }

 private:
  std::uint64_t word() {
    if (half_ == 0) block_ = detail::philox_block(detail::philox_counter(position_, attempt_++), key_);
    const auto bits = detail::philox_u64(block_, half_);
    half_ ^= 1;
    return bits;
  }

  detail::PhiloxKey key_;
  std::uint64_t position_;
  std::uint32_t attempt_ = 0;
  int half_ = 0;
  PhiloxBlock block_{};
};

/// out[i] = draw(stream of i, i)
template <class T, class Draw>
void fill(T* out, std::int64_t n, RandomStart start, const Draw& draw) {
  for_blocks<Schedule::stealing>((n + task - 1) / task, n >= parallel_from, [&](std::int64_t t) {
    for (std::int64_t i = t * task; i < std::min(n, (t + 1) * task); ++i) {
      Stream stream(start, i);
      out[i] = static_cast<T>(draw(stream, i));
    }
  });
}

double log_gamma_variate(Stream& s, double concentration) {
  // Gamma(a) = Gamma(a + 1) U^(1/a) lifts small concentrations to where the method works.
  const double boost = concentration < 1 ? std::log(s.uniform()) / concentration : 0;
  const double d = (concentration < 1 ? concentration + 1 : concentration) - 1.0 / 3,
               c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = s.normal(), root = 1 + c * x, v = root * root * root, u = s.uniform();
    if (root <= 0) continue;
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v) + boost;
  }
}

/// log(k!), k a whole number: a table, then Stirling's series, whose error is below 1e-15 from 16 on.
double log_factorial(double k) {
  constexpr int known = 16;
  static const auto table = [] {
    std::array<double, known> t{};
    for (int i = 2; i < known; ++i)
      t[static_cast<std::size_t>(i)] = t[static_cast<std::size_t>(i) - 1] + std::log(static_cast<double>(i));
    return t;
  }();
  if (k < known) return table[static_cast<std::size_t>(k)];
  constexpr double half_log_two_pi = 0.918938533204672741780;
  const double x = k + 1, r = 1 / (x * x);
  return (x - 0.5) * std::log(x) - x + half_log_two_pi +
         (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r / 1680))) / x;
}

double poisson_variate(Stream& s, double rate) {
  if (!(rate > 0)) return rate;  // 0 and NaN
  if (rate < 10) {
    const double limit = std::exp(-rate);
    double product = s.uniform(), k = 0;
    for (; product > limit; ++k) product *= s.uniform();
    return k;
  }
  const double root = std::sqrt(rate), log_rate = std::log(rate), b = 0.931 + 2.53 * root,
               a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = s.uniform() - 0.5, v = s.uniform(), us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_rate - rate - log_factorial(k)) return k;
  }
}

double truncated_normal_variate(Stream& s, double low, double high) {
  if (!(low < high)) return low == high ? low : std::numeric_limits<double>::quiet_NaN();
  if (high < 0) return -truncated_normal_variate(s, -high, -low);
  constexpr double sqrt_two_pi = 2.50662827463100050242;
  // Uniform proposals where the interval is short beside the bell, normal or exponential ones else: the share
  // of accepted ones is bounded from below in each case.
  if (low <= 0) {
    if (high - low >= sqrt_two_pi)
      for (;;)
        if (const double z = s.normal(); z >= low && z <= high) return z;
    for (;;) {
      const double z = low + (high - low) * s.uniform();
      if (s.uniform() <= std::exp(-0.5 * z * z)) return z;
    }
  }
  const double root = std::sqrt(low * low + 4), alpha = (low + root) / 2;
  if (high - low > 2 / (low + root) * std::exp((low * low - low * root) / 4 + 0.5))
    for (;;) {
      const double z = low + s.exponential() / alpha, off = z - alpha;
      if (s.uniform() <= std::exp(-0.5 * off * off) && z <= high) return z;
    }
  for (;;) {
    const double z = low + (high - low) * s.uniform();
    if (s.uniform() <= std::exp((low * low - z * z) / 2)) return z;
  }
}

}  // namespace

template <class T>
void fill_law(StandardLaw law, T* out, std::int64_t n, RandomStart start) {
  fill(out, n, start, [law](Stream& s, std::int64_t) {
    switch (law) {
      case StandardLaw::exponential:
        return s.exponential();
      case StandardLaw::laplace: {
        // The logarithm of a uniform number on the half line, with a random sign.
        const double size = s.exponential();
        return s.uniform() < 0.5 ? -size : size;
      }
      default:
        return -std::log(s.exponential());
    }
  });
}

void fill_log_gamma(const double* concentration, double* out, std::int64_t n, RandomStart start) {
  fill(out, n, start, [=](Stream& s, std::int64_t i) { return log_gamma_variate(s, concentration[i]); });
}

void fill_poisson(const double* rate, double* out, std::int64_t n, RandomStart start) {
  fill(out, n, start, [=](Stream& s, std::int64_t i) { return poisson_variate(s, rate[i]); });
}

void fill_truncated_normal(const double* low, const double* high, double* out, std::int64_t n,
                           RandomStart start) {
  fill(out, n, start,
       [=](Stream& s, std::int64_t i) { return truncated_normal_variate(s, low[i], high[i]); });
}

namespace {

// Words below the limit are dropped: a share of p to within 2^-32, all of them for p = 1.
std::uint64_t dropout_limit(double p) { return static_cast<std::uint64_t>(std::ldexp(p, 32)); }

// Words of elements 4 * block, ...
void dropout_words(std::int64_t block, std::int64_t blocks, std::uint32_t* words, RandomStart start) {
  const auto key = detail::philox_key(start.seed);
  for (std::int64_t b = 0; b < blocks; ++b) {
    const auto four = detail::philox_block(
        detail::philox_counter(start.position + static_cast<std::uint64_t>(block + b)), key);
    for (int j = 0; j < 4; ++j) words[4 * b + j] = four.v[j];
  }
}

}  // namespace

template <class T>
void dropout(const T* x, double p, T scale, T* out, std::int64_t n, RandomStart start) {
  const std::uint64_t limit = dropout_limit(p);
  for_blocks((n + task - 1) / task, n >= parallel_from, [&](std::int64_t t) {
    std::uint32_t words[task];
    const std::int64_t first = t * task, count = std::min(n - first, task);
    dropout_words(first / 4, (count + 3) / 4, words, start);
    for (std::int64_t i = 0; i < count; ++i) out[first + i] = words[i] < limit ? T{0} : x[first + i] * scale;
  });
}

template <class T>
void dropout_factors(double p, std::int64_t first, std::int64_t n, T* out, RandomStart start) {
  const std::uint64_t limit = dropout_limit(p);
  const T scale = p < 1 ? static_cast<T>(1 / (1 - p)) : T(0);
  std::uint32_t words[task];
  for (std::int64_t done = 0; done < n;) {
    const std::int64_t skip = (first + done) % 4, count = std::min(n - done, task - skip);
    dropout_words((first + done) / 4, (skip + count + 3) / 4, words, start);
    for (std::int64_t i = 0; i < count; ++i) out[done + i] = words[skip + i] < limit ? T(0) : scale;
    done += count;
  }
}

template void fill_law(StandardLaw, float*, std::int64_t, RandomStart);
template void fill_law(StandardLaw, double*, std::int64_t, RandomStart);
template void dropout(const float*, double, float, float*, std::int64_t, RandomStart);
template void dropout(const double*, double, double, double*, std::int64_t, RandomStart);
template void dropout_factors(double, std::int64_t, std::int64_t, float*, RandomStart);
template void dropout_factors(double, std::int64_t, std::int64_t, double*, RandomStart);

}  // namespace cadena::kernels
