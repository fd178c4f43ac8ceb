// Spread and size of what lies along axes.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

struct VarOptions {
  double correction = 1;  ///< the sum of squares is divided by n - correction; NaN where that is not positive
  bool keepdim = false;
};
struct VarMean {
  Tensor var, mean;
};
struct StdMean {
  Tensor std, mean;
};
// Over `axes` (all when empty), of f32 or f64. @throws DtypeError
Tensor var(const Tensor& x, const Axes& axes = {}, const VarOptions& options = {});
/// The root of var. Its derivative is 0 where nothing varies.
Tensor std(const Tensor& x, const Axes& axes = {}, const VarOptions& options = {});
VarMean var_mean(const Tensor& x, const Axes& axes = {}, const VarOptions& options = {});
StdMean std_mean(const Tensor& x, const Axes& axes = {}, const VarOptions& options = {});

struct CovOptions {
  double correction = 1;  ///< as VarOptions'
  Tensor fweights = {};   ///< how often each observation was made (n), whole numbers
  Tensor aweights = {};   ///< how much each observation counts (n)
};
/// Covariances of the rows of x (variables, observations), or the variance of x (n).
/// @throws ShapeError, ValueError for negative weights
Tensor cov(const Tensor& x, const CovOptions& options = {});
/// Correlations of the rows of x, within [-1, 1]. NaN where a row does not vary.
Tensor corrcoef(const Tensor& x);
/// sum(|x|^ord)^(1/ord). ord 0 counts what is not 0; inf and -inf take the largest and smallest |x|. Its
/// derivative is 0 where all is 0, in every order. @throws ValueError for NaN, and for infinite and negative
/// orders of nothing
Tensor vector_norm(const Tensor& x, double ord = 2, const Axes& axes = {}, bool keepdim = false);
Tensor norm(const Tensor& x, double p = 2, const Axes& axes = {}, bool keepdim = false);  ///< vector_norm

}  // namespace cadena
