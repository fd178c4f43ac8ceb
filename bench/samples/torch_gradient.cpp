#include <torch/torch.h>

int main() {
  const torch::Tensor x = torch::tensor({1.0F, 2.0F, 3.0F}).requires_grad_();
  tanh(x).sum().backward();
  return x.grad().defined() ? 0 : 1;
}
