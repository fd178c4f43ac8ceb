// Losses against PyTorch's: values and gradients under every reduction; see fixtures/torch_nn.py, whose calls
// these are, in its order.
#include <gtest/gtest.h>

#include <cmath>

#include "fixtures/torch_nn.hpp"
#include "nn/nn.hpp"
#include "torch_records.hpp"

namespace cadena {
namespace {

using In = const TensorList&;
using T = const Tensor&;

const Shape rows{4, 5};

Tensor signs() {
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20; ++i) values.push_back(i % 2 == 0 ? 1 : -1);
  return tensor(values, rows);
}
Tensor weight() { return abs(numbers({5}, 9)) + 0.25; }
Tensor classes() { return tensor({1, 4, 2, 0}); }
Tensor labels() { return tensor({{3, 0, -1, 1, 4}, {1, -1, 2, 2, 2}, {-1, 0, 1, 2, 3}, {4, 3, 2, 1, 0}}); }
Tensor l1(T a, T b) { return sum(abs(a - b), -1); }

struct Loss {
  const char* key;
  std::vector<Shape> shapes;
  std::function<Tensor(In, Reduction)> call;
};

std::vector<Loss> pair_losses() {
  using R = Reduction;
  const std::vector<Shape> two{rows, rows};
  return {{"mse", two, [](In x, R r) { return nn::MSELoss(r)(x[0], x[1]); }},
          {"l1", two, [](In x, R r) { return nn::L1Loss(r)(x[0], x[1]); }},
          {"smooth_l1", two, [](In x, R r) { return nn::SmoothL1Loss(r, 0.7)(x[0], x[1]); }},
          {"huber", two, [](In x, R r) { return nn::HuberLoss(r, 0.7)(x[0], x[1]); }},
          {"poisson", two, [](In x, R r) { return nn::PoissonNLLLoss({.reduction = r})(x[0], x[1]); }},
          {"poisson full", two,
           [](In x, R r) {
             return nn::PoissonNLLLoss({.log_input = false, .full = true, .reduction = r})(abs(x[0]),
                                                                                           abs(x[1]));
           }},
          {"gaussian",
           {rows, rows, {4, 1}},
           [](In x, R r) { return nn::GaussianNLLLoss({.reduction = r})(x[0], x[1], abs(x[2]) + 0.1); }},
          {"gaussian full", {rows, rows, rows}, [](In x, R r) {
             return nn::GaussianNLLLoss({.full = true, .eps = 0.4, .reduction = r})(x[0], x[1], abs(x[2]));
           }}};
}

std::vector<Loss> class_losses() {
  using R = Reduction;
  const std::vector<Shape> two{rows, rows};
  const Tensor w = weight(), pixels = tensor({{1, 0, 4}, {3, 2, -100}});
  return {
      {"bce", two,
       [=](In x, R r) { return nn::BCELoss({.reduction = r, .weight = w})(sigmoid(x[0]), sigmoid(x[1])); }},
      {"bce logits", two,
       [=](In x, R r) {
         return nn::BCEWithLogitsLoss({.reduction = r, .weight = w, .pos_weight = w * 2})(x[0],
                                                                                          sigmoid(x[1]));
       }},
      {"nll images",
       {{2, 5, 3}},
       [=](In x, R r) { return nn::NLLLoss({.reduction = r, .weight = w})(x[0], pixels); }},
      {"cross_entropy",
       {rows},
       [=](In x, R r) {
         return nn::CrossEntropyLoss({.reduction = r, .weight = w, .label_smoothing = 0.2})(x[0], classes());
       }},
      {"cross_entropy images",
       {{2, 5, 3}},
       [=](In x, R r) {
         return nn::CrossEntropyLoss({.reduction = r, .weight = w, .label_smoothing = 0.1})(x[0], pixels);
       }},
      {"cross_entropy one",
       {{5}},
       [](In x, R r) { return cross_entropy(x[0], tensor(3), {.reduction = r}); }},
      {"cross_entropy soft", two,
       [=](In x, R r) {
         return cross_entropy(x[0], sigmoid(x[1]), {.reduction = r, .weight = w, .label_smoothing = 0.3});
       }},
      {"cross_entropy soft images",
       {{2, 5, 3}, {2, 5, 3}},
       [](In x, R r) { return cross_entropy(x[0], sigmoid(x[1]), {.reduction = r}); }},
  };
}

std::vector<Loss> margin_losses() {
  using R = Reduction;
  const std::vector<Shape> two{rows, rows}, three{rows, rows, rows};
  return {
      {"margin_ranking", two, [](In x, R r) { return nn::MarginRankingLoss(0.3, r)(x[0], x[1], signs()); }},
      {"hinge_embedding", {rows}, [](In x, R r) { return nn::HingeEmbeddingLoss(0.8, r)(x[0], signs()); }},
      {"soft_margin", {rows}, [](In x, R r) { return nn::SoftMarginLoss(r)(x[0], signs()); }},
      {"multi_margin",
       {rows},
       [](In x, R r) { return nn::MultiMarginLoss({.reduction = r})(x[0], classes()); }},
      {"multi_margin p2",
       {rows},
       [](In x, R r) {
         return nn::MultiMarginLoss({.p = 2, .margin = 0.7, .weight = weight(), .reduction = r})(x[0],
                                                                                                 classes());
       }},
      {"multilabel_margin", {rows}, [](In x, R r) { return nn::MultiLabelMarginLoss(r)(x[0], labels()); }},
      {"multilabel_soft_margin", two,
       [](In x, R r) { return nn::MultiLabelSoftMarginLoss(weight(), r)(x[0], sigmoid(x[1])); }},
      {"cosine_embedding", two,
       [](In x, R r) {
         return nn::CosineEmbeddingLoss(-0.4, r)(x[0], x[1], tensor({1, -1, -1, 1}));
       }},
      {"triplet", three, [](In x, R r) { return nn::TripletMarginLoss({.reduction = r})(x[0], x[1], x[2]); }},
      {"triplet swap", three,
       [](In x, R r) {
         return nn::TripletMarginLoss({.margin = 2, .p = 3, .swap = true, .reduction = r})(x[0], x[1], x[2]);
       }},
      {"triplet distance", three, [](In x, R r) {
         return nn::TripletMarginWithDistanceLoss({.distance_function = l1, .margin = 3, .reduction = r})(
             x[0], x[1], x[2]);
       }}};
}

TEST(NnTorchLosses, ValuesAndGradients) {
  const std::pair<const char*, Reduction> reductions[] = {
      {" mean", Reduction::mean}, {" sum", Reduction::sum}, {" none", Reduction::none}};
  std::vector<std::string> keys;
  std::vector<TorchCall> calls;
  const auto add = [&](const std::vector<Loss>& losses) {
    for (const auto& loss : losses)
      for (const auto& [suffix, r] : reductions) {
        keys.push_back(loss.key + std::string(suffix));
        calls.push_back({nullptr, loss.shapes, [call = loss.call, r = r](In x) { return call(x, r); }});
      }
  };
  add(pair_losses());
  for (bool log_target : {false, true})
    for (const auto& [suffix, r] :
         {std::pair{" mean", KlReduction::mean}, std::pair{" sum", KlReduction::sum},
          std::pair{" none", KlReduction::none}, std::pair{" batchmean", KlReduction::batchmean}}) {
      keys.push_back((log_target ? "kl log" : "kl") + std::string(suffix));
      calls.push_back({nullptr, {rows, rows}, [log_target, r = r](In x) {
                         return nn::KLDivLoss({.reduction = r, .log_target = log_target})(
                             x[0], log_target ? x[1] : sigmoid(x[1]));
                       }});
    }
  add(class_losses());
  add(margin_losses());
  for (std::size_t i = 0; i < keys.size(); ++i) calls[i].key = keys[i].c_str();
  expect_calls(calls, fixtures::torch_nn_functions, fixtures::torch_nn_numbers);
}

// Near agreement no digit is lost, and long vectors do not overflow.
TEST(CosineEmbeddingLoss, IsRightForNearAndForLongVectors) {
  const Tensor same = ones({}, i64);
  const double angle = 1e-3;
  const Tensor a = tensor({1.0, 0.0}), b = tensor({std::cos(angle), std::sin(angle)});
  const double want = 2 * std::pow(std::sin(angle / 2), 2);
  EXPECT_NEAR(cosine_embedding_loss(a.to(f32), b.to(f32), same).item() / want, 1, 1e-4);
  for (const double scale : {1e-15, 1.0, 1e20, 1e38}) {
    const Tensor x = full({3}, scale, f32);
    EXPECT_NEAR(cosine_embedding_loss(x, -x, same).item(), scale < 1e-6 ? 1 : 2, 1e-5) << scale;
    EXPECT_NEAR(cosine_embedding_loss(x, x, same).item(), scale < 1e-6 ? 1 : 0, 1e-5) << scale;
  }
}

}  // namespace
}  // namespace cadena
