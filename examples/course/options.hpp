// The command line of course.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "examples/course/slides.hpp"

namespace cadena::examples::course {

struct CourseOptions {
  /// A slide to run, with its numbers.
  struct Chosen {
    const Slide* slide;
    Settings settings;
  };

  Language language = Language::es;
  std::filesystem::path out = "out/course";
  std::optional<std::filesystem::path> docs = {};  ///< write the pages there instead
  std::vector<Chosen> chosen = {};
};

/// A slide with the numbers that nobody chose.
CourseOptions::Chosen with_defaults(const Slide& slide);

/// Options from the command line, or what the program shall exit with: after --help, which prints the usage,
/// 0; after a mistake, which one line on standard error explains, 2.
struct ParsedOptions {
  CourseOptions options = {};
  std::optional<int> exit_code = {};
};
ParsedOptions parse_options(int argc, char** argv);

}  // namespace cadena::examples::course
