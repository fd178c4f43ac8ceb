// Scaled dot-product attention in blocks: the scores of a block of queries and keys exist at a time, so
// memory grows with the number of queries and keys, not with their product. Dao et al., "FlashAttention"
// (arXiv:2205.14135); Rabe and Staats, "Self-attention does not need O(n^2) memory" (arXiv:2112.05682). The
// same bits for any number of threads.
#pragma once

#include <cstdint>

#include "autodiff/kernels/sampling.hpp"
#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

/// A matrix of contiguous rows for each index of a batch.
template <class T>
struct BatchedRows {
  const T* data;
  Strides batch;
  std::int64_t row;
};

/// What is added to the scores (T) or which of them count (bool): a matrix for each index of the batch.
struct AttentionMask {
  const void* data = nullptr;  ///< null: none
  bool additive = false;
  Strides batch = {};
  std::int64_t row = 0, column = 0;
};

template <class T>
struct Attention {
  Shape batch;
  std::int64_t queries, keys, width, value_width;
  BatchedRows<T> q, k, v;  ///< queries x width, keys x width, keys x value_width
  AttentionMask mask;
  double scale;
  bool causal;     ///< query i sees the keys 0 ... i
  double dropout;  ///< probability; the probabilities of all queries and keys are one draw
  RandomStart random = {0, 0};
};

/// out[b] = dropout(softmax(scale q k^T + mask)) v; 0 for queries that see no key. `out` is contiguous.
/// @param lse (batch, queries): logsumexp of each query's scores, +inf if it sees no key; for the vjp
template <class T>
void attention(const Attention<T>& a, T* out, T* lse);

/// The gradients by q, k and v (contiguous; null where not wanted) for the gradient `g` of `out`.
template <class T>
void attention_vjp(const Attention<T>& a, const T* out, const T* lse, const T* g, T* gq, T* gk, T* gv);

}  // namespace cadena::kernels
