#include "examples/write/options.hpp"

namespace cadena::examples {

void add_options(CommandLine& line, WriteOptions& o) {
  o.epochs = 16;
  o.batch_size = 16;
  o.lr = 2e-3;
  o.out = "out/write";
  const auto add = [&](const char* option, auto& value, const char* description, const char* type) {
    return line.add(option, value, type, description).shows_default();
  };
  const Option text = line.add("FILE", o.text, "TEXT",
                               "Text to learn from, in UTF-8 (otherwise the licences in\n"
                               "/usr/share/common-licenses)");
  add("--context", o.shape.context, "Characters that the network looks back on", "N")
      .check(whole_number(2, 4096));
  add("--dim", o.shape.dim, "Numbers that stand for a character", "N")
      .check(multiple_of(GptShape().heads, 4096));
  add("--layers", o.shape.layers, "Layers of the network", "N").check(whole_number(1, 64));
  line.add("--load", o.load, "FILE", "Write with the weights of an earlier run, without training")
      .excludes(text);
  line.add("--prompt", o.prompt, "TEXT", "What the sample begins with");
  add("--length", o.length, "Characters of the sample", "N").check(whole_number(1, 10'000'000));
  add("--temperature", o.temperature, "Below 1 it plays safe, above 1 it dares more", "T")
      .check(positive_number());
  add_training(line, o);
  line.option("--lr").describe("Highest learning rate; it falls to 0 along a cosine");
  line.option("--epochs").describe("As many characters as the training text has, so often");
  line.option("--batch-size").describe("Stretches of text in a training step");
}

}  // namespace cadena::examples
