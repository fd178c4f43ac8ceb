// Names for parts of a program, so that what it records can be shown part by part (inspect.hpp).
#pragma once

#include <string>
#include <typeinfo>

#include "autodiff/core/refcount.hpp"

namespace cadena {

class NamedScope;

namespace detail {
struct ScopeInfo;
/// The scope that ops recorded now belong to, made when the first of them comes.
Ref<ScopeInfo> current_scope();
}  // namespace detail

/// Operations recorded by this thread while it lives belong to the part `name`; scopes nest. Costs a few
/// nanoseconds, and a small block once something is recorded in it.
///
///   NamedScope scope("encoder");
///
/// nn's layers open scopes of their own.
class NamedScope {
 public:
  explicit NamedScope(std::string name);
  /// For a module: `type` is its class, whose name is shown beside `name` or, if there is none, instead of
  /// it. A module that is called by one who named it (Sequential) goes by that name.
  NamedScope(std::string name, const std::type_info& type);
  explicit NamedScope(const std::type_info& type);
  ~NamedScope();
  NamedScope(const NamedScope&) = delete;
  NamedScope& operator=(const NamedScope&) = delete;

 private:
  friend detail::Ref<detail::ScopeInfo> detail::current_scope();
  static detail::Ref<detail::ScopeInfo> info_of(NamedScope* scope);

  std::string name_;
  const std::type_info* type_ = nullptr;
  bool expects_module_ = false, open_ = true;
  NamedScope* outer_;
  detail::Ref<detail::ScopeInfo> info_;
};

}  // namespace cadena
