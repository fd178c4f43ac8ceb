#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "autodiff/autodiff.hpp"
#include "autodiff/parallel.hpp"
#include "data/data.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tests/messages.hpp"
#include "train/fit.hpp"
#include "train/interrupt.hpp"
#include "train/metrics.hpp"

namespace cadena::train {
namespace {

namespace fs = std::filesystem;

/// Dropout and batch norm: what a resumed run could get wrong.
struct Net : nn::Module {
  nn::Linear fc1{3, 16};
  nn::BatchNorm1d norm{16};
  nn::Dropout dropout{0.3};
  nn::Linear fc2{16, 2};
  Tensor operator()(const Tensor& x) { return fc2(dropout(relu(norm(fc1(x))))); }
  void visit(nn::Visitor& v) override {
    v("fc1", fc1);
    v("norm", norm);
    v("dropout", dropout);
    v("fc2", fc2);
  }
};

data::TensorDataset points(std::int64_t n, std::uint64_t seed) {
  Generator g(seed);
  const auto x = randn({n, 3}, g);
  return {x, to(x.select(1, 0) * x.select(1, 1) > 0, i64)};
}

/// A training run that can be stopped and begun again.
struct Training {
  explicit Training(std::int64_t accumulate = 1) {
    manual_seed(5);
    net.emplace();
    adam.emplace(net->named_parameters(), optim::AdamOptions{.lr = 0.01});
    schedule.emplace(*adam, optim::StepLROptions{.step_size = 2});
    options = {.epochs = 3,
               .accumulate = accumulate,
               .clip_grad_norm = 1,
               .scheduler = &*schedule,
               .validation = &validation,
               .restore_best = true,
               .progress = false};
  }

  FitResult fit() {
    return train::fit(
        *net, *adam, batches,
        [this](const data::Batch& b) {
          if (net->is_training() && ++calls == signal_at) std::raise(SIGINT);
          const auto logits = (*net)(b.x);
          return BatchResult{cross_entropy(logits, b.y),
                             {{"accuracy", accuracy(logits, b.y), Format::percent}}};
        },
        options);
  }

  data::DataLoader batches{points(50, 1), {.batch_size = 8, .shuffle = true, .seed = 9}};
  data::DataLoader validation{points(20, 2), {.batch_size = 8}};
  std::optional<Net> net;
  std::optional<optim::Adam> adam;
  std::optional<optim::StepLR> schedule;
  FitOptions options;
  int calls = 0, signal_at = 0;
};

fs::path fresh_file(const std::string& name) {
  const auto path = fs::path(testing::TempDir()) / ("cadena_fit_" + name + ".safetensors");
  fs::remove(path);
  return path;
}

void expect_same_bits(const nn::StateDict& a, const nn::StateDict& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, t] : a) EXPECT_TRUE(equal(t, b.at(name))) << name;
}

void expect_same(const History& a, const History& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].metrics.size(), b[i].metrics.size());
    for (std::size_t m = 0; m < a[i].metrics.size(); ++m) {
      EXPECT_EQ(a[i].metrics[m].name, b[i].metrics[m].name);
      EXPECT_EQ(a[i].metrics[m].value, b[i].metrics[m].value) << a[i].metrics[m].name;
      EXPECT_EQ(a[i].metrics[m].format, b[i].metrics[m].format);
    }
  }
}

TEST(Fit, LearnsAndTellsTheFigures) {
  Training run;
  run.options.epochs = 30;
  run.options.restore_best = false;
  int told = 0;
  run.options.on_epoch = [&](const EpochRecord& r) { EXPECT_EQ(r.epoch, ++told); };
  run.net->eval();
  const auto result = run.fit();
  EXPECT_FALSE(run.net->is_training());  // as it was
  EXPECT_EQ(result.stop, Stop::epochs);
  EXPECT_EQ(told, 30);
  ASSERT_EQ(result.history.size(), 30u);
  const auto &first = result.history.front(), &last = result.history.back();
  std::vector<std::string> names;
  for (const auto& m : first.metrics) names.push_back(m.name);
  EXPECT_EQ(names, (std::vector<std::string>{"loss", "accuracy", "lr", "val loss", "val accuracy"}));
  EXPECT_LT(last.value("loss"), first.value("loss"));
  EXPECT_GT(result.seconds, 0);
  EXPECT_EQ(message_of<ValueError>([&] { (void)last.value("acc"); }),
            "[fit] expected one of the figures loss, accuracy, lr, val loss, val accuracy, got \"acc\"");

  // The best epoch is that of the smallest validation loss, and what `evaluate` finds is what the last epoch
  // found.
  for (const auto& r : result.history)
    EXPECT_GE(r.value("val loss"),
              result.history[static_cast<std::size_t>(result.best_epoch - 1)].value("val loss"));
  const auto again = evaluate(*run.net, run.validation, [&](const data::Batch& b) {
    EXPECT_FALSE(is_grad_enabled());
    return BatchResult{cross_entropy((*run.net)(b.x), b.y)};
  });
  EXPECT_EQ(again.at(0).value, last.value("val loss"));
}

