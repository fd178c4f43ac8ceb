#include "oracle.hpp"

namespace cadena::oracle {

namespace {

Tensor both(const LstmSteps& steps) { return joined({steps.h, steps.c}); }

Tensor ctc(const Tensor& x, Reduction reduction) {
  return ctc_loss(log_softmax(x, -1), tensor({{1, 2, 2}, {3, 1, 1}}), tensor({7, 6}), tensor({3, 2}),
                  {.reduction = reduction});
}

}  // namespace

Calls sequence_calls() {
  return {
      {"lstm_steps", [](In x) { return both(lstm_steps(x[0], x[1], x[2], x[3])); }},
      {"lstm_steps reverse", [](In x) { return both(lstm_steps(x[0], x[1], x[2], x[3], true)); }},
      {"gru_steps", [](In x) { return gru_steps(x[0], x[1], x[2], x[3]); }},
      {"gru_steps reverse", [](In x) { return gru_steps(x[0], x[1], x[2], x[3], true); }},
      {"rnn_steps", [](In x) { return rnn_steps(x[0], x[1], x[2]); }},
      {"rnn_steps reverse",
       [](In x) { return rnn_steps(x[0], x[1], x[2], RecurrentNonlinearity::tanh, true); }},
      {"rotary_embedding", [](In x) { return rotary_embedding(x[0]); }},
      {"rotary_embedding offset", [](In x) { return rotary_embedding(x[0], {.offset = 5, .base = 100}); }},
      {"rrelu", [](In x) { return rrelu(x[0], 0.1, 0.4); }},
      {"ctc_loss", [](In x) { return ctc(x[0], Reduction::mean); }},
      {"ctc_loss sum", [](In x) { return ctc(x[0], Reduction::sum); }},
  };
}

}  // namespace cadena::oracle
