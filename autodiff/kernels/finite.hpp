// Looks for NaN and infinities.
#pragma once

#include <cstdint>

namespace cadena::kernels {

/// Position of the first element that is NaN or (unless nan_only) infinite; -1 if there is none.
std::int64_t first_not_finite(const float* p, std::int64_t n, bool nan_only);
std::int64_t first_not_finite(const double* p, std::int64_t n, bool nan_only);

}  // namespace cadena::kernels
