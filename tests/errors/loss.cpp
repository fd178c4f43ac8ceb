// Losses.
#include "errors/errors.hpp"

namespace cadena::errors {

// clang-format off
Rows loss_rows() {
  const Tensor t = m({2, 3}), classes = tensor({0, 1});
  return {
      {"l1_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { l1_loss(t, m({3})); }},
      {"smooth_l1_loss", Kind::value, {"beta >= 0", "-1"}, [=] { smooth_l1_loss(t, t, Reduction::mean, -1); }},
      {"smooth_l1_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { smooth_l1_loss(t, m({3})); }},
      {"huber_loss", Kind::value, {"delta > 0", "0"}, [=] { huber_loss(t, t, Reduction::mean, 0); }},
      {"huber_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { huber_loss(t, m({3})); }},
      {"log_cosh_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { log_cosh_loss(t, m({3})); }},
      {"quantile_loss", Kind::value, {"0 < q < 1", "1.5"}, [=] { quantile_loss(t, t, 1.5); }},
      {"quantile_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { quantile_loss(t, m({3}), 0.5); }},
      {"poisson_nll_loss", Kind::value, {"eps >= 0", "-1"}, [=] { poisson_nll_loss(t, t, {.eps = -1}); }},
      {"gaussian_nll_loss", Kind::shape, {"(2, 3)", "(2, 1)", "(4,)"}, [=] { gaussian_nll_loss(t, t, m({4})); }},
      {"gaussian_nll_loss", Kind::value, {"variances >= 0", "-2"}, [=] { gaussian_nll_loss(t, t, full({2, 3}, -2)); }},
      {"gaussian_nll_loss", Kind::value, {"eps > 0", "0"}, [=] { gaussian_nll_loss(t, t, t, {.eps = 0}); }},
      {"kl_div", Kind::shape, {"batchmean", "()"}, [=] { kl_div(m({}), m({}), {.reduction = KlReduction::batchmean}); }},
      {"binary_cross_entropy", Kind::shape, {"(2, 3)", "(4, 2, 3)"}, [=] { binary_cross_entropy(t, t, {.weight = ones({4, 2, 3})}); }},
      {"binary_cross_entropy_with_logits", Kind::shape, {"(2, 3)", "(4, 2, 3)"}, [=] { binary_cross_entropy_with_logits(t, t, {.pos_weight = ones({4, 2, 3})}); }},
      {"sigmoid_focal_loss", Kind::value, {"gamma >= 0", "-1"}, [=] { sigmoid_focal_loss(t, t, {.gamma = -1}); }},
      {"sigmoid_focal_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { sigmoid_focal_loss(t, m({3})); }},
      {"cross_entropy", Kind::shape, {"(2, 3, 4)", "(2, 5)"}, [=] { cross_entropy(m({2, 3, 4}), zeros({2, 5}, i64)); }},
      {"cross_entropy", Kind::shape, {"one weight per class (3)", "(4,)"}, [=] { cross_entropy(t, t, {.weight = m({4})}); }},
      {"cross_entropy", Kind::dtype, {"i64", "f32"}, [=] { cross_entropy(t, m({2})); }},
      {"nll_loss", Kind::index, {"[0, 3)", "3"}, [=] { nll_loss(m({1, 3, 2}), tensor({{1, 3}})); }},
      {"margin_ranking_loss", Kind::shape, {"(2, 3)", "(4,)"}, [=] { margin_ranking_loss(t, t, m({4})); }},
      {"hinge_embedding_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { hinge_embedding_loss(t, m({3})); }},
      {"soft_margin_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { soft_margin_loss(t, m({3})); }},
      {"multi_margin_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { multi_margin_loss(t, tensor({0, 1, 2})); }},
      {"multi_margin_loss", Kind::index, {"[0, 3)", "-1"}, [=] { multi_margin_loss(t, tensor({0, -1})); }},
      {"multi_margin_loss", Kind::value, {"p of 1 or 2", "3"}, [=] { multi_margin_loss(t, classes, {.p = 3}); }},
      {"multi_margin_loss", Kind::dtype, {"i64", "f32"}, [=] { multi_margin_loss(t, m({2})); }},
      {"multi_margin_loss", Kind::shape, {"one weight per class (3)", "(2,)"}, [=] { multi_margin_loss(t, classes, {.weight = m({2})}); }},
      {"multilabel_margin_loss", Kind::index, {"[0, 3) or -1", "3"}, [=] { multilabel_margin_loss(t, full({2, 3}, 3, i64)); }},
      {"multilabel_margin_loss", Kind::shape, {"(2, 3)", "(2,)"}, [=] { multilabel_margin_loss(t, classes); }},
      {"multilabel_margin_loss", Kind::dtype, {"f32 or f64", "i64"}, [=] { multilabel_margin_loss(classes, classes); }},
      {"multilabel_soft_margin_loss", Kind::shape, {"one weight per class (3)", "(2,)"}, [=] { multilabel_soft_margin_loss(t, t, m({2})); }},
      {"multilabel_soft_margin_loss", Kind::shape, {"last axis", "()"}, [=] { multilabel_soft_margin_loss(m({}), m({})); }},
      {"cosine_embedding_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { cosine_embedding_loss(t, t, m({3})); }},
      {"contrastive_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { contrastive_loss(t, t, m({3})); }},
      {"contrastive_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { contrastive_loss(t, m({3}), m({2})); }},
      {"contrastive_loss", Kind::value, {"margin > 0", "0"}, [=] { contrastive_loss(t, t, m({2}), {.margin = 0}); }},
      {"info_nce_loss", Kind::shape, {"(2, 3)", "(5, 4)"}, [=] { info_nce_loss(t, t, {.negatives = m({5, 4})}); }},
      {"info_nce_loss", Kind::shape, {"(N, M, D)", "(1, 5, 3)"}, [=] { info_nce_loss(t, t, {.negatives = m({1, 5, 3})}); }},
      {"info_nce_loss", Kind::shape, {"(3,)"}, [=] { info_nce_loss(m({3}), m({3})); }},
      {"info_nce_loss", Kind::value, {"temperature > 0", "0"}, [=] { info_nce_loss(t, t, {.temperature = 0}); }},
      {"info_nce_loss", Kind::dtype, {"f32 or f64", "i64"}, [=] { info_nce_loss(zeros({2, 3}, i64), zeros({2, 3}, i64)); }},
      {"dice_loss", Kind::shape, {"(N, C, ...)", "(2, 3)"}, [=] { dice_loss(t, t); }},
      {"dice_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { dice_loss(t, m({3})); }},
      {"dice_loss", Kind::value, {"smooth >= 0", "-1"}, [] { dice_loss(m({1, 1, 2}), m({1, 1, 2}), {.smooth = -1}); }},
      {"dice_loss", Kind::dtype, {"i64"}, [] { dice_loss(zeros({1, 1, 2}, i64), zeros({1, 1, 2}, i64)); }},
      {"triplet_margin_loss", Kind::value, {"margin > 0", "0"}, [=] { triplet_margin_loss(t, t, t, {.margin = 0}); }},
      {"triplet_margin_loss", Kind::shape, {"(2, 3)", "(3,)"}, [=] { triplet_margin_loss(t, t, m({3})); }},
      {"triplet_margin_with_distance_loss", Kind::value, {"margin > 0", "-1"}, [=] { triplet_margin_with_distance_loss(t, t, t, {.margin = -1}); }},
  };
}
// clang-format on

}  // namespace cadena::errors
