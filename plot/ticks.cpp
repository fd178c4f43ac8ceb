#include "plot/ticks.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <tuple>
#include <utility>

#include "plot/format.hpp"

namespace cadena::plot {
namespace {

/// Far from overflow in any of the arithmetic below.
constexpr double largest = 1e300;

double power_of_ten(int exponent) { return std::pow(10.0, exponent); }

/// At most `digits` significant digits, 2e-7 rather than 2e-07.
std::string general(double value, int digits) {
  std::array<char, 64> buffer;
  char* const begin = buffer.data();
  const auto end = std::to_chars(begin, begin + buffer.size(), value, std::chars_format::general, digits).ptr;
  std::string text(begin, end);
  if (const std::size_t e = text.find('e'); e != std::string::npos) {
    const bool negative = text[e + 1] == '-';
    const std::size_t exponent = std::min(text.find_first_not_of('0', e + 2), text.size() - 1);
    text = text.substr(0, e + 1) + (negative ? "-" : "") + text.substr(exponent);
  }
  return text;
}

int decimals_for(double step) { return std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))); }

/// Different for neighbours that are `step` apart, on an axis whose values reach `magnitude`.
std::string label_of(double value, double step, double magnitude) {
  if (step < 1e-6 || magnitude >= 1e15) {  // no unit suits: as many digits as tell neighbours apart
    return general(value, std::clamp(static_cast<int>(std::ceil(std::log10(magnitude / step))) + 1, 1, 17));
  }
  static constexpr std::array<std::pair<double, const char*>, 3> units{{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}}};
  for (const auto& [unit, name] : units) {
    if (magnitude < unit) continue;
    return value == 0 ? "0" : format_fixed(value / unit, decimals_for(step / unit)) + name;
  }
  if (step >= 1) return format_grouped(std::llround(value));
  return format_fixed(value, decimals_for(step));
}

double round_step(double rough, bool integer) {
  const double power = power_of_ten(static_cast<int>(std::floor(std::log10(rough))));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough * (1 - 1e-9)) step = factor * power;
  }
  return integer ? std::max(step, 1.0) : step;
}

/// A range that can be divided: finite, in order, and long enough that its ticks differ as doubles.
std::pair<double, double> sane_range(double lo, double hi, bool integer) {
  if (!std::isfinite(lo) || !std::isfinite(hi)) return {0, 1};
  if (lo > hi) std::swap(lo, hi);
  lo = std::clamp(lo, -largest, largest);
  hi = std::clamp(hi, -largest, largest);
  if (integer && hi - lo < 1) {  // there may be no whole number in between
    lo = std::floor(lo);
    hi = std::ceil(hi);
  }
  const double magnitude = std::max(std::abs(lo), std::abs(hi));
  if (hi - lo > 1e-9 * magnitude && hi - lo > 1e-290) return {lo, hi};
  const double room = integer ? 1 : magnitude < 1e-280 ? 1 : 0.1 * magnitude;
  return {lo - std::max(room, 1e-8 * magnitude), hi + std::max(room, 1e-8 * magnitude)};
}

void add_multiples(Ticks& ticks, double step, bool percent) {
  const double magnitude = std::max(std::abs(ticks.lo), std::abs(ticks.hi));
  const double slack = 1e-6;  // in steps: 0.3 / 0.1 is a little less than 3
  const double last = std::floor(ticks.hi / step + slack);
  for (double multiple = std::ceil(ticks.lo / step - slack); multiple <= last; ++multiple) {
    const double value = multiple == 0 ? 0 : std::clamp(multiple * step, ticks.lo, ticks.hi);
    ticks.at.push_back(value);
    ticks.labels.push_back(percent ? label_of(100 * value, 100 * step, 100 * magnitude) + "%"
                                   : label_of(value, step, magnitude));
  }
}

std::string power_label(double value) {
  return value >= 0.99 && value < 9.9e5 ? format_grouped(std::llround(value)) : general(value, 3);
}

}  // namespace

bool finite_range(std::span<const double> values, bool positive_only, double& lo, double& hi) {
  bool found = false;
  for (const double value : values) {
    if (!std::isfinite(value) || (positive_only && value <= 0)) continue;
    lo = found ? std::min(lo, value) : value;
    hi = found ? std::max(hi, value) : value;
    found = true;
  }
  return found;
}

Ticks linear_ticks(double lo, double hi, const TickStyle& style) {
  Ticks ticks;
  std::tie(ticks.lo, ticks.hi) = sane_range(lo, hi, style.integer);
  const double step = round_step((ticks.hi - ticks.lo) / std::max(style.target, 1), style.integer);
  if (style.outward) {
    ticks.lo = std::floor(ticks.lo / step + 1e-6) * step;
    ticks.hi = std::ceil(ticks.hi / step - 1e-6) * step;
  }
  add_multiples(ticks, step, style.percent);
  return ticks;
}

namespace {

/// Both bounds positive, finite, in order and apart.
std::pair<double, double> sane_log_range(double lo, double hi) {
  const auto usable = [](double value) { return std::isfinite(value) && value > 0; };
  if (!usable(hi)) hi = usable(lo) ? lo : 1;
  if (!usable(lo)) lo = hi / 10;
  if (lo > hi) std::swap(lo, hi);
  lo = std::clamp(lo, 1e-290, 1e290);
  hi = std::clamp(hi, 1e-290, 1e290);
  return hi / lo < 1.01 ? std::pair{lo / 2, hi * 2} : std::pair{lo, hi};
}

/// The round values around [lo, hi]: all of 1, 2 and 5 times powers of ten in a short range, else powers
/// alone.
std::vector<double> log_candidates(double lo, double hi, int target) {
  const auto first = static_cast<int>(std::floor(std::log10(lo) + 1e-9));
  const auto last = static_cast<int>(std::ceil(std::log10(hi) - 1e-9));
  const int stride = std::max(1, (last - first + target - 1) / std::max(target, 1));
  const bool few = std::log10(hi / lo) < 2;
  std::vector<double> candidates;
  for (int exponent = first; exponent < last + stride; exponent += stride) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (few || factor == 1.0) candidates.push_back(factor * power_of_ten(exponent));
    }
  }
  return candidates;
}

}  // namespace

Ticks log_ticks(double lo, double hi, const TickStyle& style) {
  std::tie(lo, hi) = sane_log_range(lo, hi);
  const std::vector<double> candidates = log_candidates(lo, hi, std::max(style.target, 1));
  Ticks ticks{lo, hi, {}, {}};
  if (style.outward) {
    for (const double value : candidates) {
      if (value <= lo * (1 + 1e-9)) ticks.lo = value;
    }
    const auto reaches = [&](double value) { return value >= hi * (1 - 1e-9); };
    const auto above = std::find_if(candidates.begin(), candidates.end(), reaches);
    if (above != candidates.end()) ticks.hi = *above;
  }
  for (const double value : candidates) {
    if (value < ticks.lo * (1 - 1e-9) || value > ticks.hi * (1 + 1e-9)) continue;
    ticks.at.push_back(value);
    ticks.labels.push_back(style.percent ? general(100 * value, 3) + "%" : power_label(value));
  }
  if (ticks.at.size() >= 2) return ticks;
  // Less than a factor of 2.5 lies between the bounds; there a linear division is round where this one is
  // not.
  TickStyle inside = style;
  inside.outward = false;
  return linear_ticks(ticks.lo, ticks.hi, inside);
}

}  // namespace cadena::plot
