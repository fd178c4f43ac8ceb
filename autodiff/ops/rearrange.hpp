// Shapes by names of axes, as in einops: "b c h w -> b (h w) c".
//
// A pattern has two sides. Each lists axes by name; parentheses compose several axes to one (row-major), `1`
// and
// `()` are an axis of one element, `...` stands for all axes that are not named. Of the axes in parentheses
// on the left all but one need a size. What is wrong is named with its position in the pattern.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "autodiff/tensor.hpp"

namespace cadena {

using AxisSizes = std::map<std::string, std::int64_t>;

/// The same elements in the order and shape of the right side: `rearrange(x, "b (h w) c -> b c h w", {{"h",
/// 4}})`.
/// @throws ValueError for a wrong pattern, ShapeError for an x that does not fit
Tensor rearrange(const Tensor& x, std::string_view pattern, const AxisSizes& sizes = {});
/// Axes that are missing on the right are reduced by "sum", "mean", "max", "min" or "prod":
/// `reduce(x, "b c (h 2) (w 2) -> b c h w", "max")`; numbers may stand for axes on the left.
Tensor reduce(const Tensor& x, std::string_view pattern, std::string_view reduction,
              const AxisSizes& sizes = {});
/// Axes that are only on the right repeat x: `einops_repeat(x, "h w -> h (w r)", {{"r", 3}})`; numbers may
/// stand for them.
Tensor einops_repeat(const Tensor& x, std::string_view pattern, const AxisSizes& sizes = {});

}  // namespace cadena
