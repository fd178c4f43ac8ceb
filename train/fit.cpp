#include "train/fit.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>

#include "autodiff/autodiff.hpp"
#include "data/files/checkpoint.hpp"
#include "data/files/training_state.hpp"
#include "optim/optim.hpp"
#include "train/interrupt.hpp"
#include "train/means.hpp"

namespace cadena::train {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Sets the mode of a net and restores the former one, also when an exception passes.
class Mode {
 public:
  Mode(nn::Module& net, bool training) : net_(net), former_(net.is_training()) { net.train(training); }
  ~Mode() { net_.train(former_); }
  Mode(const Mode&) = delete;
  Mode& operator=(const Mode&) = delete;

 private:
  nn::Module& net_;
  bool former_;
};

std::int64_t examples(const data::Batch& batch) { return batch.x.dim() == 0 ? 1 : batch.x.size(0); }

/// All figures of a batch, the loss first.
std::vector<Metric> figures(const BatchResult& result) {
  std::vector<Metric> list{{"loss", result.loss.item()}};
  list.insert(list.end(), result.metrics.begin(), result.metrics.end());
  return list;
}

void check_options(const FitOptions& o) {
  const auto check = [](const char* option, bool ok, const char* expected, double got) {
    if (!ok)
      throw ValueError("[fit] " + std::string(option) + ": expected " + expected + ", got " +
                       optim::to_text(got));
  };
  check("epochs", o.epochs >= 1, ">= 1", static_cast<double>(o.epochs));
  check("accumulate", o.accumulate >= 1, ">= 1", static_cast<double>(o.accumulate));
  check("patience", o.patience >= 0, ">= 0", static_cast<double>(o.patience));
  check("clip_grad_norm", o.clip_grad_norm >= 0, ">= 0", o.clip_grad_norm);
  check("max_seconds", o.max_seconds > 0, "> 0", o.max_seconds);
  if (o.resume && o.checkpoint.empty())
    throw ValueError("[fit] resume: expected a checkpoint to resume from, got none");
}

/// One call of `fit`.
class Run {
 public:
  Run(nn::Module& net, optim::Optimizer& optimizer, data::DataLoader& batches, const BatchFunction& f,
      const FitOptions& o)
      : net_(net), optimizer_(optimizer), batches_(batches), f_(f), o_(o) {
    check_options(o);
    monitor_ = !o.monitor.empty() ? o.monitor : o.validation ? "val loss" : "loss";
    if (o.resume && std::filesystem::exists(o.checkpoint)) load();
  }

  FitResult operator()() {
    std::optional<InterruptGuard> guard;
    if (o_.stop_on_interrupt) guard.emplace();
    const Mode mode(net_, true);
    start_progress();
    check_patience();  // it may be a run that ended so which is resumed
    while (!stop_ && done_ < o_.epochs) {
      if (!train_epoch()) break;
      end_epoch();
    }
    if (progress_) progress_->finish();
    if (o_.restore_best && best_epoch_ > 0 && stop_ != Stop::interrupt) net_.load_state_dict(best_weights_);
    return {history_, stop_.value_or(Stop::epochs), best_epoch_, seconds()};
  }

 private:
  double seconds() const { return seconds_before_ + watch_.seconds(); }

  void start_progress() {
    if (!o_.progress || done_ >= o_.epochs) return;
    ProgressOptions shown{.epochs = o_.epochs,
                          .items_per_epoch = std::max<std::int64_t>(batches_.num_samples(), 1),
                          .item_name = o_.item_name,
                          .first_epoch = done_};
    if (o_.panel)
      shown.panel = [this](const plot::Terminal& terminal) { return o_.panel(history_, terminal); };
    progress_.emplace(std::move(shown));
    if (seen_ > 0) progress_->advance(seen_, means_.get());
  }

  /// False if the run stopped before the epoch was over; then it is saved.
  bool train_epoch() {
    const Stopwatch watch;
    std::int64_t done_batches = batches_seen_;
    for (const auto& batch : batches_) {
      const auto group = done_batches / o_.accumulate * o_.accumulate;
      const auto in_group = std::min(o_.accumulate, batches_.size() - group);
      if (done_batches == group) optimizer_.zero_grad();
      forward_backward(batch, in_group);
      ++done_batches;
      if (done_batches < group + in_group) continue;
      update();
      batches_seen_ = done_batches;
      if (!stop_asked()) continue;
      epoch_seconds_ += watch.seconds();
      save();
      return false;
    }
    batches_seen_ = 0;
    epoch_seconds_ += watch.seconds();
    return true;
  }

