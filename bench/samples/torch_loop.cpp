#include <torch/torch.h>

#include <iostream>

int main() {
  torch::nn::Linear fc1(2, 8), fc2(8, 1);
  torch::optim::Adam adam({fc1->weight, fc1->bias, fc2->weight, fc2->bias}, torch::optim::AdamOptions(1e-2));
  const torch::Tensor x = torch::tensor({{0.0F, 0.0F}, {0.0F, 1.0F}, {1.0F, 0.0F}, {1.0F, 1.0F}});
  const torch::Tensor y = torch::tensor({{0.0F}, {1.0F}, {1.0F}, {0.0F}});
  for (int step = 0; step < 2; ++step) {
    const torch::Tensor loss = torch::binary_cross_entropy_with_logits(fc2(tanh(fc1(x))), y);
    adam.zero_grad();
    loss.backward();
    adam.step();
    std::cout << loss << '\n';
  }
}
