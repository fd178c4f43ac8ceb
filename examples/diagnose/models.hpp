// The network of diagnose, and the model that it must beat.
#pragma once

#include <cstdint>

#include "autodiff/ops.hpp"
#include "examples/diagnose/cohort.hpp"
#include "examples/diagnose/options.hpp"
#include "nn/nn.hpp"
#include "train/fit.hpp"

namespace cadena::examples {

/// Takes numbers as they stand in the table; a missing one becomes the mean.
struct Standardize : nn::Layer {
  nn::Buffer mean, deviation;

  explicit Standardize(const Cohort& cohort)
      : mean(cohort.mean.clone()), deviation(cohort.deviation.clone()) {}

  /// f64 (batch, width) -> f32. In double up to here: a date in seconds would lose its days in single.
  Tensor forward(const Tensor& x) override {
    const Tensor z = (x - mean) / deviation;
    return where(isnan(z), 0.0, z).to(f32);
  }
  void visit(nn::Visitor& v) override { v("mean", mean), v("deviation", deviation); }
};

/// A table's rows -> the log-odds of class 1.
struct Classifier : nn::Module {
  /// f64 (batch, width) -> (batch)
  virtual Tensor operator()(const Tensor& x) = 0;
};

/// A multilayer perceptron, width -> 64 -> 32 -> 1.
struct Perceptron : Classifier {
  Standardize standardize;
  nn::Linear fc1, fc2, fc3;
  nn::Dropout dropout;

  Perceptron(const Cohort& cohort, double p)
      : standardize(cohort), fc1(cohort.mean.size(0), 64), fc2(64, 32), fc3(32, 1), dropout(p) {}

  Tensor operator()(const Tensor& x) override {
    Tensor h = dropout(relu(fc1(standardize(x))));
    h = dropout(relu(fc2(h)));
    return fc3(h).squeeze(1);
  }
  void visit(nn::Visitor& v) override {
    v("standardize", standardize);
    v("fc1", fc1);
    v("fc2", fc2);
    v("fc3", fc3);
    v("dropout", dropout);
  }
};

/// The log-odds are a weighted sum.
struct LogisticRegression : Classifier {
  Standardize standardize;
  nn::Linear fc;

  explicit LogisticRegression(const Cohort& cohort) : standardize(cohort), fc(cohort.mean.size(0), 1) {}

  Tensor operator()(const Tensor& x) override { return fc(standardize(x)).squeeze(1); }
  void visit(nn::Visitor& v) override { v("standardize", standardize), v("fc", fc); }
};

/// Weights from zero to the minimum by LBFGS, with a slight penalty on their squares, without which classes
/// that a plane separates would have none.
void fit_logistic(LogisticRegression& model, const Part& part);

/// Trains with Adam and decaying weights until the loss on the validation rows has not fallen for a while;
/// the best weights are kept. @throws ValueError as train::fit, and for a checkpoint of other data
train::FitResult fit_perceptron(Perceptron& net, const Cohort& cohort, const DiagnoseOptions& o);

/// Probabilities of class 1, f64 (rows of x).
Tensor probabilities(Classifier& model, const Tensor& x);

}  // namespace cadena::examples
