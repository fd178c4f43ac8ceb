// The loss of unaligned sequences.
#pragma once

#include <cstdint>

#include "autodiff/ops/loss.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {

struct CtcLossOptions {
  std::int64_t blank = 0;  ///< the class that stands for no label
  Reduction reduction = Reduction::mean;
  bool zero_infinity = false;  ///< infinite losses count as 0
};
/// -log of the probability that the steps emit the labels, over all alignments with blanks and repetitions
/// (Graves et al., ICML 2006). `mean` divides each loss by its number of labels (at least 1) first. Where the
/// labels do not fit into the steps the loss is +inf and the gradient 0.
/// @param log_probs (T, N, C) or (T, C): log_softmax over C
/// @param targets i64 (N, S), or all labels one after the other (sum of target_lengths); none of them `blank`
/// @param input_lengths i64 (N) or (): steps used of each sample, at most T
/// @param target_lengths i64 (N) or (): labels of each sample
/// @return a number, or (N) with Reduction::none
/// @throws ShapeError, DtypeError, ValueError for lengths and for blanks among the labels, IndexError for
/// classes
Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CtcLossOptions& options = {});

}  // namespace cadena
