// Distances and angles.
#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows distance_rows() {
  return {
      {"normalize", Kind::dtype, {"i64"}, [] { normalize(zeros({2, 3}, i64)); }},
      {"normalize", Kind::index, {"[-1, 1)", "1"}, [] { normalize(m({2})); }},
      {"normalize", Kind::value, {"p > 0", "-1"}, [] { normalize(m({2, 3}), -1); }},
      {"cosine_similarity", Kind::shape, {"(2, 3)", "(2, 4)"}, [] { cosine_similarity(m({2, 3}), m({2, 4})); }},
      {"cosine_similarity", Kind::value, {"eps", "-1"}, [] { cosine_similarity(m({2, 3}), m({2, 3}), 1, -1); }},
      {"pairwise_distance", Kind::shape, {"(2, 3)", "(4,)"}, [] { pairwise_distance(m({2, 3}), m({4})); }},
      {"pairwise_distance", Kind::shape, {"()"}, [] { pairwise_distance(m({}), m({})); }},
      {"dist", Kind::shape, {"(2,)", "(3,)"}, [] { dist(m({2}), m({3})); }},
      {"dist", Kind::value, {"p > 0", "-1"}, [] { dist(m({2}), m({2}), -1); }},
      {"pdist", Kind::shape, {"(N, M)", "(3,)"}, [] { pdist(m({3})); }},
      {"renorm", Kind::value, {"maxnorm >= 0", "-1"}, [] { renorm(m({2, 3}), 2, 0, -1); }},
      {"renorm", Kind::shape, {"at least 2", "(3,)"}, [] { renorm(m({3}), 2, 0, 1); }},
      {"cdist", Kind::shape, {"(2, 3)", "(2, 4)"}, [] { cdist(m({2, 3}), m({2, 4})); }},
      {"cdist", Kind::shape, {"(3,)"}, [] { cdist(m({3}), m({2, 3})); }},
      {"cdist", Kind::value, {"p > 0", "0"}, [] { cdist(m({2, 3}), m({2, 3}), 0); }},
  };
}
// clang-format on

}  // namespace cadena::errors
