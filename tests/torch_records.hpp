// Calls compared with what fixtures/torch_functions.py and its like recorded of PyTorch.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "fixtures/torch_functions.hpp"

namespace cadena {

/// The numbers of the scripts, multiples of 2^-8 in [-2, 2).
inline Tensor numbers(const Shape& shape, std::int64_t k) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.numel(); ++i)
    values.push_back(static_cast<double>((i * 7919 + k * 104729 + i * i * 31) % 1021) / 256 - 2);
  return tensor(values, shape);
}

/// What a script records of a tensor.
inline void tell(const Tensor& t, std::vector<double>& out) {
  if (t.numel() <= 24) {
    for (double v : t.to_vector<double>()) out.push_back(v);
  } else {
    for (int k = 10; k < 18; ++k) out.push_back(sum(mul(t.detach(), numbers(t.shape(), k))).item());
  }
}

/// @param recorded numbers of the script's header
inline void expect_recorded(const fixtures::TorchRecord& record, std::span<const double> recorded,
                            const Tensor& output, const TensorList& others) {
  EXPECT_EQ(to_string(output.shape()), record.shape);
  std::vector<double> got;
  tell(output, got);
  for (const auto& t : others) tell(t, got);
  ASSERT_EQ(static_cast<int>(got.size()), record.count);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double expected = recorded[static_cast<std::size_t>(record.first) + i];
    EXPECT_NEAR(got[i], expected, 1e-11 * std::max(1.0, std::abs(expected))) << "number " << i;
  }
}

/// A call of a script, in its order.
struct TorchCall {
  const char* key;
  std::vector<Shape> shapes;
  std::function<Tensor(const TensorList&)> call;
};

inline void expect_calls(const std::vector<TorchCall>& list, std::span<const fixtures::TorchRecord> records,
                         std::span<const double> recorded) {
  ASSERT_EQ(list.size(), records.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& record = records[i];
    ASSERT_STREQ(list[i].key, record.key);
    SCOPED_TRACE(record.key);
    TensorList inputs, gradients;
    for (const auto& shape : list[i].shapes)
      inputs.push_back(numbers(shape, static_cast<std::int64_t>(inputs.size())).requires_grad_());
    const Tensor y = list[i].call(inputs);
    y.backward(numbers(y.shape(), 5));
    for (const auto& x : inputs) gradients.push_back(x.grad().defined() ? x.grad() : zeros_like(x));
    expect_recorded(record, recorded, y, gradients);
  }
}

}  // namespace cadena
