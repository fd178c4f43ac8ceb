// The command line of digits.
#pragma once

#include <string>

#include "examples/support/images.hpp"
#include "examples/support/program.hpp"

namespace cadena::examples {

struct DigitsOptions : TrainingOptions {
  ImageSource images = {.fashion = true};
  std::string model = "mlp";
  std::string optimizer = "adam";
  double dropout = 0.2;
};

/// Adds all options to `line`. Once that has been parsed, `o` also holds the defaults that depend on others.
void add_options(CommandLine& line, DigitsOptions& o);

}  // namespace cadena::examples
