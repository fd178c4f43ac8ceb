// Training a DigitsNet, and asking it about images.
#pragma once

#include <cstdint>
#include <vector>

#include "examples/digits/images.hpp"
#include "examples/digits/network.hpp"
#include "examples/digits/options.hpp"

namespace cadena::examples {

/// Means over a set of images.
struct Score {
  double loss = 0;
  double accuracy = 0;  ///< a share in [0, 1]
};

/// One entry an epoch. The training score is that of the batches as they came, dropout included.
struct History {
  std::vector<Score> train = {}, validation = {};
  double seconds = 0;
};

/// What the network says about each image of a set, in order.
struct Predictions {
  Score score = {};
  std::vector<std::int64_t> truth = {}, predicted = {};
  std::vector<double> probability = {};  ///< of `predicted`
};

/// Trains `net` and shows the progress on standard output. Throws cadena::ValueError if the loss becomes
/// infinite or undefined.
History train(DigitsNet& net, const Images& images, const DigitsOptions& options);

Predictions predict(DigitsNet& net, const data::TensorDataset& images);

}  // namespace cadena::examples
