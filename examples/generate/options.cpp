#include "examples/generate/options.hpp"

#include <CLI/CLI.hpp>

namespace cadena::examples {

void add_options(CommandLine& line, GenerateOptions& o) {
  constexpr std::int64_t most_numbers = 1024;
  add_image_source(line, o.images);
  line.app()
      .add_option("--latent", o.latent, "Numbers in the code of an image")
      ->type_name("N")
      ->check(whole_number(1, most_numbers))
      ->capture_default_str();
  o.epochs = 30;
  o.lr = 2e-3;
  o.batch_size = 128;
  o.out = "out/generate";
  line.add_training(o);
  line.app().get_option("--lr")->description("First learning rate; it falls to 0 along a cosine");
}

}  // namespace cadena::examples
