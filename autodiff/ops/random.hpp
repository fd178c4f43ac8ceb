// Random draws from named laws, and noise that regularises. Numbers come from a Generator (random.hpp): the
// same for any number of threads, and for f32 and f64 alike up to rounding.
//
// Parameters broadcast. What depends smoothly on its parameters is a recorded function of them (the
// reparametrisation of Kingma and Welling, arXiv:1312.6114): uniform, normal, exponential, laplace, gumbel.
// The other draws carry no gradient. Parameters out of range are a ValueError.
#pragma once

#include <cstdint>
#include <optional>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {

namespace random {

struct DrawOptions {
  std::optional<Shape> shape = {};  ///< of the result; the parameters' common shape if left out
  DType dtype = f32;                ///< where all parameters are numbers; else their common dtype
  Generator* generator = nullptr;   ///< the calling thread's default one if left out
};

Tensor uniform(const Operand& low, const Operand& high, const DrawOptions& options = {});  ///< [low, high)
Tensor normal(const Operand& mean, const Operand& std, const DrawOptions& options = {});   ///< std >= 0
Tensor exponential(const Operand& rate, const DrawOptions& options = {});  ///< mean 1 / rate, rate > 0
Tensor laplace(const Operand& loc, const Operand& scale, const DrawOptions& options = {});
Tensor gumbel(const Operand& loc, const Operand& scale, const DrawOptions& options = {});
/// Normal, conditioned on [low, high]. No gradient.
Tensor truncated_normal(const Operand& mean, const Operand& std, const Operand& low, const Operand& high,
                        const DrawOptions& options = {});
/// Density x^(concentration - 1) exp(-rate x). No gradient.
Tensor gamma(const Operand& concentration, const Operand& rate, const DrawOptions& options = {});
Tensor beta(const Operand& a, const Operand& b, const DrawOptions& options = {});  ///< on (0, 1). No gradient
/// Points of the simplex along the last axis. No gradient. @param concentration (..., K), all > 0
Tensor dirichlet(const Tensor& concentration, const DrawOptions& options = {});
/// Whole numbers (of the rate's floating dtype) with mean `rate`. No gradient.
Tensor poisson(const Operand& rate, const DrawOptions& options = {});
/// 1 with probability p, else 0, of p's dtype. No gradient.
Tensor bernoulli(const Operand& p, const DrawOptions& options = {});
/// Classes (i64) with probabilities softmax(logits) over the last axis, by Gumbel's trick. No gradient.
/// @param logits (..., K); `options.shape` prepends independent draws' extents to (...)
Tensor categorical(const Tensor& logits, const DrawOptions& options = {});
/// `count` indices (i64) for each row of weights (..., K) >= 0, which need not add up to 1. No gradient.
/// @throws ValueError for negative, infinite or NaN weights, rows of zeros, or, without replacement, rows
/// with fewer than `count` positive weights
Tensor multinomial(const Tensor& weights, std::int64_t count, bool replacement = false,
                   Generator& generator = default_generator());
/// The slices of x along `axis` in random order; recorded.
Tensor permutation(const Tensor& x, int axis = 0, Generator& generator = default_generator());

}  // namespace random

/// In training a dropout: zero with probability p, else x / (1 - p), which keeps the mean (Srivastava et al.,
/// JMLR 15, 2014). x itself if p is 0 or outside training. Keeps no mask: the numbers are drawn again in the
/// backward pass. @throws ValueError unless 0 <= p <= 1, DtypeError unless f32 or f64
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true,
               Generator& generator = default_generator());
/// Dropout of whole channels: x (N, C, ...) or (C, ...) when `batched` is off.
Tensor feature_dropout(const Tensor& x, double p = 0.5, bool training = true, bool batched = true,
                       Generator& generator = default_generator());
/// Dropout of whole samples of x (N, ...), for the branches of residual networks: stochastic depth (Huang et
/// al., arXiv:1603.09382).
Tensor drop_path(const Tensor& x, double p = 0.5, bool training = true,
                 Generator& generator = default_generator());
/// Dropout that keeps mean and variance of standard normal input for networks of selu: dropped elements
/// become -1.7581, then an affine map (Klambauer et al., arXiv:1706.02515).
Tensor alpha_dropout(const Tensor& x, double p = 0.5, bool training = true,
                     Generator& generator = default_generator());
/// The same with whole channels of (N, C, ...), or (C, ...) when `batched` is off, becoming -1.7581.
Tensor feature_alpha_dropout(const Tensor& x, double p = 0.5, bool training = true, bool batched = true,
                             Generator& generator = default_generator());
/// x where it is positive, else x times a slope: of each element its own in training, uniform within [lower,
/// upper), otherwise their mean (Xu et al., arXiv:1505.00853). @throws ValueError unless lower <= upper, both
/// finite
Tensor rrelu(const Tensor& x, double lower = 1.0 / 8, double upper = 1.0 / 3, bool training = false,
             Generator& generator = default_generator());
/// softmax((logits + Gumbel noise) / tau) along `axis` (Jang et al., arXiv:1611.01144). `hard`: one-hot in
/// value, with the gradient of the soft result. @throws ValueError unless tau > 0
Tensor gumbel_softmax(const Tensor& logits, double tau = 1, bool hard = false, int axis = -1,
                      Generator& generator = default_generator());

}  // namespace cadena
