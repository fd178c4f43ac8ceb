#include "data/toy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/random.hpp"

namespace cadena::data {
namespace {

constexpr double pi = std::numbers::pi, nan = std::numeric_limits<double>::quiet_NaN();

double uniform(Generator& g, double low = 0, double high = 1) {
  return low + (high - low) * static_cast<double>(g.next() >> 11) * 0x1p-53;
}

/// Box and Muller.
double normal(Generator& g, double mean = 0, double deviation = 1) {
  const double u = 1 - uniform(g), angle = 2 * pi * uniform(g);
  return mean + deviation * std::sqrt(-2 * std::log(u)) * std::cos(angle);
}

void expect(const char* op, bool good, const char* what) {
  if (!good) throw ValueError(std::string("[").append(op) + "] expected " + what + ", got other numbers");
}

struct Point {
  double x, y;
};

/// Sample i is of class i % classes, at place(class, stream of i), plus noise.
template <class F>
TensorDataset points(const char* op, std::int64_t n, std::int64_t classes, const ToyOptions& options,
                     const F& place) {
  expect(op, n >= 0 && options.noise >= 0, "n and noise of 0 or more");
  Tensor x = empty({n, 2}), y = empty({n}, i64);
  float* at = x.mutable_data<float>();
  std::int64_t* label = y.mutable_data<std::int64_t>();
  const Generator root(options.seed);
  for (std::int64_t i = 0; i < n; ++i) {
    Generator g = root.split(static_cast<std::uint64_t>(i));
    const Point p = place(i % classes, g);
    at[2 * i] = static_cast<float>(normal(g, p.x, options.noise));
    at[2 * i + 1] = static_cast<float>(normal(g, p.y, options.noise));
    label[i] = i % classes;
  }
  return {x, y};
}

}  // namespace

TensorDataset make_xor(std::int64_t n, const ToyOptions& options) {
  const TensorDataset corners = points("make_xor", n, 4, options, [](std::int64_t corner, Generator&) {
    return Point{static_cast<double>(corner / 2), static_cast<double>(corner % 2)};
  });
  std::vector<std::int64_t> labels;
  for (const auto corner : corners.y().to_vector<std::int64_t>())
    labels.push_back(corner == 1 || corner == 2 ? 1 : 0);
  return {corners.x(), tensor(labels)};
}

TensorDataset make_moons(std::int64_t n, const ToyOptions& options) {
  return points("make_moons", n, 2, options, [](std::int64_t moon, Generator& g) {
    const double angle = uniform(g, 0, pi);
    return moon == 0 ? Point{std::cos(angle), std::sin(angle)}
                     : Point{1 - std::cos(angle), 0.5 - std::sin(angle)};
  });
}

TensorDataset make_circles(std::int64_t n, double factor, const ToyOptions& options) {
  expect("make_circles", factor >= 0 && factor < 1, "0 <= factor < 1");
  return points("make_circles", n, 2, options, [factor](std::int64_t inner, Generator& g) {
    const double angle = uniform(g, 0, 2 * pi), radius = inner == 0 ? 1 : factor;
    return Point{radius * std::cos(angle), radius * std::sin(angle)};
  });
}

TensorDataset make_spirals(std::int64_t n, std::int64_t arms, double turns, const ToyOptions& options) {
  expect("make_spirals", arms >= 1 && std::isfinite(turns), "arms of 1 or more");
  return points("make_spirals", n, arms, options, [=](std::int64_t arm, Generator& g) {
    const double radius = std::sqrt(uniform(g));  // as many points on each stretch of an arm
    const double angle = 2 * pi * (turns * radius + static_cast<double>(arm) / static_cast<double>(arms));
    return Point{radius * std::cos(angle), radius * std::sin(angle)};
  });
}

TensorDataset make_blobs(std::int64_t n, std::int64_t centers, const ToyOptions& options) {
  expect("make_blobs", centers >= 1, "centers of 1 or more");
  const ToyOptions spread{.noise = options.noise == 0 ? 1 : options.noise, .seed = options.seed};
  const Generator root(~options.seed);  // centers have streams of their own, apart from the samples'
  return points("make_blobs", n, centers, spread, [&](std::int64_t blob, Generator&) {
    Generator g = root.split(static_cast<std::uint64_t>(blob));
    const double x = uniform(g, -10, 10);
    return Point{x, uniform(g, -10, 10)};
  });
}

Tensor make_sines(std::int64_t length, const SineOptions& options) {
  expect("make_sines", length >= 0 && options.noise >= 0 && options.period > 0 && options.slow_period > 0,
         "positive periods, length and noise of 0 or more");
  Tensor series = empty({length, 1});
  float* to = series.mutable_data<float>();
  const Generator root(options.seed);
  for (std::int64_t t = 0; t < length; ++t) {
    Generator g = root.split(static_cast<std::uint64_t>(t));
    const double time = static_cast<double>(t);
    const double value = std::sin(2 * pi * time / options.period) +
                         0.5 * std::sin(2 * pi * time / options.slow_period) + options.trend * time;
    to[t] = static_cast<float>(normal(g, value, options.noise));
  }
  return series;
}

namespace {

struct Patient {
  double age, bmi, pressure, glucose, heart_rate, exercise;
  std::int64_t female, smoker;  // smoker: codes of current, former, never
};

Patient draw_patient(Generator& g) {
  Patient p{};
  p.age = std::round(uniform(g, 20, 85));
  p.female = uniform(g) < 0.5 ? 1 : 0;
  const double habit = uniform(g);
  p.smoker = habit < 0.25 ? 0 : habit < 0.5 ? 1 : 2;
  p.bmi = std::round(10 * std::max(14.0, normal(g, 26, 5))) / 10;
  p.pressure = std::round(normal(g, 110 + 0.3 * p.age, 14));
  p.glucose = std::round(std::max(60.0, normal(g, 85 + 0.8 * (p.bmi - 20), 18)));
  p.heart_rate = std::round(normal(g, 72, 11));
  p.exercise = std::round(10 * -2.5 * std::log(1 - uniform(g))) / 10;  // hours a week
  return p;
}

double square(double v) { return v * v; }

/// Log-odds of the diagnosis.
double risk(const Patient& p) {
  const double age = (p.age - 50) / 20;
  double r = -2.9;
  r += 1.5 * square((p.bmi - 25) / 6);  // too little is as bad as too much
  r += 1.2 * square((p.heart_rate - 70) / 14);
  r += 1.2 * age * (p.pressure - 125) / 15;  // pressure counts for the old
  r += (p.smoker == 0 ? 2.2 : 0.3) * std::max(0.0, (p.glucose - 95) / 15);
  r += p.smoker == 1 ? 0.3 : 0;
  r -= (p.female == 1 ? 0.8 : -0.1) * std::min(p.exercise, 5.0) / 2;
  return r + 0.3 * age;
}

}  // namespace

Table make_diagnosis(std::int64_t n, std::uint64_t seed) {
  expect("make_diagnosis", n >= 0, "n of 0 or more");
  Column age{.name = "age"}, bmi{.name = "bmi"}, pressure{.name = "pressure"}, glucose{.name = "glucose"},
      heart_rate{.name = "heart_rate"}, exercise{.name = "exercise"}, diagnosis{.name = "diagnosis"};
  Column sex{.name = "sex", .kind = ColumnKind::category, .categories = {"female", "male"}};
  Column smoker{.name = "smoker", .kind = ColumnKind::category, .categories = {"current", "former", "never"}};
  const Generator root(seed);
  for (std::int64_t i = 0; i < n; ++i) {
    Generator g = root.split(static_cast<std::uint64_t>(i));
    const Patient p = draw_patient(g);
    const auto measured = [&](double value, double share = 0.05) { return uniform(g) < share ? nan : value; };
    age.numbers.push_back(p.age);
    sex.codes.push_back(1 - p.female);
    smoker.codes.push_back(uniform(g) < 0.05 ? -1 : p.smoker);
    bmi.numbers.push_back(measured(p.bmi));
    pressure.numbers.push_back(measured(p.pressure));
    glucose.numbers.push_back(measured(p.glucose, 0.15));
    heart_rate.numbers.push_back(measured(p.heart_rate));
    exercise.numbers.push_back(measured(p.exercise));
    diagnosis.numbers.push_back(uniform(g) < 1 / (1 + std::exp(-risk(p))) ? 1 : 0);
  }
  return Table({std::move(age), std::move(sex), std::move(smoker), std::move(bmi), std::move(pressure),
                std::move(glucose), std::move(heart_rate), std::move(exercise), std::move(diagnosis)});
}

}  // namespace cadena::data
