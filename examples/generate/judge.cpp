#include "examples/generate/judge.hpp"

#include "autodiff/autodiff.hpp"
#include "data/loader.hpp"
#include "optim/optim.hpp"
#include "train/fit.hpp"
#include "train/metrics.hpp"

namespace cadena::examples {
namespace {

constexpr std::int64_t hidden = 256, epochs = 8, batch_size = 128;
constexpr double lr = 2e-3;

}  // namespace

Judge::Judge(const Images& images, std::uint64_t seed)
    : net_(nn::Flatten(), nn::Linear(images.rows() * images.columns(), hidden), nn::ReLU(),
           nn::Linear(hidden, static_cast<std::int64_t>(images.classes.size()))) {
  optim::Adam adam(net_.named_parameters(), {.lr = lr});
  data::DataLoader batches(images.train, {.batch_size = batch_size, .shuffle = true, .seed = seed});
  optim::CosineAnnealingLR cosine(adam, {.T_max = epochs * batches.size()});
  train::fit(net_, adam, batches,
             [this](const data::Batch& b) { return train::BatchResult{cross_entropy(net_(b.x), b.y)}; },
             {.epochs = epochs,
              .scheduler = &cosine,
              .schedule_steps = true,
              .stop_on_interrupt = false,
              .progress = false});
  net_.eval();
}

double Judge::recognised(const Tensor& images, double least) {
  const NoGrad no_grad;
  const Tensor probability = max(softmax(net_(images), 1), 1).values;
  return mean(to(probability > least, f64)).item();
}

double Judge::accuracy(const data::TensorDataset& images) {
  const NoGrad no_grad;
  return train::accuracy(net_(images.x()), images.y());
}

}  // namespace cadena::examples
