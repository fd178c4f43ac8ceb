#include "train/interrupt.hpp"

#include <csignal>

namespace cadena::train {
namespace {

volatile std::sig_atomic_t pending = 0;
bool guarded = false;
struct sigaction former_int, former_term;

extern "C" void note(int) { pending = 1; }

}  // namespace

InterruptGuard::InterruptGuard() : outermost_(!guarded) {
  if (!outermost_) return;
  guarded = true;
  pending = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);  // the second one meets the default: the end
  ::sigaction(SIGINT, &action, &former_int);
  ::sigaction(SIGTERM, &action, &former_term);
}

InterruptGuard::~InterruptGuard() {
  if (!outermost_) return;
  ::sigaction(SIGINT, &former_int, nullptr);
  ::sigaction(SIGTERM, &former_term, nullptr);
  guarded = false;
}

bool InterruptGuard::requested() { return pending != 0; }

}  // namespace cadena::train
