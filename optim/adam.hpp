// Adam and AdamW.
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

  /// @throws ValueError
  void check() const;
  template <class V>
  void visit(V&& v) {
    v("lr", lr);
    v("beta1", betas[0]);
    v("beta2", betas[1]);
    v("eps", eps);
    v("weight_decay", weight_decay);
    v("amsgrad", amsgrad);
    v("maximize", maximize);
    v("bias_correction", bias_correction);
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
  std::span<const char* const> slots(const AdamOptions& o) const override;
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

  void check() const;
  template <class V>
  void visit(V&& v) {
    v("lr", lr);
    v("beta1", betas[0]);
    v("beta2", betas[1]);
    v("eps", eps);
    v("weight_decay", weight_decay);
    v("amsgrad", amsgrad);
    v("maximize", maximize);
    v("bias_correction", bias_correction);
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
  std::span<const char* const> slots(const AdamWOptions& o) const override;
};

}  // namespace cadena::optim
