#include "examples/support/command_line.hpp"

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <type_traits>
#include <utility>

namespace cadena::examples {
namespace {

class Usage : public CLI::Formatter {
 public:
  Usage() { column_width(20); }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_items_expected() == 0 ? "" : " " + option->get_type_name();
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string value = option->get_default_str();
    return option->get_description() + (value.empty() ? "" : " [" + value + "]");
  }
};

/// CLI11's own checks let "nan" pass.
Check number(bool (*ok)(double), const std::string& expected) {
  return [ok, expected](const std::string& text) {
    double value = 0;
    return CLI::detail::lexical_cast(text, value) && ok(value) ? std::string()
                                                               : "expected " + expected + ", got " + text;
  };
}

}  // namespace

Check whole_number(std::int64_t low, std::int64_t high) {
  return [range = CLI::Range(low, high)](const std::string& text) { return range(text); };
}
Check multiple_of(std::int64_t step, std::int64_t high) {
  return [=](const std::string& text) {
    std::int64_t value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= step && value <= high && value % step == 0)
      return std::string();
    return "expected a multiple of " + std::to_string(step) + ", got " + text;
  };
}
Check positive_number() {
  return number([](double x) { return x > 0 && std::isfinite(x); }, "a positive number");
}
Check share() {
  return number([](double x) { return x >= 0 && x < 1; }, "a number from 0 to below 1");
}
Check one_of(std::vector<std::string> names) {
  return [members = CLI::IsMember(std::move(names))](const std::string& text) { return members(text); };
}

Option& Option::shows_default() {
  option_->capture_default_str();
  return *this;
}
Option& Option::shows_default(const char* text) {
  option_->default_str(text);
  return *this;
}
Option& Option::check(Check check) {
  option_->check(CLI::Validator([check = std::move(check)](std::string& text) { return check(text); }, ""));
  return *this;
}
Option& Option::needs(const char* other) {
  option_->needs(other);
  return *this;
}
Option& Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}
Option& Option::describe(const char* text) {
  option_->description(text);
  return *this;
}
bool Option::given() const { return !option_->empty(); }

CommandLine::CommandLine(std::string name, const std::string& description)
    : name_(std::move(name)), app_(std::make_unique<CLI::App>(description, name_)) {
  app_->formatter(std::make_shared<Usage>());
  app_->set_help_flag("-h,--help", "Print this text");
}

CommandLine::~CommandLine() = default;

template <class T>
Option CommandLine::add(const char* name, T& value, const char* type, const std::string& description) {
  CLI::Option* option = app_->add_option(name, value, description)->type_name(type);
  if constexpr (std::is_same_v<T, std::vector<std::string>>) option->allow_extra_args(false);
  return Option(option);
}
template Option CommandLine::add(const char*, int&, const char*, const std::string&);
template Option CommandLine::add(const char*, std::int64_t&, const char*, const std::string&);
template Option CommandLine::add(const char*, std::uint64_t&, const char*, const std::string&);
template Option CommandLine::add(const char*, double&, const char*, const std::string&);
template Option CommandLine::add(const char*, std::string&, const char*, const std::string&);
template Option CommandLine::add(const char*, std::filesystem::path&, const char*, const std::string&);
template Option CommandLine::add(const char*, std::optional<std::int64_t>&, const char*, const std::string&);
template Option CommandLine::add(const char*, std::vector<std::string>&, const char*, const std::string&);

void CommandLine::add_flag(const char* name, const char* description, std::function<void()> given) {
  app_->add_flag_callback(name, std::move(given), description);
}

Option CommandLine::option(const char* name) { return Option(app_->get_option(name)); }

void CommandLine::after_parsing(std::function<void()> f) { app_->parse_complete_callback(std::move(f)); }

std::optional<int> CommandLine::parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
    return {};
  } catch (const CLI::CallForHelp&) {
    std::cout << app_->help();
    return 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << app_->help() << '\n' << name_ << ": " << error.what() << '\n';
    return 2;
  }
}

}  // namespace cadena::examples
