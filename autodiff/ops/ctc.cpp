// Connectionist temporal classification.
#include "autodiff/ops/ctc.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/typed.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/ctc.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/softmax.hpp"

namespace cadena {
namespace detail {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// What a batch is aligned with, checked.
struct CtcTargets {
  std::int64_t blank;
  Tensor labels;  ///< contiguous i64, samples one after the other
  std::vector<std::int64_t> first, count,
      steps;  ///< of each sample: its first label, their number, its steps

  std::int64_t label(std::size_t n, std::int64_t k) const {
    return labels.data<std::int64_t>()[first[n] + k];
  }
};

/// The recursion over states in plain operations: labels with blanks around each, for all samples at once.
class CtcReference {
 public:
  CtcReference(const Tensor& log_probs, const CtcTargets& targets) : x_(log_probs), t_(targets) {
    const auto batch = t_.count.size();
    const std::int64_t most = batch == 0 ? 0 : *std::max_element(t_.count.begin(), t_.count.end());
    states_ = 2 * most + 1;
    std::vector<std::int64_t> state, skip, end, last_label;
    for (std::size_t n = 0; n < batch; ++n) {
      for (std::int64_t s = 0; s < states_; ++s) {
        const bool label = s % 2 == 1 && s / 2 < t_.count[n];
        state.push_back(label ? t_.label(n, s / 2) : t_.blank);
        skip.push_back(label && s > 1 && t_.label(n, s / 2) != t_.label(n, s / 2 - 1));
      }
      end.push_back(2 * t_.count[n]);
      end.push_back(std::max<std::int64_t>(2 * t_.count[n] - 1, 0));
      last_label.push_back(1);
      last_label.push_back(t_.count[n] > 0);
    }
    const auto samples = static_cast<std::int64_t>(batch);
    classes_ = tensor(state, {samples, states_}), skip_ = to(tensor(skip, {samples, states_}), boolean);
    end_ = tensor(end, {samples, 2}), counts_ = to(tensor(last_label, {samples, 2}), boolean);
    steps_ = tensor(t_.steps, {samples, 1});
  }

  Tensor losses() const {
    const Tensor none =
        where(squeeze(eq(steps_, 0), 1), where(eq(select(end_, 1, 0), 0), 0.0, infinity), 0.0);
    if (x_.size(0) == 0 || x_.size(1) == 0) return add(sum(x_, {0, 2}), to(none, x_.dtype()));
    Tensor ways = where(lt(arange(states_), 2), emitted(0), -infinity);
    for (std::int64_t t = 1; t < x_.size(0); ++t) {
      const Tensor two = where(skip_, moved(ways, 2), -infinity);
      const Tensor next = add(logsumexp(stack({ways, moved(ways, 1), two}), 0), emitted(t));
      ways = where(lt(t, steps_), next, ways);
    }
    const Tensor ends = where(counts_, gather(ways, 1, end_), -infinity);
    return where(squeeze(eq(steps_, 0), 1), none, neg(logsumexp(ends, 1)));
  }

 private:
  Tensor emitted(std::int64_t t) const { return gather(select(x_, 0, t), 1, classes_); }
  /// Of each state what the one `by` states before it has.
  Tensor moved(const Tensor& ways, std::int64_t by) const {
    by = std::min(by, states_);
    const Tensor unreachable = full({ways.size(0), by}, -infinity, ways.dtype());
    return cat({unreachable, slice(ways, 1, {0, states_ - by})}, 1);
  }

  Tensor x_;
  const CtcTargets& t_;
  std::int64_t states_;
  Tensor classes_, skip_, end_, counts_, steps_;
};

/// (T, N, C) -> the loss of each sample (N)
struct CtcLoss : Fused<CtcLoss> {
  static constexpr Meta meta{.name = "ctc_loss",
                             .reads = {X1},
                             .formula = "-log sum of the probabilities of all alignments",
                             .derivative = "dX[t, n, c] = -G[n] P(step t emits c | the labels)",
                             .conventions = "labels that do not fit: inf, gradient 0"};
  CtcTargets targets;

