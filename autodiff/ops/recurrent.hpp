// The steps of recurrent layers over a sequence, gates and all in one operation. nn/recurrent.hpp makes
// layers of them.
#pragma once

#include <cstdint>

#include "autodiff/tensor.hpp"

namespace cadena {

// `projected` (L, N, gates * H) holds what each step takes from its input, W_ih x + b_ih; the order of the
// gates is PyTorch's. h0 and c0 are (N, H), weight_hh is (gates * H, H), and `reverse` walks from the last
// step to the first. Results are (L, N, H), in the order of the sequence. Between forward and backward the
// gates are kept.
// @throws ShapeError, DtypeError unless f32 or f64

struct LstmSteps {
  Tensor h;  ///< after every step
  Tensor c;  ///< (N, H), after the step that came last
};
/// i, f, g, o = projected + W_hh h with sigmoid, sigmoid, tanh, sigmoid; c' = f c + i g, h' = o tanh(c').
/// Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9 (1997) 1735. b_hh belongs into
/// `projected`.
LstmSteps lstm_steps(const Tensor& projected, const Tensor& h0, const Tensor& c0, const Tensor& weight_hh,
                     bool reverse = false);
/// r, z = sigmoid(projected + W_hh h + b_hh), n = tanh(projected + r (W_hh h + b_hh)), h' = (1 - z) n + z h.
/// Cho et al., arXiv:1406.1078. @param bias_hh (3 H) or undefined
Tensor gru_steps(const Tensor& projected, const Tensor& h0, const Tensor& weight_hh,
                 const Tensor& bias_hh = {}, bool reverse = false);
enum class RecurrentNonlinearity : std::uint8_t { tanh, relu };
/// h' = tanh(projected + W_hh h), or with relu. b_hh belongs into `projected`.
Tensor rnn_steps(const Tensor& projected, const Tensor& h0, const Tensor& weight_hh,
                 RecurrentNonlinearity nonlinearity = RecurrentNonlinearity::tanh, bool reverse = false);

}  // namespace cadena
