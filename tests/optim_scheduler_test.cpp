// Schedulers against recorded trajectories of PyTorch's (fixtures/scheduler_trajectories.py), saving and
// loading, and what they refuse.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "autodiff/autodiff.hpp"
#include "fixtures/scheduler_trajectories.hpp"
#include "messages.hpp"
#include "optim/optim.hpp"
#include "values.hpp"

namespace cadena {
namespace {

using optim::AnnealStrategy;
using optim::CyclicMode;
using optim::WarmupDecay;

/// Schedulers, the last of which is the one to step.
using Made = std::vector<std::unique_ptr<optim::LRScheduler>>;

/// A case of the script: its name, and the same scheduler here.
struct Case {
  const char* name;
  std::function<Made(optim::Optimizer&)> make;
};

template <class S, class O>
Case simple(const char* name, O options) {
  return {name, [options](optim::Optimizer& optimizer) {
            Made made;
            made.push_back(std::make_unique<S>(optimizer, options));
            return made;
          }};
}

Made sequential(optim::Optimizer& o) {
  Made made;
  made.push_back(
      std::make_unique<optim::ConstantLR>(o, optim::ConstantLROptions{.factor = 0.1, .total_iters = 3}));
  made.push_back(std::make_unique<optim::ExponentialLR>(o, optim::ExponentialLROptions{.gamma = 0.9}));
  made.push_back(std::make_unique<optim::CosineAnnealingWarmRestarts>(
      o, optim::CosineAnnealingWarmRestartsOptions{.T_0 = 4}));
  made.push_back(std::make_unique<optim::SequentialLR>(o, optim::Schedulers{*made[0], *made[1], *made[2]},
                                                       optim::SequentialLROptions{.milestones = {4, 11}}));
  return made;
}

Made warm_sequential(optim::Optimizer& o) {
  Made made;
  made.push_back(std::make_unique<optim::LinearLR>(o, optim::LinearLROptions{.start_factor = 0.1}));
  made.push_back(std::make_unique<optim::CosineAnnealingLR>(
      o, optim::CosineAnnealingLROptions{.T_max = 15, .eta_min = 1e-3}));
  made.push_back(std::make_unique<optim::SequentialLR>(o, optim::Schedulers{*made[0], *made[1]},
                                                       optim::SequentialLROptions{.milestones = {5}}));
  return made;
}

Made sequential_momenta(optim::Optimizer& o) {
  Made made;
  made.push_back(std::make_unique<optim::CyclicLR>(
      o, optim::CyclicLROptions{.base_lr = 0.1, .max_lr = 0.5, .step_size_up = 3}));
  made.push_back(
      std::make_unique<optim::OneCycleLR>(o, optim::OneCycleLROptions{.max_lr = 1, .total_steps = 24}));
  made.push_back(std::make_unique<optim::SequentialLR>(o, optim::Schedulers{*made[0], *made[1]},
                                                       optim::SequentialLROptions{.milestones = {6}}));
  return made;
}

Made chained(optim::Optimizer& o) {
  Made made;
  made.push_back(
      std::make_unique<optim::ConstantLR>(o, optim::ConstantLROptions{.factor = 0.1, .total_iters = 2}));
  made.push_back(std::make_unique<optim::ExponentialLR>(o, optim::ExponentialLROptions{.gamma = 0.9}));
  made.push_back(std::make_unique<optim::StepLR>(o, optim::StepLROptions{.step_size = 4, .gamma = 0.5}));
  made.push_back(std::make_unique<optim::ChainedScheduler>(optim::Schedulers{*made[0], *made[1], *made[2]}));
  return made;
}

std::vector<Case> epoch_cases() {
  using namespace optim;
  const auto decay = [](std::int64_t t) { return std::pow(0.9, static_cast<double>(t)); };
  const auto inverse = [](std::int64_t t) { return 1 / (1 + static_cast<double>(t)); };
  const auto slower = [](std::int64_t t) { return 1 - 1 / (2 + static_cast<double>(t)); };
  using Warm = CosineAnnealingWarmRestartsOptions;
  return {
      simple<LambdaLR>("LambdaLR", LambdaLROptions{.lr_lambda = decay}),
      simple<LambdaLR>("LambdaLR groups", LambdaLROptions{.lr_lambda = {decay, inverse}}),
      simple<MultiplicativeLR>("MultiplicativeLR", MultiplicativeLROptions{.lr_lambda = slower}),
      simple<StepLR>("StepLR", StepLROptions{.step_size = 5}),
      simple<StepLR>("StepLR gamma", StepLROptions{.step_size = 1, .gamma = 0.7}),
      simple<MultiStepLR>("MultiStepLR", MultiStepLROptions{.milestones = {9, 2, 2, 15}, .gamma = 0.5}),
      simple<ConstantLR>("ConstantLR", ConstantLROptions{}),
      simple<ConstantLR>("ConstantLR factor", ConstantLROptions{.factor = 0.25, .total_iters = 9}),
      simple<LinearLR>("LinearLR", LinearLROptions{}),
      simple<LinearLR>("LinearLR down",
                       LinearLROptions{.start_factor = 0.9, .end_factor = 0.1, .total_iters = 12}),
      simple<ExponentialLR>("ExponentialLR", ExponentialLROptions{.gamma = 0.93}),
      simple<PolynomialLR>("PolynomialLR", PolynomialLROptions{}),
      simple<PolynomialLR>("PolynomialLR power", PolynomialLROptions{.total_iters = 15, .power = 2.5}),
      simple<CosineAnnealingLR>("CosineAnnealingLR", CosineAnnealingLROptions{.T_max = 7}),
      simple<CosineAnnealingLR>("CosineAnnealingLR eta_min",
                                CosineAnnealingLROptions{.T_max = 30, .eta_min = 0.01}),
      simple<CosineAnnealingLR>("CosineAnnealingLR 1", CosineAnnealingLROptions{.T_max = 1, .eta_min = 0.01}),
      simple<CosineAnnealingWarmRestarts>("CosineAnnealingWarmRestarts", Warm{.T_0 = 5}),
      simple<CosineAnnealingWarmRestarts>("CosineAnnealingWarmRestarts mult",
                                          Warm{.T_0 = 2, .T_mult = 2, .eta_min = 0.01}),
      simple<CosineAnnealingWarmRestarts>("CosineAnnealingWarmRestarts at", Warm{.T_0 = 2, .T_mult = 3}),
      simple<WarmupLR>("WarmupLR constant",
                       WarmupLROptions{.warmup_steps = 6, .decay = WarmupDecay::constant}),
      simple<WarmupLR>("WarmupLR linear",
                       WarmupLROptions{.warmup_steps = 6, .total_steps = 20, .decay = WarmupDecay::linear}),
      simple<WarmupLR>("WarmupLR cosine", WarmupLROptions{.warmup_steps = 5, .total_steps = 20}),
      simple<WarmupLR>("WarmupLR cycles", WarmupLROptions{.total_steps = 20, .num_cycles = 1.5}),
      {"SequentialLR", sequential},
      {"SequentialLR warm-up", warm_sequential},
      {"SequentialLR momenta", sequential_momenta},
      {"ChainedScheduler", chained},
  };
}

std::vector<Case> cycle_cases() {
  using namespace optim;
  const auto inverse = [](double x) { return 1 / (1 + x); };
  CyclicLROptions cyclic{.base_lr = {0.1, 0.2}, .max_lr = {0.5, 0.9}, .step_size_up = 3};
  auto triangular2 = cyclic, exp_range = cyclic, scale_fn = cyclic, scale_mode = cyclic;
  triangular2.step_size_down = 5;
  triangular2.mode = CyclicMode::triangular2;
  triangular2.base_momentum = {0.6, 0.7};
  triangular2.max_momentum = {0.8, 0.95};
  exp_range.mode = CyclicMode::exp_range;
  exp_range.gamma = 0.95;
  exp_range.cycle_momentum = false;
  scale_fn.scale_fn = scale_mode.scale_fn = inverse;
  scale_mode.scale_mode = ScaleMode::iterations;
  OneCycleLROptions one{.max_lr = {1.0, 0.1}, .total_steps = 25};
  auto three_phase = one, no_momentum = one;
  three_phase.three_phase = true;
  three_phase.div_factor = 10;
  three_phase.final_div_factor = 100;
  three_phase.base_momentum = 0.7;
  three_phase.max_momentum = 0.9;
  no_momentum.cycle_momentum = false;
  no_momentum.pct_start = 0.1;
  const OneCycleLROptions of_adam{.max_lr = 0.3,
                                  .epochs = 5,
                                  .steps_per_epoch = 5,
                                  .pct_start = 0.5,
                                  .anneal_strategy = AnnealStrategy::linear};
  return {
      simple<CyclicLR>("CyclicLR", cyclic),
      simple<CyclicLR>("CyclicLR triangular2", triangular2),
      simple<CyclicLR>("CyclicLR exp_range", exp_range),
      simple<CyclicLR>("CyclicLR scale_fn", scale_fn),
      simple<CyclicLR>("CyclicLR scale_mode", scale_mode),
      simple<OneCycleLR>("OneCycleLR", one),
      simple<OneCycleLR>("OneCycleLR Adam", of_adam),
      simple<OneCycleLR>("OneCycleLR three_phase", three_phase),
      simple<OneCycleLR>("OneCycleLR no momentum", no_momentum),
      simple<ReduceLROnPlateau>("ReduceLROnPlateau", ReduceLROnPlateauOptions{.patience = 1}),
      simple<ReduceLROnPlateau>("ReduceLROnPlateau max",
                                ReduceLROnPlateauOptions{.mode = PlateauMode::max,
                                                         .factor = 0.5,
                                                         .patience = 2,
                                                         .threshold = 0.5,
                                                         .threshold_mode = ThresholdMode::abs,
                                                         .cooldown = 3,
                                                         .min_lr = {0.1, 0.015}}),
      simple<ReduceLROnPlateau>("ReduceLROnPlateau abs",
                                ReduceLROnPlateauOptions{.factor = 0.7,
                                                         .patience = 0,
                                                         .threshold = 1.5,
                                                         .threshold_mode = ThresholdMode::abs,
                                                         .eps = 0.004}),
      simple<SWALR>("SWALR", SWALROptions{.swa_lr = 0.05}),
      simple<SWALR>(
          "SWALR linear",
          SWALROptions{.swa_lr = {0.05, 0.3}, .anneal_epochs = 6, .anneal_strategy = AnnealStrategy::linear}),
      simple<SWALR>("SWALR at once", SWALROptions{.swa_lr = 0.05, .anneal_epochs = 0}),
  };
}

std::vector<Case> cases() {
  auto all = epoch_cases();
  for (auto& c : cycle_cases()) all.push_back(c);
  return all;
}

/// The optimizer of the script: rates 0.5 and 0.02.
std::unique_ptr<optim::Optimizer> make_optimizer(bool adam) {
  const auto leaf = [] { return zeros({1}).requires_grad_(); };
  if (adam) {
    auto made = std::make_unique<optim::Adam>(optim::Params{leaf()}, optim::AdamOptions{.lr = 0.5});
    made->add_param_group({leaf()}, {.lr = 0.02});
    return made;
  }
  auto made =
      std::make_unique<optim::SGD>(optim::Params{leaf()}, optim::SGDOptions{.lr = 0.5, .momentum = 0.5});
  made->add_param_group({leaf()}, {.lr = 0.02, .momentum = 0.5});
  return made;
}

std::vector<double> row_of(const optim::Optimizer& o, bool adam) {
  const char* momentum = adam ? "beta1" : "momentum";
  return {o.lr(0), o.lr(1), o.option(momentum, 0), o.option(momentum, 1)};
}

/// Step t of a case, as the script takes it.
void take_step(optim::LRScheduler& s, const std::string& name, int t) {
  if (auto* plateau = dynamic_cast<optim::ReduceLROnPlateau*>(&s))
    plateau->step(t == 9 ? nan : std::abs(10 - t) + (t % 3) * 0.01);
  else if (name.ends_with(" at"))
    dynamic_cast<optim::CosineAnnealingWarmRestarts&>(s).step(t * 0.75);
  else
    s.step();
}

const fixtures::Scheduled& recorded(const std::string& name) {
  for (auto& r : fixtures::scheduled)
    if (r.name == name) return r;
  throw std::runtime_error("no fixture " + name);
}

TEST(OptimScheduler, EveryOneFollowsPyTorch) {
  EXPECT_EQ(cases().size(), fixtures::scheduled.size());
  for (auto& c : cases()) {
    SCOPED_TRACE(c.name);
    auto& expected = recorded(c.name);
    const auto optimizer = make_optimizer(expected.adam);
    const auto made = c.make(*optimizer);
    for (std::size_t t = 0; t < expected.rows.size(); ++t) {
      if (t > 0) take_step(*made.back(), c.name, static_cast<int>(t));
      const auto got = row_of(*optimizer, expected.adam);
      for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_NEAR(got[i], expected.rows[t][i], 1e-14) << "epoch " << t << ", column " << i;
      EXPECT_EQ(made.back()->get_last_lr(), (std::vector{got[0], got[1]}));
    }
  }
}

/// Stops after `stop` steps, loads the state into fresh objects, and goes on beside one that never stopped.
void expect_resumes(const Case& c, int stop) {
  SCOPED_TRACE(std::string(c.name) + " after " + std::to_string(stop));
  const bool adam = recorded(c.name).adam;
  const auto straight = make_optimizer(adam), resumed = make_optimizer(adam);
  const auto a = c.make(*straight);
  for (int t = 1; t <= stop; ++t) take_step(*a.back(), c.name, t);
  const auto b = c.make(*resumed);
  b.back()->load_state_dict(a.back()->state_dict());
  EXPECT_EQ(row_of(*resumed, adam), row_of(*straight, adam));
  for (int t = stop + 1; t <= 24; ++t) {
    take_step(*a.back(), c.name, t);
    take_step(*b.back(), c.name, t);
    EXPECT_EQ(row_of(*resumed, adam), row_of(*straight, adam)) << t;
  }
  EXPECT_EQ(a.back()->last_epoch(), b.back()->last_epoch());
}

TEST(OptimScheduler, EveryOneResumesWithTheSameBits) {
  for (auto& c : cases())
    for (const int stop : {0, 1, 4, 7, 13}) expect_resumes(c, stop);
}

TEST(OptimScheduler, LoadsBeforeOrAfterTheOptimizer) {
  for (const bool scheduler_first : {false, true}) {
    const auto straight = make_optimizer(true), resumed = make_optimizer(true);
    optim::LinearLR a(*straight);
    a.step();
    const auto of_optimizer = straight->state_dict();
    if (!scheduler_first) resumed->load_state_dict(of_optimizer);
    optim::LinearLR b(*resumed);
    b.load_state_dict(a.state_dict());
    if (scheduler_first) resumed->load_state_dict(of_optimizer);
    a.step(), b.step();
    EXPECT_EQ(row_of(*resumed, true), row_of(*straight, true));
  }
}

TEST(OptimScheduler, ANewOneStartsFromTheFirstRates) {
  const auto optimizer = make_optimizer(false);
  optim::StepLR half(*optimizer, {.step_size = 1, .gamma = 0.5});
  half.step();
  EXPECT_EQ(optimizer->lr(), 0.25);
  const auto saved = optimizer->state_dict();
  EXPECT_EQ(saved.groups[1].options.at("initial_lr"), 0.02);
  const auto other = make_optimizer(false);
  other->load_state_dict(saved);
  optim::LambdaLR same(*other, {.lr_lambda = [](std::int64_t) { return 1; }});
  EXPECT_EQ(other->lr(0), 0.5);
  EXPECT_EQ(other->lr(1), 0.02);
}

TEST(OptimScheduler, GroupsAddedLaterStayAsTheyAre) {
  auto w = zeros({1}).requires_grad_(), v = zeros({1}).requires_grad_();
  optim::SGD sgd({w}, {.lr = 1});
  optim::ExponentialLR half(sgd, {.gamma = 0.5});
  sgd.add_param_group({v}, {.lr = 1});
  half.step();
  EXPECT_EQ(sgd.lr(0), 0.5);
  EXPECT_EQ(sgd.lr(1), 1);
}

// ---- What they refuse

template <class S, class O>
std::string refusal(O options) {
  const auto optimizer = make_optimizer(false);
  return message_of<ValueError>([&] { S(*optimizer, options); });
}

TEST(OptimScheduler, BadOptions) {
  using namespace optim;
  EXPECT_EQ(refusal<StepLR>(StepLROptions{}), "[StepLR] step_size: expected >= 1, got 0");
  EXPECT_EQ(refusal<StepLR>(StepLROptions{.step_size = 1, .gamma = nan}),
            "[StepLR] gamma: expected >= 0, got nan");
  EXPECT_EQ(refusal<MultiStepLR>(MultiStepLROptions{.milestones = {1}, .gamma = -1}),
            "[MultiStepLR] gamma: expected >= 0, got -1");
  EXPECT_EQ(refusal<LambdaLR>(LambdaLROptions{}),
            "[LambdaLR] lr_lambda: expected 1 value or 2, one for each group, got 0");
  EXPECT_EQ(refusal<MultiplicativeLR>(MultiplicativeLROptions{}),
            "[MultiplicativeLR] lr_lambda: expected 1 value or 2, one for each group, got 0");
  EXPECT_EQ(refusal<ConstantLR>(ConstantLROptions{.factor = 0}),
            "[ConstantLR] factor: expected a number in (0, 1], got 0");
  EXPECT_EQ(refusal<ConstantLR>(ConstantLROptions{.total_iters = -1}),
            "[ConstantLR] total_iters: expected >= 0, got -1");
  EXPECT_EQ(refusal<LinearLR>(LinearLROptions{.start_factor = 0}),
            "[LinearLR] start_factor: expected a number in (0, 1], got 0");
  EXPECT_EQ(refusal<LinearLR>(LinearLROptions{.end_factor = 1.5}),
            "[LinearLR] end_factor: expected a number in [0, 1], got 1.5");
  EXPECT_EQ(refusal<ExponentialLR>(ExponentialLROptions{}), "[ExponentialLR] gamma: expected > 0, got 0");
  EXPECT_EQ(refusal<PolynomialLR>(PolynomialLROptions{.total_iters = 0}),
            "[PolynomialLR] total_iters: expected >= 1, got 0");
  EXPECT_EQ(refusal<CosineAnnealingLR>(CosineAnnealingLROptions{}),
            "[CosineAnnealingLR] T_max: expected >= 1, got 0");
  EXPECT_EQ(refusal<CosineAnnealingWarmRestarts>(CosineAnnealingWarmRestartsOptions{.T_0 = 2, .T_mult = 0}),
            "[CosineAnnealingWarmRestarts] T_mult: expected >= 1, got 0");
  EXPECT_EQ(refusal<WarmupLR>(WarmupLROptions{.warmup_steps = 5, .total_steps = 5}),
            "[WarmupLR] total_steps: expected more than warmup_steps, got 5");
  EXPECT_EQ(refusal<CyclicLR>(CyclicLROptions{.base_lr = 0.1, .max_lr = {1.0, 2.0, 3.0}}),
            "[CyclicLR] max_lr: expected 1 value or 2, one for each group, got 3");
  EXPECT_EQ(refusal<CyclicLR>(CyclicLROptions{.base_lr = {0.1, -0.1}, .max_lr = 1}),
            "[CyclicLR] base_lr: expected >= 0, got -0.1");
  EXPECT_EQ(refusal<CyclicLR>(CyclicLROptions{.base_lr = 0.1, .max_lr = 1, .max_momentum = 1}),
            "[CyclicLR] max_momentum: expected a number in [0, 1), got 1");
  EXPECT_EQ(refusal<OneCycleLR>(OneCycleLROptions{.max_lr = 1}),
            "[OneCycleLR] total_steps: expected >= 1, or else epochs and steps_per_epoch, got 0");
  EXPECT_EQ(refusal<OneCycleLR>(OneCycleLROptions{.max_lr = 1, .total_steps = 5, .pct_start = 1.5}),
            "[OneCycleLR] pct_start: expected a number in [0, 1], got 1.5");
  EXPECT_EQ(refusal<SWALR>(SWALROptions{}),
            "[SWALR] swa_lr: expected 1 value or 2, one for each group, got 0");
  EXPECT_EQ(refusal<ReduceLROnPlateau>(ReduceLROnPlateauOptions{.factor = 1}),
            "[ReduceLROnPlateau] factor: expected a number in [0, 1), got 1");
}

TEST(OptimScheduler, MomentumNeedsSome) {
  auto w = zeros({1}).requires_grad_();
  optim::Adagrad adagrad({w}, {.lr = 0.25});
  EXPECT_EQ(message_of<ValueError>([&] { optim::OneCycleLR(adagrad, {.max_lr = 1, .total_steps = 5}); }),
            "[OneCycleLR] cycle_momentum: expected an optimizer with momentum or betas, got Adagrad");
  EXPECT_EQ(adagrad.lr(), 0.25);
  optim::OneCycleLR without(adagrad, {.max_lr = 1, .total_steps = 5, .cycle_momentum = false});
  EXPECT_NEAR(adagrad.lr(), 0.04, 1e-15);
}

TEST(OptimScheduler, RefusedStepsChangeNothing) {
  const auto optimizer = make_optimizer(false);
  optim::OneCycleLR one(*optimizer,
                        {.max_lr = 1, .total_steps = 2, .anneal_strategy = AnnealStrategy::linear});
  one.step();
  const auto last = row_of(*optimizer, false);
  one.step();
  const auto before = row_of(*optimizer, false);
  EXPECT_EQ(before, last) << "there is nothing beyond the end";
  EXPECT_EQ(message_of<ValueError>([&] { one.step(); }), "[OneCycleLR] expected at most 2 steps, got 3");
  EXPECT_EQ(one.last_epoch(), 2);
  EXPECT_EQ(row_of(*optimizer, false), before);

  const auto plain = make_optimizer(false);
  optim::LambdaLR falling(*plain, {.lr_lambda = [](std::int64_t t) { return 1 - static_cast<double>(t); }});
  falling.step();
  EXPECT_EQ(message_of<ValueError>([&] { falling.step(); }),
            "[LambdaLR] expected rates >= 0, got -0.5 in epoch 2");
  EXPECT_EQ(plain->lr(), 0);

  const auto third = make_optimizer(false);
  optim::ExponentialLR half(*third, {.gamma = 0.5});
  optim::OneCycleLR short_one(*third, {.max_lr = 1, .total_steps = 1});
  optim::ChainedScheduler both({half, short_one});
  both.step();
  const auto rates = row_of(*third, false);
  EXPECT_THROW(both.step(), ValueError);
  EXPECT_EQ(row_of(*third, false), rates);
  EXPECT_EQ(half.last_epoch(), 1);
}

TEST(OptimScheduler, ComposedOnesRefuseWhatDoesNotFit) {
  const auto a = make_optimizer(false), b = make_optimizer(false);
  optim::StepLR one(*a, {.step_size = 1}), two(*a, {.step_size = 1}), other(*b, {.step_size = 1});
  optim::ReduceLROnPlateau plateau(*a);
  const auto sequential_of = [&](optim::Schedulers parts, std::vector<std::int64_t> milestones) {
    return message_of<ValueError>([&] { optim::SequentialLR(*a, parts, {.milestones = milestones}); });
  };
  EXPECT_EQ(sequential_of({}, {}), "[SequentialLR] expected schedulers, got none");
  EXPECT_EQ(sequential_of({one, other}, {1}),
            "[SequentialLR] expected schedulers of one optimizer, got another one's as number 1");
  EXPECT_EQ(sequential_of({one, plateau}, {1}),
            "[SequentialLR] expected schedulers that step without a metric, got ReduceLROnPlateau");
  EXPECT_EQ(sequential_of({one, two}, {}), "[SequentialLR] expected 1 milestones for 2 schedulers, got 0");
  EXPECT_EQ(sequential_of({one, two, one}, {3, 3}),
            "[SequentialLR] expected increasing milestones >= 1, got 3 after 3");
  EXPECT_EQ(message_of<ValueError>([&] { optim::ChainedScheduler{optim::Schedulers{}}; }),
            "[ChainedScheduler] expected schedulers, got none");
  EXPECT_EQ(message_of<ValueError>([&] {
              optim::ChainedScheduler({one, other});
            }),
            "[ChainedScheduler] expected schedulers of one optimizer, got another one's as number 1");
  EXPECT_EQ(message_of<ValueError>([&] { plateau.step(); }),
            "[ReduceLROnPlateau] expected the metric as step(metric), got none");
  optim::CosineAnnealingWarmRestarts warm(*a, {.T_0 = 3});
  EXPECT_EQ(message_of<ValueError>([&] { warm.step(-0.5); }),
            "[CosineAnnealingWarmRestarts] expected an epoch >= 0, got -0.5");
}

TEST(OptimScheduler, StatesThatDoNotFitChangeNothing) {
  const auto optimizer = make_optimizer(false);
  const auto made = sequential(*optimizer);
  auto& scheduler = *made.back();
  scheduler.step();
  const auto before = row_of(*optimizer, false);
  const auto refuse = [&](auto change) {
    auto state = scheduler.state_dict();
    state.values["last_lr"] = {9, 9};
    change(state);
    const auto text = message_of<ValueError>([&] { scheduler.load_state_dict(state); });
    EXPECT_EQ(row_of(*optimizer, false), before);
    EXPECT_EQ(scheduler.last_epoch(), 1);
    return text;
  };
  const std::string op = "[SequentialLR::load_state_dict] expected ";
  EXPECT_EQ(refuse([](auto& s) { s.scheduler = "StepLR"; }),
            op + "the state of SequentialLR, got one of StepLR");
  EXPECT_EQ(refuse([](auto& s) { s.values.erase("base_lrs"); }), op + "2 \"base_lrs\", got none");
  EXPECT_EQ(refuse([](auto& s) { s.values["last_lr"] = {1}; }), op + "2 \"last_lr\", got 1");
  EXPECT_EQ(refuse([](auto& s) { s.values["last_lr"] = {1, nan}; }), op + "last_lr >= 0, got nan");
  EXPECT_EQ(refuse([](auto& s) { s.values["last_epoch"] = {0.5}; }),
            op + "a whole last_epoch >= -1, got 0.5");
  EXPECT_EQ(refuse([](auto& s) { s.schedulers.pop_back(); }), op + "3 schedulers, got 2");
  EXPECT_EQ(refuse([](auto& s) { s.schedulers[2].values["last_epoch"] = {inf}; }),
            "[CosineAnnealingWarmRestarts::load_state_dict] expected a whole last_epoch >= -1, got inf");

  optim::ReduceLROnPlateau plateau(*optimizer);
  auto state = plateau.state_dict();
  state.values["best"] = {1, 2};
  EXPECT_EQ(message_of<ValueError>([&] { plateau.load_state_dict(state); }),
            "[ReduceLROnPlateau::load_state_dict] expected 1 \"best\", got 2");
}

// A schedule of one's own, as the head of optim/scheduler.hpp shows it.
struct HalvingLROptions {
  static constexpr const char* name = "HalvingLR";
  std::int64_t every = 10;
  template <class V>
  void visit(V&& v) {
    v("every", every, optim::at_least_1);
  }
  double rate(const optim::Epoch& e) const {
    return e.number > 0 && e.number % every == 0 ? e.now / 2 : e.now;
  }
};
using HalvingLR = optim::Schedule<HalvingLROptions>;

TEST(OptimScheduler, OneOfOnesOwn) {
  const auto optimizer = make_optimizer(false);
  HalvingLR schedule(*optimizer, {.every = 2});
  for (int i = 0; i < 5; ++i) schedule.step();
  EXPECT_EQ(optimizer->lr(), 0.125);
  EXPECT_EQ(refusal<HalvingLR>(HalvingLROptions{.every = 0}), "[HalvingLR] every: expected >= 1, got 0");
}

}  // namespace
}  // namespace cadena
