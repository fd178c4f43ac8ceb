// Convolutions and their transposes.
#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows convolution_rows() {
  return {
      {"conv1d", Kind::shape, {"2 or 3"}, [] { conv1d(m({5}), m({1, 1, 2})); }},
      {"conv1d", Kind::shape, {"(1, 3, 5)", "(2, 2, 2)"}, [] { conv1d(m({1, 3, 5}), m({2, 2, 2})); }},
      {"conv1d", Kind::shape, {"kernel no larger", "(1, 1, 4)", "(1, 1, 7)"},
       [] { conv1d(m({1, 1, 4}), m({1, 1, 7}), {}, {.padding = 1}); }},
      {"conv1d", Kind::shape, {"kernel no larger"}, [] { conv1d(m({1, 1, 0}), m({1, 1, 1})); }},
      {"conv1d", Kind::shape, {"not empty", "(1, 1, 0)"}, [] { conv1d(m({1, 1, 4}), m({1, 1, 0})); }},
      {"conv1d", Kind::dtype, {"i64"}, [] { conv1d(zeros({1, 1, 4}, i64), m({1, 1, 2})); }},
      {"conv2d", Kind::shape, {"bias (3,)"}, [] { conv2d(m({1, 1, 4, 4}), m({2, 1, 2, 2}), m({3})); }},
      {"conv2d", Kind::shape, {"2 groups"}, [] { conv2d(m({1, 2, 4, 4}), m({3, 1, 2, 2}), {}, {.groups = 2}); }},
      {"conv2d", Kind::value, {"groups", "0"}, [] { conv2d(m({1, 2, 4, 4}), m({3, 1, 2, 2}), {}, {.groups = 0}); }},
      {"conv2d", Kind::value, {"stride", "(0,)"},
       [] { conv2d(m({1, 1, 4, 4}), m({1, 1, 2, 2}), {}, {.stride = 0}); }},
      {"conv2d", Kind::value, {"stride", "(1, 1, 1)"},
       [] { conv2d(m({1, 1, 4, 4}), m({1, 1, 2, 2}), {}, {.stride = {1, 1, 1}}); }},
      {"conv2d", Kind::value, {"padding", "(-1,)"},
       [] { conv2d(m({1, 1, 4, 4}), m({1, 1, 2, 2}), {}, {.padding = -1}); }},
      {"conv2d", Kind::value, {"dilation", "(0, 1)"},
       [] { conv2d(m({1, 1, 4, 4}), m({1, 1, 2, 2}), {}, {.dilation = {0, 1}}); }},
      {"conv2d", Kind::value, {"stride 1 with padding same", "(2,)"},
       [] { conv2d(m({1, 1, 4, 4}), m({1, 1, 2, 2}), {}, {.stride = 2, .padding = ConvPadding::same}); }},
      {"conv3d", Kind::shape, {"4 or 5", "(1, 1, 1)"}, [] { conv3d(m({1, 1, 1}), m({1, 1, 1, 1, 1})); }},
      {"conv_transpose1d", Kind::shape, {"(1, 3, 5)", "(2, 2, 2)"},
       [] { conv_transpose1d(m({1, 3, 5}), m({2, 2, 2})); }},
      {"conv_transpose1d", Kind::value, {"output_padding", "(2,)"},
       [] { conv_transpose1d(m({1, 1, 5}), m({1, 1, 2}), {}, {.stride = 2, .output_padding = 2}); }},
      {"conv_transpose1d", Kind::shape, {"at least one element"},
       [] { conv_transpose1d(m({1, 1, 2}), m({1, 1, 2}), {}, {.padding = 2}); }},
      {"conv_transpose1d", Kind::shape, {"at least one element"},
       [] { conv_transpose1d(m({1, 1, 0}), m({1, 1, 2})); }},
      {"conv_transpose2d", Kind::shape, {"bias (2,)"},
       [] { conv_transpose2d(m({1, 1, 4, 4}), m({1, 1, 2, 2}), m({2})); }},
      {"conv_transpose2d", Kind::dtype, {"bool"},
       [] { conv_transpose2d(m({1, 1, 4, 4}), zeros({1, 1, 2, 2}, boolean)); }},
      {"conv_transpose3d", Kind::shape, {"4 or 5"}, [] { conv_transpose3d(m({1, 1, 1}), m({1, 1, 1, 1, 1})); }},
      // Their output would not fit the address space.
      {"conv", Kind::shape, {"2^62"}, [] {
         const std::int64_t n = std::int64_t{1} << 30;
         conv1d(expand(m({1, 1, 1}), {1, 1, n}), m({1, 1, 1}).expand({n, 1, 1}), {}, {.padding = 1 << 30}); }},
  };
}
// clang-format on

}  // namespace cadena::errors
