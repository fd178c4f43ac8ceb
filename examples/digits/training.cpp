#include "examples/digits/training.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "data/loader.hpp"
#include "examples/digits/curves.hpp"
#include "optim/optim.hpp"
#include "plot/terminal_plot.hpp"
#include "train/progress.hpp"

namespace cadena::examples {
using namespace plot;
using namespace train;

namespace {

constexpr std::int64_t test_batch = 1000;

std::unique_ptr<optim::Optimizer> make_optimizer(const DigitsNet& net, const DigitsOptions& o) {
  const auto parameters = net.named_parameters();
  if (o.optimizer == "sgd")
    return std::make_unique<optim::SGD>(parameters,
                                        optim::SGDOptions{.lr = o.lr, .momentum = 0.9, .nesterov = true});
  if (o.optimizer == "adamw")
    return std::make_unique<optim::AdamW>(parameters, optim::AdamWOptions{.lr = o.lr});
  return std::make_unique<optim::Adam>(parameters, optim::AdamOptions{.lr = o.lr});
}

/// Falls along half a cosine: slowly at first, to nearly 0 at the last step.
double decayed(double lr, std::int64_t step, std::int64_t steps) {
  const double done = static_cast<double>(step) / static_cast<double>(steps);
  return lr * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

double share_of_hits(const Tensor& logits, const Tensor& y) {
  return eq(argmax(logits, 1), y).to(f32).mean().item();
}

/// The mean of scores of batches, each counting by its number of images.
class Mean {
 public:
  void add(const Score& score, std::int64_t images) {
    const auto n = static_cast<double>(images);
    loss_ += n * score.loss;
    accuracy_ += n * score.accuracy;
    n_ += n;
  }
  Score get() const { return {loss_ / n_, accuracy_ / n_}; }

 private:
  double loss_ = 0, accuracy_ = 0, n_ = 0;
};

template <data::Dataset D>
Score evaluate(DigitsNet& net, const D& images) {
  const NoGrad no_grad;
  net.eval();
  Mean mean;
  for (auto [x, y] : data::DataLoader(images, {.batch_size = test_batch})) {
    const Tensor logits = net(x);
    mean.add({cross_entropy(logits, y).item(), share_of_hits(logits, y)}, y.size(0));
  }
  return mean.get();
}

/// The curves so far, over all epochs to come, where the terminal has room for them below the last few
/// epochs.
std::vector<std::string> plot(const History& history, std::int64_t epochs, const Terminal& terminal) {
  const int rows = std::min(10, terminal.height - 12);
  if (rows < 4) return {};
  auto charts = curves(history);
  for (Chart& chart : charts) {
    chart.x_min = 1;
    chart.x_max = static_cast<double>(std::max<std::int64_t>(epochs, 2));
  }
  if (terminal.width < 76) charts.resize(1);  // else the second would stand below the first
  return render_terminal_charts(charts, terminal, rows);
}

Score train_step(DigitsNet& net, optim::Optimizer& optimizer, const data::Batch& batch) {
  const Tensor logits = net(batch.x);
  const Tensor loss = cross_entropy(logits, batch.y);
  optimizer.zero_grad();
  loss.backward();
  optimizer.step();
  const Score score{loss.item(), share_of_hits(logits.detach(), batch.y)};
  if (!std::isfinite(score.loss))
    throw ValueError("[train] expected a finite loss, got " + std::to_string(score.loss) +
                     ": try a smaller --lr");
  return score;
}

}  // namespace

History train(DigitsNet& net, const Images& images, const DigitsOptions& o) {
  const auto start = std::chrono::steady_clock::now();
  const auto optimizer = make_optimizer(net, o);
  data::DataLoader batches(images.train, {.batch_size = o.batch_size, .shuffle = true, .seed = o.seed});
  History history;
  ProgressOptions shown{.epochs = o.epochs, .items_per_epoch = images.train.size()};
  if (o.plot) shown.panel = [&](const Terminal& terminal) { return plot(history, o.epochs, terminal); };
  Progress progress(std::move(shown));
  std::int64_t step = 0;
  for (std::int64_t epoch = 0; epoch < o.epochs; ++epoch) {
    net.train();
    Mean mean;
    for (const auto& batch : batches) {
      optimizer->set_lr(decayed(o.lr, step++, o.epochs * batches.size()));
      const std::int64_t n = batch.y.size(0);
      mean.add(train_step(net, *optimizer, batch), n);
      progress.advance(n, {{"loss", mean.get().loss}, {"accuracy", mean.get().accuracy, Format::percent}});
    }
    const Score validation = evaluate(net, images.validation);
    history.train.push_back(mean.get());
    history.validation.push_back(validation);
    progress.end_epoch({{"loss", mean.get().loss},
                        {"val loss", validation.loss},
                        {"val acc", validation.accuracy, Format::percent}});
  }
  progress.finish();
  history.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return history;
}

Predictions predict(DigitsNet& net, const data::TensorDataset& images) {
  const NoGrad no_grad;
  net.eval();
  Mean mean;
  Predictions all;
  const auto append = [](auto& list, const auto& more) { list.insert(list.end(), more.begin(), more.end()); };
  for (auto [x, y] : data::DataLoader(images, {.batch_size = test_batch})) {
    const Tensor logits = net(x);
    const auto [probability, predicted] = max(softmax(logits, 1), 1);
    mean.add({cross_entropy(logits, y).item(), share_of_hits(logits, y)}, y.size(0));
    append(all.truth, y.to_vector<std::int64_t>());
    append(all.predicted, predicted.to_vector<std::int64_t>());
    append(all.probability, probability.to_vector<double>());
  }
  all.score = mean.get();
  return all;
}

}  // namespace cadena::examples
