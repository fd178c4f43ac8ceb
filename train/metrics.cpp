#include "train/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "autodiff/autodiff.hpp"

namespace cadena::train {
namespace {

using Doubles = std::vector<double>;
using Labels = std::vector<std::int64_t>;

void expect_same(const char* name, const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape())
    throw ShapeError("[" + std::string(name) + "] expected two tensors of one shape, got " +
                     to_string(a.shape()) + " and " + to_string(b.shape()));
  if (a.numel() == 0) throw ValueError("[" + std::string(name) + "] expected at least one example, got none");
}

void expect_label(const char* name, std::int64_t label, std::int64_t classes) {
  if (label < 0 || label >= classes)
    throw ValueError("[" + std::string(name) + "] expected labels from 0 to " + std::to_string(classes - 1) +
                     ", got " + std::to_string(label));
}

/// Labels of two classes as 0 and 1.
Labels binary(const char* name, const Tensor& labels) {
  Labels result;
  for (const double v : labels.to_vector<double>()) {
    if (v != 0 && v != 1)
      throw ValueError("[" + std::string(name) + "] expected labels 0 and 1, got " + std::to_string(v));
    result.push_back(v == 1);
  }
  return result;
}

/// Scores without NaN.
Doubles ordered(const char* name, const Tensor& scores) {
  auto result = scores.to_vector<double>();
  if (std::any_of(result.begin(), result.end(), [](double v) { return std::isnan(v); }))
    throw ValueError("[" + std::string(name) + "] expected scores that can be ordered, got NaN");
  return result;
}

/// (N, C, ...) -> rows of C scores, and the labels beside them.
std::pair<Doubles, Labels> rows(const char* name, const Tensor& scores, const Tensor& labels) {
  Shape expected = scores.shape();
  if (scores.dim() >= 2) expected = select(scores, 1, 0).shape();
  if (scores.dim() < 2 || labels.shape() != expected)
    throw ShapeError("[" + std::string(name) + "] expected scores (N, C, ...) and labels (N, ...), got " +
                     to_string(scores.shape()) + " and " + to_string(labels.shape()));
  if (labels.numel() == 0)
    throw ValueError("[" + std::string(name) + "] expected at least one example, got none");
  std::pair<Doubles, Labels> result{movedim(scores, {1}, {-1}).to_vector<double>(),
                                    labels.to_vector<std::int64_t>()};
  for (const auto label : result.second) expect_label(name, label, scores.size(1));
  return result;
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double top_k(const char* name, const Tensor& scores, const Tensor& labels, std::int64_t k) {
  const NoGrad no_grad;
  const auto [values, truth] = rows(name, scores, labels);
  const auto classes = static_cast<std::size_t>(scores.size(1));
  if (k < 1 || k > scores.size(1))
    throw ValueError("[" + std::string(name) + "] expected k from 1 to " + std::to_string(classes) +
                     ", got " + std::to_string(k));
  std::int64_t hits = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double* row = values.data() + i * classes;
    const auto label = static_cast<std::size_t>(truth[i]);
    std::int64_t before = 0;  // classes that are ranked before the label
    for (std::size_t c = 0; c < classes; ++c)
      before += row[c] > row[label] || (row[c] == row[label] && c < label);
    hits += before < k && !std::isnan(row[label]);
  }
  return share(hits, static_cast<std::int64_t>(truth.size()));
}

}  // namespace

Mean Mean::from(double sum, double weight) {
  Mean mean;
  mean.sum_ = sum;
  mean.weight_ = weight;
  return mean;
}

double top_k_accuracy(const Tensor& scores, const Tensor& labels, std::int64_t k) {
  return top_k("top_k_accuracy", scores, labels, k);
}

double accuracy(const Tensor& scores, const Tensor& labels) { return top_k("accuracy", scores, labels, 1); }

// ---- Confusion ----

