// The command line of digits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace cadena::examples {

struct DigitsOptions {
  std::filesystem::path data = {};  ///< folder of IDX files; empty: Fashion-MNIST if installed, else drawn
  std::optional<std::int64_t> draw = {};  ///< draw so many digits instead of reading any file
  std::int64_t epochs = 25;
  std::int64_t batch_size = 128;
  std::string optimizer = "adam";
  double lr = 0;  ///< at the start; parse_options replaces 0 by what suits the optimizer
  double dropout = 0.2;
  std::uint64_t seed = 1;
  int threads = 1;
  std::filesystem::path out = "out";
  bool plot = true;  ///< curves below the progress bar, where that is on a terminal
};

/// Options from the command line, or what the program shall exit with: after --help, which prints the usage,
/// 0; after a mistake, which prints it on standard error, 2.
struct ParsedOptions {
  DigitsOptions options = {};
  std::optional<int> exit_code = {};
};
ParsedOptions parse_options(int argc, char** argv);

}  // namespace cadena::examples
