#include "examples/write/training.hpp"

#include <algorithm>

#include "autodiff/autodiff.hpp"
#include "data/loader.hpp"
#include "optim/optim.hpp"

namespace cadena::examples {
namespace {

constexpr double clip = 1, weight_decay = 0.1, warmup = 0.05;  // of all steps

/// Any `count` of `n` stretches, some perhaps twice.
data::Sampler anywhere(std::int64_t count, std::int64_t n) {
  return {count, [count, n](Generator g) {
            std::vector<std::int64_t> order;
            for (std::int64_t i = 0; i < count; ++i)
              order.push_back(static_cast<std::int64_t>(g.below(static_cast<std::uint64_t>(n))));
            return order;
          }};
}

}  // namespace

train::FitResult train_gpt(Gpt& gpt, const Corpus& corpus, const WriteOptions& o) {
  const Stretches stretches(corpus.train, o.shape.context, 1);
  const std::int64_t in_epoch = std::max(corpus.train.numel() / o.shape.context, std::int64_t{1});
  data::DataLoader batches(
      stretches,
      {.batch_size = o.batch_size, .seed = o.seed, .sampler = anywhere(in_epoch, stretches.size())});
  data::DataLoader validation(Stretches(corpus.validation, o.shape.context, o.shape.context),
                              {.batch_size = o.batch_size});
  optim::AdamW adam(gpt.named_parameters(), {.lr = o.lr, .betas = {0.9, 0.95}, .weight_decay = weight_decay});
  const std::int64_t steps = o.epochs * batches.size();
  optim::WarmupLR schedule(
      adam, {.warmup_steps = static_cast<std::int64_t>(warmup * static_cast<double>(steps)) + 1,
             .total_steps = steps + 1});
  train::FitOptions fit = fit_options(o, {"loss"});
  fit.scheduler = &schedule;
  fit.schedule_steps = true;
  fit.validation = &validation;
  fit.restore_best = true;
  fit.clip_grad_norm = clip;
  fit.item_name = "stretches";
  return train::fit(
      gpt, adam, batches,
      [&gpt](const data::Batch& b) {
        return train::BatchResult{cross_entropy(gpt(b.x).flatten(0, 1), b.y.flatten())};
      },
      fit);
}

}  // namespace cadena::examples
