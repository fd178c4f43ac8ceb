// Somebody who can read, to say whether what was drawn can be read.
#pragma once

#include <cstdint>

#include "examples/support/images.hpp"
#include "nn/nn.hpp"

namespace cadena::examples {

/// A small classifier that has learned the training images.
class Judge {
 public:
  /// Trains it, silently; some seconds.
  Judge(const Images& images, std::uint64_t seed);

  /// The share of images, (N, rows, columns), in which it sees one class with a probability above `least`.
  double recognised(const Tensor& images, double least);
  /// The share that it takes for what they are.
  double accuracy(const data::TensorDataset& images);

 private:
  nn::Sequential net_;
};

}  // namespace cadena::examples
