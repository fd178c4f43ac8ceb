#include "examples/support/program.hpp"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <exception>
#include <iostream>
#include <system_error>
#include <utility>

#include "autodiff/autodiff.hpp"
#include "autodiff/build_info.hpp"
#include "autodiff/parallel.hpp"
#include "data/files/file.hpp"
#include "train/curves.hpp"

namespace cadena::examples {
namespace {

/// CLI11 itself would take -1 for 2^64 - 1, and so whatever is larger than that.
std::string check_seed(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return {};
  return "expected a whole number from 0 to below 2^64, got " + text;
}

}  // namespace

void add_training(CommandLine& line, TrainingOptions& o) {
  o.threads = num_threads();
  const auto add = [&line](const char* option, auto& value, const char* type, const char* description) {
    return line.add(option, value, type, description).shows_default();
  };
  add("--epochs", o.epochs, "N", "Passes over the training data").check(whole_number(1));
  add("--batch-size", o.batch_size, "N", "Examples in a training step").check(whole_number(1));
  add("--lr", o.lr, "RATE", "Learning rate at the start").check(positive_number());
  add("--seed", o.seed, "N", "Of all random numbers; same seed, same bits").check(check_seed);
  add("--threads", o.threads, "N", "Threads to compute with").check(whole_number(1, 1024));
  line.add_flag("--no-plot",
                "On a terminal, curves are drawn below the progress bar\n"
                "while they come about; this leaves them out",
                [&o] { o.plot = false; });
  add("--out", o.out, "DIR", "Folder for what it leaves; made if missing");
  line.add_flag("--resume", "Go on where a run into this folder was stopped", [&o] { o.resume = true; });
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
