// Normalisation.
#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows normalization_rows() {
  return {
      {"layer_norm", Kind::shape, {"(3,)", "(2, 4)"}, [] { layer_norm(m({2, 4}), {3}); }},
      {"layer_norm", Kind::shape, {"(2, 4)", "()"}, [] { layer_norm(m({2, 4}), {}); }},
      {"layer_norm", Kind::shape, {"(4,)", "(3,)"}, [] { layer_norm(m({2, 4}), {4}, m({3})); }},
      {"layer_norm", Kind::dtype, {"i64"}, [] { layer_norm(zeros({2, 4}, i64), {4}); }},
      {"layer_norm", Kind::value, {"eps", "-1"}, [] { layer_norm(m({2, 4}), {4}, {}, {}, -1); }},
      {"rms_norm", Kind::shape, {"(5, 2, 4)", "(2, 4)"}, [] { rms_norm(m({2, 4}), {5, 2, 4}); }},
      {"batch_norm", Kind::shape, {"more than one value", "(1, 3)"}, [] { batch_norm(m({1, 3}), {}, {}, {.training = true}); }},
      {"batch_norm", Kind::shape, {"at least one channel", "(3,)"}, [] { batch_norm(m({3}), {}, {}, {.training = true}); }},
      {"batch_norm", Kind::shape, {"running values (3,)", "(2,)"}, [] { batch_norm(m({4, 3}), m({2}), m({2})); }},
      {"batch_norm", Kind::value, {"both running values"}, [] { batch_norm(m({4, 3}), m({3}), {}); }},
      {"batch_norm", Kind::value, {"running values or training"}, [] { batch_norm(m({4, 3}), {}, {}); }},
      {"batch_norm", Kind::shape, {"(3,)", "(4,)"}, [] { batch_norm(m({4, 3}), {}, {}, {.weight = m({4}), .training = true}); }},
      {"group_norm", Kind::value, {"6 channels", "4"}, [] { group_norm(m({2, 6}), 4); }},
      {"group_norm", Kind::value, {"6 channels", "0"}, [] { group_norm(m({2, 6}), 0); }},
      {"instance_norm", Kind::shape, {"more than one value", "(2, 3)"}, [] { instance_norm(m({2, 3})); }},
      {"instance_norm", Kind::dtype, {"bool"}, [] { instance_norm(zeros({2, 3, 4}, boolean)); }},
      {"local_response_norm", Kind::value, {"size", "0"}, [] { local_response_norm(m({2, 3, 4}), 0); }},
      {"local_response_norm", Kind::shape, {"(N, C, ...)", "(2,)"}, [] { local_response_norm(m({2}), 1); }},
  };
}
// clang-format on

}  // namespace cadena::errors
