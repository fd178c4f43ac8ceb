#include "examples/digits/options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <iostream>
#include <limits>
#include <memory>

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

/// CLI11 itself would take -1 for 2^64 - 1, and so whatever is larger than that.
std::string check_seed(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return {};
  return "expected a whole number from 0 to below 2^64, got " + text;
}

/// The usage, an option a line: its name, what it takes, what it means, and its default in brackets.
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

CLI::Validator whole(std::int64_t low, std::int64_t high) { return CLI::Range(low, high).description(""); }

void describe(CLI::App& app, DigitsOptions& o) {
  app.formatter(std::make_shared<Usage>());
  app.set_help_flag("-h,--help", "Print this text");
  auto* data = app.add_option("--data", o.data,
                              "Folder with IDX files of MNIST or a relative of it, plain\n"
                              "or .gz (otherwise Fashion-MNIST, if Debian's package\n"
                              "dataset-fashion-mnist is installed, else --draw 60000)")
                   ->type_name("DIR");
  app.add_option("--draw", o.draw, "Draw N digits to train on, N/5 to test; no files are read")
      ->type_name("N")
      ->check(whole(50, 10'000'000))
      ->excludes(data);
  app.add_option("--epochs", o.epochs, "Passes over the training images")
      ->type_name("N")
      ->check(whole(1, most))
      ->capture_default_str();
  app.add_option("--batch-size", o.batch_size, "Images in a training step")
      ->type_name("N")
      ->check(whole(1, most))
      ->capture_default_str();
  app.add_option("--optimizer", o.optimizer, "sgd (Nesterov momentum 0.9), adam, or adamw")
      ->type_name("NAME")
      ->check(CLI::IsMember({"sgd", "adam", "adamw"}).description(""))
      ->capture_default_str();
  app.add_option("--lr", o.lr,
                 "Learning rate at the start; it falls to 0 along a cosine\n"
                 "[0.001, for sgd 0.05]")
      ->type_name("RATE")
      ->check(CLI::Validator(check_lr, ""));
  app.add_option("--dropout", o.dropout, "Share of hidden units left out at random in a step")
      ->type_name("SHARE")
      ->check(CLI::Validator(check_share, ""))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Of all random numbers; same seed, same bits")
      ->type_name("N")
      ->check(CLI::Validator(check_seed, ""))
      ->capture_default_str();
  app.add_option("--threads", o.threads, "Threads to compute with")
      ->type_name("N")
      ->check(whole(1, 1024))
      ->capture_default_str();
  app.add_flag_callback(
      "--no-plot", [&o] { o.plot = false; },
      "On a terminal, loss and accuracy are drawn below the\n"
      "progress bar while they come about; this leaves them out");
  app.add_option("--out", o.out, "Folder for pictures and weights; made if missing")
      ->type_name("DIR")
      ->capture_default_str();
}

}  // namespace

ParsedOptions parse_options(int argc, char** argv) {
  ParsedOptions parsed;
  parsed.options.threads = num_threads();
  CLI::App app("Trains a network on images of clothes or digits, tests it, leaves pictures.", "digits");
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
