// A command line whose usage says an option a line: its name, what it takes, what it means, its default in
// brackets.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// CLI11 takes longer to compile than most programs here: only the source of this header includes it.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cadena::examples {

/// What is wrong with the text of a value; empty if nothing is.
using Check = std::function<std::string(const std::string& text)>;

Check whole_number(std::int64_t low, std::int64_t high = std::numeric_limits<std::int32_t>::max());
Check multiple_of(std::int64_t step, std::int64_t high);  ///< from `step` on
Check positive_number();                                  ///< "nan" is none
Check share();                                            ///< from 0 to below 1
Check one_of(std::vector<std::string> names);

/// An option while it is described.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option& shows_default();  ///< the value that the variable has now
  Option& shows_default(const char* text);
  Option& check(Check check);
  Option& needs(const char* other);
  Option& excludes(const Option& other);
  Option& describe(const char* text);
  bool given() const;

 private:
  CLI::Option* option_;
};

class CommandLine {
 public:
  CommandLine(std::string name, const std::string& description);
  ~CommandLine();

  const std::string& name() const { return name_; }

  /// An option, or an argument if `name` has no dashes. A list grows by one value each time the option is
  /// given.
  /// @param value whole numbers, double, string, path, an optional number, a list of strings
  /// @param type what the usage calls the value
  template <class T>
  Option add(const char* name, T& value, const char* type, const std::string& description);
  void add_flag(const char* name, const char* description, std::function<void()> given);
  Option option(const char* name);
  void after_parsing(std::function<void()> f);

  /// What the program shall exit with, if it shall: 0 after --help, which prints the usage; 2 after a
  /// mistake, which prints it on standard error.
  std::optional<int> parse(int argc, char** argv);

 private:
  std::string name_;
  std::unique_ptr<CLI::App> app_;
};

}  // namespace cadena::examples
