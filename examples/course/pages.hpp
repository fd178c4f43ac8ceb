// Running slides, for a terminal and for the pages in docs/.
#pragma once

#include <filesystem>
#include <ostream>

#include "examples/course/options.hpp"

namespace cadena::examples::course {

/// Runs the chosen slides; their words go to `out`, their pictures to the folder of the options.
void run_slides(const CourseOptions& options, std::ostream& out);

/// Writes course.es.md, course.en.md and course/*.svg into `folder`. The tests compare them with those that
/// are there, so that the pages say what the program says.
void write_pages(const std::filesystem::path& folder);

}  // namespace cadena::examples::course
