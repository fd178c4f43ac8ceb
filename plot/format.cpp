#include "plot/format.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace cadena::plot {
namespace {

std::string not_finite(double value) { return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"; }

std::string to_text(double value, std::chars_format format, int digits) {
  std::array<char, 512> buffer;  // the longest double in fixed notation has 309 digits before the point
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format, digits).ptr;
  return {buffer.data(), end};
}

std::string two_digits(std::int64_t value) {
  return std::string(value < 10 ? "0" : "").append(std::to_string(value));
}

/// The larger unit, and what is left in the smaller one, always in two digits so that the width stays.
std::string pair_of(std::int64_t large, const char* large_unit, std::int64_t small, const char* small_unit) {
  return std::to_string(large) + large_unit + two_digits(small) + small_unit;
}

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

bool is_start_of_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

}  // namespace

std::string format_fixed(double value, int decimals) {
  if (!std::isfinite(value)) return not_finite(value);
  std::string text = to_text(value, std::chars_format::fixed, decimals);
  if (text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string format_number(double value) {
  if (!std::isfinite(value)) return not_finite(value);
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e5)) return to_text(value, std::chars_format::scientific, 1);
  const int decimals = size < 10 ? 4 : size < 100 ? 3 : size < 1000 ? 2 : 1;
  return format_fixed(value, decimals);
}

std::string format_si(double value) {
  if (!std::isfinite(value)) return not_finite(value);
  static constexpr std::array<const char*, 5> units{"", "k", "M", "G", "T"};
  double size = std::abs(value);
  std::size_t unit = 0;
  // 999.5 and not 1000: what would be rounded to "1000" belongs to the next unit.
  while (size >= 999.5 && unit + 1 < units.size()) {
    size /= 1000;
    ++unit;
  }
  const int decimals = unit > 0 && size < 99.95 ? 1 : 0;
  return format_fixed(std::copysign(size, value), decimals) + units[unit];
}

std::string format_grouped(std::int64_t value) {
  std::string text = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string format_percent(double share, int decimals) {
  return std::isfinite(share) ? format_fixed(100 * share, decimals) + "%" : not_finite(share);
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) return "--";
  if (seconds < 0.9995) return format_fixed(1000 * seconds, 0) + " ms";
  if (seconds < 9.95) return format_fixed(seconds, 1) + " s";
  const std::int64_t whole = std::llround(seconds);  // rounded first: 59.7 s is "1 min 00 s", never "60 s"
  if (whole < minute) return std::to_string(whole) + " s";
  if (whole < hour) return pair_of(whole / minute, " min ", whole % minute, " s");
  if (whole < day) return pair_of(whole / hour, " h ", whole % hour / minute, " min");
  return pair_of(whole / day, " d ", whole % day / hour, " h");
}

std::string format_eta(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) return "--";
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds - 1e-3));  // 5.0000001 is 5
  if (whole < minute) return std::to_string(whole) + "s";
  if (whole < hour) return pair_of(whole / minute, "m", whole % minute, "s");
  if (whole < day) return pair_of(whole / hour, "h", whole % hour / minute, "m");
  return pair_of(whole / day, "d", whole % day / hour, "h");
}

int display_columns(std::string_view text) {
  int columns = 0;
  for (const char c : text) columns += is_start_of_character(c) ? 1 : 0;
  return columns;
}

std::string_view first_columns(std::string_view text, int columns) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_start_of_character(text[at]) && columns-- <= 0) return text.substr(0, at);
  }
  return text;
}

}  // namespace cadena::plot
