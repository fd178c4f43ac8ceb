// Comparing a tensor's elements with numbers.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cadena {

inline constexpr double inf = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<double>;
inline Values values(const Tensor& t) { return t.to_vector<double>(); }

/// Element by element to `tolerance`; NaN equals NaN.
inline void expect_values(const Tensor& got, const Values& expected, double tolerance = 0) {
  const Values v = values(got);
  ASSERT_EQ(v.size(), expected.size());
  for (std::size_t i = 0; i < v.size(); ++i)
    EXPECT_TRUE(v[i] == expected[i] || (std::isnan(v[i]) && std::isnan(expected[i])) ||
                std::abs(v[i] - expected[i]) <= tolerance)
        << "[" << i << "]: " << v[i] << ", expected " << expected[i];
}

}  // namespace cadena