TEST(Fit, StoppedAtAnyStepAndResumedGivesTheSameBits) {
  for (const std::int64_t accumulate : {1, 3}) {
    Training whole(accumulate);
    const auto expected = whole.fit();
    const int calls = whole.calls;
    ASSERT_EQ(calls, 21);
    const auto file = fresh_file("resume");
    for (int at = 1; at < calls; ++at) {
      Training first(accumulate);
      first.options.checkpoint = file;
      first.signal_at = at;
      const auto stopped = first.fit();
      if (stopped.stop == Stop::epochs) continue;  // within the last step
      EXPECT_EQ(stopped.stop, Stop::interrupt) << at;

      const int threads = num_threads();
      set_num_threads(threads == 1 ? 2 : 1);
      Training second(accumulate);
      (void)randn({7});  // whatever happened to the generator
      second.options.checkpoint = file;
      second.options.resume = true;
      const auto result = second.fit();
      set_num_threads(threads);
      EXPECT_EQ(first.calls + second.calls, calls) << at;
      EXPECT_EQ(result.best_epoch, expected.best_epoch);
      expect_same(result.history, expected.history);
      expect_same_bits(second.net->state_dict(), whole.net->state_dict());
      expect_same_bits(second.adam->state_dict().groups[0].parameters[0].slots,
                       whole.adam->state_dict().groups[0].parameters[0].slots);
    }
  }
}

TEST(Fit, GradientsOfSeveralBatchesMakeTheStepOfOneLargeBatch) {
  const auto train = [](std::int64_t batch_size, std::int64_t accumulate) {
    manual_seed(1);
    nn::Linear net(3, 2);
    net.to(f64);
    optim::SGD sgd(net.named_parameters(), {.lr = 0.1});
    const auto data = points(24, 3);
    data::DataLoader batches(data::TensorDataset(to(data.x(), f64), data.y()), {.batch_size = batch_size});
    fit(net, sgd, batches, [&](const data::Batch& b) { return BatchResult{cross_entropy(net(b.x), b.y)}; },
        {.epochs = 2, .accumulate = accumulate, .progress = false});
    return net.weight.detach().clone();
  };
  EXPECT_TRUE(allclose(train(8, 3), train(24, 1), 1e-12, 1e-12));
  EXPECT_FALSE(allclose(train(8, 1), train(24, 1), 1e-12, 1e-12));
}

TEST(Fit, StopsWhenItGetsNoBetterAndKeepsTheBest) {
  Training run;
  run.options.epochs = 50;
  run.options.patience = 2;
  run.options.checkpoint = fresh_file("patience");
  // Worse after the third epoch, whatever the net says.
  int epochs = 0;
  nn::StateDict third;
  const auto figure = [&](const data::Batch& b) {
    const auto loss = cross_entropy((*run.net)(b.x), b.y);
    return BatchResult{loss, {{"figure", epochs == 2 ? 2.0 : 1.0}}};
  };
  run.options.monitor = "val figure";
  run.options.maximize = true;
  run.options.on_epoch = [&](const EpochRecord&) {
    if (++epochs == 3) third = run.net->state_dict();
  };
  const auto result = fit(*run.net, *run.adam, run.batches, figure, run.options);
  EXPECT_EQ(result.stop, Stop::patience);
  EXPECT_EQ(result.best_epoch, 3);
  EXPECT_EQ(result.history.size(), 5u);
  expect_same_bits(run.net->state_dict(), third);
  run.options.resume = true;  // it has stopped, and stays so
  EXPECT_EQ(fit(*run.net, *run.adam, run.batches, figure, run.options).history.size(), 5u);
}

TEST(Fit, StopsWhenTimeIsUp) {
  Training run;
  run.options.max_seconds = 1e-9;
  const auto result = run.fit();
  EXPECT_EQ(result.stop, Stop::time);
  EXPECT_EQ(run.calls, 1);
}

