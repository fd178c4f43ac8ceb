// The least program: what starting costs. torch_gradient.cpp is the same on libtorch.
#include <autodiff/autodiff.hpp>

int main() {
  const cadena::Tensor x = cadena::tensor({1.0, 2.0, 3.0}, cadena::f32).requires_grad_();
  sum(tanh(x)).backward();
  return x.grad().defined() ? 0 : 1;
}
