// How good predictions are. Every function takes whole tensors of any floating or integer dtype, is not
// recorded, and computes in double; what is a share lies in [0, 1].
//
// @throws ShapeError "[name] expected ..., got ..." for shapes that do not fit together, ValueError for no
// examples at all and for labels outside the classes
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena::train {

/// The mean of values that come one by one, each with its weight: batches by their number of examples.
class Mean {
 public:
  void add(double value, double weight = 1) {
    sum_ += value * weight;
    weight_ += weight;
  }
  /// NaN before the first value.
  double get() const { return sum_ / weight_; }
  double weight() const { return weight_; }
  double sum() const { return sum_; }
  /// Goes on where another Mean stood.
  static Mean from(double sum, double weight);

 private:
  double sum_ = 0, weight_ = 0;
};

// ---- classes ----

/// Share of examples whose label has the highest score.
/// @param scores (N, C, ...): logits or probabilities @param labels (N, ...) i64 in [0, C)
double accuracy(const Tensor& scores, const Tensor& labels);
/// Share of examples whose label is among the `k` highest scores; ties count as the lower class first.
double top_k_accuracy(const Tensor& scores, const Tensor& labels, std::int64_t k);

/// How many examples of which class were taken for which, and what follows from that.
class Confusion {
 public:
  explicit Confusion(std::int64_t classes);

  /// @param predicted, labels i64 of one shape, in [0, classes)
  void add(const Tensor& predicted, const Tensor& labels);

  std::int64_t classes() const { return classes_; }
  std::int64_t total() const;
  /// Examples of class `label` that were taken for `predicted`.
  std::int64_t count(std::int64_t label, std::int64_t predicted) const;
  /// All counts, row by row: `counts()[label * classes() + predicted]`.
  const std::vector<std::int64_t>& counts() const { return counts_; }

  double accuracy() const;
  // By class. Where nothing was predicted as a class (precision), or no example has it (recall), the value is
  // 0, as in scikit-learn.
  std::vector<double> precision() const;
  std::vector<double> recall() const;
  std::vector<double> f1() const;

  /// Cohen's kappa (1960): agreement beyond chance, in [-1, 1]; 0 where chance alone agrees.
  double kappa() const;

 private:
  std::int64_t row(std::int64_t label) const;
  std::int64_t column(std::int64_t predicted) const;

  std::int64_t classes_;
  std::vector<std::int64_t> counts_;
};

/// The mean over classes, each counting the same ("macro").
double macro(const std::vector<double>& by_class);
/// The mean over classes, each counting by its examples ("weighted").
double weighted(const std::vector<double>& by_class, const Confusion& confusion);

// ---- two classes ----

/// The receiver operating characteristic: what shares of the negatives and of the positives score at least a
/// threshold, from the highest score down; begins at (0, 0) with an infinite threshold, ends at (1, 1).
struct RocCurve {
  std::vector<double> false_positive, true_positive, threshold;
};
/// @param scores (N): the higher, the more likely positive @param labels (N) of 0 and 1, some of each
RocCurve roc_curve(const Tensor& scores, const Tensor& labels);
/// Area under it: the probability that a positive example scores higher than a negative one, ties counting
/// half (Mann and Whitney 1947). Exact.
double roc_auc(const Tensor& scores, const Tensor& labels);

/// Predicted probabilities against what happened, in `bins` of equal width.
struct Calibration {
  std::vector<double> predicted, observed;  ///< means of the bins that are not empty
  std::vector<std::int64_t> count;
  double expected_error = 0;  ///< ECE: mean |predicted - observed|, weighted by count (Naeini et al. 2015)
};
/// @param probabilities (N) in [0, 1] @param labels (N) of 0 and 1
Calibration calibration(const Tensor& probabilities, const Tensor& labels, int bins = 10);
/// Mean squared difference of probability and outcome (Brier 1950).
double brier_score(const Tensor& probabilities, const Tensor& labels);

// ---- numbers ----

double mean_absolute_error(const Tensor& predicted, const Tensor& truth);
double mean_squared_error(const Tensor& predicted, const Tensor& truth);
/// Share of the variance of `truth` that is explained: 1 - sum (t - p)^2 / sum (t - mean t)^2. 1 is perfect,
/// 0 as good as the mean, negative worse. For a constant truth 1 if it is met exactly, else -infinity.
double r2_score(const Tensor& predicted, const Tensor& truth);

}  // namespace cadena::train