  Tensor reference(const TensorList& x) const { return CtcReference(x[0], targets).losses(); }
  Tensor eval(const Tensor& x0) const {
    const Tensor x = contiguous(x0), out = fresh({x.size(1)}, x.dtype());
    in_type(x.dtype(), [&]<class T>(T) { kernels::ctc_loss<T>(call<T>(x), written<T>(out)); });
    return out;
  }
  void vjp_fast(const Saved& s, const Tensor& g0, Tensor* gin) const {
    const Tensor x = contiguous(s.x(0)), g = contiguous(g0);
    gin[0] = fresh(x.shape(), x.dtype());
    in_type(x.dtype(),
            [&]<class T>(T) { kernels::ctc_loss_vjp<T>(call<T>(x), g.data<T>(), written<T>(gin[0])); });
  }

 private:
  template <class T>
  kernels::Ctc<T> call(const Tensor& x) const {
    return {x.size(0),
            x.size(1),
            x.size(2),
            targets.blank,
            x.data<T>(),
            targets.labels.data<std::int64_t>(),
            targets.first.data(),
            targets.count.data(),
            targets.steps.data()};
  }
};

const std::string ctc_expected = "[ctc_loss] expected ";

std::vector<std::int64_t> lengths_of(const char* what, const Tensor& lengths, std::int64_t batch,
                                     std::int64_t most) {
  if (lengths.dtype() != i64)
    throw DtypeError(ctc_expected + what + " of i64, got " + std::string(name(lengths.dtype())));
  if (lengths.dim() > 1 || lengths.numel() != batch)
    throw ShapeError(ctc_expected + what + " (" + std::to_string(batch) + ",), got " +
                     to_string(lengths.shape()));
  const auto values = lengths.to_vector<std::int64_t>();
  for (auto v : values)
    if (v < 0 || v > most)
      throw ValueError(ctc_expected + what + " in [0, " + std::to_string(most) + "], got " +
                       std::to_string(v));
  return values;
}

/// @param x (T, N, C)
CtcTargets checked_targets(const Tensor& x, const Tensor& targets, const Tensor& input_lengths,
                           const Tensor& target_lengths, std::int64_t blank) {
  const std::int64_t batch = x.size(1), classes = x.size(2);
  if (!is_floating(x.dtype()))
    throw DtypeError(ctc_expected + "log_probs of f32 or f64, got " + std::string(name(x.dtype())));
  if (targets.dtype() != i64)
    throw DtypeError(ctc_expected + "i64 targets, got " + std::string(name(targets.dtype())));
  if (blank < 0 || blank >= classes)
    throw IndexError(ctc_expected + "blank in [0, " + std::to_string(classes) + "), got " +
                     std::to_string(blank));
  const bool rows = targets.dim() == 2;
  if (targets.dim() < 1 || targets.dim() > 2 || (rows && targets.size(0) != batch))
    throw ShapeError(ctc_expected + "targets (" + std::to_string(batch) +
                     ", S) or of all samples in one vector, got " + to_string(targets.shape()));
  CtcTargets t{blank, copy_of(targets.detach()), {}, {}, {}};
  t.steps = lengths_of("input_lengths", input_lengths, batch, x.size(0));
  t.count = lengths_of("target_lengths", target_lengths, batch, rows ? targets.size(1) : targets.numel());
  std::int64_t next = 0;
  for (std::size_t n = 0; n < t.count.size(); ++n) {
    t.first.push_back(next);
    next += rows ? targets.size(1) : t.count[n];
  }
  if (next != targets.numel() && !rows)
    throw ValueError(ctc_expected + "as many targets as target_lengths add up to (" + std::to_string(next) +
                     "), got " + std::to_string(targets.numel()));
  for (std::size_t n = 0; n < t.count.size(); ++n)
    for (std::int64_t k = 0; k < t.count[n]; ++k) {
      const std::int64_t c = t.label(n, k);
      if (c < 0 || c >= classes)
        throw IndexError(ctc_expected + "targets in [0, " + std::to_string(classes) + "), got " +
                         std::to_string(c) + " for sample " + std::to_string(n));
      if (c == blank)
        throw ValueError(ctc_expected + "targets other than blank, got " + std::to_string(c) +
                         " for sample " + std::to_string(n));
    }
  return t;
}

std::vector<Sample> ctc_samples(Sampler& s) {
  struct Case {
    const char* label;
    Shape shape;
    Tensor targets, steps, count;
    CtcLossOptions options;
  };
  const CtcLossOptions each{.reduction = Reduction::none};
  const Case cases[] = {
      {"one label", {2, 1, 2}, tensor({{1}}), tensor({2}), tensor({1}), each},
      {"alone", {2, 2}, tensor({1}), tensor(2), tensor(1), {}},
      {"three steps", {3, 1, 2}, tensor({{1}}), tensor({3}), tensor({1}), each},
      {"repeated", {4, 1, 3}, tensor({{2, 2}}), tensor({4}), tensor({2}), {.reduction = Reduction::sum}},
      {"lengths", {5, 2, 4}, tensor({{1, 2, 1}, {3, 3, 0}}), tensor({5, 4}), tensor({3, 2}), {}},
      {"in one vector, blank 2", {4, 2, 3}, tensor({0, 1, 1}), tensor({4, 3}), tensor({2, 1}), {.blank = 2}},
      {"no labels", {3, 2, 3}, zeros({2, 0}, i64), tensor({3, 2}), tensor({0, 0}), each},
      {"does not fit",
       {3, 2, 3},
       tensor({{1, 1}, {1, 2}}),
       tensor({2, 3}),
       tensor({2, 2}),
       {.zero_infinity = true}},
      {"long", {40, 2, 6}, s.index({2, 15}, 5) + 1, tensor({40, 33}), tensor({15, 9}), each},
      {"no samples", {3, 0, 2}, zeros({0, 2}, i64), zeros({0}, i64), zeros({0}, i64), each}};
  std::vector<Sample> list;
  for (const auto& c : cases)
    list.push_back({c.label, {s.draw(c.shape)}, [c](const TensorList& x) {
                      return ctc_loss(x[0], c.targets, c.steps, c.count, c.options);
                    }});
  return list;
}

}  // namespace

OpList ctc_ops() {
  return {{CtcLoss::meta, "loss", ctc_samples, [](Sampler& s, std::int64_t n) {
             const std::int64_t steps = std::max<std::int64_t>(n / 512, 1),
                                labels = std::min<std::int64_t>(steps / 3, 64);
             const Tensor targets = add(s.index({16, labels}, 31), 1);
             return Sample{"16 samples of 32 classes", {s.draw({steps, 16, 32})}, [=](const TensorList& x) {
                             return ctc_loss(log_softmax(x[0], -1), targets, full({16}, steps, i64),
                                             full({16}, labels, i64));
                           }};
           }}};
}

}  // namespace detail

Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CtcLossOptions& o) {
  if (log_probs.dim() != 2 && log_probs.dim() != 3)
    throw ShapeError(detail::ctc_expected + "log_probs (T, N, C) or (T, C), got " +
                     to_string(log_probs.shape()));
  if (log_probs.dim() == 2) {
    const Tensor loss = ctc_loss(unsqueeze(log_probs, 1), targets, input_lengths, target_lengths, o);
    return o.reduction == Reduction::none ? squeeze(loss, 0) : loss;
  }
  detail::CtcLoss op;
  op.targets = detail::checked_targets(log_probs, targets, input_lengths, target_lengths, o.blank);
  const Tensor labels = to(tensor(op.targets.count), log_probs.dtype());
  Tensor losses = detail::apply(std::move(op), log_probs);
  if (o.zero_infinity) losses = where(isposinf(losses), 0, losses);
  if (o.reduction == Reduction::none) return losses;
  return o.reduction == Reduction::sum ? sum(losses) : mean(div(losses, maximum(labels, 1)));
}

}  // namespace cadena
