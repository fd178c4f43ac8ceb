// A softmax over many classes, of which most are rare.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/sequential.hpp"

namespace cadena::nn {

struct AdaptiveLogSoftmaxOptions {
  double div_value = 4;    ///< each cluster of rarer classes is projected to in_features / div_value^(i + 1)
  bool head_bias = false;  ///< of the frequent classes
  DType dtype = f32;
};

struct AdaptiveLogSoftmaxOutput {
  Tensor output;  ///< log probabilities of the targets, (N) or ()
  Tensor loss;    ///< minus their mean
};

/// Classes in the order of falling frequency, cut into a shortlist and clusters: only the clusters that
/// targets lie in are computed. Grave et al., arXiv:1609.04309.
///
/// Modules `head`, a Linear, and `tail`, for each cluster two Linears without bias.
class AdaptiveLogSoftmaxWithLoss : public Callable {
 public:
  /// @param cutoffs where clusters begin: rising, from 1 to n_classes - 1 @throws ValueError
  AdaptiveLogSoftmaxWithLoss(std::int64_t in_features, std::int64_t n_classes,
                             std::vector<std::int64_t> cutoffs,
                             const AdaptiveLogSoftmaxOptions& options = {});

  /// @param x (N, in) or (in) @param target i64 (N) or () @throws ShapeError, DtypeError, IndexError
  AdaptiveLogSoftmaxOutput operator()(const Tensor& x, const Tensor& target) {
    return call([this](const Tensor& in, const Tensor& t) { return forward(in, t); }, x, target);
  }
  AdaptiveLogSoftmaxOutput forward(const Tensor& x, const Tensor& target);
  Tensor log_prob(const Tensor& x);  ///< of all classes, (N, n_classes)
  Tensor predict(const Tensor& x);   ///< the likeliest classes, i64 (N)
  void visit(Visitor& v) override;

  Linear head;
  std::vector<Sequential> tail;

 private:
  Tensor cluster(std::size_t i, const Tensor& x);

  std::int64_t n_classes_;
  std::vector<std::int64_t> cutoffs_;  // and n_classes behind them
};

}  // namespace cadena::nn
