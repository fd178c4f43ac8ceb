// Connectionist temporal classification: the forward-backward recursion in log space (Graves et al.,
// "Connectionist temporal classification", ICML 2006, equations 6 to 16). Computed in double.
#pragma once

#include <cstdint>

namespace cadena::kernels {

/// log_probs: contiguous (steps, batch, classes). Sample n has `target_lengths[n]` labels from
/// targets[first[n]] on, none of them `blank`, and uses the first input_lengths[n] steps.
template <class T>
struct Ctc {
  std::int64_t steps, batch, classes, blank;
  const T* log_probs;
  const std::int64_t *targets, *first, *target_lengths, *input_lengths;
};

/// loss[n] = -log of the probability of sample n's labels: +inf if there is no way to emit them.
template <class T>
void ctc_loss(const Ctc<T>& c, T* loss);

/// gx = the gradient by log_probs for the gradient g of the losses; 0 where the loss is infinite.
template <class T>
void ctc_loss_vjp(const Ctc<T>& c, const T* g, T* gx);

}  // namespace cadena::kernels