Confusion::Confusion(std::int64_t classes) : classes_(classes) {
  if (classes < 1)
    throw ValueError("[Confusion] expected at least one class, got " + std::to_string(classes));
  counts_.resize(static_cast<std::size_t>(classes * classes));
}

void Confusion::add(const Tensor& predicted, const Tensor& labels) {
  if (predicted.shape() != labels.shape())
    throw ShapeError("[Confusion] expected two tensors of one shape, got " + to_string(predicted.shape()) +
                     " and " + to_string(labels.shape()));
  const auto p = predicted.to_vector<std::int64_t>(), t = labels.to_vector<std::int64_t>();
  for (const auto* list : {&p, &t})
    for (const auto label : *list) expect_label("Confusion", label, classes_);
  for (std::size_t i = 0; i < p.size(); ++i) ++counts_[static_cast<std::size_t>(t[i] * classes_ + p[i])];
}

std::int64_t Confusion::count(std::int64_t label, std::int64_t predicted) const {
  expect_label("Confusion", label, classes_);
  expect_label("Confusion", predicted, classes_);
  return counts_[static_cast<std::size_t>(label * classes_ + predicted)];
}

std::int64_t Confusion::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

std::int64_t Confusion::row(std::int64_t label) const {
  std::int64_t sum = 0;
  for (std::int64_t p = 0; p < classes_; ++p) sum += count(label, p);
  return sum;
}

std::int64_t Confusion::column(std::int64_t predicted) const {
  std::int64_t sum = 0;
  for (std::int64_t t = 0; t < classes_; ++t) sum += count(t, predicted);
  return sum;
}

double Confusion::accuracy() const {
  std::int64_t hits = 0;
  for (std::int64_t c = 0; c < classes_; ++c) hits += count(c, c);
  return share(hits, total());
}

std::vector<double> Confusion::precision() const {
  Doubles result;
  for (std::int64_t c = 0; c < classes_; ++c) result.push_back(share(count(c, c), column(c)));
  return result;
}

std::vector<double> Confusion::recall() const {
  Doubles result;
  for (std::int64_t c = 0; c < classes_; ++c) result.push_back(share(count(c, c), row(c)));
  return result;
}

std::vector<double> Confusion::f1() const {
  Doubles result;
  for (std::int64_t c = 0; c < classes_; ++c) result.push_back(share(2 * count(c, c), row(c) + column(c)));
  return result;
}

double Confusion::kappa() const {
  const auto n = static_cast<double>(total());
  double chance = 0;
  for (std::int64_t c = 0; c < classes_; ++c)
    chance += static_cast<double>(row(c)) * static_cast<double>(column(c));
  chance /= n * n;
  return n == 0 || chance == 1 ? 0 : (accuracy() - chance) / (1 - chance);
}

double macro(const std::vector<double>& by_class) {
  if (by_class.empty()) throw ValueError("[macro] expected at least one class, got none");
  return std::accumulate(by_class.begin(), by_class.end(), 0.0) / static_cast<double>(by_class.size());
}

double weighted(const std::vector<double>& by_class, const Confusion& confusion) {
  if (static_cast<std::int64_t>(by_class.size()) != confusion.classes())
    throw ValueError("[weighted] expected a value for each of " + std::to_string(confusion.classes()) +
                     " classes, got " + std::to_string(by_class.size()));
  Mean mean;
  for (std::int64_t c = 0; c < confusion.classes(); ++c) {
    double examples = 0;
    for (std::int64_t p = 0; p < confusion.classes(); ++p)
      examples += static_cast<double>(confusion.count(c, p));
    mean.add(by_class[static_cast<std::size_t>(c)], examples);
  }
  return mean.get();
}

// ---- two classes ----

