// What generate prints and leaves behind.
#pragma once

#include <vector>

#include "examples/generate/options.hpp"
#include "examples/generate/vae.hpp"
#include "examples/support/images.hpp"
#include "examples/support/left_files.hpp"
#include "plot/table.hpp"
#include "train/fit.hpp"

namespace cadena::examples {

/// Images, network and settings, for the header.
plot::Table describe(const Images& images, Vae& vae, const GenerateOptions& options);

/// The bound for training and test images beside that of a model without codes, and how many samples a
/// classifier recognises beside how many test images.
void print_result(const Images& images, Vae& vae, std::uint64_t seed);

/// Draws the curves, a sheet of samples, one of test images with what is left of them in their codes, and
/// walks from one image to another; saves the weights.
std::vector<LeftFile> leave_files(const Images& images, Vae& vae, const GenerateOptions& options,
                                  const train::History& history);

}  // namespace cadena::examples
