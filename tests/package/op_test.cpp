// The test kit, as a user of the package has it.
#include <autodiff/autodiff.hpp>
#include <autodiff/testing.hpp>

CADENA_TEST_OP(Gated,
               [](const cadena::Tensor& x, const cadena::Tensor& gate) { return x * cadena::sigmoid(gate); },
               {.shapes = {{{2, 3}, {3}}, {{}, {4}}, {{0}, {1}}, {{3}, {3}}}});