RocCurve roc_curve(const Tensor& scores, const Tensor& labels) {
  expect_same("roc_curve", scores, labels);
  const auto score = ordered("roc_curve", scores);
  const auto truth = binary("roc_curve", labels);
  const auto n = static_cast<std::int64_t>(truth.size());
  const auto positives = std::accumulate(truth.begin(), truth.end(), std::int64_t{0});
  if (positives == 0 || positives == n)
    throw ValueError("[roc_curve] expected labels of both classes, got only " + std::to_string(truth[0]));

  std::vector<std::size_t> order(score.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return score[a] > score[b]; });
  RocCurve curve{{0}, {0}, {std::numeric_limits<double>::infinity()}};
  std::int64_t hits = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    hits += truth[order[i]];
    if (i + 1 < order.size() && score[order[i + 1]] == score[order[i]])
      continue;  // one threshold admits both
    curve.true_positive.push_back(share(hits, positives));
    curve.false_positive.push_back(share(static_cast<std::int64_t>(i + 1) - hits, n - positives));
    curve.threshold.push_back(score[order[i]]);
  }
  return curve;
}

double roc_auc(const Tensor& scores, const Tensor& labels) {
  const auto curve = roc_curve(scores, labels);
  double area = 0;
  for (std::size_t i = 1; i < curve.threshold.size(); ++i)
    area += (curve.false_positive[i] - curve.false_positive[i - 1]) *
            (curve.true_positive[i] + curve.true_positive[i - 1]) / 2;
  return area;
}

Calibration calibration(const Tensor& probabilities, const Tensor& labels, int bins) {
  expect_same("calibration", probabilities, labels);
  if (bins < 1) throw ValueError("[calibration] expected at least one bin, got " + std::to_string(bins));
  const auto p = probabilities.to_vector<double>();
  const auto truth = binary("calibration", labels);
  std::vector<Mean> predicted(static_cast<std::size_t>(bins)), observed(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!(p[i] >= 0 && p[i] <= 1))
      throw ValueError("[calibration] expected probabilities from 0 to 1, got " + std::to_string(p[i]));
    const auto bin = std::min(static_cast<std::size_t>(p[i] * bins), predicted.size() - 1);
    predicted[bin].add(p[i]);
    observed[bin].add(static_cast<double>(truth[i]));
  }
  Calibration result;
  Mean error;
  for (std::size_t b = 0; b < predicted.size(); ++b) {
    if (predicted[b].weight() == 0) continue;
    result.predicted.push_back(predicted[b].get());
    result.observed.push_back(observed[b].get());
    result.count.push_back(static_cast<std::int64_t>(predicted[b].weight()));
    error.add(std::abs(predicted[b].get() - observed[b].get()), predicted[b].weight());
  }
  result.expected_error = error.get();
  return result;
}

double brier_score(const Tensor& probabilities, const Tensor& labels) {
  expect_same("brier_score", probabilities, labels);
  (void)binary("brier_score", labels);
  return mean_squared_error(probabilities, labels);
}

// ---- numbers ----

double mean_absolute_error(const Tensor& predicted, const Tensor& truth) {
  expect_same("mean_absolute_error", predicted, truth);
  const auto p = predicted.to_vector<double>(), t = truth.to_vector<double>();
  Mean mean;
  for (std::size_t i = 0; i < p.size(); ++i) mean.add(std::abs(p[i] - t[i]));
  return mean.get();
}

double mean_squared_error(const Tensor& predicted, const Tensor& truth) {
  expect_same("mean_squared_error", predicted, truth);
  const auto p = predicted.to_vector<double>(), t = truth.to_vector<double>();
  Mean mean;
  for (std::size_t i = 0; i < p.size(); ++i) mean.add((p[i] - t[i]) * (p[i] - t[i]));
  return mean.get();
}

double r2_score(const Tensor& predicted, const Tensor& truth) {
  expect_same("r2_score", predicted, truth);
  const auto t = truth.to_vector<double>();
  Mean mean, variance;
  for (const double v : t) mean.add(v);
  for (const double v : t) variance.add((v - mean.get()) * (v - mean.get()));
  const double error = mean_squared_error(predicted, truth);
  if (variance.get() == 0) return error == 0 ? 1 : -std::numeric_limits<double>::infinity();
  return 1 - error / variance.get();
}

}  // namespace cadena::train
