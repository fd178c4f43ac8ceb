// Keeping gradients small.
#pragma once

#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::optim {

struct ClipNormOptions {
  double norm_type = 2;  ///< > 0; infinity for the largest absolute value
  bool error_if_nonfinite =
      false;  ///< otherwise an infinite norm makes gradients 0 or NaN, and a NaN makes them NaN
};

/// Scales the gradients of all parameters together by max_norm / (norm + 1e-6), unless that is more than 1.
/// The gradients are replaced, not written to: they may be shared. Those that are undefined are left out.
/// @param max_norm >= 0
/// @return the norm of all gradients as one vector, before; exact to rounding also where its squares would
/// overflow. Within capture() NaN: it is another one in every call
/// @throws ValueError
double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, ClipNormOptions options = {});

/// Brings every element of the gradients into [-clip_value, clip_value]; NaN stays. @throws ValueError unless
/// clip_value >= 0
void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value);

}  // namespace cadena::optim
