// Adagrad and those that followed it: a rate for each element, from the squares of its gradients.
#pragma once

#include "optim/optimizer.hpp"

namespace cadena::optim {

struct AdagradOptions {
  static constexpr const char* name = "Adagrad";
  double lr = 1e-2;                      ///< >= 0
  double lr_decay = 0;                   ///< >= 0: the rate of a step is lr / (1 + (step - 1) lr_decay)
  double weight_decay = 0;               ///< >= 0, added to the gradient: L2
  double initial_accumulator_value = 0;  ///< >= 0
  double eps = 1e-10;                    ///< >= 0
  bool maximize = false;

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("lr_decay", lr_decay, non_negative);
    v("weight_decay", weight_decay, non_negative);
    v("initial_accumulator_value", initial_accumulator_value, non_negative);
    v("eps", eps, non_negative);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<AdagradOptions>;

/// s <- s + g^2;  w <- w - lr g / (sqrt(s) + eps). Duchi, Hazan and Singer, "Adaptive subgradient methods for
/// online learning and stochastic optimization", JMLR 12 (2011) 2121. Slot "sum".
class Adagrad : public OptimizerWith<AdagradOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const AdagradOptions& o) override;
  SlotNames slots(const AdagradOptions& o, const Tensor& weight) const override;
  Tensor initial(const AdagradOptions& o, const Tensor& weight, const std::string& slot) const override;
};

struct RMSpropOptions {
  static constexpr const char* name = "RMSprop";
  double lr = 1e-2;         ///< >= 0
  double alpha = 0.99;      ///< >= 0: what the averages keep
  double eps = 1e-8;        ///< >= 0
  double weight_decay = 0;  ///< >= 0, added to the gradient: L2
  double momentum = 0;      ///< >= 0
  bool centered = false;    ///< divide by an estimate of the standard deviation, not of the root mean square
  bool maximize = false;

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("alpha", alpha, non_negative);
    v("eps", eps, non_negative);
    v("weight_decay", weight_decay, non_negative);
    v("momentum", momentum, non_negative);
    v("centered", centered, flag);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<RMSpropOptions>;

/// v <- alpha v + (1 - alpha) g^2;  centered also a <- alpha a + (1 - alpha) g and v - a^2 in place of v;
/// x = g / (sqrt(v) + eps);  w <- w - lr x, or with momentum b <- momentum b + x, w <- w - lr b.
/// Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5 (2012); centered: Graves,
/// arXiv:1308.0850. v - a^2 is never less than 0 here; in PyTorch rounding can make it so, and the weights
/// NaN. Slots "square_avg", "momentum_buffer", "grad_avg".
class RMSprop : public OptimizerWith<RMSpropOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const RMSpropOptions& o) override;
  SlotNames slots(const RMSpropOptions& o, const Tensor& weight) const override;
};

struct AdadeltaOptions {
  static constexpr const char* name = "Adadelta";
  double lr = 1;            ///< >= 0
  double rho = 0.9;         ///< in [0, 1]: what the averages keep
  double eps = 1e-6;        ///< >= 0
  double weight_decay = 0;  ///< >= 0, added to the gradient: L2
  bool maximize = false;

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("rho", rho, up_to_1);
    v("eps", eps, non_negative);
    v("weight_decay", weight_decay, non_negative);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<AdadeltaOptions>;

/// v <- rho v + (1 - rho) g^2;  d = sqrt(a + eps) / sqrt(v + eps) g;  a <- rho a + (1 - rho) d^2;  w <- w -
/// lr d. Zeiler, "ADADELTA: an adaptive learning rate method", arXiv:1212.5701. Slots "square_avg",
/// "acc_delta".
class Adadelta : public OptimizerWith<AdadeltaOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const AdadeltaOptions& o) override;
  SlotNames slots(const AdadeltaOptions& o, const Tensor& weight) const override;
};

}  // namespace cadena::optim
