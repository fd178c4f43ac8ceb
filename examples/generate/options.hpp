// The command line of generate.
#pragma once

#include <cstdint>

#include "examples/support/images.hpp"
#include "examples/support/program.hpp"

namespace cadena::examples {

struct GenerateOptions : TrainingOptions {
  ImageSource images = {};
  std::int64_t latent = 12;
};

void add_options(CommandLine& line, GenerateOptions& o);

}  // namespace cadena::examples
