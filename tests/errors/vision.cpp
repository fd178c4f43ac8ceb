// Images.
#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows vision_rows() {
  using Mode = InterpolateMode;
  return {
      {"interpolate", Kind::value, {"neither"}, [] { interpolate(m({1, 1, 4}), {}); }},
      {"interpolate", Kind::value, {"both"}, [] { interpolate(m({1, 1, 4}), {.size = 3, .scale_factor = {2}}); }},
      {"interpolate", Kind::shape, {"(1, 1, 4)"}, [] { interpolate(m({1, 1, 4}), {.size = 3, .mode = Mode::bilinear}); }},
      {"interpolate", Kind::shape, {"(1, 1)"}, [] { interpolate(m({1, 1}), {.size = 3}); }},
      {"interpolate", Kind::shape, {"at least one", "(1, 1, 0)"}, [] { interpolate(m({1, 1, 0}), {.size = 3}); }},
      {"interpolate", Kind::value, {"align_corners"}, [] { interpolate(m({1, 1, 4}), {.size = 3, .align_corners = true}); }},
      {"interpolate", Kind::value, {"size", "(0,)"}, [] { interpolate(m({1, 1, 4}), {.size = 0}); }},
      {"interpolate", Kind::value, {"scale_factor", "0.1"}, [] { interpolate(m({1, 1, 4}), {.scale_factor = {0.1}}); }},
      {"interpolate", Kind::value, {"1 or 2", "3"}, [] { interpolate(m({1, 1, 4, 4}), {.scale_factor = {1, 2, 3}}); }},
      {"interpolate", Kind::dtype, {"i64"}, [] { interpolate(zeros({1, 1, 4}, i64), {.size = 2}); }},
      {"grid_sample", Kind::shape, {"(1, 1, 4)"}, [] { grid_sample(m({1, 1, 4}), m({1, 2, 1})); }},
      {"grid_sample", Kind::shape, {"(1, 1, 4, 4)", "(1, 2, 2, 3)"}, [] { grid_sample(m({1, 1, 4, 4}), m({1, 2, 2, 3})); }},
      {"grid_sample", Kind::shape, {"not empty", "(1, 1, 0, 4)"}, [] { grid_sample(m({1, 1, 0, 4}), m({1, 2, 2, 2})); }},
      {"grid_sample", Kind::dtype, {"i64"}, [] { grid_sample(m({1, 1, 4, 4}), zeros({1, 2, 2, 2}, i64)); }},
      {"affine_grid", Kind::shape, {"(2, 3)", "(1, 1, 4, 4)"}, [] { affine_grid(m({2, 3}), {1, 1, 4, 4}); }},
      {"affine_grid", Kind::shape, {"(1, 1, 0, 4)"}, [] { affine_grid(m({1, 2, 3}), {1, 1, 0, 4}); }},
      {"pixel_shuffle", Kind::value, {"2", "(3, 4, 4)"}, [] { pixel_shuffle(m({3, 4, 4}), 2); }},
      {"pixel_shuffle", Kind::shape, {"(4, 4)"}, [] { pixel_shuffle(m({4, 4}), 2); }},
      {"pixel_unshuffle", Kind::value, {"0", "(3, 4, 4)"}, [] { pixel_unshuffle(m({3, 4, 4}), 0); }},
      {"channel_shuffle", Kind::value, {"2", "(1, 3, 4)"}, [] { channel_shuffle(m({1, 3, 4}), 2); }},
  };
}
// clang-format on

}  // namespace cadena::errors
