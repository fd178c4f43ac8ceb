// How options are printed, as PyTorch prints them.
#pragma once

#include <cstdio>
#include <string>

namespace cadena::nn::detail {

inline std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}
inline std::string yes_or_no(bool value) { return value ? "True" : "False"; }

}  // namespace cadena::nn::detail
