// Sorting, and what is found by sorting. NaN is the largest value, everywhere.
#pragma once

#include <cstdint>

#include "autodiff/ops/reduce.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {

/// In order along `axis`, and where each value stood. Always stable: equals keep their order.
ValuesIndices sort(const Tensor& x, int axis = -1, bool descending = false);
Tensor argsort(const Tensor& x, int axis = -1, bool descending = false);
/// The k largest (or smallest), in order; of equals the first. @throws ValueError unless 0 <= k <= extent
ValuesIndices topk(const Tensor& x, std::int64_t k, int axis = -1, bool largest = true);
/// The k-th smallest, k from 1. @throws ValueError unless 1 <= k <= extent
ValuesIndices kthvalue(const Tensor& x, std::int64_t k, int axis = -1, bool keepdim = false);
/// The middle one, or the lower of the two in the middle; NaN if there is one. The element itself gets the
/// gradient. @throws ValueError on an empty axis
Tensor median(const Tensor& x);
ValuesIndices median(const Tensor& x, int axis, bool keepdim = false);
Tensor nanmedian(const Tensor& x);  ///< of what is not NaN; NaN if nothing is
ValuesIndices nanmedian(const Tensor& x, int axis, bool keepdim = false);
/// The most frequent value (the smallest of several) and where it stands first. @throws ValueError on an
/// empty axis
ValuesIndices mode(const Tensor& x, int axis = -1, bool keepdim = false);

}  // namespace cadena
