// Parameters as one vector, for methods that know vectors only: torch.nn.utils' names.
#pragma once

#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena::nn::utils {

/// All elements in the order given, recorded. @throws ValueError if there are none
Tensor parameters_to_vector(const std::vector<Tensor>& parameters);
/// Overwrites the parameters, unrecorded, with the elements of a vector as parameters_to_vector orders them.
/// @throws ShapeError unless it has as many as they; then nothing is changed
void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters);

}  // namespace cadena::nn::utils
