// Random draws with impossible parameters.
#include <cmath>

#include "errors/errors.hpp"

namespace cadena::errors {

Rows random_rows() {
  return {
      {"uniform", Kind::value, {"low <= high"}, [] { random::uniform(1, 0); }},
      {"normal", Kind::value, {"std >= 0", "-1"}, [] { random::normal(0, -1); }},
      {"normal", Kind::shape, {"(3,)", "(2,)"}, [] { random::normal(m({3}), 1, {.shape = Shape{2}}); }},
      {"normal", Kind::dtype, {"i64"}, [] { random::normal(0, 1, {.dtype = i64}); }},
      {"exponential", Kind::value, {"rate > 0"}, [] { random::exponential(0); }},
      {"laplace", Kind::value, {"scale > 0"}, [] { random::laplace(0, 0); }},
      {"gumbel", Kind::value, {"scale > 0"}, [] { random::gumbel(0, -2); }},
      {"truncated_normal", Kind::value, {"low <= high"}, [] { random::truncated_normal(0, 1, 2, 1); }},
      {"gamma", Kind::value, {"concentration > 0"}, [] { random::gamma(0, 1); }},
      {"beta", Kind::value, {"b > 0"}, [] { random::beta(1, -1); }},
      {"dirichlet",
       Kind::value,
       {"concentration > 0"},
       [] {
         random::dirichlet(tensor({1.0, 0.0}));
       }},
      {"dirichlet", Kind::shape, {"()"}, [] { random::dirichlet(m({})); }},
      {"poisson", Kind::value, {"rate >= 0"}, [] { random::poisson(-1); }},
      {"bernoulli", Kind::value, {"0 <= p <= 1", "1.5"}, [] { random::bernoulli(1.5); }},
      {"bernoulli", Kind::value, {"nan"}, [] { random::bernoulli(std::nan("")); }},
      {"categorical",
       Kind::shape,
       {"(2, 0)"},
       [] {
         random::categorical(m({2, 0}));
       }},
      {"categorical",
       Kind::value,
       {"finite"},
       [] {
         random::categorical(log(m({2, 3})));
       }},
      {"multinomial",
       Kind::value,
       {"3", "got 1"},
       [] {
         random::multinomial(tensor({1.0, 0.0, 0.0}), 3);
       }},
      {"multinomial",
       Kind::value,
       {"weights >= 0"},
       [] {
         random::multinomial(tensor({1.0, -1.0}), 1);
       }},
      {"permutation",
       Kind::index,
       {"2"},
       [] {
         random::permutation(m({2, 3}), 2);
       }},
      {"dropout", Kind::value, {"0 <= p <= 1"}, [] { dropout(m({3}), 1.5); }},
      {"feature_dropout", Kind::shape, {"(3,)"}, [] { feature_dropout(m({3}), 0.5); }},
      {"feature_alpha_dropout", Kind::shape, {"(3,)"}, [] { feature_alpha_dropout(m({3}), 0.5); }},
      {"feature_alpha_dropout",
       Kind::value,
       {"0 <= p <= 1"},
       [] {
         feature_alpha_dropout(m({2, 3}), -1);
       }},
      {"drop_path", Kind::shape, {"at least 1", "()"}, [] { drop_path(m({}), 0.5); }},
      {"drop_path", Kind::dtype, {"i64"}, [] { drop_path(zeros({3}, i64), 0.5); }},
      {"alpha_dropout", Kind::dtype, {"i64"}, [] { alpha_dropout(zeros({3}, i64), 0.5); }},
      {"gumbel_softmax", Kind::value, {"tau > 0"}, [] { gumbel_softmax(m({3}), 0); }},
  };
}

}  // namespace cadena::errors
