// Attention.
#pragma once

#include <cstdint>
#include <optional>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {

struct AttentionOptions {
  /// Broadcasts to (..., L, S): of bool, true where a query may see a key; of f32 or f64, added to the
  /// scores.
  Tensor attn_mask = {};
  double dropout_p = 0;              ///< of the probabilities, always active: pass 0 outside training
  bool is_causal = false;            ///< query i sees the keys 0 ... i, and of these what attn_mask allows
  std::optional<double> scale = {};  ///< 1 / sqrt(E) unless given
  bool enable_gqa = false;  ///< q's heads (axis -3) are a multiple of k's and v's, neighbours share one
  Generator* generator = nullptr;  ///< for dropout; the thread's default one unless given
};

/// softmax(scale q k^T + mask) v, without ever holding all scores: memory grows with L + S, not with L S,
/// forward and backward (Dao et al., arXiv:2205.14135; Vaswani et al., arXiv:1706.03762). A query that may
/// see no key gives zeros and passes no gradient on. A mask that asks for a gradient costs L S numbers: then
/// the scores are kept. Derivatives beyond the first, and forward mode, hold the scores, too.
/// @param q (..., L, E) with E > 0 @param k (..., S, E) @param v (..., S, Ev); leading axes broadcast
/// @return (..., L, Ev)
/// @throws ShapeError, DtypeError, ValueError unless 0 <= dropout_p <= 1
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options = {});

struct RotaryOptions {
  std::int64_t offset = 0;   ///< position of the first row: the number of rows that went before
  double base = 10000;       ///< pair i of D/2 turns by position / base^(2i/D)
  bool interleaved = false;  ///< pairs are (x[2i], x[2i+1]) instead of (x[i], x[i + D/2])
};
/// Rotary positions: each pair of numbers of row l is turned by an angle proportional to offset + l, so that
/// products of queries and keys depend on their distance (Su et al., arXiv:2104.09864, equation 15).
/// @param x (..., L, D), D even @throws ShapeError, DtypeError unless f32 or f64, ValueError unless base > 0
Tensor rotary_embedding(const Tensor& x, const RotaryOptions& options = {});

}  // namespace cadena
