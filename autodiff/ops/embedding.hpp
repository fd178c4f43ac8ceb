// Rows of a table by their numbers.
#pragma once

#include <cstdint>
#include <optional>

#include "autodiff/tensor.hpp"

namespace cadena {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx = {};  ///< this row gets no gradient; negative counts from the end
  /// Rows that are used and have a larger norm are first shortened to it in `weight` itself, unrecorded.
  std::optional<double> max_norm = {};
  double norm_type = 2;
  bool scale_grad_by_freq = false;  ///< divide a row's gradient by how often it is used in the call
};

/// Row indices[...] of weight (V, D): indices.shape + (D). Each row's gradient is the sum over its uses, in
/// the order of the indices whatever the number of threads.
/// @param indices i64, in [0, V)
/// @throws IndexError that names the index and where it stands, DtypeError, ShapeError
Tensor embedding(const Tensor& indices, const Tensor& weight, const EmbeddingOptions& options = {});

enum class BagMode : std::uint8_t { sum, mean, max };

struct EmbeddingBagOptions {
  std::optional<double> max_norm = {};  ///< as EmbeddingOptions'
  double norm_type = 2;
  bool scale_grad_by_freq = false;
  BagMode mode = BagMode::mean;
  Tensor per_sample_weights = {};                ///< of indices' shape, factors of the rows; mode sum only
  bool include_last_offset = false;              ///< the last offset is the end of the last bag
  std::optional<std::int64_t> padding_idx = {};  ///< these indices are left out of their bags
};

/// Sum, mean or maximum of the rows of weight (V, D) that each bag names: (bags, D); an empty bag gives
/// zeros. The rows themselves are never copied. Of equal maxima the first gets the gradient.
/// @param indices i64 (B, N): N to a bag; or (n) with offsets
/// @param offsets i64 (B): where each bag begins, ascending from 0; undefined for indices (B, N)
/// @throws IndexError, ShapeError, DtypeError, ValueError
Tensor embedding_bag(const Tensor& indices, const Tensor& weight, const Tensor& offsets = {},
                     const EmbeddingBagOptions& options = {});

}  // namespace cadena
