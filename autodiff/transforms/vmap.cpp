#include "autodiff/vmap.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "autodiff/core/batch.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arrange.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/joining.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/random.hpp"

namespace cadena {
namespace detail {
namespace {

VmapReport& report() {
  thread_local VmapReport r;
  return r;
}

struct Batch {
  TensorList x;  ///< samples along axis 0 where `mapped`
  std::vector<bool> mapped;
  std::int64_t size = -1;
  std::vector<int> out_axes;

  Batch(const TensorList& inputs, const VmapOptions& o) : out_axes(o.out_axes) {
    if (!o.in_axes.empty() && o.in_axes.size() != inputs.size())
      throw ValueError("[vmap] expected one of in_axes per argument (" + std::to_string(inputs.size()) +
                       "), got " + std::to_string(o.in_axes.size()));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const int axis = o.in_axes.empty() ? 0 : o.in_axes[i];
      mapped.push_back(axis != unbatched);
      x.push_back(inputs[i]);
      if (!mapped[i]) continue;
      x[i] = movedim(inputs[i], {normalize_axis("vmap", axis, inputs[i].dim())}, {0});
      if (size >= 0 && x[i].size(0) != size)
        throw ShapeError("[vmap] expected as many samples in every argument (" + std::to_string(size) +
                         "), got " + to_string(inputs[i].shape()) + " with axis " + std::to_string(axis));
      size = x[i].size(0);
    }
    if (size < 0) throw ValueError("[vmap] expected an argument with samples, got none");
    if (size == 0) throw ValueError("[vmap] expected at least one sample, got none");
  }
  int out_axis(std::size_t i, std::size_t results) const {
    if (!out_axes.empty() && out_axes.size() != results)
      throw ValueError("[vmap] expected one of out_axes per result (" + std::to_string(results) + "), got " +
                       std::to_string(out_axes.size()));
    return out_axes.empty() ? 0 : out_axes[i];
  }
};

struct Level {
  Level() { ++vmap_level; }
  ~Level() { --vmap_level; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
};

TensorList run_batched(const Function& f, const Batch& batch) {
  const Level scope;
  const int level = vmap_level;
  TensorList x;
  for (std::size_t i = 0; i < batch.x.size(); ++i)
    x.push_back(batch.mapped[i] ? make_batched(batch.x[i], level) : batch.x[i]);
  TensorList outputs = f(x);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Tensor& y = outputs[i];
    const bool shared = batch.out_axis(i, outputs.size()) == unbatched;
    if (!y.defined()) continue;
    if (is_batched(y) && raw_impl(y)->storage->batch_payload->level == level) {
      if (shared) throw Unbatchable("[vmap] expected results that are the same for all samples");
      y = Tensor(raw_impl(y)->storage->batch_payload->all);
    } else if (!shared) {
      Shape shape = y.shape();
      shape.insert(0, batch.size);
      y = expand(y, shape);
    }
  }
  return outputs;
}

TensorList run_looped(const Function& f, const Batch& batch) {
  std::vector<TensorList> by_output;
  for (std::int64_t k = 0; k < batch.size; ++k) {
    TensorList x = batch.x;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (batch.mapped[i]) x[i] = select(x[i], 0, k);
    const TensorList outputs = f(x);
    if (k == 0) by_output.resize(outputs.size());
    if (outputs.size() != by_output.size())
      throw ValueError("[vmap] expected as many outputs from every sample (" +
                       std::to_string(by_output.size()) + "), got " + std::to_string(outputs.size()));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (k > 0 && (outputs[i].defined() != by_output[i][0].defined() ||
                    (outputs[i].defined() && !(outputs[i].shape() == by_output[i][0].shape()))))
        throw ShapeError("[vmap] expected outputs of one shape from all samples, got " +
                         to_string(by_output[i][0].shape()) + " and " + to_string(outputs[i].shape()));
      by_output[i].push_back(outputs[i]);
    }
  }
  TensorList result;
  for (std::size_t i = 0; i < by_output.size(); ++i) {
    const TensorList& samples = by_output[i];
    if (batch.out_axis(i, by_output.size()) != unbatched) {
      result.push_back(samples[0].defined() ? stack(samples) : Tensor());
      continue;
    }
    for (const auto& y : samples)
      if (y.defined() && !allclose(y, samples[0], 0, 0, true))
        throw ValueError("[vmap] expected result " + std::to_string(i) +
                         ", which out_axes calls unbatched, to be the same for all samples, got others");
    result.push_back(samples[0]);
  }
  return result;
}

}  // namespace

void note_looped(std::string_view op) {
  auto& list = report().looped;
  if (std::find(list.begin(), list.end(), op) == list.end()) list.emplace_back(op);
}

}  // namespace detail

const VmapReport& vmap_report() { return detail::report(); }

TensorList vmap(const Function& f, const TensorList& inputs, const VmapOptions& options) {
  const detail::Batch batch(inputs, options);
  VmapReport outer = std::exchange(detail::report(), {}), own;
  TensorList outputs;
  try {
    outputs = detail::run_batched(f, batch);
    own = detail::report();
  } catch (const Error& e) {
    // Unbatchable, or an error that the samples on their own will show as well, in their own shapes.
    own = {.batched = false, .reason = e.what(), .looped = {}};
  }
  if (!own.batched) outputs = detail::run_looped(f, batch);
  detail::report() = detail::vmap_level > 0 ? std::move(outer) : own;
  if (detail::vmap_level > 0) {  // inside another one, whose report tells of both
    if (!own.batched) detail::note_looped("vmap");
    for (const auto& op : own.looped) detail::note_looped(op);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const int axis = batch.out_axis(i, outputs.size());
    if (outputs[i].defined() && axis != unbatched)
      outputs[i] = movedim(outputs[i], {0}, {normalize_axis("vmap", axis, outputs[i].dim())});
  }
  return outputs;
}

}  // namespace cadena
