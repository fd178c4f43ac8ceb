// What the engine does differently while AnomalyMode is on.
#pragma once

#include <utility>
#include <vector>

#include "autodiff/core/node.hpp"

namespace cadena::detail {

/// While a rule of the library runs, what it records is not looked at: its result is, afterwards.
struct InRule {
  int former = observers.rule;
  explicit InRule(int now = 1) { observers.rule = now; }
  ~InRule() { observers.rule = former; }
  InRule(const InRule&) = delete;
  InRule& operator=(const InRule&) = delete;
};
/// Code of the user that a rule runs again.
struct InUserCode : InRule {
  InUserCode() : InRule(0) {}
};

inline bool watching() { return observers.anomaly && observers.rule == 0; }

/// Addresses of the calls that led here; empty where the system cannot tell.
std::vector<void*> backtrace_here();

// All throw AnomalyError.
void check_output(const Node& node, const Tensor& out, const Tensor* inputs, std::size_t n);
void check_cotangent(const Node& node, const Tensor& g);
/// node.vjp and node.jvp, and a look at what they give.
void watched_vjp(Node& node, const Tensor& g, const bool* need, Tensor* gin);
Tensor watched_jvp(Node& node, const Tensor* tangents);

}  // namespace cadena::detail
