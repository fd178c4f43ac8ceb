// What every optimizer must do, whichever it is: enumerated from optim::optimizer_names(), so that none is
// forgotten.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "autodiff/autodiff.hpp"
#include "messages.hpp"
#include "optim/optim.hpp"
#include "values.hpp"

namespace cadena {
namespace {

namespace fs = std::filesystem;
using optim::OptionValues;
using Named = std::vector<std::pair<std::string, Tensor>>;

struct Variant {
  std::string name;
  OptionValues options;
};

/// Every optimizer with its defaults, and once with whatever makes it remember more.
std::vector<Variant> variants() {
  std::vector<Variant> all = {
      {"SGD", {{"momentum", 0.9}, {"weight_decay", 0.1}, {"nesterov", 1}}},
      {"SGD", {{"momentum", 0.9}, {"dampening", 0.5}, {"maximize", 1}}},
      {"Adam", {{"amsgrad", 1}, {"beta1", 0.8}, {"bias_correction", 0}}},
      {"AdamW", {{"amsgrad", 1}, {"maximize", 1}}},
      {"Adagrad", {{"lr_decay", 0.1}, {"initial_accumulator_value", 0.5}, {"weight_decay", 0.1}}},
      {"RMSprop", {{"momentum", 0.9}}},
      {"RMSprop", {{"centered", 1}}},
      {"RMSprop", {{"momentum", 0.9}, {"centered", 1}, {"weight_decay", 0.1}}},
      {"NAdam", {{"weight_decay", 0.1}, {"decoupled_weight_decay", 1}}},
      {"RAdam", {{"weight_decay", 0.1}, {"beta2", 0.9}}},
      {"ASGD", {{"t0", 3}, {"lambd", 0.1}}},
      {"Rprop", {{"etaplus", 2}, {"step_size_max", 0.05}}},
      {"Adafactor", {{"eps1", 1e-3}, {"weight_decay", 0.1}, {"beta2_decay", -0.5}}},
      {"Muon", {{"nesterov", 0}, {"adjust_lr_fn", 1}}},
      {"LBFGS", {{"line_search_fn", 1}, {"max_iter", 3}, {"history_size", 2}}},
  };
  for (auto& name : optim::optimizer_names())
    all.push_back({name, name == "LBFGS" ? OptionValues{{"lr", 0.01}} : OptionValues{}});
  return all;
}

std::string text_of(const Variant& v) {
  std::string text = v.name;
  for (auto& [option, value] : v.options) text += " " + option + "=" + optim::to_text(value);
  return text;
}

Tensor leaf(const Tensor& t) { return t.detach().clone().requires_grad_(); }
Tensor matrix(std::uint64_t seed, DType dtype = f32, const Shape& shape = {3, 4}) {
  Generator g(seed);
  return randn(shape, g, dtype).requires_grad_();
}

/// Step t of any optimizer: towards noise that depends on t only. `sign` is that of the loss.
void step(optim::Optimizer& optimizer, int t, double sign = 1) {
  optimizer.step([&] {
    optimizer.zero_grad();
    Tensor loss = zeros({}, f64);
    std::uint64_t seed = static_cast<std::uint64_t>(t) * 100;
    for (auto& p : optimizer.parameters()) {
      Generator g(seed++);
      loss = loss + sum(sqrt(1 + square(p - randn(p.shape(), g, f64).to(p.dtype())))).to(f64);
    }
    loss = loss * sign;
    loss.backward();
    return loss;
  });
}

TEST(EveryOptimizer, IsInTheTableAndInTheDocumentation) {
  std::set<std::string> declared, schedules;
  const std::regex optimizer(R"(class (\w+) : public OptimizerWith<)"),
      schedule(R"(using (\w+) = Schedule<)");
  for (auto& entry : fs::directory_iterator(fs::path(CADENA_SOURCE_DIR) / "optim")) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream in(entry.path());
    std::smatch match;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("//")) continue;
      if (std::regex_search(line, match, optimizer)) declared.insert(match[1]);
      if (std::regex_search(line, match, schedule)) schedules.insert(match[1]);
    }
  }
  const auto& names = optim::optimizer_names();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()), declared);
  EXPECT_EQ(names.size(), declared.size());

  schedules.insert({"SequentialLR", "ChainedScheduler", "ReduceLROnPlateau", "CosineAnnealingWarmRestarts"});
  EXPECT_EQ(schedules.size(), 17u) << "PyTorch's 15, SWALR and WarmupLR";
  std::ifstream in(fs::path(CADENA_SOURCE_DIR) / "docs/optim.md");
  std::stringstream page;
  page << in.rdbuf();
  for (auto& set : {declared, schedules})
    for (auto& name : set)
      EXPECT_TRUE(contains(page.str(), "\n| `" + name + "` |")) << name << " has no row in docs/optim.md";
}

