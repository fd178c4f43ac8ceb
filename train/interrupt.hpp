// Ctrl-C that ends a run in good order.
#pragma once

namespace cadena::train {

/// While it lives, the first SIGINT or SIGTERM is only noted, so that the program can save its work; a second
/// one ends the process at once, as without it. Former handlers come back with the end of the outermost
/// scope..
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// Whether one has come since the outermost guard was made.
  static bool requested();

 private:
  bool outermost_;
};

}  // namespace cadena::train
