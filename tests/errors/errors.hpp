// What bad input must lead to: a typed error that names the op and what was found. Every file of this folder
// lists the rows of some families; errors_test.cpp goes through them all.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cadena::errors {

enum class Kind { shape, dtype, index, value, graph };

struct Row {
  const char* op;  // must open the message, in brackets
  Kind kind;
  std::vector<const char*> parts;  // what else the message must name
  std::function<void()> call;
};
using Rows = std::vector<Row>;

inline Tensor m(std::initializer_list<std::int64_t> shape) { return zeros(Shape(shape)); }

Rows attention_rows();
Rows basic_rows();
Rows convolution_rows();
Rows elementwise_rows();
Rows indexing_rows();
Rows linalg_rows();
Rows loss_rows();
Rows distance_rows();
Rows normalization_rows();
Rows pooling_rows();
Rows product_rows();
Rows random_rows();
Rows reduce_rows();
Rows shapes_rows();
Rows sort_rows();
Rows transforms_rows();
Rows vision_rows();

}  // namespace cadena::errors
