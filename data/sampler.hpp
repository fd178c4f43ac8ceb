// In which order samples are visited. A sampler is a function of the epoch's random stream alone, so that an
// epoch and a position in it say everything that is needed to go on.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::data {

/// Gives the indices of an epoch, `size` of them, from the epoch's stream.
struct Sampler {
  std::int64_t size = 0;
  std::function<std::vector<std::int64_t>(Generator)> order = {};
};

/// Gives the batches of an epoch, `size` of them.
struct BatchSampler {
  std::int64_t size = 0;
  std::function<std::vector<std::vector<std::int64_t>>(Generator)> batches = {};
};

/// 0, 1, ..., n - 1. @throws ValueError if n < 0
Sampler sequential_sampler(std::int64_t n);

/// All n in random order. @throws ValueError if n < 0
Sampler random_sampler(std::int64_t n);

/// These indices in random order.
Sampler subset_sampler(std::vector<std::int64_t> indices);

/// `count` indices, i with a probability proportional to weights[i].
/// @param weights (n), any dtype @throws ShapeError if it is no vector, ValueError if a weight is negative or
/// not
///   finite, if none is positive, or if fewer are positive than are asked for without replacement
Sampler weighted_sampler(const Tensor& weights, std::int64_t count, bool replacement = true);

/// All of them, each class in random order and spread evenly: any stretch, and so any batch, has the classes
/// in nearly their shares of the whole. @param labels integers (n) @throws ShapeError, DtypeError
Sampler stratified_sampler(const Tensor& labels);

/// The sampler's indices cut into batches. @throws ValueError if batch_size < 1
BatchSampler batch_sampler(Sampler sampler, std::int64_t batch_size, bool drop_last = false);

/// Batches of samples of similar length, in random order: little padding. Lengths are sorted within stretches
/// of 50 batches of a random order, as torchtext did it.
/// @param lengths integers (n) @throws ShapeError, DtypeError, ValueError if batch_size < 1
BatchSampler bucket_sampler(const Tensor& lengths, std::int64_t batch_size, bool drop_last = false);

}  // namespace cadena::data
