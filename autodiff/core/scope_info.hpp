// What a node remembers of the NamedScope that it was recorded in.
#pragma once

#include <string>
#include <typeinfo>

#include "autodiff/core/pool.hpp"
#include "autodiff/core/refcount.hpp"

namespace cadena::detail {

/// One opening of a scope: the same module called twice gives two.
struct ScopeInfo : RefCounted, Pooled {
  std::string name;                      ///< empty if it goes by its type
  const std::type_info* type = nullptr;  ///< of the module, if it is one
  Ref<ScopeInfo> outer;

  static void dispose(ScopeInfo* p) noexcept { delete p; }
};

/// A linker's symbol as it was written.
std::string demangled(const char* symbol);
/// The name of a class, without its namespaces.
std::string readable_type(const std::type_info& type);

}  // namespace cadena::detail
