#include "nn/vision.hpp"

#include <cstdio>

namespace cadena::nn {

std::string Upsample::extra_repr() const {
  constexpr const char* modes[] = {"nearest",   "linear", "bilinear",     "bicubic",
                                   "trilinear", "area",   "nearest-exact"};
  const auto& o = options_;
  std::string sizes;
  if (!o.size.empty()) {
    sizes = "size=" + (o.size.rank() == 1 ? std::to_string(o.size[0]) : cadena::to_string(o.size));
  } else {
    for (double factor : o.scale_factor) {
      char text[32];
      std::snprintf(text, sizeof text, "%.6g", factor);
      sizes += (sizes.empty() ? "" : ", ") + std::string(text);
    }
    sizes = "scale_factor=" + (o.scale_factor.size() == 1 ? sizes : "(" + sizes + ")");
  }
  return sizes + ", mode=" + modes[static_cast<int>(o.mode)];
}

namespace {
std::string windows(const Shape& kernel_size, const WindowOptions& o) {
  return "kernel_size=" + cadena::to_string(kernel_size) + ", dilation=" + cadena::to_string(o.dilation) +
         ", padding=" + cadena::to_string(o.padding) + ", stride=" + cadena::to_string(o.stride);
}
}  // namespace

std::string Unfold::extra_repr() const { return windows(kernel_size_, options_); }

std::string Fold::extra_repr() const {
  return "output_size=" + cadena::to_string(output_size_) + ", " + windows(kernel_size_, options_);
}

}  // namespace cadena::nn
