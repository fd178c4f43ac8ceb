// Data made up on the spot, for classrooms and tests. The same arguments give the same numbers on any
// machine; sample i depends on (seed, i) alone. Names and shapes are scikit-learn's where it has the thing.
#pragma once

#include <cstdint>

#include "data/dataset.hpp"
#include "data/files/csv.hpp"

namespace cadena::data {

struct ToyOptions {
  double noise = 0;  ///< standard deviation of what is added to both coordinates
  std::uint64_t seed = 0;
};

// Points in the plane with their class: x f32 (n, 2), y i64 (n). Classes take turns, so that any stretch has
// them all. @throws ValueError for a negative n or noise

/// The corners of the unit square; class 1 where exactly one coordinate is 1. n = 4 without noise is the
/// truth table.
TensorDataset make_xor(std::int64_t n = 4, const ToyOptions& options = {});
/// Two half circles of radius 1 that reach into each other.
TensorDataset make_moons(std::int64_t n, const ToyOptions& options = {});
/// A circle of radius 1 and one of radius `factor` inside. @throws ValueError unless 0 <= factor < 1
TensorDataset make_circles(std::int64_t n, double factor = 0.8, const ToyOptions& options = {});
/// Arms of a spiral, each `turns` around, radius 0 to 1. @throws ValueError if arms < 1
TensorDataset make_spirals(std::int64_t n, std::int64_t arms = 2, double turns = 1.5,
                           const ToyOptions& options = {});
/// Normal clouds of deviation `noise` (1 if left at 0) around `centers` places uniform on [-10, 10]^2.
/// @throws ValueError if centers < 1
TensorDataset make_blobs(std::int64_t n, std::int64_t centers = 3, const ToyOptions& options = {});

struct SineOptions {
  double period = 24;        ///< of the main oscillation
  double slow_period = 168;  ///< of one with half its amplitude
  double trend = 0;          ///< per step
  double noise = 0.1;        ///< standard deviation
  std::uint64_t seed = 0;
};
/// A series for forecasts: two sines, a trend and noise. @return f32 (length, 1)
/// @throws ValueError for a negative length or noise, and periods that are not positive
Tensor make_sines(std::int64_t length, const SineOptions& options = {});

/// Patients, made up: age, sex, smoker (never, former, current), bmi, pressure, glucose, heart_rate, exercise
/// and diagnosis (0 or 1, about one in three). Risk is not linear: both low and high bmi and heart rate are
/// bad, pressure counts with age, smoking with glucose beyond a threshold, exercise helps one sex more. Some
/// 5 % of the measured values are missing, of glucose 15 %. No real person's data, and no medicine to be
/// learnt from it.
/// @throws ValueError if n < 0
Table make_diagnosis(std::int64_t n, std::uint64_t seed = 0);

}  // namespace cadena::data
