// What digits prints and leaves behind.
#pragma once

#include <filesystem>
#include <vector>

#include "examples/digits/network.hpp"
#include "examples/digits/options.hpp"
#include "examples/digits/training.hpp"
#include "examples/support/images.hpp"
#include "examples/support/left_files.hpp"

namespace cadena::examples {

/// Images, network and settings, for the header.
plot::Table describe(const Images& images, const DigitsNet& net, const DigitsOptions& options);

/// Test accuracy and the confusion matrix.
void print_result(const Images& images, const Predictions& test, const std::filesystem::path& folder);

/// Draws the curves, the confusion matrix, a sheet of test images and the filters, and saves the weights.
/// Nothing in these files depends on the clock or on the number of threads.
std::vector<LeftFile> leave_files(const Images& images, const DigitsNet& net, const DigitsOptions& options,
                                  const train::History& history, const Predictions& test);

}  // namespace cadena::examples
