// Arranging, joining, diagonals, margins, windows and patterns.
#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows shapes_rows() {
  return {
      {"view", Kind::shape, {"(3, 2)", "(6,)"}, [] { view(t(m({2, 3})), {6}); }},
      {"unflatten", Kind::shape, {"6", "(2, 2)"}, [] { unflatten(m({6}), 0, {2, 2}); }},
      {"movedim", Kind::shape, {"(0, 1)", "(1,)"}, [] { movedim(m({2, 3}), {0, 1}, 1); }},
      {"movedim", Kind::value, {"(0, 0)"}, [] { movedim(m({2, 3}), {0, 0}, {0, 1}); }},
      {"swapaxes", Kind::index, {"2"}, [] { swapaxes(m({2, 3}), 0, 2); }},
      {"broadcast_to", Kind::shape, {"(2,)", "(3,)"}, [] { broadcast_to(m({2}), {3}); }},
      {"broadcast_tensors", Kind::shape, {"(2,)", "(3,)"}, [] { broadcast_tensors({m({2}), m({3})}); }},
      {"roll", Kind::shape, {"(1, 2)", "(0,)"}, [] { roll(m({2, 3}), {1, 2}, 0); }},
      {"rot90", Kind::value, {"(0,)"}, [] { rot90(m({2, 3}), 1, 0); }},
      {"repeat", Kind::shape, {"(2, 3)", "(2,)"}, [] { repeat(m({2, 3}), {2}); }},
      {"repeat", Kind::shape, {"2^62"}, [] { repeat(m({1 << 20}), {std::int64_t{1} << 43}); }},
      {"tile", Kind::value, {"(-1,)"}, [] { tile(m({3}), {-1}); }},
      {"repeat_interleave", Kind::value, {"-1"}, [] { repeat_interleave(m({3}), -1); }},
      {"repeat_interleave", Kind::shape, {"3", "(2,)"}, [] { repeat_interleave(m({3}), tensor({1, 2})); }},
      {"split", Kind::value, {"0"}, [] { split(m({3}), 0); }},
      {"split", Kind::value, {"3", "2"}, [] { split(m({3}), {1, 1}); }},
      {"tensor_split", Kind::value, {"0"}, [] { tensor_split(m({3}), 0); }},
      {"chunk", Kind::value, {"-1"}, [] { chunk(m({3}), -1); }},
      {"unbind", Kind::index, {"1"}, [] { unbind(m({3}), 1); }},
      {"hstack", Kind::value, {"none"}, [] { hstack({}); }},
      {"vstack", Kind::value, {"none"}, [] { vstack({}); }},
      {"dstack", Kind::value, {"none"}, [] { dstack({}); }},
      {"meshgrid", Kind::shape, {"(2, 2)"}, [] { meshgrid({m({2, 2})}); }},
      {"cartesian_prod", Kind::shape, {"()"}, [] { cartesian_prod({m({})}); }},
      {"diagonal", Kind::index, {"1"}, [] { diagonal(m({3})); }},
      {"diagonal", Kind::value, {"1 and -1"}, [] { diagonal(m({3, 3}), 0, 1, -1); }},
      {"diag_embed", Kind::shape, {"()"}, [] { diag_embed(m({})); }},
      {"diag", Kind::shape, {"(1, 1, 1)"}, [] { diag(m({1, 1, 1})); }},
      {"trace", Kind::shape, {"(3,)"}, [] { trace(m({3})); }},
      {"tril", Kind::shape, {"(3,)"}, [] { tril(m({3})); }},
      {"triu", Kind::shape, {"()"}, [] { triu(m({})); }},
      {"tril_indices", Kind::shape, {"-1"}, [] { tril_indices(-1, 2); }},
      {"triu_indices", Kind::shape, {"-1"}, [] { triu_indices(2, -1); }},
      {"pad", Kind::shape, {"axis 0", "(2,)", "-3"}, [] { pad(m({2}), {{-3, 0}}); }},
      {"pad", Kind::shape, {"(2,)"}, [] { pad(m({2}), {{1, 1}, {1, 1}}); }},
      {"pad", Kind::shape, {"at most 1", "(2,)"}, [] { pad(m({2}), {{2, 0}}, PadMode::reflect); }},
      {"pad", Kind::shape, {"at most 2", "(2,)"}, [] { pad(m({2}), {{3, 0}}, PadMode::circular); }},
      {"pad", Kind::shape, {"(0,)"}, [] { pad(m({0}), {{1, 0}}, PadMode::replicate); }},
      {"unfold", Kind::shape, {"at least 4", "(3,)"}, [] { unfold(m({3}), 0, 4, 1); }},
      {"unfold", Kind::value, {"0"}, [] { unfold(m({3}), 0, 2, 0); }},
      {"unfold", Kind::shape, {"(3, 3)", "(4, 4)"}, [] { unfold(m({1, 1, 3, 3}), {4}); }},
      {"unfold", Kind::shape, {"(3,)"}, [] { unfold(m({3}), {2}); }},
      {"fold", Kind::shape, {"(1, 4, 3)", "4)"}, [] { fold(m({1, 4, 3}), {3, 3}, {2}); }},
      {"fold", Kind::value, {"stride", "(0,)"}, [] { fold(m({1, 4, 4}), {3, 3}, {2}, {.stride = {0}}); }},
      {"rearrange", Kind::value, {"position 0", "not without \"a\""}, [] { rearrange(m({2, 3}), "a b -> b"); }},
      {"rearrange", Kind::shape, {"3 axes", "(2, 3)"}, [] { rearrange(m({2, 3}), "a b c -> a b c"); }},
      {"rearrange", Kind::value, {"\"z\""}, [] { rearrange(m({2}), "a -> a", {{"z", 2}}); }},
      {"reduce", Kind::value, {"median"}, [] { reduce(m({2, 3}), "a b -> a", "median"); }},
      {"einops_repeat", Kind::value, {"\"r\""}, [] { einops_repeat(m({2}), "a -> a r"); }},
  };
}
// clang-format on

}  // namespace cadena::errors
