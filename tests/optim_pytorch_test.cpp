// Optimizers against recorded trajectories of PyTorch's; see fixtures/optim_trajectories.py.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "fixtures/optim_trajectories.hpp"
#include "optim/optim.hpp"

namespace cadena {
namespace {

/// The gradient of the script, a multiple of 2^-10.
double gradient(int t, int i) { return ((t * 7919 + i * 104729 + t * t * 31) % 1024) / 1024.0 - 0.5; }

template <class Optimizer, class Options>
void expect_follows(const fixtures::Trajectory<Options>& recorded) {
  const std::vector<double> start(fixtures::start.begin(), fixtures::start.end());
  auto w = tensor(start).requires_grad_();
  Optimizer optimizer({w}, recorded.options);
  std::size_t next = 0;
  for (int t = 1; t <= fixtures::steps.back(); ++t) {
    w.set_grad(tensor(std::vector<double>{gradient(t, 0), gradient(t, 1), gradient(t, 2)}));
    optimizer.step();
    if (t != fixtures::steps[next]) continue;
    const auto now = w.template to_vector<double>();
    for (std::size_t i = 0; i < now.size(); ++i)
      EXPECT_NEAR(now[i], recorded.weights[next][i], 1e-13) << "step " << t << ", element " << i;
    ++next;
  }
  EXPECT_EQ(next, fixtures::steps.size());
}

template <class Optimizer, class Options>
void expect_follows(const std::vector<fixtures::Trajectory<Options>>& all, std::size_t number) {
  ASSERT_EQ(all.size(), number);
  for (auto trajectory : all) {
    std::string text;
    trajectory.options.visit(
        [&](const char* name, auto value) { text += name + ("=" + std::to_string(value)) + " "; });
    SCOPED_TRACE(text);
    expect_follows<Optimizer>(trajectory);
  }
}

TEST(OptimPyTorch, Sgd) { expect_follows<optim::SGD>(fixtures::sgd, 20); }
TEST(OptimPyTorch, Adam) { expect_follows<optim::Adam>(fixtures::adam, 8); }
TEST(OptimPyTorch, AdamW) { expect_follows<optim::AdamW>(fixtures::adamw, 8); }
TEST(OptimPyTorch, Defaults) {
  expect_follows<optim::Adam>(fixtures::adam_default);
  expect_follows<optim::AdamW>(fixtures::adamw_default);
}

}  // namespace
}  // namespace cadena