TEST(EveryOptimizer, ResumesWithTheSameBits) {
  for (auto& v : variants()) {
    SCOPED_TRACE(text_of(v));
    auto a = matrix(1), b = matrix(2, f64, {2, 5}), c = matrix(3);
    const auto straight = optim::make_optimizer(v.name, Named{{"a", a}, {"b", b}}, v.options);
    if (v.name != "LBFGS") straight->add_param_group_by_name(Named{{"c", c}}, {{"lr", 0.05}});
    for (int t = 0; t < 5; ++t) step(*straight, t);

    auto x = leaf(a), y = leaf(b), z = leaf(c);
    const auto resumed = optim::make_optimizer(v.name, Named{{"b", y}, {"a", x}});  // in another order
    if (v.name != "LBFGS") resumed->add_param_group_by_name(Named{{"c", z}}, {});
    resumed->load_state_dict(straight->state_dict());
    EXPECT_EQ(resumed->lr(resumed->num_groups() - 1), straight->lr(straight->num_groups() - 1));
    // LBFGS sums over all parameters: give it the order that the sums had.
    if (v.name == "LBFGS") {
      const auto same_order = optim::make_optimizer(v.name, Named{{"a", x}, {"b", y}});
      same_order->load_state_dict(resumed->state_dict());
      for (int t = 5; t < 10; ++t) step(*straight, t), step(*same_order, t);
    } else {
      for (int t = 5; t < 10; ++t) {
        step(*straight, t);
        // The noise of a parameter depends on its place.
        optim::Optimizer& r = *resumed;
        r.zero_grad();
        x.set_grad(a.grad()), y.set_grad(b.grad()), z.set_grad(c.grad());
        r.step();
      }
    }
    EXPECT_TRUE(equal(a, x) && equal(b, y) && equal(c, z));
    EXPECT_FALSE(equal(a, matrix(1)));
  }
}

TEST(EveryOptimizer, KeepsTheDtypeAndAgreesInBoth) {
  for (auto& v : variants()) {
    SCOPED_TRACE(text_of(v));
    auto narrow = matrix(4), wide = leaf(narrow.to(f64));
    const auto a = optim::make_optimizer(v.name, {narrow}, v.options),
               b = optim::make_optimizer(v.name, {wide}, v.options);
    for (int t = 0; t < 3; ++t) {
      if (v.name == "LBFGS") {
        step(*a, 0), step(*b, 0);  // one problem, or rounding decides where it goes
      } else {
        step(*b, t);
        narrow.set_grad(wide.grad().to(f32));
        a->step();
      }
    }
    EXPECT_EQ(narrow.dtype(), f32);
    EXPECT_TRUE(allclose(narrow.to(f64), wide, 1e-3, 1e-4));
  }
}

TEST(EveryOptimizer, SkipsUndefinedGradientsAndEmptyParameters) {
  for (auto& v : variants()) {
    SCOPED_TRACE(text_of(v));
    auto used = matrix(5), unused = matrix(6), empty = zeros({0, 3}).requires_grad_();
    const auto optimizer = optim::make_optimizer(v.name, {unused, empty, used}, v.options);
    for (int t = 0; t < 3; ++t)
      optimizer->step([&] {
        optimizer->zero_grad();
        const Tensor loss = sum(square(used)) + sum(empty);
        loss.backward();
        return loss;
      });
    EXPECT_TRUE(equal(unused, matrix(6)));
    EXPECT_FALSE(equal(used, matrix(5)));
    EXPECT_TRUE(all(isfinite(used)).item() != 0);
    const auto copy =
        optim::make_optimizer(v.name, {matrix(6), zeros({0, 3}).requires_grad_(), matrix(5)}, v.options);
    copy->load_state_dict(optimizer->state_dict());
  }
}

