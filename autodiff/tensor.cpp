#include "autodiff/tensor.hpp"

#include <cstring>

#include "autodiff/core/op.hpp"
#include "autodiff/core/selection.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/copy.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"

namespace cadena {
namespace detail {

Tensor tensor_in(Ref<Storage> storage, const Shape& shape, std::int64_t numel, DType dtype) {
  auto* t = new TensorImpl;
  t->dtype = dtype;
  t->contiguous = true;
  t->numel = numel;
  t->data = storage->data;
  t->storage = std::move(storage);
  t->shape = shape;
  t->strides = contiguous_strides(shape);
  return Tensor(t);
}

Tensor make_tensor(const Shape& shape, std::int64_t numel, DType dtype) {
  if (tape) [[unlikely]]
    return tensor_in(tape->allocate(static_cast<std::size_t>(numel) * itemsize(dtype)), shape, numel, dtype);
  return make_tensor_off_tape(shape, numel, dtype);
}

Tensor copy_of(const Tensor& x) {
  Tensor out = make_tensor(x.shape(), x.numel(), x.dtype());
  kernels::copy(view_of(x), view_of(out));
  return out;
}

bool strides_are_contiguous(const Shape& shape, const Strides& strides) {
  std::int64_t expected = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

Tensor make_view(const Tensor& x, const Shape& shape, const Strides& strides, std::int64_t offset) {
  const TensorImpl* base = impl(x);
  check_readable(base);
  auto* t = new TensorImpl;
  t->dtype = base->dtype;
  t->contiguous = strides_are_contiguous(shape, strides);
  t->view = true;
  t->version = holds_recorded_value(base) ? base->version : base->storage->version;
  t->numel = shape.numel();
  t->data =
      static_cast<unsigned char*>(base->data) + offset * static_cast<std::int64_t>(itemsize(base->dtype));
  t->storage = base->storage;
  t->shape = shape;
  t->strides = strides;
  return Tensor(t);
}

}  // namespace detail

using detail::impl;

void Tensor::refuse_undefined() {
  throw GraphError("[tensor] expected a defined tensor, got an undefined one");
}
detail::TensorImpl* Tensor::impl() const {
  if (!p_) refuse_undefined();
  return static_cast<detail::TensorImpl*>(p_);
}
void Tensor::destroy(detail::RefCounted* p) noexcept {
  detail::TensorImpl::dispose(static_cast<detail::TensorImpl*>(p));
}

std::int64_t Tensor::size(int axis) const { return shape()[normalize_axis("size", axis, dim())]; }
bool Tensor::shares_storage(const Tensor& other) const {
  return impl()->storage.get() == other.impl()->storage.get();
}
std::uint32_t Tensor::version() const { return impl()->storage->version; }

namespace {
/// Before the program looks at values or writes to them.
void check_access(const char* op, const detail::TensorImpl* p, bool write) {
  detail::check_readable(p);
  if (detail::tape) [[unlikely]]
    detail::tape->check_access(op, *p->storage, write);
}

template <Element T>
void check_dtype(const Tensor& t) {
  if (t.dtype() != dtype_of<T>())
    throw DtypeError("[data] expected a tensor of " + std::string(name(dtype_of<T>())) + ", got " +
                     std::string(name(t.dtype())) + " " + to_string(t.shape()));
}
}  // namespace

template <Element T>
const T* Tensor::data() const {
  check_dtype<T>(*this);
  check_access("data", impl(), false);
  return static_cast<const T*>(impl()->data);
}
template <Element T>
T* Tensor::mutable_data() {
  check_dtype<T>(*this);
  auto* p = impl();
  check_access("mutable_data", p, true);
  ++p->storage->version;
  if (!p->node || p->node->leaf) p->version = p->storage->version;
  return static_cast<T*>(p->data);
}
template <Element T>
T Tensor::item() const {
  if (numel() != 1)
    throw ShapeError("[item] expected a tensor with one element, got shape " + cadena::to_string(shape()));
  check_access("item", impl(), false);
  return visit(dtype(), [&]<class S>(S) { return static_cast<T>(*static_cast<const S*>(impl()->data)); });
}
double Tensor::item() const { return item<double>(); }
template <Element T>
std::vector<T> Tensor::to_vector() const {
  NoGrad guard;
  const Tensor values = to(dtype_of<T>()).contiguous();
  const T* p = values.data<T>();
  return std::vector<T>(p, p + numel());
}

#define CADENA_INSTANTIATE(T)                \
  template const T* Tensor::data<T>() const; \
  template T* Tensor::mutable_data<T>();     \
  template T Tensor::item<T>() const;        \
  template std::vector<T> Tensor::to_vector() const;
CADENA_INSTANTIATE(float)
CADENA_INSTANTIATE(double)
CADENA_INSTANTIATE(std::int64_t)
CADENA_INSTANTIATE(bool)
#undef CADENA_INSTANTIATE

Tensor empty(const Shape& shape, DType dtype) {
  return detail::make_tensor(shape, checked_numel("empty", shape, itemsize(dtype)), dtype);
}

Tensor from_blob(void* data, const Shape& shape, DType dtype, std::function<void(void*)> deleter) {
  checked_numel("from_blob", shape, itemsize(dtype));
  return from_blob(data, shape, contiguous_strides(shape), dtype, std::move(deleter));
}

Tensor from_blob(void* data, const Shape& shape, const Strides& strides, DType dtype,
                 std::function<void(void*)> deleter) {
  detail::refuse_on_tape("from_blob", "no memory of the program's within capture()");
  const auto n = checked_numel("from_blob", shape, itemsize(dtype));
  if (strides.rank() != shape.rank())
    throw ShapeError("[from_blob] expected one stride per extent, got " + to_string(strides) + " for " +
                     to_string(shape));
  if (!data && n > 0) throw ValueError("[from_blob] expected memory, got a null pointer");
  auto* t = new detail::TensorImpl;
  Tensor out(t);
  t->dtype = dtype;
  t->contiguous = detail::strides_are_contiguous(shape, strides);
  t->numel = n;
  t->data = data;
  t->storage = detail::Storage::wrap(data, static_cast<std::size_t>(n) * itemsize(dtype), std::move(deleter));
  t->shape = shape;
  t->strides = strides;
  return out;
}

// Differentiation.

bool Tensor::requires_grad() const { return static_cast<bool>(impl()->node); }
bool Tensor::is_leaf() const { return !impl()->node || impl()->node->leaf; }
std::string Tensor::grad_fn() const { return is_leaf() ? "" : std::string(impl()->node->name()); }

Tensor& Tensor::requires_grad_(bool on) {
  auto* p = impl();
  if (!is_leaf())
    throw GraphError("[requires_grad_] expected a leaf, got the result of " + grad_fn() +
                     "; detach() it first");
  if (on && !is_floating(p->dtype))
    throw DtypeError("[requires_grad_] expected f32 or f64, got " + std::string(name(p->dtype)));
  if (!on)
    p->node = nullptr;
  else if (!p->node)
    p->node = detail::Edge::adopt(new detail::Leaf(p->shape, p->dtype));
  if (on && detail::on_tape() && detail::tape->owns_memory(p->storage.get()))
    detail::tape->own(p->node.get());
  return *this;
}

const Tensor Tensor::grad() const {
  const auto* p = impl();
  if (!p->node) return {};
  if (!p->node->leaf) return p->node->extras ? p->node->extras->retained : Tensor();
  const Tensor& g = static_cast<detail::Leaf*>(p->node.get())->grad;
  if (g.defined() && detail::on_tape() && !detail::tape->owns_memory(detail::raw_impl(g)->storage.get()))
    throw CaptureError(
        "[grad] expected a gradient that was computed within capture(), got one from before, which another "
        "call "
        "would not find here");
  return g;
}

void Tensor::set_grad(const Tensor& g) {
  auto* p = impl();
  if (!p->node || !p->node->leaf)
    throw GraphError("[set_grad] expected a leaf that requires grad, got shape " +
                     cadena::to_string(p->shape));
  if (g.defined() && !(g.shape() == p->shape))
    throw ShapeError("[set_grad] expected shape " + cadena::to_string(p->shape) + ", got " +
                     cadena::to_string(g.shape()));
  if (g.defined() && g.dtype() != p->dtype)
    throw DtypeError("[set_grad] expected " + std::string(name(p->dtype)) + ", got " +
                     std::string(name(g.dtype())));
  if (detail::on_tape()) detail::tape->check_known("set_grad", g);
  auto* leaf = static_cast<detail::Leaf*>(p->node.get());
  detail::repeatable("set_grad", [leaf = detail::Ref<detail::Leaf>::share(leaf), g] { leaf->grad = g; });
}

void Tensor::zero_grad() {
  auto* p = impl();
  if (!p->node) return;
  if (!p->node->leaf && !p->node->extras) return;
  Tensor& place = detail::gradient_of(*p->node);
  if (detail::on_tape()) [[unlikely]]
    detail::tape->act("zero_grad", [node = p->node] { detail::gradient_of(*node) = Tensor(); });
  else
    place = Tensor();
}

Tensor& Tensor::retain_grad() {
  auto* p = impl();
  if (!p->node) throw GraphError("[retain_grad] expected a tensor that requires grad");
  if (!p->node->leaf) p->node->make_extras().retain_grad = true;
  return *this;
}

HookHandle Tensor::register_hook(std::function<Tensor(const Tensor&)> hook) const {
  const auto& node = impl()->node;
  if (!node) throw GraphError("[register_hook] expected a tensor that requires grad");
  static std::uint64_t next_id = 0;
  const auto id = __atomic_add_fetch(&next_id, 1, __ATOMIC_RELAXED);
  node->make_extras().hooks.push_back({id, std::move(hook)});
  return {*this, id};
}

void HookHandle::remove() {
  if (!owner_.defined()) return;
  if (const auto& node = detail::impl(owner_)->node; node && node->extras)
    std::erase_if(node->extras->hooks, [&](const auto& h) { return h.id == id_; });
  owner_ = Tensor();
}

Tensor Tensor::detach() const {
  if (detail::is_batched(*this)) {
    const auto& payload = *impl()->storage->batch_payload;
    return detail::make_batched(payload.all.detach(), payload.level);
  }
  return detail::make_view(*this, shape(), strides(), 0);
}

// In-place writes.

namespace {

/// Decides how an in-place write to `target` with `source` is done. @return true if it must be recorded
bool recorded_write(const char* op, const Tensor& target, const Tensor* source) {
  auto* p = target.impl();
  if (!detail::grad_enabled) return false;
  if (p->node && p->node->leaf)
    throw GraphError("[" + std::string(op) +
                     "] expected no in-place write to a leaf that requires grad, got one of " +
                     to_string(p->shape) + "; use NoGrad, or a new tensor");
  const Tensor inputs[] = {target, source ? *source : target};
  if (!detail::recording(op, inputs, 2)) return false;
  if (p->view)
    throw GraphError("[" + std::string(op) + "] expected a tensor that is no view, got a view of shape " +
                     to_string(p->shape) +
                     " in a recorded in-place write; write out of place, or under NoGrad");
  return true;
}

void written(detail::TensorImpl* p) {
  ++p->storage->version;
  if (!p->node || p->node->leaf) p->version = p->storage->version;
}

void write_copy(const char* op, const Tensor& source, const Tensor& target) {
  if (detail::on_tape()) [[unlikely]]
    detail::tape->check_known(op, source);
  detail::repeatable_write(
      op, target, [source, target] { kernels::copy(detail::view_of(source), detail::view_of(target)); });
}

/// Gives `target` the value and history of `result`. The handle gets a body of its own, so that nodes and
/// other handles keep the former one: theirs is now stale, and says so when it is used.
void rebase(Tensor& target, const Tensor& result) {
  auto* old = target.impl();
  write_copy("rebase", result, target);
  auto* fresh = new detail::TensorImpl;
  Tensor handle(fresh);
  fresh->dtype = old->dtype;
  fresh->contiguous = old->contiguous;
  fresh->numel = old->numel;
  fresh->data = old->data;
  fresh->storage = old->storage;
  fresh->shape = old->shape;
  fresh->strides = old->strides;
  fresh->node = result.impl()->node;
  fresh->version = old->storage->recorded_version = ++old->storage->version;
  target = handle;
}

/// target <- result, where `result` was computed from it out of place.
void assign(const char* op, Tensor& target, const Tensor& result, bool record) {
  if (!(result.shape() == target.shape()))
    throw ShapeError("[" + std::string(op) + "] expected an argument that broadcasts to " +
                     to_string(target.shape()) + ", got a result of " + to_string(result.shape()));
  if (result.dtype() != target.dtype() && promote(result.dtype(), target.dtype()) != target.dtype())
    throw DtypeError("[" + std::string(op) + "] expected a result of " + std::string(name(target.dtype())) +
                     ", got " + std::string(name(result.dtype())));
  if (record) return rebase(target, result.to(target.dtype()));
  write_copy(op, result, target);
  written(target.impl());
}

}  // namespace

Tensor& Tensor::copy_(const Tensor& src) {
  if (!(broadcast("copy_", src.shape(), shape()) == shape()))
    throw ShapeError("[copy_] expected a source that broadcasts to " + cadena::to_string(shape()) + ", got " +
                     cadena::to_string(src.shape()));
  const bool record = recorded_write("copy_", *this, &src);
  Tensor value = src.to(dtype());
  if (!(value.shape() == shape())) value = cadena::expand(value, shape());
  // The source may be another view of the same memory.
  if (value.shares_storage(*this) || (record && value.raw() == src.raw())) value = cadena::clone(value);
  assign("copy_", *this, value, record);
  return *this;
}

Tensor& Tensor::fill_(Scalar value) {
  if (recorded_write("fill_", *this, nullptr)) {
    rebase(*this, full(shape(), value, dtype()));
  } else {
    detail::repeatable_write("fill_", *this,
                             [to = *this, value] { kernels::fill(detail::view_of(to), value); });
    written(impl());
  }
  return *this;
}

Tensor& Tensor::index_put_(std::span<const Index> indices, const Operand& values, bool accumulate) {
  if (recorded_write("index_put_", *this, values.tensor())) {
    rebase(*this, detail::index_put_by("index_put_", *this, indices, values, accumulate));
  } else {
    detail::refuse_on_tape("index_put_", "index_put without the underscore within capture()");
    detail::index_put_now("index_put_", *this, indices, values, accumulate);
    written(impl());
  }
  return *this;
}
Tensor& Tensor::index_put_(std::initializer_list<Index> indices, const Operand& values, bool accumulate) {
  return index_put_(std::span<const Index>(indices.begin(), indices.size()), values, accumulate);
}

Tensor& Tensor::add_(const Tensor& other, Scalar alpha) {
  const bool record = recorded_write("add_", *this, &other);
  const bool plain = alpha.to<double>() == 1;
  if (plain && !record && !detail::tape && !shares_storage(other) && detail::add_in_place(*this, other)) {
    written(impl());
    return *this;
  }
  assign("add_", *this, cadena::add(*this, plain ? other : cadena::mul(other, alpha)), record);
  return *this;
}
Tensor& Tensor::mul_(const Tensor& other) {
  const bool record = recorded_write("mul_", *this, &other);
  assign("mul_", *this, cadena::mul(*this, other), record);
  return *this;
}
Tensor& Tensor::mul_(Scalar factor) {
  const bool record = recorded_write("mul_", *this, nullptr);
  assign("mul_", *this, cadena::mul(*this, factor), record);
  return *this;
}

}  // namespace cadena