TEST(Fit, SchedulersStepByEpochByStepOrByFigure) {
  Training run;
  run.options.schedule_steps = true;
  run.fit();
  EXPECT_EQ(run.schedule->last_epoch(), 21);
  Training other;
  other.fit();
  EXPECT_EQ(other.schedule->last_epoch(), 3);
  Training third;
  optim::ReduceLROnPlateau plateau(
      *third.adam, {.patience = 0, .threshold = 10, .threshold_mode = optim::ThresholdMode::abs});
  third.options.scheduler = &plateau;
  third.fit();
  EXPECT_NEAR(third.adam->lr(), 0.01 * 0.01, 1e-12);
}

TEST(Fit, TellsTheLoggers) {
  struct Seen : Logger {
    std::vector<std::pair<std::int64_t, std::size_t>> calls;
    void log(std::int64_t step, const std::vector<Metric>& metrics) override {
      calls.emplace_back(step, metrics.size());
    }
  } seen;
  Training run;
  run.options.loggers = {&seen};
  run.fit();
  EXPECT_EQ(seen.calls, (std::vector<std::pair<std::int64_t, std::size_t>>{{1, 5}, {2, 5}, {3, 5}}));
}

TEST(Fit, RefusesWhatCannotBe) {
  Training run;
  const auto error = [&](auto change) {
    Training t;
    change(t);
    return message_of<ValueError>([&] { t.fit(); });
  };
  EXPECT_EQ(error([](Training& t) { t.options.epochs = 0; }), "[fit] epochs: expected >= 1, got 0");
  EXPECT_EQ(error([](Training& t) { t.options.accumulate = 0; }), "[fit] accumulate: expected >= 1, got 0");
  EXPECT_EQ(error([](Training& t) { t.options.clip_grad_norm = -1; }),
            "[fit] clip_grad_norm: expected >= 0, got -1");
  EXPECT_EQ(error([](Training& t) { t.options.resume = true; }),
            "[fit] resume: expected a checkpoint to resume from, got none");
  EXPECT_EQ(error([](Training& t) { t.options.monitor = "val f1"; }),
            "[fit] expected one of the figures loss, accuracy, lr, val loss, val accuracy, got \"val f1\"");
  EXPECT_TRUE(contains(error([](Training& t) {
                         const NoGrad no_grad;
                         t.net->fc1.bias.fill_(std::numeric_limits<double>::quiet_NaN());
                       }),
                       "[fit] expected a finite loss, got nan in epoch 1, learning rate 0.01"));
  EXPECT_THROW(fit(
                   *run.net, *run.adam, run.batches,
                   [&](const data::Batch& b) { return BatchResult{(*run.net)(b.x)}; }, run.options),
               ShapeError);
}

TEST(Fit, RefusesTheCheckpointOfAnotherRun) {
  const auto file = fresh_file("other");
  Training run;
  run.options.checkpoint = file;
  run.fit();
  Training other;
  other.batches = data::DataLoader(points(16, 1), {.batch_size = 8});
  other.options.checkpoint = file;
  other.options.resume = true;
  EXPECT_EQ(message_of<ValueError>([&] { other.fit(); }),
            "[fit] expected the checkpoint of a run with 2 batches in an epoch, got 7 in " + file.string());
  Training third;
  third.options.checkpoint = file;
  third.options.resume = true;
  third.options.scheduler = nullptr;
  EXPECT_TRUE(contains(message_of<ValueError>([&] { third.fit(); }), "0 schedulers, got 1"));
}

TEST(InterruptGuard, NotesTheFirstSignalAndGivesTheHandlersBack) {
  static int reached = 0;
  const auto former = std::signal(SIGINT, [](int) { ++reached; });
  {
    const InterruptGuard guard;
    EXPECT_FALSE(InterruptGuard::requested());
    const InterruptGuard inner;
    std::raise(SIGINT);
    EXPECT_TRUE(InterruptGuard::requested());
    EXPECT_EQ(reached, 0);
  }
  std::raise(SIGINT);
  EXPECT_EQ(reached, 1);
  std::signal(SIGINT, former);
  const InterruptGuard again;
  EXPECT_FALSE(InterruptGuard::requested());
}

TEST(InterruptGuard, TheSecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        const InterruptGuard guard;
        std::raise(SIGTERM);
        std::raise(SIGTERM);
      },
      testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace cadena::train
