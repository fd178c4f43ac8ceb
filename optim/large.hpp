// Optimizers made for large models: less memory, large batches, or a step for whole matrices.
#pragma once

#include "optim/optimizer.hpp"

namespace cadena::optim {

struct LionOptions {
  static constexpr const char* name = "Lion";
  double lr = 1e-4;                           ///< >= 0; a third to a tenth of Adam's
  std::array<double, 2> betas = {0.9, 0.99};  ///< each in [0, 1)
  double weight_decay = 0;                    ///< >= 0; w shrinks by the factor 1 - lr weight_decay
  bool maximize = false;

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("beta1", betas[0], below_1);
    v("beta2", betas[1], below_1);
    v("weight_decay", weight_decay, non_negative);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<LionOptions>;

/// w <- (1 - lr weight_decay) w - lr sign(b1 m + (1 - b1) g);  m <- b2 m + (1 - b2) g. Chen et al., "Symbolic
/// discovery of optimization algorithms", arXiv:2302.06675, algorithm 2. Slot "exp_avg".
class Lion : public OptimizerWith<LionOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const LionOptions& o) override;
  SlotNames slots(const LionOptions& o, const Tensor& weight) const override;
};

struct LAMBOptions {
  static constexpr const char* name = "LAMB";
  double lr = 1e-3;                            ///< >= 0
  std::array<double, 2> betas = {0.9, 0.999};  ///< each in [0, 1)
  double eps = 1e-6;                           ///< >= 0
  double weight_decay = 1e-2;                  ///< >= 0
  bool maximize = false;

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("beta1", betas[0], below_1);
    v("beta2", betas[1], below_1);
    v("eps", eps, non_negative);
    v("weight_decay", weight_decay, non_negative);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<LAMBOptions>;

/// Adam's direction r = m/c1 / (sqrt(v/c2) + eps) + weight_decay w, made as long as each parameter:
/// w <- w - lr |w|/|r| r, where a ratio with a norm of 0 is 1. You et al., "Large batch optimization for deep
/// learning: training BERT in 76 minutes", arXiv:1904.00962, algorithm 2 with phi(z) = z. Slots "exp_avg",
/// "exp_avg_sq".
class LAMB : public OptimizerWith<LAMBOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const LAMBOptions& o) override;
  SlotNames slots(const LAMBOptions& o, const Tensor& weight) const override;
};

struct AdafactorOptions {
  static constexpr const char* name = "Adafactor";
  double lr = 1e-2;                       ///< >= 0: the largest relative step
  double beta2_decay = -0.8;              ///< <= 0
  std::array<double, 2> eps = {0, 1e-3};  ///< >= 0; eps[0] = 0 stands for the dtype's epsilon, PyTorch's None
  double d = 1;                           ///< >= 1: updates are clipped to this root mean square
  double weight_decay = 0;                ///< >= 0; w shrinks by the factor 1 - lr weight_decay
  bool maximize = false;

  template <class V>
  void visit(V&& v) {
    constexpr Range non_positive{[](double x) { return x <= 0; }, "<= 0"};
    v("lr", lr, non_negative);
    v("beta2_decay", beta2_decay, non_positive);
    v("eps1", eps[0], non_negative);
    v("eps2", eps[1], non_negative);
    v("d", d, at_least_1);
    v("weight_decay", weight_decay, non_negative);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<AdafactorOptions>;

/// Adam's second moments kept as a row and a column for each matrix (the last two axes), no first moments.
/// With k = step^beta2_decay, R <- R + k (mean over columns of g^2 - R), C likewise over rows,
/// V = R C / max(mean R, eps1) (or for vectors V <- V + k (g^2 - V)); u = g / max(sqrt(V), eps1);
/// w <- (1 - lr weight_decay) w - a u / max(1, RMS(u)/d) with a = max(eps2, RMS(w)) min(lr, 1/sqrt(step)).
/// Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", arXiv:1804.04235, in
/// PyTorch's reading. Slots "row_var" and "col_var", or "variance".
class Adafactor : public OptimizerWith<AdafactorOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const AdafactorOptions& o) override;
  SlotNames slots(const AdafactorOptions& o, const Tensor& weight) const override;
  Tensor initial(const AdafactorOptions& o, const Tensor& weight, const std::string& slot) const override;
};

/// How Muon scales its rate for an (A, B) matrix.
enum class AdjustLr : std::uint8_t {
  original,         ///< by sqrt(max(1, A/B))
  match_rms_adamw,  ///< by 0.2 sqrt(max(A, B)), so that AdamW's rate and decay can be taken over
};

struct MuonOptions {
  static constexpr const char* name = "Muon";
  double lr = 1e-3;           ///< >= 0
  double weight_decay = 0.1;  ///< >= 0; w shrinks by the factor 1 - lr weight_decay
  double momentum = 0.95;     ///< >= 0
  bool nesterov = true;
  std::array<double, 3> ns_coefficients = {3.4445, -4.775, 2.0315};
  double eps = 1e-7;          ///< >= 0
  std::int64_t ns_steps = 5;  ///< in [0, 100)
  AdjustLr adjust_lr_fn = AdjustLr::original;
  bool maximize = false;

  /// @throws ShapeError unless it is a matrix
  static void check_parameter(const std::string& parameter, const Tensor& weight);
  template <class V>
  void visit(V&& v) {
    constexpr Range below_100{[](double x) { return x >= 0 && x < 100; }, "a number in [0, 100)"};
    v("lr", lr, non_negative);
    v("weight_decay", weight_decay, non_negative);
    v("momentum", momentum, non_negative);
    v("nesterov", nesterov, flag);
    v("ns_a", ns_coefficients[0], finite);
    v("ns_b", ns_coefficients[1], finite);
    v("ns_c", ns_coefficients[2], finite);
    v("eps", eps, non_negative);
    v("ns_steps", ns_steps, below_100);
    v("adjust_lr_fn", adjust_lr_fn, one_of<2>);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<MuonOptions>;

/// For the matrices of hidden layers; give biases, embeddings and the head to AdamW. m <- momentum m + (1 -
/// momentum) g; the direction (with Nesterov's momentum (1 - momentum) g + momentum m) is replaced by the
/// nearest orthogonal matrix, about: ns_steps times X <- a X + (b X X^T + c (X X^T)^2) X from X / |X|; w <-
/// (1 - lr weight_decay) w - lr adjust_lr_fn X. Jordan et al., "Muon: an optimizer for hidden layers in
/// neural networks" (2024); Liu et al., arXiv:2502.16982. As PyTorch's, which iterates in bfloat16: this does
/// in the parameter's dtype. Slot "momentum_buffer".
class Muon : public OptimizerWith<MuonOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const MuonOptions& o) override;
  SlotNames slots(const MuonOptions& o, const Tensor& weight) const override;
};

}  // namespace cadena::optim
