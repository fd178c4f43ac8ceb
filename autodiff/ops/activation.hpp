// Activations: torch.nn.functional's names and defaults. Formulas: ../formulas/activation.hpp. Layers:
// nn/activation.hpp.
#pragma once

#include <string_view>

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor sigmoid(const Tensor& x);
Tensor log_sigmoid(const Tensor& x);
Tensor softplus(const Tensor& x);  ///< log(1 + exp(x)), without overflow
/// log(1 + exp(beta x)) / beta; never cut off to x as PyTorch's is beyond a threshold. @throws ValueError
/// unless beta > 0
Tensor softplus(const Tensor& x, double beta);
Tensor relu(const Tensor& x);   ///< derivative 0 at 0
Tensor relu6(const Tensor& x);  ///< min(max(x, 0), 6); derivative 0 at 0 and 6
Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01);
/// `weight`: one number, or one for each extent of axis 1. Delving deep into rectifiers (He et al., 2015).
/// @throws ShapeError for another shape
Tensor prelu(const Tensor& x, const Tensor& weight);
Tensor elu(const Tensor& x,
           double alpha = 1);  ///< x, or alpha (exp(x) - 1) where x < 0 (Clevert et al., 2015)
Tensor selu(const Tensor& x);  ///< scaled elu that keeps mean 0, variance 1 (Klambauer et al., 2017)
Tensor celu(const Tensor& x,
            double alpha = 1);  ///< max(0, x) + min(0, alpha (exp(x / alpha) - 1)). @throws ValueError for 0
/// x times the normal distribution function; approximate = "tanh": 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715
/// x^3))).
/// @throws ValueError unless approximate is "none" or "tanh". Hendrycks and Gimpel, 2016
Tensor gelu(const Tensor& x, std::string_view approximate = "none");
Tensor silu(const Tensor& x);         ///< x sigmoid(x)
Tensor mish(const Tensor& x);         ///< x tanh(softplus(x)) (Misra, 2019)
Tensor softsign(const Tensor& x);     ///< x / (1 + |x|)
Tensor hardsigmoid(const Tensor& x);  ///< relu6(x + 3) / 6
Tensor hardswish(const Tensor& x);    ///< x relu6(x + 3) / 6 (Howard et al., 2019)
Tensor hardtanh(const Tensor& x, double min_val = -1,
                double max_val = 1);                     ///< @throws ValueError unless min_val < max_val
Tensor hardshrink(const Tensor& x, double lambd = 0.5);  ///< 0 where |x| <= lambd
Tensor softshrink(const Tensor& x,
                  double lambd = 0.5);  ///< towards 0 by lambd. @throws ValueError if lambd < 0
Tensor tanhshrink(const Tensor& x);     ///< x - tanh(x)
Tensor threshold(const Tensor& x, double threshold, double value);  ///< `value` where x <= threshold

// The halves a, b of `axis`, whose extent must be even, one the gate of the other. Dauphin et al., 2017;
// Shazeer, GLU variants improve transformer, 2020, whose three have the gate in front.
Tensor glu(const Tensor& x, int axis = -1);     ///< a sigmoid(b)
Tensor swiglu(const Tensor& x, int axis = -1);  ///< silu(a) b
Tensor geglu(const Tensor& x, int axis = -1);   ///< gelu(a) b
Tensor reglu(const Tensor& x, int axis = -1);   ///< relu(a) b

Tensor softmin(const Tensor& x, int axis);  ///< softmax(-x)

}  // namespace cadena
