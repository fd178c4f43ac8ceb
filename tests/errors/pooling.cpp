// Pools.
#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows pooling_rows() {
  return {
      {"max_pool1d", Kind::shape, {"2 or 3", "(4,)"}, [] { max_pool1d(m({4}), 2); }},
      {"max_pool1d", Kind::shape, {"no larger", "(1, 4)"}, [] { max_pool1d(m({1, 4}), 5); }},
      {"max_pool1d", Kind::shape, {"at least one element", "(1, 0)"}, [] { max_pool1d(m({1, 0}), 2, {.padding = 1}); }},
      {"max_pool1d", Kind::shape, {"reach an element"}, [] { max_pool1d(m({1, 2}), 2, {.padding = 1, .dilation = 3}); }},
      {"max_pool2d", Kind::dtype, {"i64"}, [] { max_pool2d(zeros({1, 4, 4}, i64), 2); }},
      {"max_pool2d", Kind::value, {"kernel_size", "(2, 2, 2)"}, [] { max_pool2d(m({1, 4, 4}), {2, 2, 2}); }},
      {"max_pool2d", Kind::value, {"kernel_size", "(0,)"}, [] { max_pool2d(m({1, 4, 4}), 0); }},
      {"max_pool2d", Kind::value, {"stride", "(0,)"}, [] { max_pool2d(m({1, 4, 4}), 2, {.stride = 0}); }},
      {"max_pool2d", Kind::value, {"half of kernel_size", "(2,)"}, [] { max_pool2d(m({1, 4, 4}), 3, {.padding = 2}); }},
      {"max_pool3d", Kind::value, {"dilation"}, [] { max_pool3d(m({1, 4, 4, 4}), 2, {.dilation = 0}); }},
      {"max_unpool1d", Kind::dtype, {"f32"}, [] { max_unpool1d(m({1, 2}), m({1, 2}), 2); }},
      {"max_unpool1d", Kind::shape, {"(1, 2)", "(1, 3)"}, [] { max_unpool1d(m({1, 2}), zeros({1, 3}, i64), 2); }},
      {"max_unpool2d", Kind::index, {"[0, 16)", "16"},
       [] { max_unpool2d(m({1, 2, 2}), full({1, 2, 2}, 16, i64), 2); }},
      {"max_unpool2d", Kind::shape, {"within a stride of 4", "6"},
       [] { max_unpool2d(m({1, 2, 2}), zeros({1, 2, 2}, i64), 2, {.output_size = 6}); }},
      {"max_unpool3d", Kind::shape, {"4 or 5"}, [] { max_unpool3d(m({1, 2}), zeros({1, 2}, i64), 2); }},
      {"avg_pool1d", Kind::shape, {"no larger"}, [] { avg_pool1d(m({1, 4}), 5); }},
      {"avg_pool2d", Kind::value, {"divisor_override"}, [] { avg_pool2d(m({1, 4, 4}), 2, {.divisor_override = 0}); }},
      {"avg_pool3d", Kind::dtype, {"bool"}, [] { avg_pool3d(zeros({1, 4, 4, 4}, boolean), 2); }},
      {"adaptive_avg_pool1d", Kind::value, {"output_size", "(-2,)"}, [] { adaptive_avg_pool1d(m({1, 4}), -2); }},
      {"adaptive_avg_pool2d", Kind::shape, {"3 or 4"}, [] { adaptive_avg_pool2d(m({1, 4}), 2); }},
      {"adaptive_avg_pool3d", Kind::value, {"(1, 2)"}, [] { adaptive_avg_pool3d(m({1, 4, 4, 4}), {1, 2}); }},
      {"adaptive_max_pool1d", Kind::shape, {"at least one element"}, [] { adaptive_max_pool1d(m({1, 0}), 1); }},
      {"adaptive_max_pool2d", Kind::dtype, {"i64"}, [] { adaptive_max_pool2d(zeros({1, 4, 4}, i64), 1); }},
      {"adaptive_max_pool3d", Kind::shape, {"4 or 5"}, [] { adaptive_max_pool3d(m({1, 4, 4}), 1); }},
      {"max_pool1d_with_indices", Kind::shape, {"(4,)"}, [] { max_pool1d_with_indices(m({4}), 2); }},
      {"adaptive_max_pool1d_with_indices", Kind::shape, {"(4,)"},
       [] { adaptive_max_pool1d_with_indices(m({4}), 2); }},
      {"max_pool2d_with_indices", Kind::shape, {"(4,)"}, [] { max_pool2d_with_indices(m({4}), 2); }},
      {"adaptive_max_pool2d_with_indices", Kind::shape, {"(4,)"},
       [] { adaptive_max_pool2d_with_indices(m({4}), 2); }},
      {"max_pool3d_with_indices", Kind::shape, {"(4,)"}, [] { max_pool3d_with_indices(m({4}), 2); }},
      {"adaptive_max_pool3d_with_indices", Kind::shape, {"(4,)"},
       [] { adaptive_max_pool3d_with_indices(m({4}), 2); }},
      {"fractional_max_pool2d", Kind::value, {"neither"}, [] { fractional_max_pool2d(m({1, 4, 4}), 2, {}); }},
      {"fractional_max_pool2d", Kind::value, {"both"},
       [] { fractional_max_pool2d(m({1, 4, 4}), 2, {.output_size = 2, .output_ratio = {0.5}}); }},
      {"fractional_max_pool2d", Kind::value, {"output_ratio", "1.0"},
       [] { fractional_max_pool2d(m({1, 4, 4}), 2, {.output_ratio = {0.5, 1}}); }},
      {"fractional_max_pool2d", Kind::shape, {"not 4", "(1, 4, 4)"}, [] { fractional_max_pool2d(m({1, 4, 4}), 2, {.output_size = 4}); }},
      {"fractional_max_pool2d", Kind::shape, {"not 0"}, [] { fractional_max_pool2d(m({1, 4, 4}), 2, {.output_ratio = {0.1}}); }},
      {"fractional_max_pool2d", Kind::shape, {"random_samples (1, 1, 2)", "(1, 2)"},
       [] { fractional_max_pool2d(m({1, 4, 4}), 2, {.output_size = 2, .random_samples = m({1, 2})}); }},
      {"fractional_max_pool2d", Kind::value, {"[0, 1)", "1.0"},
       [] { fractional_max_pool2d(m({1, 4, 4}), 2, {.output_size = 2, .random_samples = ones({1, 1, 2})}); }},
      {"fractional_max_pool3d", Kind::shape, {"4 or 5"}, [] { fractional_max_pool3d(m({1, 4, 4}), 2, {.output_size = 2}); }},
      {"fractional_max_pool3d", Kind::value, {"kernel_size", "(0,)"},
       [] { fractional_max_pool3d(m({1, 4, 4, 4}), 0, {.output_size = 2}); }},
      {"fractional_max_pool2d_with_indices", Kind::dtype, {"i64"},
       [] { fractional_max_pool2d_with_indices(zeros({1, 4, 4}, i64), 2, {.output_size = 2}); }},
      {"fractional_max_pool3d_with_indices", Kind::value, {"output_size", "(0,)"},
       [] { fractional_max_pool3d_with_indices(m({1, 4, 4, 4}), 2, {.output_size = 0}); }},
      {"lp_pool1d", Kind::value, {"norm_type", "0"}, [] { lp_pool1d(m({1, 4}), 0, 2); }},
      {"lp_pool2d", Kind::shape, {"no larger"}, [] { lp_pool2d(m({1, 4, 4}), 2, 5); }},
      {"lp_pool3d", Kind::shape, {"4 or 5"}, [] { lp_pool3d(m({1, 4, 4}), 2, 2); }},
  };
}
// clang-format on

}  // namespace cadena::errors
