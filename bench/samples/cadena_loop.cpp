// What a user's first training loop costs to compile and to link; torch_loop.cpp is the same on libtorch.
#include <autodiff/autodiff.hpp>
#include <iostream>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace cadena;

int main() {
  nn::Linear fc1(2, 8), fc2(8, 1);
  optim::Adam adam({fc1.weight, fc1.bias, fc2.weight, fc2.bias}, {.lr = 1e-2});
  const Tensor x = tensor({{0.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {1.0, 1.0}}, f32);
  const Tensor y = tensor({{0}, {1}, {1}, {0}}, f32);
  for (int step = 0; step < 2; ++step) {
    const Tensor loss = binary_cross_entropy_with_logits(fc2(tanh(fc1(x))), y);
    adam.zero_grad();
    loss.backward();
    adam.step();
    std::cout << loss << '\n';
  }
}
