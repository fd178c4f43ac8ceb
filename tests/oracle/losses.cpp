#include "oracle.hpp"

namespace cadena::oracle {

Calls loss_calls() {
  const Tensor weight = tensor({0.5, 2., 1., 3.}, f64);
  const Tensor signs = tensor({{1., -1., 1., 1.}, {-1., -1., 1., -1.}, {1., 1., -1., 1.}}, f64);
  const Tensor labels = tensor({1, 0, 3});
  return {
      {"mse_loss", [](In x) { return mse_loss(x[0], x[1]); }},
      {"l1_loss", [](In x) { return l1_loss(x[0], x[1]); }},
      {"smooth_l1_loss", [](In x) { return smooth_l1_loss(x[0], x[1], Reduction::sum, 0.5); }},
      {"huber_loss", [](In x) { return huber_loss(x[0], x[1], Reduction::mean, 0.75); }},
      {"log_cosh_loss", [](In x) { return log_cosh_loss(x[0], x[1]); }},
      {"quantile_loss", [](In x) { return quantile_loss(x[0], x[1], 0.3); }},
      {"poisson_nll_loss", [](In x) { return poisson_nll_loss(x[0], x[1]); }},
      {"poisson_nll_loss rates", [](In x) { return poisson_nll_loss(x[0], x[1], {.log_input = false}); }},
      {"gaussian_nll_loss", [](In x) { return gaussian_nll_loss(x[0], x[1], x[2], {.full = true}); }},
      {"kl_div", [](In x) { return kl_div(x[0], x[1], {.reduction = KlReduction::batchmean}); }},
      {"kl_div logarithms",
       [](In x) { return kl_div(x[0], x[1], {.reduction = KlReduction::sum, .log_target = true}); }},
      {"binary_cross_entropy", [](In x) { return binary_cross_entropy(x[0], x[1]); }},
      {"binary_cross_entropy_with_logits",
       [](In x) { return binary_cross_entropy_with_logits(x[0], x[1], Reduction::sum); }},
      {"binary_cross_entropy_with_logits weights",
       [=](In x) {
         return binary_cross_entropy_with_logits(x[0], x[1], {.weight = weight, .pos_weight = weight + 0.5});
       }},
      {"sigmoid_focal_loss", [](In x) { return sigmoid_focal_loss(x[0], x[1]); }},
      {"nll_loss", [=](In x) { return nll_loss(x[0], labels, {.weight = weight}); }},
      {"cross_entropy",
       [](In x) {
         return cross_entropy(x[0], tensor({1, -100, 3}));
       }},
      {"cross_entropy smooth",
       [=](In x) { return cross_entropy(x[0], labels, {.weight = weight, .label_smoothing = 0.1}); }},
      {"margin_ranking_loss", [=](In x) { return margin_ranking_loss(x[0], x[1], signs, 0.3); }},
      {"hinge_embedding_loss", [=](In x) { return hinge_embedding_loss(x[0], signs, 0.8); }},
      {"soft_margin_loss", [=](In x) { return soft_margin_loss(x[0], signs); }},
      {"multi_margin_loss",
       [=](In x) { return multi_margin_loss(x[0], labels, {.p = 2, .margin = 0.7, .weight = weight}); }},
      {"multilabel_margin_loss",
       [](In x) {
         return multilabel_margin_loss(x[0], tensor({{3, 0, -1, 1}, {1, -1, 0, 2}, {0, 2, 3, -1}}));
       }},
      {"multilabel_soft_margin_loss", [=](In x) { return multilabel_soft_margin_loss(x[0], x[1], weight); }},
      {"cosine_embedding_loss",
       [=](In x) { return cosine_embedding_loss(x[0], x[1], select(signs, 1, 0), 0.1); }},
      {"contrastive_loss",
       [=](In x) {
         return contrastive_loss(x[0], x[1], select(signs, 1, 0), {.margin = 3, .reduction = Reduction::sum});
       }},
      {"info_nce_loss", [](In x) { return info_nce_loss(x[0], x[1]); }},
      {"info_nce_loss negatives",
       [](In x) { return info_nce_loss(x[0], x[1], {.temperature = 0.7, .negatives = x[2]}); }},
      {"dice_loss", [](In x) { return dice_loss(x[0], x[1], {.smooth = 0.5}); }},
      {"dice_loss squared", [](In x) { return dice_loss(x[0], x[1], {.squared = true, .smooth = 0.5}); }},
      {"triplet_margin_loss",
       [](In x) { return triplet_margin_loss(x[0], x[1], x[2], {.margin = 2.5, .p = 3, .swap = true}); }},
      {"triplet_margin_with_distance_loss",
       [](In x) {
         const auto distance = [](const Tensor& a, const Tensor& b) { return sum(abs(a - b), {-1}); };
         return triplet_margin_with_distance_loss(x[0], x[1], x[2],
                                                  {.distance_function = distance, .margin = 5.5});
       }},
  };
}

}  // namespace cadena::oracle
