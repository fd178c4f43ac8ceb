#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Numbers and times as people read them. Nothing here depends on the process's locale.
namespace cadena::plot {

/// `value` with exactly `decimals` digits after the point; never "-0.00". "nan", "inf", "-inf" for those.
std::string format_fixed(double value, int decimals);

/// About five digits, in a width that hardly changes while the value does: 0.3451, 2.3026, 17.250, 3.1e-05.
std::string format_number(double value);

/// A magnitude in three digits: 950, 12.3k, 4.6M.
std::string format_si(double value);

/// Thousands separated by commas: 60,000.
std::string format_grouped(std::int64_t value);

/// A share in [0, 1] as a percentage: 0.8764 is "87.6%".
std::string format_percent(double share, int decimals = 1);

/// A duration in seconds: "450 ms", "3.2 s", "42 s", "1 min 05 s", "2 h 07 min", "3 d 04 h". "--" where it is
/// negative or not finite.
std::string format_duration(double seconds);

/// A remaining time in seconds, rounded up to whole ones, short enough for a status line: "42s", "1m05s",
/// "2h07m", "3d04h". "--" where it is negative or not finite.
std::string format_eta(double seconds);

/// Columns that UTF-8 text takes on a terminal, at one a character (wide East Asian characters are not
/// counted double: nothing here prints any).
int display_columns(std::string_view text);

/// The first `columns` characters of UTF-8 text.
std::string_view first_columns(std::string_view text, int columns);

}  // namespace cadena::plot
