// Training a DigitsNet, and asking it about images.
#pragma once

#include <cstdint>
#include <vector>

#include "examples/digits/network.hpp"
#include "examples/digits/options.hpp"
#include "examples/support/images.hpp"
#include "train/fit.hpp"
#include "train/metrics.hpp"

namespace cadena::examples {

/// What the network says about each image of a set, in order.
struct Predictions {
  train::Confusion confusion;
  double loss = 0;  ///< mean cross entropy
  std::vector<std::int64_t> truth = {}, predicted = {};
  std::vector<double> probability = {};  ///< of `predicted`
};

/// Trains `net` with the options' optimizer, its rate falling along half a cosine; shows the progress, keeps
/// the checkpoint.
train::FitResult train_net(DigitsNet& net, const Images& images, const DigitsOptions& options);

/// @param classes number of them
Predictions predict(DigitsNet& net, const data::TensorDataset& images, std::int64_t classes);

}  // namespace cadena::examples
