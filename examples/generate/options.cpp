#include "examples/generate/options.hpp"

namespace cadena::examples {

void add_options(CommandLine& line, GenerateOptions& o) {
  constexpr std::int64_t most_numbers = 1024;
  add_image_source(line, o.images);
  line.app()
      .add_option("--latent", o.latent, "Numbers in the code of an image")
      ->type_name("N")
      ->check(whole_number(1, most_numbers))
      ->capture_default_str();
  o.epochs = 20;
  o.batch_size = 128;
  o.out = "out/generate";
  line.add_training(o);
  line.app().get_option("--lr")->description("Learning rate at the start; it falls to 0 along a cosine");
}

}  // namespace cadena::examples