  void forward_backward(const data::Batch& batch, std::int64_t in_group) {
    const auto result = f_(batch);
    const auto list = figures(result);
    if (!std::isfinite(list[0].value))
      throw DivergedError("[fit] expected a finite loss, got " + optim::to_text(list[0].value) +
                          " in epoch " + std::to_string(done_ + 1) + ", learning rate " +
                          optim::to_text(optimizer_.lr()) + ": a smaller one may help");
    if (in_group == 1)
      result.loss.backward();
    else
      (result.loss * (1.0 / static_cast<double>(in_group))).backward();
    const auto n = examples(batch);
    means_.add(list, n);
    seen_ += n;
    if (progress_) progress_->advance(n, means_.get());
  }

  void update() {
    if (o_.clip_grad_norm > 0) optim::clip_grad_norm_(optimizer_.parameters(), o_.clip_grad_norm);
    optimizer_.step();
    if (o_.scheduler && o_.schedule_steps) o_.scheduler->step();
  }

  bool stop_asked() {
    if (o_.stop_on_interrupt && InterruptGuard::requested())
      stop_ = Stop::interrupt;
    else if (seconds() >= o_.max_seconds)
      stop_ = Stop::time;
    return stop_.has_value();
  }

  void end_epoch() {
    const Stopwatch watch;
    EpochRecord record{done_ + 1, means_.get(), 0};
    record.metrics.push_back({"lr", optimizer_.lr()});
    if (o_.validation) {
      Means validation = evaluated(net_, *o_.validation, f_);
      for (auto& metric : validation.get("val ")) record.metrics.push_back(std::move(metric));
    }
    const double figure = record.value(monitor_);
    note_best(figure, record.epoch);
    if (o_.scheduler && !o_.schedule_steps) step_scheduler(figure);
    record.seconds = epoch_seconds_ + watch.seconds();
    history_.push_back(record);
    ++done_;
    means_ = {};
    seen_ = 0;
    epoch_seconds_ = 0;
    check_patience();
    if (done_ < o_.epochs && !stop_) stop_asked();
    save();
    tell(record);
  }

  void check_patience() {
    if (o_.patience > 0 && done_ - best_epoch_ >= o_.patience && done_ < o_.epochs) stop_ = Stop::patience;
  }

  void note_best(double figure, std::int64_t epoch) {
    const bool first = best_epoch_ == 0 && !std::isnan(figure);
    if (!first && !(o_.maximize ? figure > best_ : figure < best_)) return;
    best_ = figure;
    best_epoch_ = epoch;
    if (o_.restore_best) best_weights_ = net_.state_dict();
  }

  void step_scheduler(double figure) {
    if (auto* plateau = dynamic_cast<optim::ReduceLROnPlateau*>(o_.scheduler))
      plateau->step(figure);
    else
      o_.scheduler->step();
  }

  void tell(const EpochRecord& record) {
    std::vector<Metric> shown;
    for (const auto& metric : record.metrics)
      if (metric.name != "lr") shown.push_back(metric);
    if (progress_) progress_->end_epoch(shown);
    for (auto* logger : o_.loggers) logger->log(record.epoch, record.metrics);
    if (o_.on_epoch) o_.on_epoch(record);
  }

  // ---- checkpoints ----

  void save() {
    if (o_.checkpoint.empty()) return;
    data::Checkpoint file;
    file["model"].tensors = net_.state_dict();
    put(file["optimizer"], optimizer_.state_dict());
    if (o_.scheduler) put(file["scheduler"], o_.scheduler->state_dict());
    file["random"].put("default", default_generator());
    put(file["data"], batches_.state());
    if (o_.validation) put(file["validation data"], o_.validation->state());
    auto& fit = file["fit"];
    fit.values = {
        {"epochs", done_},        {"batches", batches_.size()},      {"batches_seen", batches_seen_},
        {"examples_seen", seen_}, {"epoch_seconds", epoch_seconds_}, {"seconds", seconds()},
        {"best", best_},          {"best_epoch", best_epoch_}};
    means_.save(fit);
    save_history(fit, history_);
    if (o_.restore_best) file["best"].tensors = best_weights_;
    data::save_checkpoint(o_.checkpoint, file);
  }

