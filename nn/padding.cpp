#include "nn/padding.hpp"

#include <cstdio>

namespace cadena::nn {

Pad::Pad(int rank, const PerAxis& padding, PadMode mode, Scalar value) : mode_(mode), value_(value) {
  if (padding.rank() != 1 && padding.rank() != 2 * rank)
    throw ValueError("[Pad] expected padding of 1 or " + std::to_string(2 * rank) + " numbers, got " +
                     cadena::to_string(padding));
  for (int i = 0; i < 2 * rank; ++i) padding_.push_back(padding[padding.rank() == 1 ? 0 : i]);
}

Tensor Pad::forward(const Tensor& x) {
  std::vector<Padding> margins;
  for (int i = 0; i < padding_.rank(); i += 2) margins.push_back({padding_[i], padding_[i + 1]});
  return mode_ == PadMode::constant ? pad(x, margins, value_) : pad(x, margins, mode_);
}

std::string Pad::extra_repr() const { return cadena::to_string(padding_); }

std::string Pad::constant_repr() const {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value_.to<double>());
  return "padding=" + cadena::to_string(padding_) + ", value=" + text;
}

}  // namespace cadena::nn
