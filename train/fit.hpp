// The training loop with what one wants around it: progress, validation, early stopping, checkpoints, Ctrl-C.
// It does nothing that ten lines by hand cannot do; use those where they are clearer.
//
//   auto result = train::fit(net, adam, batches,
//                            [&](const data::Batch& b) {
//                              const Tensor logits = net(b.x);
//                              return train::BatchResult{cross_entropy(logits, b.y),
//                                                        {{"accuracy", train::accuracy(logits, b.y)}}};
//                            },
//                            {.epochs = 20, .validation = &held_out, .patience = 3, .checkpoint =
//                            "out/run.safetensors"});
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "data/loader.hpp"
#include "nn/module.hpp"
#include "optim/optimizer.hpp"
#include "optim/scheduler.hpp"
#include "train/log.hpp"
#include "train/progress.hpp"

namespace cadena::train {

/// What a batch gave: the loss to differentiate, a single element, and what else is worth showing. All are
/// means over the batch.
struct BatchResult {
  Tensor loss;
  std::vector<Metric> metrics = {};
};
using BatchFunction = std::function<BatchResult(const data::Batch&)>;

/// The figures of an epoch: "loss" and the others, means over the examples as they came; those of the
/// validation with "val " in front; the learning rate "lr" that it ended with.
struct EpochRecord {
  std::int64_t epoch = 0;  ///< from 1
  std::vector<Metric> metrics = {};
  double seconds = 0;

  /// @throws ValueError with the names there are
  double value(const std::string& name) const;
};
using History = std::vector<EpochRecord>;

/// Why a run ended.
enum class Stop { epochs, patience, time, interrupt };
std::string to_string(Stop stop);

struct FitOptions {
  std::int64_t epochs = 1;      ///< >= 1, those before a resumption included
  std::int64_t accumulate = 1;  ///< batches whose gradients make a step; their losses are averaged
  double clip_grad_norm = 0;    ///< the largest 2-norm of a step's gradients; 0 leaves them as they are
  optim::LRScheduler* scheduler = nullptr;
  bool schedule_steps = false;  ///< the scheduler steps with the optimizer, not with the epochs
  data::DataLoader* validation = nullptr;

  // What is best.
  std::string monitor = {};   ///< the figure that counts; "val loss" with validation, else "loss"
  bool maximize = false;      ///< more is better
  std::int64_t patience = 0;  ///< ends after so many epochs without a better figure; 0 never
  bool restore_best = false;  ///< the net ends with the weights of its best epoch, not of its last

  // What is kept.
  std::filesystem::path checkpoint =
      {};               ///< written after every epoch and when the run stops early; empty for none
  bool resume = false;  ///< goes on where `checkpoint` is, if there is one
  std::vector<Logger*> loggers = {};  ///< told of every epoch
  std::function<void(const EpochRecord&)> on_epoch = {};

  double max_seconds = std::numeric_limits<double>::infinity();  ///< ends with the step that is running then
  bool stop_on_interrupt = true;  ///< Ctrl-C ends the run in good order, a second one the process

  // What is shown.
  bool progress = true;
  std::string item_name = "examples";
  std::function<std::vector<std::string>(const History&, const plot::Terminal&)> panel =
      {};  ///< below the bar
};

/// The loss is no longer finite; mostly the learning rate is too large.
class DivergedError : public ValueError {
  using ValueError::ValueError;
};

struct FitResult {
  History history = {};
  Stop stop = Stop::epochs;
  std::int64_t best_epoch = 0;  ///< by `monitor`, from 1; 0 before the first one ended
  double seconds = 0;           ///< of all epochs, those before a resumption included
};

/// Trains `net`. While it runs the net is in training mode, during validation in evaluation mode and
/// unrecorded; at the end in the mode it was in. The batch function is called for both.
///
/// A checkpoint holds everything that decides how the run goes on: the net, the optimizer, the scheduler, the
/// default generator, the place in the data, the means so far, the history. A run that was stopped and
/// resumed gives the bits of one that was not, for any number of threads, also if it was stopped within an
/// epoch.
/// @throws ValueError for options out of range and a checkpoint of another run, DivergedError for a loss that
/// is not finite, ShapeError for one of more than one element; what the batch function, the data and the
/// files throw
FitResult fit(nn::Module& net, optim::Optimizer& optimizer, data::DataLoader& batches,
              const BatchFunction& batch_function, const FitOptions& options = {});

/// Means of the loss ("loss") and of the other figures over one pass, unrecorded and in evaluation mode.
std::vector<Metric> evaluate(nn::Module& net, data::DataLoader& batches, const BatchFunction& batch_function);

}  // namespace cadena::train
