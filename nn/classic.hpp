// The units before backpropagation. Their rules of learning are in optim/rules.hpp; here is what they
// compute.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/random.hpp"
#include "nn/module.hpp"

namespace cadena::nn {

struct PerceptronOptions {
  bool bias = true;
  double at_zero = 1;  ///< output for a sum of exactly 0: 0 or 1
  DType dtype = f32;
};

/// heaviside(x W^T + b), (..., in) -> (..., out): 0 or 1. Rosenblatt (1958). Parameters as in Linear, at
/// first 0.
///
///   nn::Perceptron unit(2, 1);
///   optim::Perceptron rule;
///   for (...) wrong += ne(rule.step(unit.weight, unit.bias, x, t).output, t).sum().item();
class Perceptron : public Layer {
 public:
  /// @throws ShapeError for negative sizes, DtypeError unless f32 or f64, ValueError
  Perceptron(std::int64_t in_features, std::int64_t out_features, PerceptronOptions options = {});

  Tensor forward(const Tensor& x) override;
  void visit(Visitor& v) override;
  std::string extra_repr() const override;

  Parameter weight, bias;

 private:
  double at_zero_;
};

struct AdalineOptions {
  bool bias = true;
  DType dtype = f32;
};

/// x W^T + b, (..., in) -> (..., out), learnt by optim::Delta from targets of -1 and 1: the adaptive linear
/// neuron. Widrow and Hoff (1960). Parameters as in Linear, at first 0.
class Adaline : public Layer {
 public:
  /// @throws ShapeError for negative sizes, DtypeError unless f32 or f64
  Adaline(std::int64_t in_features, std::int64_t out_features, AdalineOptions options = {});

  Tensor forward(const Tensor& x) override;  ///< the sum itself, from which it learns
  Tensor classify(const Tensor& x);          ///< its quantizer: 1 where the sum is >= 0, else -1
  void visit(Visitor& v) override;
  std::string extra_repr() const override;

  Parameter weight, bias;
};

enum class HopfieldUpdate : std::uint8_t {
  asynchronous,  ///< one unit after the other; every recall ends in a state that stays
  synchronous,   ///< all at once; may end in two states that alternate
};

struct HopfieldRecallOptions {
  HopfieldUpdate update = HopfieldUpdate::asynchronous;
  bool shuffle = true;            ///< asynchronous: each sweep in an order of its own, else 0, 1, ...
  std::int64_t max_sweeps = 100;  ///< >= 1; a sweep updates every unit once
};

struct HopfieldRecall {
  Tensor state;                ///< -1 and 1
  bool converged;              ///< another sweep would change nothing
  std::vector<double> energy;  ///< at the start and after each sweep
};

/// A memory of patterns of -1 and 1, in n units that are all connected. About 0.138 n random patterns can be
/// recalled with few errors; beyond, none can (Amit, Gutfreund and Sompolinsky, Phys. Rev. Lett. 55 (1985)
/// 1530). J. J. Hopfield, "Neural networks and physical systems with emergent collective computational
/// abilities", PNAS 79 (1982) 2554.
///
/// Buffers `weight` (n, n), symmetric with a zero diagonal, and `bias` (n), the negative of the units'
/// thresholds; both are 0 at first.
class Hopfield : public Layer {
 public:
  /// @throws ShapeError for a negative size, DtypeError unless f32 or f64
  explicit Hopfield(std::int64_t size, DType dtype = f32);

  /// Hebb's rule for all pairs: W += 1/n sum of p p^T, without the diagonal. @param patterns (n) or (count,
  /// n)
  /// @throws ShapeError, ValueError unless all are -1 or 1
  void store(const Tensor& patterns);
  /// sign(w_i s + b_i), the sign unit i takes next; its present one where the sum is 0 (up to rounding).
  /// @throws ShapeError, ValueError, IndexError
  double next(const Tensor& state, std::int64_t unit) const;
  /// Updates `state` (n) until it stays. Asynchronous updates never raise the energy. @throws ShapeError,
  /// ValueError
  HopfieldRecall recall(const Tensor& state, HopfieldRecallOptions options = {},
                        Generator& generator = default_generator()) const;
  /// E = -1/2 s^T W s - b^T s, (n) -> () or (count, n) -> (count). @throws ShapeError
  Tensor energy(const Tensor& state) const;
  /// Recalls every state with the default options, (n) or (count, n).
  Tensor forward(const Tensor& states) override;

  void visit(Visitor& v) override;
  std::string extra_repr() const override;

  Buffer weight, bias;

 private:
  std::vector<double> signs(const char* what, const Tensor& states, bool several) const;
};

}  // namespace cadena::nn
