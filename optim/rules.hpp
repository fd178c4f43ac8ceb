// Learning rules that follow no gradient. A rule changes the weights of one layer of units, net = W x + b,
// from what arrives at the layer and what leaves it:
//
//   optim::Hebb hebb({.lr = 0.1});
//   for (...) {
//     auto [output, dw, db] = hebb.step(weight, bias, x, target);   // weight and bias are changed in place
//     std::cout << dw << "\n";
//   }
#pragma once

#include <cstdint>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::optim {

/// What becomes of several samples in one call.
enum class Samples : std::uint8_t {
  in_order,   ///< each is answered with the weights that the ones before it left, as the rules are defined
  batch_sum,  ///< all are answered with the same weights, which then change by the sum
};

/// What one call did.
struct RuleStep {
  Tensor output;  ///< of the layer, before each change; of target's shape
  Tensor weight;  ///< change of the weight
  Tensor bias;    ///< change of the bias; undefined without one
};

/// A rule keeps nothing but its options, so there is no state to save.
class LearningRule {
 public:
  virtual ~LearningRule() = default;

  /// Changes `weight` (out, in) and `bias` (out), unrecorded. Without a bias, pass an undefined tensor.
  /// @param x (in), or (samples, in) @param target (out), or (samples, out); with one unit also () or
  /// (samples). Integers and bools are converted to the weight's dtype.
  /// @throws ShapeError, DtypeError, ValueError, with nothing changed
  RuleStep step(Tensor weight, Tensor bias, const Tensor& x, const Tensor& target = {});

  const std::string& name() const { return name_; }
  double lr() const { return lr_; }
  void set_lr(double lr);  ///< @throws ValueError unless finite and >= 0

 protected:
  /// The change is lr * (sum of factor x^T - decay * W), the bias being a weight of the constant input 1.
  struct Signal {
    Tensor output;      ///< (samples, out)
    Tensor factor;      ///< (samples, out)
    Tensor decay = {};  ///< (samples, out), or undefined for none
  };

  LearningRule(const char* name, double lr, Samples samples);
  /// @param net (samples, out) @param target of the same shape, or undefined
  virtual Signal signal(const Tensor& net, const Tensor& target) const = 0;
  virtual bool takes_bias() const { return true; }
  /// @throws ValueError for a target that the rule cannot follow, or none where it needs one
  virtual void check_target(const Tensor& target) const;
  [[noreturn]] void fail(const std::string& expected, const std::string& got) const;

 private:
  void check(const Tensor& weight, const Tensor& bias, const Tensor& x, const Tensor& target) const;
  RuleStep change(Tensor& weight, Tensor& bias, const Tensor& x, const Tensor& target) const;

  std::string name_;
  double lr_;
  Samples samples_;
};

struct LearningRuleOptions {
  double lr = 0.1;  ///< finite, >= 0
  Samples samples = Samples::in_order;
};

/// dw = lr y x,  db = lr y, where y is the target, or without one the unit's own output W x + b.
/// "Cells that fire together wire together": D. O. Hebb, "The Organization of Behavior" (1949).
class Hebb : public LearningRule {
 public:
  explicit Hebb(LearningRuleOptions options = {}) : LearningRule("Hebb", options.lr, options.samples) {}

 protected:
  Signal signal(const Tensor& net, const Tensor& target) const override;
  void check_target(const Tensor&) const override {}
};

/// dw = lr y (x - y w) with y = w x: Hebb's rule, kept from growing. w tends to the first principal direction
/// of the inputs, with length 1. Each unit follows it for itself; there is no bias and no target. E. Oja, "A
/// simplified neuron model as a principal component analyzer", J. Math. Biology 15 (1982) 267.
class Oja : public LearningRule {
 public:
  explicit Oja(LearningRuleOptions options = {}) : LearningRule("Oja", options.lr, options.samples) {}

 protected:
  Signal signal(const Tensor& net, const Tensor& target) const override;
  bool takes_bias() const override { return false; }
  void check_target(const Tensor& target) const override;
};

struct PerceptronOptions {
  double lr = 1;  ///< finite, >= 0; from zero weights on, it scales them and changes no decision
  Samples samples = Samples::in_order;
  double at_zero = 1;  ///< output of a unit whose sum is exactly 0: 0 or 1
};

/// dw = lr (t - y) x,  db = lr (t - y) with y = heaviside(W x + b) and targets t of 0 or 1. Where a line (a
/// hyperplane) separates the classes, it is found after finitely many changes.
/// F. Rosenblatt, "The perceptron", Psychological Review 65 (1958) 386; bound: A. Novikoff (1962).
class Perceptron : public LearningRule {
 public:
  /// @throws ValueError
  explicit Perceptron(PerceptronOptions options = {});

 protected:
  Signal signal(const Tensor& net, const Tensor& target) const override;
  void check_target(const Tensor& target) const override;

 private:
  double at_zero_;
};

/// dw = lr (t - net) x,  db = lr (t - net) with net = W x + b: least mean squares. It is gradient descent on
/// (t - net)^2 / 2, written without a gradient; it is stable for small lr only.
/// B. Widrow and M. Hoff, "Adaptive switching circuits", IRE WESCON Convention Record 4 (1960) 96.
class Delta : public LearningRule {
 public:
  explicit Delta(LearningRuleOptions options = {}) : LearningRule("Delta", options.lr, options.samples) {}

 protected:
  Signal signal(const Tensor& net, const Tensor& target) const override;
};

}  // namespace cadena::optim
