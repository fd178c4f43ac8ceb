// What digits prints and leaves behind.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "examples/digits/images.hpp"
#include "examples/digits/network.hpp"
#include "examples/digits/options.hpp"
#include "examples/digits/training.hpp"

namespace cadena::examples {

/// Version, libraries, images, network and settings, before anything takes long.
void print_header(const Images& images, const DigitsNet& net, const DigitsOptions& options);

/// Throws WriteError unless files can be made in `folder`, which is created if it is missing. Better now than
/// after the training.
void prepare_folder(const std::filesystem::path& folder);

/// Test accuracy and the confusion matrix.
void print_result(const Images& images, const Predictions& test, const std::filesystem::path& folder);

/// A file that was written, and what it is.
struct LeftFile {
  std::filesystem::path path;
  std::string what;
};

/// Draws the curves, the confusion matrix and a sheet of test images, and saves the weights. Nothing in these
/// files depends on the clock or on the number of threads.
std::vector<LeftFile> leave_files(const Images& images, const DigitsNet& net, const DigitsOptions& options,
                                  const History& history, const Predictions& test);

/// CRC-32 of a file, as eight hexadecimal digits.
std::string checksum(const std::filesystem::path& path);

}  // namespace cadena::examples
