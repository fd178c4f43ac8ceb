#include "examples/generate/training.hpp"

#include "autodiff/autodiff.hpp"
#include "data/loader.hpp"
#include "optim/optim.hpp"

namespace cadena::examples {
namespace {

constexpr std::int64_t test_batch = 1000;

auto batch_function(Vae& vae) {
  return [&vae](const data::Batch& batch) {
    const Elbo e = elbo(vae, batch.x);
    return train::BatchResult{-e.bound(),
                              {{"likelihood", e.likelihood.item()}, {"divergence", e.divergence.item()}}};
  };
}

}  // namespace

train::FitResult train_vae(Vae& vae, const Images& images, const GenerateOptions& o) {
  optim::Adam adam(vae.named_parameters(), {.lr = o.lr});
  data::DataLoader batches(images.train, {.batch_size = o.batch_size, .shuffle = true, .seed = o.seed});
  data::DataLoader validation(images.validation, {.batch_size = test_batch});
  optim::CosineAnnealingLR cosine(adam, {.T_max = o.epochs * batches.size()});

  train::FitOptions fit = fit_options(o, {"loss", "divergence"});
  fit.scheduler = &cosine;
  fit.schedule_steps = true;
  fit.validation = &validation;
  fit.item_name = "images";
  return train::fit(vae, adam, batches, batch_function(vae), fit);
}

Score measure(Vae& vae, const data::TensorDataset& images) {
  data::DataLoader batches(images, {.batch_size = test_batch});
  Score score;
  for (const train::Metric& metric : train::evaluate(vae, batches, batch_function(vae))) {
    if (metric.name == "likelihood") score.likelihood = metric.value;
    if (metric.name == "divergence") score.divergence = metric.value;
  }
  return score;
}

double independent_pixels(const Images& images) {
  const NoGrad no_grad;
  const Tensor p = clamp(mean(images.train.x(), 0), 1e-6, 1 - 1e-6);
  const Tensor x = images.test.x();
  return mean(sum(x * log(p) + (1 - x) * log(1 - p), {1, 2})).item();
}

}  // namespace cadena::examples
