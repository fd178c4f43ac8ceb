#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "autodiff/core/anomaly.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/scope_info.hpp"
#include "autodiff/error.hpp"
#include "autodiff/inspect.hpp"

namespace cadena {

using detail::observers;
using detail::Ref;
using detail::ScopeInfo;

NamedScope::NamedScope(std::string name) : name_(std::move(name)), outer_(observers.scope) {
  if (name_.empty()) throw ValueError("[NamedScope] expected a name, got an empty one");
  observers.scope = this;
}

NamedScope::NamedScope(std::string name, const std::type_info& type) : NamedScope(std::move(name)) {
  type_ = &type;
  expects_module_ = true;
}

NamedScope::NamedScope(const std::type_info& type) : type_(&type), outer_(observers.scope) {
  if (outer_ && outer_->expects_module_ && *outer_->type_ == type) {
    outer_->expects_module_ = false;
    open_ = false;
    return;
  }
  observers.scope = this;
}

NamedScope::~NamedScope() {
  if (open_) observers.scope = outer_;
}

Ref<ScopeInfo> NamedScope::info_of(NamedScope* scope) {
  if (!scope) return {};
  if (!scope->info_) {
    scope->info_ = Ref<ScopeInfo>::adopt(new ScopeInfo);
    scope->info_->name = scope->name_;
    scope->info_->type = scope->type_;
    scope->info_->outer = info_of(scope->outer_);
  }
  return scope->info_;
}

Trace::Trace() { ++observers.traces; }
Trace::~Trace() { --observers.traces; }

namespace detail {

std::string demangled(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(symbol, nullptr, nullptr, &status),
                                                    std::free);
  return status == 0 ? text.get() : symbol;
}

std::string readable_type(const std::type_info& type) {
  const std::string s = demangled(type.name());
  const auto end = s.find('<');  // colons within template arguments are not the class's
  const auto colons = s.rfind("::", end);
  return colons == s.npos ? s : s.substr(colons + 2);
}

Ref<ScopeInfo> current_scope() { return NamedScope::info_of(observers.scope); }

void RecordedNode::observe(const Tensor& out, const Tensor* inputs, std::size_t n) {
  scope = current_scope();
  if (observers.anomaly) {
    make_extras().backtrace = backtrace_here();
    if (watching()) check_output(*this, out, inputs, n);
  }
  if (observers.traces == 0) return;
  auto traced = std::make_unique<Traced>();
  const auto keep = [&](const Tensor& t) {
    traced->values.push_back(t.detach());
    traced->versions.push_back(t.version());
  };
  for (std::size_t i = 0; i < n; ++i) keep(inputs[i]);
  keep(out);
  make_extras().traced = std::move(traced);
}

SymbolicOp Node::symbolic() const { return {}; }

}  // namespace detail
}  // namespace cadena
