// Stochastic gradient descent, plain and averaged, and its relative that looks at signs only.
#pragma once

#include "optim/optimizer.hpp"

namespace cadena::optim {

struct SGDOptions {
  static constexpr const char* name = "SGD";
  double lr = 1e-3;         ///< >= 0
  double momentum = 0;      ///< >= 0
  double dampening = 0;     ///< of the gradient on its way into the momentum, except in the first step
  double weight_decay = 0;  ///< >= 0, added to the gradient: L2
  bool nesterov = false;    ///< needs momentum > 0 and dampening 0
  bool maximize = false;

  /// @throws ValueError
  void check() const;
  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("momentum", momentum, non_negative);
    v("dampening", dampening, finite);
    v("weight_decay", weight_decay, non_negative);
    v("nesterov", nesterov, flag);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<SGDOptions>;

/// g <- g + weight_decay w;  m <- momentum m + (1 - dampening) g, at first m <- g;
/// w <- w - lr m, or with Nesterov's momentum w <- w - lr (g + momentum m). PyTorch's formulas; see Sutskever
/// et al., "On the importance of initialization and momentum in deep learning" (2013). Slot
/// "momentum_buffer".
class SGD : public OptimizerWith<SGDOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const SGDOptions& o) override;
  SlotNames slots(const SGDOptions& o, const Tensor& weight) const override;
};

struct ASGDOptions {
  static constexpr const char* name = "ASGD";
  double lr = 1e-2;         ///< >= 0
  double lambd = 1e-4;      ///< >= 0: decay, and how fast the rate falls
  double alpha = 0.75;      ///< power of the falling rate
  double t0 = 1e6;          ///< step at which averaging begins
  double weight_decay = 0;  ///< >= 0, added to the gradient: L2
  bool maximize = false;

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("lambd", lambd, non_negative);
    v("alpha", alpha, finite);
    v("t0", t0, finite);
    v("weight_decay", weight_decay, non_negative);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<ASGDOptions>;

/// eta = lr / (1 + lambd lr (step - 1))^alpha;  w <- (1 - lambd eta) w - eta g;  the average of the weights,
/// slot "ax": ax <- ax + mu (w - ax), mu = 1 / max(1, step - 1 - t0), so that before t0 it is the weight
/// itself. Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992), with
/// PyTorch's formulas. (PyTorch takes eta from the lr of the step before; the two agree unless a scheduler
/// changes it.)
class ASGD : public OptimizerWith<ASGDOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const ASGDOptions& o) override;
  SlotNames slots(const ASGDOptions& o, const Tensor& weight) const override;
};

struct RpropOptions {
  static constexpr const char* name = "Rprop";
  double lr = 1e-2;                               ///< >= 0: every element's first step
  std::array<double, 2> etas = {0.5, 1.2};        ///< in (0, 1) and > 1: factors of the step
  std::array<double, 2> step_sizes = {1e-6, 50};  ///< smallest and largest step
  bool maximize = false;

  /// @throws ValueError
  void check() const;
  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("etaminus", etas[0], positive);
    v("etaplus", etas[1], positive);
    v("step_size_min", step_sizes[0], non_negative);
    v("step_size_max", step_sizes[1], non_negative);
    v("maximize", maximize, flag);
  }
};

extern template class OptimizerWith<RpropOptions>;

/// Each element has a step of its own, which grows by etas[1] while the gradient keeps its sign and shrinks
/// by etas[0] when it changes; then the element stays where it is once. For full batches: noise is nothing
/// but changing signs. w <- w - sign(g) step. Riedmiller and Braun, "A direct adaptive method for faster
/// backpropagation learning" (1993). Slots "prev", "step_size".
class Rprop : public OptimizerWith<RpropOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  void update(Update& u, const RpropOptions& o) override;
  SlotNames slots(const RpropOptions& o, const Tensor& weight) const override;
  Tensor initial(const RpropOptions& o, const Tensor& weight, const std::string& slot) const override;
};

}  // namespace cadena::optim
