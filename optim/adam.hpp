// Adam, AdamW and their variants.
#pragma once

#include "optim/optimizer.hpp"

namespace cadena::optim {

/// What both have; they differ in the default and the meaning of weight_decay.
struct AdamOptions {
  static constexpr const char* name = "Adam";
  double lr = 1e-3;                            ///< >= 0
  std::array<double, 2> betas = {0.9, 0.999};  ///< each in [0, 1)
  double eps = 1e-8;                           ///< >= 0
  double weight_decay = 0;                     ///< >= 0, added to the gradient: L2
  bool amsgrad = false;                        ///< divide by the largest average so far
  bool maximize = false;
  bool bias_correction = true;  ///< without it the averages, which start at 0, are used as they are

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("beta1", betas[0], below_1);
    v("beta2", betas[1], below_1);
    v("eps", eps, non_negative);
    v("weight_decay", weight_decay, non_negative);
    v("amsgrad", amsgrad, flag);
    v("maximize", maximize, flag);
    v("bias_correction", bias_correction, flag);
  }
};

extern template class OptimizerWith<AdamOptions>;

/// m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;  w <- w - lr/c1 m / (sqrt(v)/sqrt(c2) + eps) with the
/// bias corrections c = 1 - b^step. Kingma and Ba, arXiv:1412.6980; AMSGrad: Reddi et al., "On the
/// convergence of Adam and beyond" (2018). Slots "exp_avg", "exp_avg_sq", "max_exp_avg_sq".
class Adam : public OptimizerWith<AdamOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const AdamOptions& o) override;
  SlotNames slots(const AdamOptions& o, const Tensor& weight) const override;
};

struct AdamWOptions {
  static constexpr const char* name = "AdamW";
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;  ///< >= 0; w shrinks by the factor 1 - lr weight_decay
  bool amsgrad = false;
  bool maximize = false;
  bool bias_correction = true;

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("beta1", betas[0], below_1);
    v("beta2", betas[1], below_1);
    v("eps", eps, non_negative);
    v("weight_decay", weight_decay, non_negative);
    v("amsgrad", amsgrad, flag);
    v("maximize", maximize, flag);
    v("bias_correction", bias_correction, flag);
  }
};

extern template class OptimizerWith<AdamWOptions>;

/// Adam whose weight decay stays out of the averages: w <- (1 - lr weight_decay) w, then Adam's step.
/// Loshchilov and Hutter, "Decoupled weight decay regularization", arXiv:1711.05101.
class AdamW : public OptimizerWith<AdamWOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const AdamWOptions& o) override;
  SlotNames slots(const AdamWOptions& o, const Tensor& weight) const override;
};

struct AdamaxOptions {
  static constexpr const char* name = "Adamax";
  double lr = 2e-3;                            ///< >= 0
  std::array<double, 2> betas = {0.9, 0.999};  ///< each in [0, 1)
  double eps = 1e-8;                           ///< >= 0
  double weight_decay = 0;                     ///< >= 0, added to the gradient: L2
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

extern template class OptimizerWith<AdamaxOptions>;

/// Adam with the largest gradient in place of the mean square: u <- max(b2 u, |g| + eps);
/// w <- w - lr/(1 - b1^step) m / u. Kingma and Ba, arXiv:1412.6980, section 7. Slots "exp_avg", "exp_inf".
class Adamax : public OptimizerWith<AdamaxOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const AdamaxOptions& o) override;
  SlotNames slots(const AdamaxOptions& o, const Tensor& weight) const override;
};

struct NAdamOptions {
  static constexpr const char* name = "NAdam";
  double lr = 2e-3;                            ///< >= 0
  std::array<double, 2> betas = {0.9, 0.999};  ///< each in [0, 1)
  double eps = 1e-8;                           ///< >= 0
  double weight_decay = 0;                     ///< >= 0
  double momentum_decay = 4e-3;                ///< >= 0
  bool decoupled_weight_decay = false;         ///< as in AdamW instead of L2
  bool maximize = false;

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("beta1", betas[0], below_1);
    v("beta2", betas[1], below_1);
    v("eps", eps, non_negative);
    v("weight_decay", weight_decay, non_negative);
    v("momentum_decay", momentum_decay, non_negative);
    v("decoupled_weight_decay", decoupled_weight_decay, flag);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<NAdamOptions>;

/// Adam with Nesterov's momentum. With mu(t) = b1 (1 - 0.96^(t momentum_decay) / 2) and its product P(t) up
/// to t: w <- w - lr [(1 - mu(t)) / (1 - P(t)) g + mu(t+1) / (1 - P(t+1)) m] / (sqrt(v / (1 - b2^t)) + eps).
/// Dozat, "Incorporating Nesterov momentum into Adam" (2016). In P(t+1) PyTorch multiplies mu(t) in twice,
/// and so does this, to follow it: P(t) mu(t) mu(t+1). Slots "exp_avg", "exp_avg_sq", "mu_product" (f64).
class NAdam : public OptimizerWith<NAdamOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const NAdamOptions& o) override;
  SlotNames slots(const NAdamOptions& o, const Tensor& weight) const override;
  Tensor initial(const NAdamOptions& o, const Tensor& weight, const std::string& slot) const override;
};

struct RAdamOptions {
  static constexpr const char* name = "RAdam";
  double lr = 1e-3;                            ///< >= 0
  std::array<double, 2> betas = {0.9, 0.999};  ///< each in [0, 1)
  double eps = 1e-8;                           ///< >= 0
  double weight_decay = 0;                     ///< >= 0
  bool decoupled_weight_decay = false;         ///< as in AdamW instead of L2
  bool maximize = false;

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("beta1", betas[0], below_1);
    v("beta2", betas[1], below_1);
    v("eps", eps, non_negative);
    v("weight_decay", weight_decay, non_negative);
    v("decoupled_weight_decay", decoupled_weight_decay, flag);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<RAdamOptions>;

/// Adam whose adaptive rate is rectified while few gradients have been seen, and left out as long as rho <=
/// 5: w <- w - lr r m/(1 - b1^t) sqrt(1 - b2^t) / (sqrt(v) + eps), or w <- w - lr m/(1 - b1^t), with R = 2/(1
/// - b2) - 1, rho = R - 2 t b2^t / (1 - b2^t), r^2 = (rho - 4)(rho - 2) R / ((R - 4)(R - 2) rho). Liu et al.,
/// "On the variance of the adaptive learning rate and beyond", arXiv:1908.03265. Slots "exp_avg",
/// "exp_avg_sq".
class RAdam : public OptimizerWith<RAdamOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const RAdamOptions& o) override;
  SlotNames slots(const RAdamOptions& o, const Tensor& weight) const override;
};

}  // namespace cadena::optim
