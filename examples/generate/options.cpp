#include "examples/generate/options.hpp"

namespace cadena::examples {

void add_options(CommandLine& line, GenerateOptions& o) {
  constexpr std::int64_t most_numbers = 1024;
  add_image_source(line, o.images);
  line.add("--latent", o.latent, "N", "Numbers in the code of an image")
      .check(whole_number(1, most_numbers))
      .shows_default();
  o.epochs = 30;
  o.lr = 2e-3;
  o.batch_size = 128;
  o.out = "out/generate";
  add_training(line, o);
  line.option("--lr").describe("First learning rate; it falls to 0 along a cosine");
}

}  // namespace cadena::examples
