// Optimizers beside scalar programs in long double, made by name.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "autodiff/autodiff.hpp"
#include "optim/optim.hpp"

namespace cadena {

using Vector = std::vector<long double>;
/// One step of a reference: changes w, given the gradient g and the number of the step.
using ReferenceStep = std::function<void(Vector& w, const Vector& g, int t)>;
/// What makes one from all options of the optimizer and the shape of the parameter.
using Reference =
    std::function<ReferenceStep(const std::map<std::string, long double>& o, const Shape& shape)>;

struct Comparison {
  const char* optimizer;
  optim::OptionValues options;
  Reference reference;
  Shape shape = {11};
  double f32_tolerance = 5e-5;
  double f64_tolerance = 1e-12;
};

/// Runs both for 300 steps in f64 and f32 and compares the weights after each, relative to the largest.
void compare(const Comparison& c);

/// The cases with and without `maximize`, and for each of `choices` with one option changed.
void compare_all(Comparison c, const optim::OptionValues& choices);

/// Keeps the sums that a reference remembers as long as the weights.
inline void fit(Vector& v, const Vector& w, long double first = 0) { v.resize(w.size(), first); }

}  // namespace cadena
