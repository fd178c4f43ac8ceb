#include "nn/parameter.hpp"

#include <unordered_map>

#include "autodiff/grad.hpp"

namespace cadena::nn {

namespace {
thread_local detail::CloneScope* innermost = nullptr;

Tensor copy_of(const Tensor& t) {
  NoGrad no_grad;
  auto copy = t.detach().clone();
  if (t.requires_grad()) copy.requires_grad_();
  return copy;
}
}  // namespace

namespace detail {

struct CloneScope::Memo {
  std::unordered_map<const void*, Tensor> copies;
};

CloneScope::CloneScope() : memo_(std::make_unique<Memo>()), outer_(std::exchange(innermost, this)) {}
CloneScope::~CloneScope() { innermost = outer_; }
bool CloneScope::active() { return innermost != nullptr; }

Tensor CloneScope::copy(const Tensor& t) {
  if (!t.defined()) return {};
  if (!active()) return copy_of(t);
  auto& copies = innermost->memo_->copies;
  auto found = copies.find(t.raw());
  if (found == copies.end()) found = copies.emplace(t.raw(), copy_of(t)).first;
  return found->second;
}

}  // namespace detail

Tensor Parameter::adopt(const Tensor& values, bool requires_grad) {
  if (!values.defined()) return {};
  if (!is_floating(values.dtype()))
    throw DtypeError("[Parameter] expected f32 or f64, got " + std::string(name(values.dtype())));
  auto leaf = values.detach();
  if (requires_grad) leaf.requires_grad_();
  return leaf;
}

Tensor Buffer::adopt(const Tensor& values) { return values.defined() ? values.detach() : Tensor(); }

}  // namespace cadena::nn
