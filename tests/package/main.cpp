// Takes one step downhill, with nothing but what a user of the package has.
#include <autodiff/autodiff.hpp>
#include <cstdio>
#include <data/data.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

int main() {
  cadena::nn::Linear layer{3, 1};
  cadena::optim::SGD descent(layer.parameters(), {.lr = 0.1});
  const auto x = cadena::ones({4, 3});
  const auto loss = [&] { return mean(square(layer(x))); };
  const auto before = loss();
  before.backward();
  descent.step();
  const auto after = loss();
  std::printf("loss %g, then %g\n", before.item(), after.item());
  return after.item() < before.item() ? 0 : 1;
}
