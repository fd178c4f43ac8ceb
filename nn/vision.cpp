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

}  // namespace cadena::nn