TEST(EveryOptimizer, MaximizesByFollowingTheNegativeGradient) {
  for (auto& v : variants()) {
    auto options = v.options;
    auto up = matrix(7), down = leaf(up);
    options["maximize"] = 0;
    if (v.name == "LBFGS") continue;  // has no maximize, as in PyTorch
    SCOPED_TRACE(text_of(v));
    const auto a = optim::make_optimizer(v.name, {down}, options);
    options["maximize"] = 1;
    const auto b = optim::make_optimizer(v.name, {up}, options);
    for (int t = 0; t < 4; ++t) step(*a, t), step(*b, t, -1);
    EXPECT_TRUE(equal(up, down));
  }
}

TEST(EveryOptimizer, DoesTheSameToStridedMemory) {
  for (auto& v : variants()) {
    SCOPED_TRACE(text_of(v));
    auto plain = matrix(8, f64), base = plain.detach().t().contiguous();
    auto strided = base.t().detach().requires_grad_();
    ASSERT_FALSE(strided.is_contiguous());
    const auto a = optim::make_optimizer(v.name, {plain}, v.options),
               b = optim::make_optimizer(v.name, {strided}, v.options);
    for (int t = 0; t < 3; ++t) step(*a, t), step(*b, t);
    EXPECT_TRUE(allclose(plain, strided, 1e-12, 1e-12));
    EXPECT_TRUE(equal(base, strided.t()));
  }
}

TEST(EveryOptimizer, LetsNanThrough) {
  for (auto& v : variants()) {
    SCOPED_TRACE(text_of(v));
    auto w = matrix(9);
    const auto before = w.detach().clone();
    const auto optimizer = optim::make_optimizer(v.name, {w}, v.options);
    auto g = ones({3, 4});
    g.index_put_({1, 2}, nan);
    const Tensor loss = optimizer->step([&] {
      w.set_grad(g);
      return full({}, nan);
    });
    EXPECT_TRUE(std::isnan(loss.item()));
    if (v.name == "LBFGS") {
      EXPECT_TRUE(equal(w, before)) << "no direction leads down from NaN";
      continue;
    }
    EXPECT_TRUE(std::isnan(w[1][2].item()));
    if (v.name != "LAMB" && v.name != "Adafactor" && v.name != "Muon") {
      EXPECT_EQ(sum(isnan(w).to(f64)).item(), 1) << "the other elements are none of its business";
    }
  }
}

TEST(EveryOptimizer, LearnsABowl) {
  for (auto& v : variants()) {
    if (v.options.contains("maximize")) continue;
    SCOPED_TRACE(text_of(v));
    auto options = v.options;
    if (!options.contains("lr"))
      options["lr"] = v.name == "Adadelta" ? 20 : (v.name == "Adagrad" ? 0.3 : 0.05);
    if (v.name == "LBFGS") options["lr"] = 0.5;
    if (v.name == "Muon") options["weight_decay"] = 0;
    auto w = matrix(10, f64);
    const auto optimizer = optim::make_optimizer(v.name, {w}, options);
    const auto distance = [&] { return sum(square(w)).item(); };
    const double first = distance();
    for (int t = 0; t < 300; ++t)
      optimizer->step([&] {
        optimizer->zero_grad();
        const Tensor loss = sum(square(w));
        loss.backward();
        return loss;
      });
    EXPECT_LT(distance(), first / 20);
  }
}

TEST(EveryOptimizer, RefusesOptionsThatAreNoNumbers) {
  for (auto& name : optim::optimizer_names()) {
    const auto optimizer = optim::make_optimizer(name, {matrix(11)});
    const auto state = optimizer->state_dict();
    for (auto& [option, value] : state.groups[0].options) {
      const auto text = message_of<ValueError>([&] {
        optim::make_optimizer(name, {matrix(11)}, {{option, nan}});
      });
      EXPECT_TRUE(contains(text, "[" + name + "] " + option + ": expected ")) << text;
      EXPECT_TRUE(contains(text, ", got nan")) << text;
      EXPECT_THROW(optimizer->set_option(option, nan), ValueError);
      EXPECT_EQ(optimizer->option(option), value);
    }
    EXPECT_EQ(message_of<ValueError>([&] {
                optim::make_optimizer(name, {matrix(11)}, {{"lr", -1}});
              }),
              "[" + name + "] lr: expected >= 0, got -1");
    EXPECT_TRUE(optimizer->has_option("lr"));
    EXPECT_FALSE(optimizer->has_option("speed"));
  }
}

