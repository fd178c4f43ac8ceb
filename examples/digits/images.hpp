// The images that digits learns and is tested on.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "examples/digits/options.hpp"

namespace cadena::examples {

/// Some rows of a data set, without copying them.
class Subset {
 public:
  Subset(data::TensorDataset all, std::vector<std::int64_t> rows);

  std::int64_t size() const { return static_cast<std::int64_t>(rows_->size()); }
  data::Batch batch(std::span<const std::int64_t> indices) const;

 private:
  data::TensorDataset all_;
  std::shared_ptr<const std::vector<std::int64_t>> rows_;
};

/// Three sets of images. The validation images are taken out of the training files, so that the test images
/// have no say in anything before the end.
struct Images {
  std::string name;                  ///< "Fashion-MNIST"
  std::string origin;                ///< in words: which folder, or drawn, and why
  std::vector<std::string> classes;  ///< their names
  bool dark_on_light = false;        ///< how a person would like to see them
  double mean = 0, deviation = 1;    ///< of the training pixels
  Subset train, validation;
  data::TensorDataset test;

  std::int64_t rows() const { return test.x().size(1); }
  std::int64_t columns() const { return test.x().size(2); }
};

/// What the options ask for. Throws cadena::IoError or FormatError, naming folder or file.
Images load_images(const DigitsOptions& options);

}  // namespace cadena::examples
