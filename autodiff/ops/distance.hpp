// Distances and angles between vectors.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

// p is a norm's order, inf too. Where a norm is 0 its derivative is 0.

/// x / max(norm of x along `axis`, eps)
Tensor normalize(const Tensor& x, double p = 2, int axis = 1, double eps = 1e-12);
/// Cosine of the angle between vectors along `axis` of the common shape; norms count as at least eps.
Tensor cosine_similarity(const Tensor& x1, const Tensor& x2, int axis = 1, double eps = 1e-8);
/// Norm of x1 - x2 + eps along the last axis; the operands broadcast.
Tensor pairwise_distance(const Tensor& x1, const Tensor& x2, double p = 2, double eps = 1e-6,
                         bool keepdim = false);
/// Distances of every row of x1 (..., P, M) to every row of x2 (..., R, M): (..., P, R). From differences,
/// not from products, so that small distances keep their digits.
Tensor cdist(const Tensor& x1, const Tensor& x2, double p = 2);

/// norm(x1 - x2) over all elements; shapes broadcast.
Tensor dist(const Tensor& x1, const Tensor& x2, double p = 2);
/// The distances of all pairs of different rows (i, j), i < j, of x (N, M): (N (N - 1) / 2).
Tensor pdist(const Tensor& x, double p = 2);
/// x with its slices along `axis` shortened to the norm `maxnorm` where theirs is larger. @throws ValueError
/// unless maxnorm >= 0
Tensor renorm(const Tensor& x, double p, int axis, double maxnorm);

}  // namespace cadena
