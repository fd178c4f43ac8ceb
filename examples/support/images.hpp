// Sets of small grey images to learn from: IDX files, or digits that are drawn here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "examples/support/program.hpp"

namespace cadena::examples {

/// Where images come from.
struct ImageSource {
  std::filesystem::path data = {};        ///< folder of IDX files
  std::optional<std::int64_t> draw = {};  ///< draw so many digits instead of reading any file
  bool fashion = false;  ///< with neither: Fashion-MNIST if Debian's package is there, else drawn digits
};

/// Adds --data and --draw.
void add_image_source(CommandLine& line, ImageSource& source);

/// Three sets of images, x (N, rows, columns) in [0, 1] and y (N). The validation images are taken out of the
/// training files, so that the test images have no say in anything before the end.
struct Images {
  std::string name;                  ///< "Fashion-MNIST"
  std::string origin;                ///< in words: which folder, or drawn, and why
  std::vector<std::string> classes;  ///< their names
  bool dark_on_light = false;        ///< how a person would like to see them
  double mean = 0, deviation = 1;    ///< of the training pixels
  data::TensorDataset train, validation, test;

  std::int64_t rows() const { return test.x().size(1); }
  std::int64_t columns() const { return test.x().size(2); }
  /// "55,000 to train on, 5,000 to validate, 10,000 to test, 28 x 28 pixels, 10 classes"
  std::string sizes() const;
};

/// @param seed decides which images are held out for validation @throws cadena::IoError or FormatError,
/// naming folder or file
Images load_images(const ImageSource& source, std::uint64_t seed);

}  // namespace cadena::examples
