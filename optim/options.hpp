// Options: structs of doubles, whole numbers, bools and enums whose `visit` names each with the values it may
// take:
//
//   struct StepLROptions {
//     static constexpr const char* name = "StepLR";
//     std::int64_t step_size = 0;
//     double gamma = 0.1;
//     template <class V> void visit(V&& v) { v("step_size", step_size, at_least_1), v("gamma", gamma,
//     finite); }
//   };
//
// What is checked, saved and loaded follows from that line. A `check()` beside it may look at several at
// once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>

#include "autodiff/error.hpp"

namespace cadena::optim {

/// By name, as numbers: a bool as 0 or 1, an enum as its position.
using OptionValues = std::map<std::string, double>;

/// The values an option may take.
struct Range {
  bool (*contains)(double);
  const char* text;  ///< "a number in [0, 1)"
};
inline constexpr Range any{[](double) { return true; }, ""};
inline constexpr Range finite{[](double x) { return x - x == 0; }, "a finite number"};
inline constexpr Range non_negative{[](double x) { return x >= 0; }, ">= 0"};
inline constexpr Range positive{[](double x) { return x > 0; }, "> 0"};
inline constexpr Range at_least_1{[](double x) { return x >= 1; }, ">= 1"};
inline constexpr Range below_1{[](double x) { return x >= 0 && x < 1; }, "a number in [0, 1)"};
inline constexpr Range up_to_1{[](double x) { return x >= 0 && x <= 1; }, "a number in [0, 1]"};
inline constexpr Range flag{[](double x) { return x == 0 || x == 1; }, "0 or 1"};
/// For an enum of N values.
template <int N>
inline constexpr Range one_of{[](double x) { return x >= 0 && x < N; }, "one of its values"};

/// 2^53: beyond it not every whole number is a double.
inline constexpr double max_whole_number = 9007199254740992;

std::string to_text(double value);  ///< the shortest common form: "0.001", "1e-08", "3"

/// @throws ValueError "[owner] option: expected ..., got ..." unless `ok`
void expect(const char* owner, const char* option, double value, bool ok, const char* expected);

/// @throws ValueError for the first option that is out of its range, and what `check()` throws
template <class O>
void check_options(O options) {
  options.visit([]<class T>(const char* option, T& value, const Range& range) {
    const auto x = static_cast<double>(value);
    expect(O::name, option, x, range.contains(x), range.text);
  });
  if constexpr (requires { options.check(); }) options.check();
}

template <class O>
OptionValues option_values(O options) {
  OptionValues values;
  options.visit([&values]<class T>(const char* option, T& value, const Range&) {
    values[option] = static_cast<double>(value);
  });
  return values;
}

/// `value` becomes `x`. @throws ValueError if that is out of its range
template <class T>
void assign_option(const char* owner, const char* option, T& value, double x, const Range& range) {
  expect(owner, option, x, range.contains(x), range.text);
  if constexpr (!std::is_same_v<T, double>) {
    const bool fits = x >= -max_whole_number && x <= max_whole_number;
    expect(owner, option, x, fits && x == static_cast<double>(static_cast<std::int64_t>(x)),
           "a whole number");
  }
  value = static_cast<T>(x);
}

/// The saved options. @throws ValueError for one that is missing or out of its range
template <class O>
O saved_options(const OptionValues& values) {
  O options;
  options.visit([&](const char* option, auto& value, const Range& range) {
    const auto found = values.find(option);
    if (found == values.end())
      throw ValueError("[" + std::string(O::name) + "::load_state_dict] expected option \"" + option +
                       "\", got none");
    assign_option(O::name, option, value, found->second, range);
  });
  check_options(options);
  return options;
}

/// Options by name, the others as in `options`. @throws ValueError for one that is unknown or out of its
/// range
template <class O>
O given_options(O options, const OptionValues& values) {
  auto unknown = values;
  std::string known;
  options.visit([&](const char* option, auto& value, const Range& range) {
    known += std::string(" \"") + option + '"';
    const auto found = unknown.find(option);
    if (found == unknown.end()) return;
    assign_option(O::name, option, value, found->second, range);
    unknown.erase(found);
  });
  if (!unknown.empty())
    throw ValueError("[" + std::string(O::name) + "] expected options among" + known + ", got \"" +
                     unknown.begin()->first + '"');
  check_options(options);
  return options;
}

}  // namespace cadena::optim
