// Finds the first operation that makes a NaN or an infinity, on the way forward, backward or in forward mode.
//
//   AnomalyMode guard;
//   NamedScope scope("decoder");   // what was recorded in it is reported under this name
//   loss(x).backward();            // throws AnomalyError instead of going on with the NaN
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/scope.hpp"

namespace cadena {

struct AnomalyOptions {
  bool check_inf = true;  ///< infinities, too; masks of -inf need it off
  /// Also derivatives that are NaN or infinite where only an exactly zero cotangent keeps them out of the
  /// gradient, as that of sqrt(0) in a branch not taken.
  bool hidden = true;
};

/// Thrown where the first value that is not finite appears.
class AnomalyError : public Error {
 public:
  enum class Phase : std::uint8_t {
    forward,       ///< the op's output
    cotangent,     ///< what arrived at the op's output: the seed, a hook's result or a sum of gradients
    backward,      ///< what the op's rule made of it, for input `input`
    hidden,        ///< the same, but for the zero cotangent
    forward_mode,  ///< the op's tangent
  };

  AnomalyError(const std::string& message, std::string op, Phase phase, int input,
               std::vector<std::int64_t> index, double value, std::string scope,
               std::vector<std::string> backtrace)
      : Error(message),
        op(std::move(op)),
        phase(phase),
        input(input),
        index(std::move(index)),
        value(value),
        scope(std::move(scope)),
        backtrace(std::move(backtrace)) {}

  std::string op;
  Phase phase;
  int input;                           ///< of the op; -1 for its output
  std::vector<std::int64_t> index;     ///< of the element
  double value;                        ///< nan, inf or -inf
  std::string scope;                   ///< NamedScopes that the op was recorded in, "encoder/fc1"
  std::vector<std::string> backtrace;  ///< of the call that recorded it, if the mode was on by then
};

/// Switches the search on for this thread and a scope; nests, and restores the former state. Recording then
/// costs a look at every value and a backtrace per op; while it is off it costs nothing. Only what is
/// recorded is looked at.
class AnomalyMode {
 public:
  explicit AnomalyMode(AnomalyOptions options = {});
  ~AnomalyMode();
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  AnomalyOptions options_;
  const AnomalyOptions* outer_;
};

}  // namespace cadena
