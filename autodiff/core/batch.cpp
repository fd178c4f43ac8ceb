#include "autodiff/core/batch.hpp"

#include <algorithm>

#include "autodiff/core/tape.hpp"
#include "autodiff/ops/joining.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/random.hpp"

namespace cadena::detail {

constinit thread_local int vmap_level = 0;

void refuse_batched_read() {
  throw Unbatchable(
      "[vmap] expected operations on whole tensors, got a read of single values of a batched tensor");
}

void refuse_batched_draw() {
  throw Unbatchable("[vmap] expected a function without random numbers, got one that draws them");
}

Tensor make_batched(const Tensor& all, int level) {
  auto* t = new TensorImpl;
  Tensor handle(t);
  Shape shape = all.shape();
  shape.erase(0);
  t->dtype = all.dtype();
  t->contiguous = false;
  t->batched = true;
  t->numel = shape.numel();
  t->data = nullptr;
  t->storage = Storage::batch(new BatchPayload{all, level}, [](BatchPayload* p) { delete p; });
  t->shape = shape;
  t->strides = contiguous_strides(shape);
  return handle;
}

Tensor without_node(const Tensor& t) {
  if (!is_batched(t)) return t.detach();
  const BatchPayload& p = *raw_impl(t)->storage->batch_payload;
  return make_batched(p.all, p.level);
}

Tensor unwrapped(Tensor t) {
  while (is_batched(t)) t = raw_impl(t)->storage->batch_payload->all;
  return t;
}

bool recorded_outside(const Tensor& t) {
  for (Tensor inner = t; is_batched(inner);) {
    inner = Tensor(raw_impl(inner)->storage->batch_payload->all);
    if (inner.requires_grad()) return true;
  }
  return false;
}

Tensor unrecorded(const Tensor& x, const std::function<Tensor(const Tensor&, int)>& f) {
  const Unrecorded guard;
  std::vector<int> levels;
  Tensor all = x;
  for (; is_batched(all); all = Tensor(raw_impl(all)->storage->batch_payload->all))
    levels.push_back(raw_impl(all)->storage->batch_payload->level);
  const int outer = static_cast<int>(levels.size());
  Tensor y = on_tape() ? tape->step("position", [f, all, outer] { return TensorList{f(all, outer)}; })[0]
                       : f(all, outer);
  for (; !levels.empty(); levels.pop_back()) y = make_batched(y, levels.back());
  return y;
}

BatchedCall::BatchedCall(const Tensor* inputs, std::size_t n, const Tensor& attribute)
    : x(inputs, inputs + n) {
  if (attribute.defined()) x.push_back(attribute);
  for (const auto& t : x)
    if (is_batched(t)) level_ = std::max(level_, raw_impl(t)->storage->batch_payload->level);
  for (auto& t : x) {
    const bool here = is_batched(t) && raw_impl(t)->storage->batch_payload->level == level_;
    batched.push_back(here);
    if (!here) continue;
    t = Tensor(raw_impl(t)->storage->batch_payload->all);
    size = t.size(0);
  }
}

Shape BatchedCall::shaped(const Shape& shape) const {
  if (shape.rank() == max_rank)
    throw Unbatchable("[vmap] expected at most 7 dimensions beside the batch, got " + to_string(shape));
  Shape all{size};
  for (auto d : shape) all.push_back(d);
  return all;
}

Axes BatchedCall::shifted(const Axes& axes) {
  Axes out = axes;
  for (auto& a : out) ++a;
  return out;
}

Tensor BatchedCall::with_batch(std::size_t i) const {
  return batched[i] ? x[i] : expand(x[i], shaped(x[i].shape()));
}

std::vector<Tensor> BatchedCall::aligned() const {
  int rank = 0;
  for (std::size_t i = 0; i < x.size(); ++i) rank = std::max(rank, x[i].dim() - batched[i]);
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const int missing = rank - (x[i].dim() - batched[i]);
    if (!batched[i] || missing == 0) {
      out.push_back(x[i]);
      continue;
    }
    Shape inner;
    for (int k = 0; k < missing; ++k) inner.push_back(1);
    for (int k = 1; k < x[i].dim(); ++k) inner.push_back(x[i].shape()[k]);
    out.push_back(reshape(x[i], shaped(inner)));
  }
  return out;
}

std::vector<Tensor> BatchedCall::sample(std::int64_t k) const {
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < x.size(); ++i) out.push_back(batched[i] ? select(x[i], 0, k) : x[i]);
  return out;
}

Tensor BatchedCall::joined(const std::vector<Tensor>& outputs) { return stack(outputs); }

}  // namespace cadena::detail
