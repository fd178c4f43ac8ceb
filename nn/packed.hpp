// Sequences of different lengths in one batch, without the padding: torch.nn.utils.rnn.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/grad.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::nn {

/// All first elements, then all second ones, and so on; the sequences in the order of falling lengths. Made
/// by pack_padded_sequence and pack_sequence; RNN, LSTM and GRU take and give it.
struct PackedSequence {
  Tensor data;                            ///< (sum of the lengths, ...)
  std::vector<std::int64_t> batch_sizes;  ///< how many sequences have an element at each step
  Tensor sorted_indices;                  ///< i64 (N): which sequence is the longest, and so on
  Tensor unsorted_indices;                ///< i64 (N): the inverse permutation
};

struct PackOptions {
  bool batch_first = false;
  bool enforce_sorted = true;  ///< lengths must fall; otherwise they are sorted here, and back when unpacked
};
/// @param x (L, N, ...), with batch_first (N, L, ...) @param lengths i64 (N), each from 1 to L
/// @throws ShapeError, DtypeError, ValueError
PackedSequence pack_padded_sequence(const Tensor& x, const Tensor& lengths, const PackOptions& options = {});

struct PadOptions {
  bool batch_first = false;
  double padding_value = 0;
  std::int64_t total_length = 0;  ///< if given, L of the result, and not less than the longest
};
struct PaddedSequence {
  Tensor output;   ///< (L, N, ...) or (N, L, ...)
  Tensor lengths;  ///< i64 (N)
};
/// The inverse. @throws ValueError for a total_length that is too short
PaddedSequence pad_packed_sequence(const PackedSequence& sequence, const PadOptions& options = {});

/// Sequences (l_i, ...) as (L, N, ...) or (N, L, ...) of the longest length. @throws ValueError for none,
/// ShapeError
Tensor pad_sequence(const TensorList& sequences, bool batch_first = false, double padding_value = 0);
PackedSequence pack_sequence(const TensorList& sequences, bool enforce_sorted = true);

}  // namespace cadena::nn
