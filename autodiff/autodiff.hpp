// Everything for recording and differentiating: tensors, operations, gradients. Standard library only.
// Opt-in beside it: transforms.hpp, capture.hpp, xtensor.hpp, elementwise.hpp, gradcheck.hpp, inspect.hpp.
#pragma once

#include "autodiff/dtype.hpp"
#include "autodiff/error.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "autodiff/shape.hpp"
#include "autodiff/tensor.hpp"
