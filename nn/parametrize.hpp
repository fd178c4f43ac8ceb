// Parameters that are computed from others before every call of their module: torch.nn.utils' weight_norm,
// spectral_norm and parametrize, with their names in the state.
//
//   nn::Linear layer(8, 8);
//   nn::utils::parametrize::register_parametrization(layer, "weight", [](const Tensor& w) {
//     return triu(w) + transpose(triu(w, 1), 0, 1);  // symmetric, whatever is learned
//   });
//
// Only what is called as a function computes them (`layer(x)`, not `layer.forward(x)`). Register before
// making an optimizer: the parameters are others afterwards.
#pragma once

#include <optional>
#include <string>

#include "nn/sequential.hpp"

namespace cadena::nn {

/// A parametrization with an inverse, which gives the first original from the first value.
class Parametrization : public Layer {
 public:
  virtual Tensor right_inverse(const Tensor& value) = 0;
};

namespace utils {

/// Length and direction of a parameter apart: g v / norm(v), with parameters NAME_g and NAME_v. The norms are
/// over all axes but `axis`, or over all of them if none is given. Salimans and Kingma, arXiv:1602.07868.
/// @throws ValueError for a parameter that the module lacks, or that is computed already
void weight_norm(Callable& module, const std::string& name = "weight", std::optional<int> axis = 0);
/// Leaves a plain parameter of the present value. @throws ValueError unless there is a weight_norm
void remove_weight_norm(Callable& module, const std::string& name = "weight");

struct SpectralNormOptions {
  std::int64_t n_power_iterations = 1;  ///< at each call in training
  double eps = 1e-12;
  std::optional<int> axis = {};  ///< of the outputs: 0, but 1 for transposed convolutions
};
/// A parameter by its largest singular value: parameter NAME_orig, buffers NAME_u and NAME_v, which are the
/// singular vectors so far. Miyato et al., arXiv:1802.05957. @throws ValueError as weight_norm
void spectral_norm(Callable& module, const std::string& name = "weight",
                   const SpectralNormOptions& options = {});
void remove_spectral_norm(Callable& module, const std::string& name = "weight");

/// Drops elements of a parameter instead of outputs, new ones at every call in training: a parametrization
/// by nn::Dropout, with its names in the state. Wan et al., ICML 2013. It goes by
/// parametrize::remove_parametrizations(module, name, false). @throws ValueError as weight_norm and unless
/// 0 <= p <= 1
void drop_connect(Callable& module, const std::string& name = "weight", double p = 0.5);

namespace parametrize {

/// From now on the parameter is f(original), or the next f of what the last one gave. Parameter
/// "parametrizations.NAME.original", modules "parametrizations.NAME.0", ... The present value becomes the
/// original, or a Parametrization's right_inverse of it.
/// @throws ValueError for a parameter that the module lacks, or that is computed in another way
/// @throws ShapeError, DtypeError if f changes shape or dtype; then nothing was registered
void register_parametrization(Callable& module, const std::string& name, AnyLayer f);
/// Of the parameter, or of any.
bool is_parametrized(const Module& module, const std::string& name = "");
/// Leaves a plain parameter, of the present value or, unless `leave_parametrized`, of the original.
/// @throws ValueError unless it is parametrized
void remove_parametrizations(Callable& module, const std::string& name, bool leave_parametrized = true);

}  // namespace parametrize
}  // namespace utils
}  // namespace cadena::nn
