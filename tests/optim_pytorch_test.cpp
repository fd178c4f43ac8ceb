// Optimizers against recorded trajectories of PyTorch's; see fixtures/optim_trajectories.py.
#include <gtest/gtest.h>

#include <set>

#include "autodiff/autodiff.hpp"
#include "fixtures/optim_trajectories.hpp"
#include "optim/optim.hpp"

namespace cadena {
namespace {

/// The gradient of the script, a multiple of 2^-10.
double gradient(int t, int i) { return ((t * 7919 + i * 104729 + t * t * 31) % 1024) / 1024.0 - 0.5; }

std::string describe(const std::string& optimizer, const optim::OptionValues& options) {
  std::string text = optimizer;
  for (auto& [name, value] : options) text += " " + name + "=" + optim::to_text(value);
  return text;
}

void expect_follows(const fixtures::Trajectory& recorded) {
  SCOPED_TRACE(describe(recorded.optimizer, recorded.options));
  const std::vector<double> start(fixtures::start.begin(), fixtures::start.end());
  auto w = tensor(start).requires_grad_();
  const auto optimizer = optim::make_optimizer(recorded.optimizer, {w}, recorded.options);
  std::size_t next = 0;
  for (int t = 1; t <= fixtures::steps.back(); ++t) {
    w.set_grad(tensor(std::vector<double>{gradient(t, 0), gradient(t, 1), gradient(t, 2)}));
    optimizer->step();
    if (t != fixtures::steps[next]) continue;
    const auto now = w.to_vector<double>();
    for (std::size_t i = 0; i < now.size(); ++i)
      EXPECT_NEAR(now[i], recorded.weights[next][i], 1e-13) << "step " << t << ", element " << i;
    ++next;
  }
  EXPECT_EQ(next, fixtures::steps.size());
}

TEST(OptimPyTorch, EveryOptimizerFollowsTheRecordedWeights) {
  std::set<std::string> followed = {"LBFGS"};  // below
  for (auto& recorded : fixtures::trajectories) {
    expect_follows(recorded);
    followed.insert(recorded.optimizer);
  }
  EXPECT_EQ(fixtures::trajectories.size(), 123u);
  // These are not in the PyTorch that wrote the fixtures; optim_reference_test has them.
  for (const char* newer : {"Adafactor", "Lion", "Muon", "LAMB"}) EXPECT_FALSE(followed.contains(newer));
  EXPECT_EQ(followed.size() + 4, optim::optimizer_names().size());
}

TEST(OptimPyTorch, LbfgsFollowsTheRecordedDescentOfRosenbrocksValley) {
  ASSERT_EQ(fixtures::lbfgs.size(), 5u);
  for (auto& recorded : fixtures::lbfgs) {
    SCOPED_TRACE(describe("LBFGS", recorded.options));
    auto w = tensor(std::vector<double>{-1.2, 1.0}).requires_grad_();
    const auto lbfgs = optim::make_optimizer("LBFGS", {w}, recorded.options);
    int calls = 0;
    for (auto& [x, y, evaluations] : recorded.steps) {
      lbfgs->step([&] {
        ++calls;
        lbfgs->zero_grad();
        auto loss = square(1 - w[0]) + 100 * square(w[1] - square(w[0]));
        loss.backward();
        return loss;
      });
      EXPECT_NEAR(w[0].item(), x, 1e-9);
      EXPECT_NEAR(w[1].item(), y, 1e-9);
      EXPECT_EQ(calls, evaluations);
    }
  }
}

}  // namespace
}  // namespace cadena
