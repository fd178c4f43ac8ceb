#include "examples/digits/options.hpp"

#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>
#include <limits>

#include "autodiff/parallel.hpp"

namespace cadena::examples {
namespace {

constexpr auto most = std::numeric_limits<std::int32_t>::max();

/// CLI::PositiveNumber lets "nan" pass.
std::string check_lr(const std::string& text) {
  double value = 0;
  if (CLI::detail::lexical_cast(text, value) && value > 0 && std::isfinite(value)) return {};
  return "expected a positive number, got " + text;
}

std::string check_share(const std::string& text) {
  double value = 0;
  if (CLI::detail::lexical_cast(text, value) && value >= 0 && value < 1) return {};
  return "expected a number from 0 to below 1, got " + text;
}

void describe(CLI::App& app, DigitsOptions& o) {
  app.get_formatter()->column_width(24);
  app.set_help_flag("-h,--help", "Print this text");
  auto* data = app.add_option("--data", o.data,
                              "Folder with the IDX files of MNIST or a relative of it, plain or .gz\n"
                              "(otherwise Fashion-MNIST as Debian's dataset-fashion-mnist installs\n"
                              "it, and without that digits which the program draws itself)")
                   ->type_name("DIR");
  app.add_option("--draw", o.draw, "Draw N digits to train on, and N/5 to test, instead of reading files")
      ->type_name("N")
      ->check(CLI::Range(50, 10'000'000))
      ->excludes(data);
  app.add_option("--epochs", o.epochs, "Passes over the training images")
      ->type_name("N")
      ->check(CLI::Range(1, most))
      ->capture_default_str();
  app.add_option("--batch-size", o.batch_size, "Images in a training step")
      ->type_name("N")
      ->check(CLI::Range(1, most))
      ->capture_default_str();
  app.add_option("--optimizer", o.optimizer, "sgd (Nesterov momentum 0.9), adam, or adamw")
      ->type_name("NAME")
      ->check(CLI::IsMember({"sgd", "adam", "adamw"}))
      ->capture_default_str();
  app.add_option("--lr", o.lr,
                 "Learning rate at the start, from where it falls to 0 along a cosine\n"
                 "(0.05 for sgd, 0.001 for adam and adamw, unless given)")
      ->type_name("RATE")
      ->check(CLI::Validator(check_lr, ""));
  app.add_option("--dropout", o.dropout, "Share of the hidden units left out at random in a step")
      ->type_name("SHARE")
      ->check(CLI::Validator(check_share, ""))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Of all random numbers: same seed, same bits, for any number of threads")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--threads", o.threads, "Threads to compute with")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--out", o.out, "Folder for the pictures and the weights; made if it is missing")
      ->type_name("DIR")
      ->capture_default_str();
}

}  // namespace

ParsedOptions parse_options(int argc, char** argv) {
  ParsedOptions parsed;
  parsed.options.threads = num_threads();
  CLI::App app("Trains a network on small grey images (clothes or digits), tests it, and leaves pictures.",
               "digits");
  describe(app, parsed.options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    parsed.exit_code = 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << app.help() << "\ndigits: " << error.what() << '\n';
    parsed.exit_code = 2;
  }
  if (parsed.options.lr == 0) parsed.options.lr = parsed.options.optimizer == "sgd" ? 0.05 : 1e-3;
  return parsed;
}

}  // namespace cadena::examples
