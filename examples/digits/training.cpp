#include "examples/digits/training.hpp"

#include <memory>

#include "autodiff/autodiff.hpp"
#include "data/loader.hpp"
#include "optim/optim.hpp"

namespace cadena::examples {
namespace {

constexpr std::int64_t test_batch = 1000;

std::unique_ptr<optim::Optimizer> make_optimizer(const DigitsNet& net, const DigitsOptions& o) {
  const auto parameters = net.named_parameters();
  if (o.optimizer == "sgd")
    return std::make_unique<optim::SGD>(parameters,
                                        optim::SGDOptions{.lr = o.lr, .momentum = 0.9, .nesterov = true});
  if (o.optimizer == "adamw")
    return std::make_unique<optim::AdamW>(parameters, optim::AdamWOptions{.lr = o.lr});
  return std::make_unique<optim::Adam>(parameters, optim::AdamOptions{.lr = o.lr});
}

}  // namespace

train::FitResult train_net(DigitsNet& net, const Images& images, const DigitsOptions& o) {
  const auto optimizer = make_optimizer(net, o);
  data::DataLoader batches(images.train, {.batch_size = o.batch_size, .shuffle = true, .seed = o.seed});
  data::DataLoader validation(images.validation, {.batch_size = test_batch});
  optim::CosineAnnealingLR cosine(*optimizer, {.T_max = o.epochs * batches.size()});

  train::FitOptions fit = fit_options(o, {"loss", "accuracy"});
  fit.scheduler = &cosine;
  fit.schedule_steps = true;
  fit.validation = &validation;
  fit.item_name = "images";
  return train::fit(
      net, *optimizer, batches,
      [&net](const data::Batch& batch) {
        const Tensor logits = net(batch.x);
        return train::BatchResult{cross_entropy(logits, batch.y),
                                  {{"accuracy", train::accuracy(logits, batch.y), train::Format::percent}}};
      },
      fit);
}

Predictions predict(DigitsNet& net, const data::TensorDataset& images, std::int64_t classes) {
  const NoGrad no_grad;
  net.eval();
  train::Mean loss;
  Predictions all{.confusion = train::Confusion(classes)};
  const auto append = [](auto& list, const auto& more) { list.insert(list.end(), more.begin(), more.end()); };
  for (auto [x, y] : data::DataLoader(images, {.batch_size = test_batch})) {
    const Tensor logits = net(x);
    const auto [probability, predicted] = max(softmax(logits, 1), 1);
    loss.add(cross_entropy(logits, y).item(), static_cast<double>(y.size(0)));
    all.confusion.add(predicted, y);
    append(all.truth, y.to_vector<std::int64_t>());
    append(all.predicted, predicted.to_vector<std::int64_t>());
    append(all.probability, probability.to_vector<double>());
  }
  all.loss = loss.get();
  return all;
}

}  // namespace cadena::examples
