// Distances as modules: (x1, x2) -> one number for each pair of vectors. The functions are in
// autodiff/ops/distance.hpp.
#pragma once

#include "autodiff/ops.hpp"
#include "nn/module.hpp"

namespace cadena::nn {

class CosineSimilarity : public Callable {
 public:
  explicit CosineSimilarity(int axis = 1, double eps = 1e-8) : axis_(axis), eps_(eps) {}
  Tensor operator()(const Tensor& x1, const Tensor& x2) {
    return call([this](const Tensor& a, const Tensor& b) { return cosine_similarity(a, b, axis_, eps_); }, x1,
                x2);
  }

 private:
  int axis_;
  double eps_;
};

class PairwiseDistance : public Callable {
 public:
  explicit PairwiseDistance(double p = 2, double eps = 1e-6, bool keepdim = false)
      : p_(p), eps_(eps), keepdim_(keepdim) {}
  Tensor operator()(const Tensor& x1, const Tensor& x2) {
    return call(
        [this](const Tensor& a, const Tensor& b) { return pairwise_distance(a, b, p_, eps_, keepdim_); }, x1,
        x2);
  }

 private:
  double p_, eps_;
  bool keepdim_;
};

}  // namespace cadena::nn
