// Training a Vae, and measuring it.
#pragma once

#include <cstdint>

#include "examples/generate/options.hpp"
#include "examples/generate/vae.hpp"
#include "examples/support/images.hpp"
#include "train/fit.hpp"

namespace cadena::examples {

/// Adam on the negative bound, its rate falling along half a cosine; shows the progress, keeps the
/// checkpoint.
train::FitResult train_vae(Vae& vae, const Images& images, const GenerateOptions& options);

/// Means over a set of images, in nats.
struct Score {
  double likelihood = 0, divergence = 0;
  double bound() const { return likelihood - divergence; }
};
Score measure(Vae& vae, const data::TensorDataset& images);

/// The log-probability of the test images, in nats, if every pixel had its mean over the training images:
/// what a bound is worth that does better.
double independent_pixels(const Images& images);

}  // namespace cadena::examples
