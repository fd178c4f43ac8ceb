// A run that stops, is written to a file, and goes on elsewhere ends with the same bits as one that never
// stopped.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "files.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

namespace cadena::data {
namespace {

struct Net : nn::Module {
  nn::Linear fc1{64, 16}, fc2{16, 4};
  Tensor operator()(const Tensor& x) { return fc2(dropout(relu(fc1(flatten(x, 1))), 0.2)); }
  void visit(nn::Visitor& v) override {
    v("fc1", fc1);
    v("fc2", fc2);
  }
};

/// Everything a run consists of, on augmented pictures.
struct TrainingRun {
  Net net;
  optim::Adam adam{net.named_parameters(), {.lr = 1e-2, .weight_decay = 1e-3}};
  DataLoader loader;

  explicit TrainingRun(int workers)
      : loader(map_x(pictures(), Compose{RandomHorizontalFlip{}, GaussianNoise{.sigma = 0.1}}),
               {.batch_size = 8, .shuffle = true, .seed = 3, .workers = workers}) {}

  static TensorDataset pictures() {
    Generator g(1);
    return {rand({50, 1, 8, 8}, g), randint(0, 4, {50}, g)};
  }

  /// Some steps, through as many epochs as it takes.
  void train(int steps) {
    while (steps > 0)
      for (auto [x, y] : loader) {
        const Tensor loss = cross_entropy(net(x), y);
        adam.zero_grad();
        loss.backward();
        adam.step();
        if (--steps == 0) return;
      }
  }

  Checkpoint save() const {
    Checkpoint c;
    c["model"].tensors = net.state_dict();
    put(c["optimizer"], adam.state_dict());
    put(c["loader"], loader.state());
    c["random"].put("default", default_generator());
    return c;
  }
  void restore(const Checkpoint& c) {
    net.load_state_dict(c.at("model").tensors);
    adam.load_state_dict(take<optim::OptimizerState>(c.at("optimizer")));
    loader.restore(take<LoaderState>(c.at("loader")));
    default_generator() = c.at("random").generator("default");
  }
};

TEST(Resume, GivesTheSameBitsAsNeverHavingStopped) {
  const Folder folder;
  manual_seed(7);
  TrainingRun whole(0);
  whole.train(20);
  const auto want = format_checkpoint(whole.save());
  for (const int stop : {0, 1, 6, 7, 8, 19}) {  // seven batches make an epoch
    manual_seed(7);
    TrainingRun first(2);
    first.train(stop);
    save_checkpoint(folder / "run", first.save());
    manual_seed(99);  // another process, with other weights, workers and threads
    const int threads = num_threads();
    set_num_threads(stop % 2 + 1);
    TrainingRun second(stop % 3);
    second.restore(load_checkpoint(folder / "run"));
    second.train(20 - stop);
    set_num_threads(threads);
    EXPECT_EQ(format_checkpoint(second.save()), want) << stop;
  }
}

/// A scheduler's state as optim has it, composed of others.
struct Schedule {
  std::string scheduler;
  std::map<std::string, std::vector<double>> values = {};
  std::vector<Schedule> schedulers = {};

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

TEST(Resume, StatesRoundTrip) {
  Checkpoint c;
  const Schedule schedule{"SequentialLR",
                          {{"last_epoch", {3}}, {"last_lr", {0.1, 1.0 / 3}}},
                          {{"LinearLR", {{"last_epoch", {3}}, {"empty", {}}}, {{"inner"}}}, {"StepLR"}}};
  put(c["schedule"], schedule);
  put(c["loader"], LoaderState{4, 2});
  const Checkpoint back = parse_checkpoint(format_checkpoint(c));
  EXPECT_EQ(take<Schedule>(back.at("schedule")), schedule);
  EXPECT_EQ(take<LoaderState>(back.at("loader")), (LoaderState{4, 2}));
  EXPECT_THROW(take<LoaderState>(back.at("schedule")), ValueError);
  EXPECT_THROW(take<optim::OptimizerState>(back.at("schedule")), ValueError);
}

}  // namespace
}  // namespace cadena::data
