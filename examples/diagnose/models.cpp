#include "examples/diagnose/models.hpp"

#include "autodiff/autodiff.hpp"
#include "data/loader.hpp"
#include "optim/optim.hpp"
#include "train/metrics.hpp"

namespace cadena::examples {
namespace {

constexpr double penalty = 1e-4, weight_decay = 1e-2;
constexpr std::int64_t patience = 12;  // epochs
constexpr int most_steps = 20;         // of LBFGS, of 20 iterations each

data::TensorDataset dataset(const Part& part) { return {part.x, part.y}; }

}  // namespace

void fit_logistic(LogisticRegression& model, const Part& part) {
  {
    const NoGrad guard;
    model.fc.weight.zero_();
    model.fc.bias.zero_();
  }
  optim::LBFGS lbfgs(model.parameters(), {.line_search_fn = optim::LineSearch::strong_wolfe});
  const auto loss = [&] {
    lbfgs.zero_grad();
    const Tensor l = binary_cross_entropy_with_logits(model(part.x), part.y) +
                     penalty * sum(model.fc.weight * model.fc.weight);
    l.backward();
    return l;
  };
  double before = lbfgs.step(loss).item();
  for (int step = 1; step < most_steps; ++step) {
    const double now = lbfgs.step(loss).item();
    if (before - now < 1e-7) return;
    before = now;
  }
}

train::FitResult fit_perceptron(Perceptron& net, const Cohort& cohort, const DiagnoseOptions& o) {
  optim::AdamW adam(net.parameters(), {.lr = o.lr, .weight_decay = weight_decay});
  data::DataLoader batches(dataset(cohort.train),
                           {.batch_size = o.batch_size, .shuffle = true, .seed = o.seed});
  data::DataLoader validation(dataset(cohort.validation), {.batch_size = 1024});
  train::FitOptions fit = fit_options(o, {"loss", "accuracy"});
  fit.validation = &validation;
  fit.patience = patience;
  fit.restore_best = true;
  fit.item_name = "rows";
  return train::fit(
      net, adam, batches,
      [&](const data::Batch& b) {
        const Tensor logits = net(b.x);
        const double right = mean(to(eq(logits > 0, b.y > 0.5), f64)).item();
        return train::BatchResult{binary_cross_entropy_with_logits(logits, b.y),
                                  {{"accuracy", right, train::Format::percent}}};
      },
      fit);
}

Tensor probabilities(Classifier& model, const Tensor& x) {
  const NoGrad guard;
  model.eval();
  return sigmoid(model(x).to(f64));
}

}  // namespace cadena::examples
