// The command line of write.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "examples/support/program.hpp"

namespace cadena::examples {

/// The size of the network.
struct GptShape {
  std::int64_t context = 128;  ///< characters that it looks back on
  std::int64_t dim = 128;
  std::int64_t heads = 4;
  std::int64_t layers = 3;
  double dropout = 0.1;  ///< in training
};

struct WriteOptions : TrainingOptions {
  std::filesystem::path text = {};  ///< the licences that Debian keeps, if empty
  GptShape shape = {};
  std::filesystem::path load = {};  ///< weights to write with, instead of training
  std::string prompt = {};
  std::int64_t length = 600;
  double temperature = 0.8;
};

void add_options(CommandLine& line, WriteOptions& o);

}  // namespace cadena::examples
