#include "examples/write/options.hpp"

#include <CLI/CLI.hpp>

namespace cadena::examples {
namespace {

/// `heads` must divide `dim`.
std::string check_dim(const std::string& text) {
  const std::int64_t heads = GptShape().heads;
  std::int64_t value = 0;
  if (CLI::detail::lexical_cast(text, value) && value >= heads && value <= 4096 && value % heads == 0)
    return {};
  return "expected a multiple of " + std::to_string(heads) + ", got " + text;
}

}  // namespace

void add_options(CommandLine& line, WriteOptions& o) {
  o.epochs = 16;
  o.batch_size = 16;
  o.lr = 2e-3;
  o.out = "out/write";
  CLI::App& app = line.app();
  const auto add = [&](const char* option, auto& value, const char* description, const char* type) {
    return app.add_option(option, value, description)->type_name(type)->capture_default_str();
  };
  auto* text = app.add_option("FILE", o.text,
                              "Text to learn from, in UTF-8 (otherwise the licences in\n"
                              "/usr/share/common-licenses)");
  add("--context", o.shape.context, "Characters that the network looks back on", "N")
      ->check(whole_number(2, 4096));
  add("--dim", o.shape.dim, "Numbers that stand for a character", "N")->check(CLI::Validator(check_dim, ""));
  add("--layers", o.shape.layers, "Layers of the network", "N")->check(whole_number(1, 64));
  app.add_option("--load", o.load, "Write with the weights of an earlier run, without training")
      ->type_name("FILE")
      ->excludes(text);
  app.add_option("--prompt", o.prompt, "What the sample begins with")->type_name("TEXT");
  add("--length", o.length, "Characters of the sample", "N")->check(whole_number(1, 10'000'000));
  add("--temperature", o.temperature, "Below 1 it plays safe, above 1 it dares more", "T")
      ->check(positive_number());
  line.add_training(o);
  app.get_option("--lr")->description("Highest learning rate; it falls to 0 along a cosine");
  app.get_option("--epochs")->description("As many characters as the training text has, so often");
  app.get_option("--batch-size")->description("Stretches of text in a training step");
}

}  // namespace cadena::examples