  void load() {
    const auto file = data::load_checkpoint(o_.checkpoint);
    const auto& fit = file.at("fit");
    const auto same = [this](const char* what, std::int64_t own, std::int64_t saved) {
      if (own != saved)
        throw ValueError("[fit] expected the checkpoint of a run with " + std::to_string(own) + " " + what +
                         ", got " + std::to_string(saved) + " in " + o_.checkpoint.string());
    };
    same("batches in an epoch", batches_.size(), fit.value<std::int64_t>("batches"));
    same("schedulers", o_.scheduler ? 1 : 0, file.contains("scheduler") ? 1 : 0);
    optimizer_.load_state_dict(data::take<optim::OptimizerState>(file.at("optimizer")));
    if (o_.scheduler) o_.scheduler->load_state_dict(data::take<optim::SchedulerState>(file.at("scheduler")));
    net_.load_state_dict(file.at("model").tensors);
    default_generator() = file.at("random").generator("default");
    batches_.restore(data::take<data::LoaderState>(file.at("data")));
    if (o_.validation && file.contains("validation data"))
      o_.validation->restore(data::take<data::LoaderState>(file.at("validation data")));
    done_ = fit.value<std::int64_t>("epochs");
    batches_seen_ = fit.value<std::int64_t>("batches_seen");
    seen_ = fit.value<std::int64_t>("examples_seen");
    epoch_seconds_ = fit.value<double>("epoch_seconds");
    seconds_before_ = fit.value<double>("seconds");
    best_ = fit.value<double>("best");
    best_epoch_ = fit.value<std::int64_t>("best_epoch");
    means_.load(fit);
    history_ = load_history(fit);
    if (file.contains("best")) best_weights_ = file.at("best").tensors;
  }

 public:
  static Means evaluated(nn::Module& net, data::DataLoader& batches, const BatchFunction& f) {
    const NoGrad no_grad;
    const Mode mode(net, false);
    Means means;
    for (const auto& batch : batches) means.add(figures(f(batch)), examples(batch));
    return means;
  }

 private:
  nn::Module& net_;
  optim::Optimizer& optimizer_;
  data::DataLoader& batches_;
  const BatchFunction& f_;
  const FitOptions& o_;
  const Stopwatch watch_;
  std::string monitor_;
  std::optional<Progress> progress_;
  std::optional<Stop> stop_;

  // What a checkpoint holds.
  std::int64_t done_ = 0;          // epochs
  std::int64_t batches_seen_ = 0;  // of the running epoch
  std::int64_t seen_ = 0;          // examples of the running epoch
  double epoch_seconds_ = 0, seconds_before_ = 0;
  Means means_;
  History history_;
  double best_ = infinity;
  std::int64_t best_epoch_ = 0;
  nn::StateDict best_weights_;
};

}  // namespace

double EpochRecord::value(const std::string& name) const {
  std::string names;
  for (const auto& metric : metrics) {
    if (metric.name == name) return metric.value;
    names += (names.empty() ? "" : ", ") + metric.name;
  }
  throw ValueError("[fit] expected one of the figures " + names + ", got \"" + name + "\"");
}

std::string to_string(Stop stop) {
  switch (stop) {
    case Stop::epochs:
      return "all epochs done";
    case Stop::patience:
      return "no better for too long";
    case Stop::time:
      return "time is up";
    case Stop::interrupt:
      break;
  }
  return "interrupted";
}

FitResult fit(nn::Module& net, optim::Optimizer& optimizer, data::DataLoader& batches,
              const BatchFunction& batch_function, const FitOptions& options) {
  return Run(net, optimizer, batches, batch_function, options)();
}

std::vector<Metric> evaluate(nn::Module& net, data::DataLoader& batches,
                             const BatchFunction& batch_function) {
  return Run::evaluated(net, batches, batch_function).get();
}

}  // namespace cadena::train
