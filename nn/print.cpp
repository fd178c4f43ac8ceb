#include <cxxabi.h>

#include <cstdlib>
#include <ostream>
#include <typeinfo>

#include "nn/module.hpp"

namespace cadena::nn {

namespace {

/// "a::b<c::d>::Net" -> "Net"
std::string without_namespaces(const std::string& full) {
  int depth = 0;
  for (auto i = full.size(); i-- > 0;) {
    if (full[i] == '>' || full[i] == ')') ++depth;
    if (full[i] == '<' || full[i] == '(') --depth;
    if (full[i] == ':' && depth == 0) return full.substr(i + 1);
  }
  return full;
}

void append_indented(std::string& out, const std::string& text) {
  for (char c : text) {
    out += c;
    if (c == '\n') out += "  ";
  }
}

std::string render(const std::string& head, const std::string& extra,
                   const std::vector<detail::Member>& members);

std::string render(const detail::Member& m) {
  return m.kind ? render(m.kind, "", m.group) : m.module->to_string();
}

std::string render(const std::string& head, const std::string& extra,
                   const std::vector<detail::Member>& members) {
  std::string lines;
  for (auto& m : members) {
    if (!m.module && !m.kind) continue;
    lines += "\n  (" + m.name + "): ";
    append_indented(lines, render(m));
  }
  if (lines.empty()) return head + "(" + extra + ")";
  return head + "(" + (extra.empty() ? "" : "\n  " + extra) + lines + "\n)";
}

}  // namespace

std::string Module::type_name() const {
  const auto* mangled = typeid(*this).name();
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free);
  return without_namespaces(status == 0 ? readable.get() : mangled);
}

std::string Module::to_string() const { return render(type_name(), extra_repr(), members()); }

std::ostream& operator<<(std::ostream& out, const Module& module) { return out << module.to_string(); }

}  // namespace cadena::nn
