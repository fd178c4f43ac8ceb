#include "nn/dropout.hpp"

#include <cstdio>

#include "autodiff/ops.hpp"

namespace cadena::nn {

namespace {

/// x has `spatial` dimensions behind its channels, and maybe a batch before them.
Tensor drop_channels(const char* layer, const Tensor& x, double p, bool training, int spatial) {
  if (x.dim() != spatial + 1 && x.dim() != spatial + 2)
    throw ShapeError("[" + std::string(layer) + "] expected " + std::to_string(spatial + 1) + " or " +
                     std::to_string(spatial + 2) + " dimensions, got " + to_string(x.shape()));
  return feature_dropout(x, p, training, x.dim() == spatial + 2);
}

}  // namespace

DropoutLayer::DropoutLayer(double p) : p_(p) {
  if (!(p >= 0 && p <= 1)) throw ValueError("[Dropout] expected 0 <= p <= 1, got p=" + std::to_string(p));
}

std::string DropoutLayer::extra_repr() const {
  char text[32];
  std::snprintf(text, sizeof text, "p=%g", p_);
  return text;
}

Tensor Dropout::forward(const Tensor& x) { return dropout(x, p_, is_training()); }
Tensor Dropout1d::forward(const Tensor& x) { return drop_channels("Dropout1d", x, p_, is_training(), 1); }
Tensor Dropout2d::forward(const Tensor& x) { return drop_channels("Dropout2d", x, p_, is_training(), 2); }
Tensor Dropout3d::forward(const Tensor& x) { return drop_channels("Dropout3d", x, p_, is_training(), 3); }
Tensor AlphaDropout::forward(const Tensor& x) { return alpha_dropout(x, p_, is_training()); }
Tensor FeatureAlphaDropout::forward(const Tensor& x) { return feature_alpha_dropout(x, p_, is_training()); }
Tensor DropPath::forward(const Tensor& x) { return drop_path(x, p_, is_training()); }

}  // namespace cadena::nn
