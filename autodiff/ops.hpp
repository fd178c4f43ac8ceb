// The vocabulary: every operation, once. Names and semantics are PyTorch's where PyTorch has the operation.
//
// Unless a line says otherwise: arguments broadcast under NumPy's rules, dtypes are promoted first
// (bool < i64 < f32 < f64), integer input to a real-valued function is converted to f32, the result is a
// fresh contiguous tensor, every derivative order exists, and what throws is ShapeError, DtypeError,
// IndexError or ValueError with the op's name and the shapes. Values and derivatives at singular points:
// docs/design.md.
//
// One header a family; each stands beside the file that defines it.
#pragma once

#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/arrange.hpp"
#include "autodiff/ops/attention.hpp"
#include "autodiff/ops/calculus.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/contraction.hpp"
#include "autodiff/ops/convolution.hpp"
#include "autodiff/ops/ctc.hpp"
#include "autodiff/ops/diagonal.hpp"
#include "autodiff/ops/distance.hpp"
#include "autodiff/ops/einsum.hpp"
#include "autodiff/ops/embedding.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/joining.hpp"
#include "autodiff/ops/linalg.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/loss.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/normalization.hpp"
#include "autodiff/ops/padding.hpp"
#include "autodiff/ops/pooling.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/quantile.hpp"
#include "autodiff/ops/random.hpp"
#include "autodiff/ops/rearrange.hpp"
#include "autodiff/ops/recurrent.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/rounding.hpp"
#include "autodiff/ops/scan.hpp"
#include "autodiff/ops/scatter.hpp"
#include "autodiff/ops/search.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/softmax.hpp"
#include "autodiff/ops/sort.hpp"
#include "autodiff/ops/special.hpp"
#include "autodiff/ops/statistics.hpp"
#include "autodiff/ops/trigonometric.hpp"
#include "autodiff/ops/vision.hpp"
#include "autodiff/ops/window.hpp"
