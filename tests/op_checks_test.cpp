// The test kit for users: right ops of every kind pass, wrong ones fail with a text that says where, and
// kinks neither accuse a right derivative nor excuse a wrong one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "autodiff/autodiff.hpp"
#include "autodiff/elementwise.hpp"
#include "autodiff/testing.hpp"
#include "messages.hpp"
#include "values.hpp"

namespace cadena {
namespace {

// One line each, as users write them.

const auto swish = elementwise("swish", [](auto x) { return x / (1 + exp(-x)); });
Tensor swish_by_hand(const TensorList& x) {
  std::vector<double> y = x[0].to_vector<double>();
  for (double& v : y) v = v / (1 + std::exp(-v));
  return tensor(y, x[0].shape()).to(x[0].dtype());
}
CADENA_TEST_OP(Swish, swish, {.reference = swish_by_hand});

CADENA_TEST_OP(LogRatio, elementwise("log_ratio", [](auto a, auto b) { return log(a / b); }),
               {.domain = {{.low = 0.5, .high = 2}}, .orders = 3});

CADENA_TEST_OP(KinkyNearItsKinks, [](const Tensor& x) { return relu(x) + 0.5 * abs(x - 0.25); },
               {.domain = {{.low = -0.3, .high = 0.3}}, .samples = 40});

CADENA_TEST_OP(ATensorListOfTwoResults,
               [](const TensorList& x) {
                 return TensorList{matmul(x[0], x[1]), softmax(x[0], -1)};
               },
               {.shapes = {{{2, 3}, {3, 2}}, {{1, 2}, {2, 4}}, {{0, 3}, {3, 2}}, {{2, 2}, {2, 2}}},
                .large = {{64, 64}, {64, 64}}});

CustomOp cubed(double factor = 3) {
  CustomOp op{.name = "cubed", .forward = [](const TensorList& x) { return x[0] * x[0] * x[0]; }};
  op.vjp = [factor](const Tensor& g, const TensorList& x, const Tensor&) {
    return TensorList{g * factor * x[0] * x[0]};
  };
  return op;
}
CADENA_TEST_OP(Custom, cubed(), {.shapes = {{{}}, {{5}}, {{2, 0}}, {{2, 3}}}, .orders = 3});

/// All checks; the name of the first that fails, and what it says.
std::pair<std::string, std::string> failure(const OpUnderTest& op) {
  for (const auto& check : op_checks())
    if (const OpReport report = check.run(op); !report.ok) return {check.name, report.text};
  return {};
}

const std::vector<std::vector<Shape>> small = {{{3}}, {{2, 2}}};

TEST(OpChecks, AWrongDerivativeIsNamedWithItsElementAndBothValues) {
  const auto [check, text] = failure(op_under_test(cubed(3 + 1e-4), {.shapes = small}));
  EXPECT_EQ(check, "FirstOrderAndForwardMode");
  for (const char* part : {"(3,): d(output 0 at (", ") / d(input 0 at (", "analytic ", ", numerical "})
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(OpChecks, AWrongValueIsFoundByTheReference) {
  const auto reference = [](const TensorList& x) { return where(x[0] > 0, x[0], x[0] * 1.001); };
  const auto [check, text] = failure(
      op_under_test([](const Tensor& x) { return x * 1; }, {.shapes = {{{9}}}, .reference = reference}));
  EXPECT_EQ(check, "Value");
  EXPECT_NE(text.find("(9,): value at element "), std::string::npos) << text;
}

TEST(OpChecks, AGradientThatDiffersFromTheReferenceIsFound) {
  const auto [check, text] = failure(op_under_test(
      cubed(2), {.shapes = small, .reference = [](const TensorList& x) { return pow(x[0], 3); }}));
  EXPECT_EQ(check, "Value");
  EXPECT_NE(text.find("gradient of input 0"), std::string::npos) << text;
}

TEST(OpChecks, AWrongSecondOrderIsFound) {
  CustomOp op{.name = "flat", .forward = [](const TensorList& x) { return exp(x[0]); }};
  op.vjp = [](const Tensor& g, const TensorList&, const Tensor& y) { return TensorList{g * y.detach()}; };
  EXPECT_EQ(failure(op_under_test(op, {.shapes = small})).first, "HigherOrders");
}

/// Reads the memory of its input as if it were contiguous.
TEST(OpChecks, IgnoredStridesAreFound) {
  CustomOp op{.name = "blind", .forward = [](const TensorList& x) {
                if (x[0].is_contiguous()) return x[0] * 2;
                return reshape(flip(reshape(x[0], {-1}), {0}), x[0].shape()) * 2;
              }};
  op.vjp = [](const Tensor& g, const TensorList&, const Tensor&) { return TensorList{g * 2}; };
  const auto [check, text] = failure(op_under_test(op, {.shapes = {{{2, 3}}}}));
  EXPECT_EQ(check, "Layouts");
  EXPECT_NE(text.find("inputs, value at element "), std::string::npos) << text;
}

TEST(OpChecks, AResultInTheWrongDtypeIsFound) {
  const auto [check, text] =
      failure(op_under_test([](const Tensor& x) { return to(x, f64) * x; }, {.shapes = small}));
  EXPECT_EQ(check, "FloatAgreesWithDouble");
  EXPECT_EQ(text, "(3,): f32, value has dtype f64");
}

TEST(OpChecks, MemoryThatStaysIsFound) {
  TensorList hoard;
  const auto [check, text] = failure(op_under_test(
      [&hoard](const Tensor& x) {
        hoard.push_back(x * 2);
        return hoard.back() + 1;
      },
      {.shapes = small}));
  EXPECT_EQ(check, "Memory");
  EXPECT_NE(text.find("bytes are still alive"), std::string::npos) << text;
}

TEST(OpChecks, BitsThatDependOnTheThreadsAreFound) {
  EXPECT_EQ(failure(op_under_test([](const Tensor& x) { return x * (1 + 1e-3 * num_threads()); },
                                  {.shapes = small}))
                .first,
            "ThreadsDoNotChangeBits");
}

TEST(OpChecks, AResultThatChangesFromCallToCallIsFound) {
  Generator g(1);
  const auto [check, text] = failure(
      op_under_test([&g](const Tensor& x) { return x + rand(x.shape(), g, x.dtype()); }, {.shapes = small}));
  EXPECT_EQ(check, "Value");
  EXPECT_NE(text.find("called again, value at element 0 is "), std::string::npos) << text;
}

TEST(OpChecks, ChecksThatWouldCompareNothingFail) {
  const auto all_at_kinks = op_under_test([](const Tensor& x) { return relu(x); },
                                          {.shapes = {{{5}}}, .domain = {{.low = 0, .high = 0}}});
  EXPECT_EQ(
      failure(all_at_kinks).second,
      "most input elements lie on kinks, where nothing can be compared: give a domain with other points");
  const auto too_large = op_under_test([](const Tensor& x) { return x * x; }, {.shapes = {{{31}}}});
  EXPECT_EQ(failure(too_large).second, "no sample that could be checked: none has at most 30 elements");
}

/// An op that looks where its inputs lie.
TEST(OpChecks, OneTensorInTwoPlacesIsTried) {
  const auto op = [](const TensorList& x) {
    const bool same = x[0].data<double>() == x[1].data<double>();
    return x[0] * x[1] * (same ? 2 : 1);
  };
  const auto [check, text] = failure(op_under_test(op, {.shapes = {{{3}, {3}}}}));
  EXPECT_EQ(check, "RepeatedInputs");
  EXPECT_NE(text.find("one tensor in two places, value at element "), std::string::npos) << text;
}

TEST(OpChecks, WhatCannotBeTestedIsRefused) {
  const auto refusal = [](const auto& f, const OpTest& test) {
    return message_of<ValueError>([&] { op_under_test(f, test); });
  };
  const auto product = [](const Tensor& a, const Tensor& b) { return a * b; };
  EXPECT_EQ(refusal([](const TensorList& x) { return x[0]; }, {}),
            "[op_under_test] expected shapes: a function of a TensorList takes any number of inputs");
  for (const OpTest& test : {OpTest{.shapes = {{{3}}}}, OpTest{.large = {{9}}}})
    EXPECT_EQ(
        refusal(product, test),
        "[op_under_test] expected 2 shapes for each sample, as many as the function has arguments, got 1");
  EXPECT_EQ(refusal(product, {.orders = 4}), "[op_under_test] expected orders from 1 to 3, got 4");
  EXPECT_EQ(refusal(product, {.samples = 0}), "[op_under_test] expected samples >= 1, got 0");
}

// Kinks. The stencil reaches 2e-3 to both sides.

struct Kinky {
  const char* name;
  TensorFunction f;
  std::vector<double> kinks;
};
const Kinky kinky[] = {
    {"relu", [](const TensorList& x) { return relu(x[0]); }, {0}},
    {"abs", [](const TensorList& x) { return abs(x[0]); }, {0}},
    {"clamp", [](const TensorList& x) { return clamp(x[0], -1, 1) * x[0]; }, {-1, 1}},
    {"maximum", [](const TensorList& x) { return maximum(x[0], 0.5 * square(x[0])); }, {0, 2}},
    {"hardshrink", [](const TensorList& x) { return hardshrink(x[0]); }, {-0.5, 0.5}},
    {"floor", [](const TensorList& x) { return floor(x[0]) + x[0]; }, {-1, 0, 1}},
    {"remainder", [](const TensorList& x) { return remainder(x[0], 1); }, {-1, 0, 1}},
    {"sort",
     [](const TensorList& x) {
       return sort(cat({x[0], full({1}, 0.25, f64)})).values;
     },
     {0.25}},
    {"amax",
     [](const TensorList& x) {
       return amax(cat({x[0], full({1}, 0.25, f64)}));
     },
     {0.25}},
};

GradcheckReport check_at(const TensorFunction& f, double x) {
  return gradcheck([&f](const TensorList& in) { return TensorList{f(in)}; }, {tensor({x}, f64)});
}

TEST(Kinks, ASmallerStepChecksWhereTheStencilCrossesOne) {
  for (const auto& op : kinky)
    for (double kink : op.kinks)
      for (double distance : {1.5e-3, 4e-4, -1e-4, 3e-5, -7e-6}) {
        const auto report = check_at(op.f, kink + distance);
        EXPECT_TRUE(report) << op.name << " at " << kink + distance << ": " << report;
        EXPECT_EQ(report.kinks, 0) << op.name << " at " << kink + distance << ": " << report;
      }
}

TEST(Kinks, OnAKinkTheReportSaysSo) {
  for (const auto& op : kinky)
    for (double kink : op.kinks)
      for (double distance : {0.0, 1e-6, -4e-6}) {
        const auto report = check_at(op.f, kink + distance);
        EXPECT_TRUE(report) << op.name << " at " << kink + distance << ": " << report;
        // Halfway between the slopes, as a difference across the kink is, they agree.
        if (distance == 0 && (op.name == std::string("abs") || op.name == std::string("amax"))) continue;
        EXPECT_GE(report.kinks, 1) << op.name << " at " << kink + distance << ": " << report;
      }
  const auto report = gradcheck([](const Tensor& x) { return relu(x); }, tensor({1., -2., 0., 0.5}, f64));
  EXPECT_EQ(report.text.substr(report.text.find(';')),
            "; kink at input 0 at (2,): 1 of 4 elements not checked");
}

/// The op with its gradient multiplied and shifted.
TensorFunction mutated(const TensorFunction& f, double factor, double offset) {
  CustomOp op{.name = "mutant", .forward = f};
  op.vjp = [=](const Tensor& g, const TensorList& x, const Tensor&) {
    const Tensor leaf = x[0].detach().requires_grad_();
    EnableGrad mode;
    const Tensor right = grad(f({leaf}), leaf, {}, g);
    return TensorList{right * factor + offset * sum(g)};
  };
  return op;
}

TEST(Kinks, AWrongDerivativeBesideOneIsCaught) {
  for (const auto& op : kinky)
    for (double kink : op.kinks)
      for (double distance : {1.5e-3, 4e-4, -1e-4, 3e-5, -7e-6})
        for (const auto& [factor, offset] : {std::pair{1., 1e-4}, {1., -1e-4}, {1 + 1e-6, 1e-6}, {-1., 1e-3}})
          EXPECT_FALSE(check_at(mutated(op.f, factor, offset), kink + distance))
              << op.name << " at " << kink + distance << ", slope * " << factor << " + " << offset;
}

TEST(Kinks, OnAKinkADerivativeThatIsOfNeitherSideIsCaught) {
  for (const auto& op : kinky)
    for (double kink : op.kinks)
      for (double offset : {2.5, -2.5})
        EXPECT_FALSE(check_at(mutated(op.f, 1, offset), kink)) << op.name << " at " << kink << ", " << offset;
}

/// A steep smooth function is no kink, however it looks to the full step.
TEST(Kinks, ASmoothTurnIsChecked) {
  const TensorFunction turn = [](const TensorList& x) { return softplus(x[0] * 1000) / 1000; };
  for (double x : {0., 1e-4, -1e-3}) {
    const auto report = check_at(turn, x);
    EXPECT_TRUE(report) << report;
    EXPECT_EQ(report.kinks, 0) << report;
    EXPECT_FALSE(check_at(mutated(turn, 1 + 1e-5, 0), x));
    EXPECT_FALSE(check_at(mutated(turn, 1, 1e-3), x));
  }
}

TEST(Kinks, SecondOrdersPassBesideAndOnOne) {
  for (double distance : {5e-4, 0., -3e-6}) {
    const auto report =
        gradgradcheck([](const Tensor& x) { return relu(x) * x; }, tensor({distance, 1.0, -1.0}, f64));
    EXPECT_TRUE(report) << distance << ": " << report;
  }
}

}  // namespace
}  // namespace cadena
