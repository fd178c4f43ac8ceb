#include "examples/support/program.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <exception>
#include <iostream>
#include <memory>
#include <system_error>
#include <utility>

#include "autodiff/autodiff.hpp"
#include "autodiff/build_info.hpp"
#include "autodiff/parallel.hpp"
#include "data/files/file.hpp"
#include "train/curves.hpp"

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

/// A number that `ok` accepts; CLI11's own checks let "nan" pass.
CLI::Validator number(bool (*ok)(double), const std::string& expected) {
  return CLI::Validator(
      [ok, expected](std::string& text) {
        double value = 0;
        return CLI::detail::lexical_cast(text, value) && ok(value) ? std::string()
                                                                   : "expected " + expected + ", got " + text;
      },
      "");
}

/// CLI11 itself would take -1 for 2^64 - 1, and so whatever is larger than that.
std::string check_seed(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return {};
  return "expected a whole number from 0 to below 2^64, got " + text;
}

}  // namespace

CLI::Validator whole_number(std::int64_t low, std::int64_t high) {
  return CLI::Range(low, high).description("");
}
CLI::Validator positive_number() {
  return number([](double x) { return x > 0 && std::isfinite(x); }, "a positive number");
}
CLI::Validator share() {
  return number([](double x) { return x >= 0 && x < 1; }, "a number from 0 to below 1");
}

CommandLine::CommandLine(std::string name, const std::string& description)
    : name_(std::move(name)), app_(std::make_unique<CLI::App>(description, name_)) {
  app_->formatter(std::make_shared<Usage>());
  app_->set_help_flag("-h,--help", "Print this text");
}

CommandLine::~CommandLine() = default;

void CommandLine::add_training(TrainingOptions& o) {
  o.threads = num_threads();
  const auto add = [this](const char* option, auto& value, const char* description, const char* type) {
    return app_->add_option(option, value, description)->type_name(type)->capture_default_str();
  };
  add("--epochs", o.epochs, "Passes over the training data", "N")->check(whole_number(1));
  add("--batch-size", o.batch_size, "Examples in a training step", "N")->check(whole_number(1));
  add("--lr", o.lr, "Learning rate at the start", "RATE")->check(positive_number());
  add("--seed", o.seed, "Of all random numbers; same seed, same bits", "N")
      ->check(CLI::Validator(check_seed, ""));
  add("--threads", o.threads, "Threads to compute with", "N")->check(whole_number(1, 1024));
  app_->add_flag_callback(
      "--no-plot", [&o] { o.plot = false; },
      "On a terminal, curves are drawn below the progress bar\n"
      "while they come about; this leaves them out");
  add("--out", o.out, "Folder for what it leaves; made if missing", "DIR");
  app_->add_flag("--resume", o.resume, "Go on where a run into this folder was stopped");
}

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

int run_program(CommandLine& line, int argc, char** argv, const std::function<train::Stop()>& body) {
  constexpr int interrupted = 130;  // what a shell reports for SIGINT
  if (const auto code = line.parse(argc, argv)) return *code;
  const auto fail = [&](const std::exception& error, const char* hint) {
    std::cout << std::flush;
    std::cerr << line.name() << ": " << error.what() << hint << '\n';
    return 1;
  };
  try {
    return body() == train::Stop::interrupt ? interrupted : 0;
  } catch (const train::DivergedError& error) {
    return fail(error, " (--lr)");
  } catch (const std::exception& error) {
    return fail(error, "");
  }
}

void prepare(const TrainingOptions& o) {
  set_num_threads(o.threads);
  manual_seed(o.seed);
  std::error_code error;
  std::filesystem::create_directories(o.out, error);
  if (error) throw data::WriteError(o.out, error.message());
  if (!std::filesystem::is_directory(o.out, error)) throw data::WriteError(o.out, "it is not a folder");
  if (::access(o.out.c_str(), W_OK | X_OK) != 0)
    throw data::WriteError(o.out, std::generic_category().message(errno));
  if (o.resume && !std::filesystem::exists(o.checkpoint()))
    throw ValueError("[--resume] expected " + o.checkpoint().string() +
                     ", which a run that is stopped leaves; got none");
  if (!o.resume) std::filesystem::remove(o.checkpoint());  // --resume would take it for that of this run
}

void print_header(const TrainingOptions& o, const plot::Table& more) {
  plot::Table table = library_report();
  table.emplace_back("seed", std::to_string(o.seed));
  table.insert(table.end(), more.begin(), more.end());
  std::cout << plot::print_table(table) << '\n' << std::flush;
}

train::FitOptions fit_options(const TrainingOptions& o, std::vector<std::string> figures) {
  train::FitOptions fit{.epochs = o.epochs, .checkpoint = o.checkpoint(), .resume = o.resume};
  if (o.plot)
    fit.panel = [figures = std::move(figures), epochs = o.epochs](const train::History& history,
                                                                  const plot::Terminal& terminal) {
      return train::draw_curves(history, figures, epochs, terminal);
    };
  return fit;
}

void say_how_it_ended(const std::string& program, const TrainingOptions& o, const train::FitResult& result) {
  if (result.stop == train::Stop::epochs) return;
  std::cout << to_string(result.stop);
  if (result.stop != train::Stop::patience)
    std::cout << ": ./run " << program << " --resume goes on from " << o.checkpoint().string();
  std::cout << '\n';
}

}  // namespace cadena::examples
