// Stochastic gradient descent.
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
    v("lr", lr);
    v("momentum", momentum);
    v("dampening", dampening);
    v("weight_decay", weight_decay);
    v("nesterov", nesterov);
    v("maximize", maximize);
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
  std::span<const char* const> slots(const SGDOptions& o) const override;
};

}  // namespace cadena::optim