TEST(OptimizerTable, SaysWhatItDoesNotKnow) {
  EXPECT_EQ(message_of<ValueError>([] { optim::make_optimizer("adam", {matrix(1)}); }),
            "[make_optimizer] expected one of SGD Adam AdamW Adagrad RMSprop Adadelta Adamax NAdam RAdam "
            "ASGD Rprop "
            "Adafactor Lion Muon LAMB LBFGS, got \"adam\"");
  const std::string known = "\"lr\" \"momentum\" \"dampening\" \"weight_decay\" \"nesterov\" \"maximize\"";
  EXPECT_EQ(message_of<ValueError>([] {
              optim::make_optimizer("SGD", {matrix(1)}, {{"beta1", 0.5}});
            }),
            "[SGD] expected options among " + known + ", got \"beta1\"");
  const auto sgd = optim::make_optimizer("SGD", {matrix(1)});
  EXPECT_EQ(message_of<ValueError>([&] { sgd->set_option("beta1", 0.5); }),
            "[SGD] expected one of \"dampening\" \"lr\" \"maximize\" \"momentum\" \"nesterov\" "
            "\"weight_decay\", got \"beta1\"");
  EXPECT_THROW(sgd->option("lr", 1), IndexError);
  EXPECT_EQ(message_of<ValueError>([] {
              optim::make_optimizer("LBFGS", {matrix(1)}, {{"max_iter", 1.5}});
            }),
            "[LBFGS] max_iter: expected a whole number, got 1.5");
  EXPECT_EQ(message_of<ValueError>([] {
              optim::make_optimizer("Muon", {matrix(1)}, {{"adjust_lr_fn", 2}});
            }),
            "[Muon] adjust_lr_fn: expected one of its values, got 2");
}

TEST(OptimizerTable, OptionsThatDependOnEachOther) {
  const auto refusal = [](const char* name, const OptionValues& options) {
    return message_of<ValueError>([&] { optim::make_optimizer(name, {matrix(1)}, options); });
  };
  EXPECT_EQ(refusal("SGD", {{"nesterov", 1}}),
            "[SGD] nesterov: expected false without momentum or with dampening, got 1");
  EXPECT_EQ(refusal("Rprop", {{"etaminus", 1}}), "[Rprop] etaminus: expected a number in (0, 1), got 1");
  EXPECT_EQ(refusal("Rprop", {{"etaplus", 1}}), "[Rprop] etaplus: expected > 1, got 1");
  EXPECT_EQ(refusal("Rprop", {{"step_size_min", 60}}),
            "[Rprop] step_size_max: expected at least step_size_min, got 50");
  EXPECT_EQ(refusal("Adafactor", {{"d", 0.5}}), "[Adafactor] d: expected >= 1, got 0.5");
  EXPECT_EQ(refusal("Adafactor", {{"beta2_decay", 0.5}}), "[Adafactor] beta2_decay: expected <= 0, got 0.5");
  EXPECT_EQ(refusal("Adadelta", {{"rho", 1.5}}), "[Adadelta] rho: expected a number in [0, 1], got 1.5");
  EXPECT_EQ(message_of<ShapeError>([] {
              optim::Muon(Named{{"bias", zeros({3}).requires_grad_()}});
            }),
            "[Muon] expected matrices, got (3,) as \"bias\"");
  optim::Muon muon({matrix(1)});
  EXPECT_THROW(muon.add_param_group({zeros({2, 2, 2}).requires_grad_()}), ShapeError);
  EXPECT_EQ(muon.num_groups(), 1u);
}

TEST(OptimizerTable, RmspropStaysFiniteWhereTheVarianceIsNone) {
  auto w = zeros({1000}).requires_grad_();
  optim::RMSprop centered({w}, {.centered = true});
  w.set_grad(linspace(-1, 1, 1000));
  for (int t = 0; t < 3000; ++t) centered.step();
  EXPECT_TRUE(all(isfinite(w)).item() != 0);
}

TEST(OptimizerTable, AsgdAveragesFromT0On) {
  auto w = zeros({1}, f64).requires_grad_();
  optim::ASGD asgd({w}, {.lr = 1, .lambd = 0, .t0 = 0});
  double sum = 0;
  for (int t = 1; t <= 6; ++t) {
    w.set_grad(full({1}, -t, f64));
    asgd.step();
    const double average = asgd.state_dict().groups[0].parameters[0].slots.at("ax").item();
    if (t >= 2) sum += w.item();
    EXPECT_NEAR(average, t == 1 ? w.item() : sum / (t - 1), 1e-12) << t;
  }
}

}  // namespace
}  // namespace cadena
