// The command line of diagnose.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "examples/support/program.hpp"

namespace cadena::examples {

struct DiagnoseOptions : TrainingOptions {
  DiagnoseOptions() {
    epochs = 60;
    lr = 2e-3;
  }

  std::filesystem::path file = {};       ///< a table that is made up, if empty
  std::string target = {};               ///< the last column, if empty
  std::vector<std::string> ignore = {};  ///< columns that are not to be used
  double dropout = 0.1;
  std::filesystem::path write_example =
      {};  ///< where the table that is made up shall be written, and no more
};

void add_options(CommandLine& line, DiagnoseOptions& o);

}  // namespace cadena::examples
