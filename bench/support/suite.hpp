// Workloads and the program that measures them. Cadena's benchmarks and the peer's run on this one file, so
// that both are timed, named and checked alike.
//
//   program [--threads=N] [--check] [GOOGLE BENCHMARK'S OPTIONS]
//
// `--check` measures nothing: it runs a few steps of each workload and prints `name,result`. Equal results of
// two programs show that they do the same work.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bench {

/// A workload whose data are laid out.
struct Step {
  std::function<void()> run;       ///< what is timed
  std::function<double()> result;  ///< a number that depends on everything computed; not timed
  /// In place of `run`, for parts that cannot be timed from outside: the seconds of one step.
  std::function<double()> timed = {};
};

struct Workload {
  std::string name;
  std::function<Step()> prepare;
  double ops = 0;       ///< recorded operations of one step: adds the time of one
  double elements = 0;  ///< adds the time of one element
  double flop = 0;      ///< floating-point operations of one step: adds their rate
  bool manual = false;  ///< its step has `timed`
};

using Suite = std::vector<Workload>;

/// The main function. @return its exit status
int run(int argc, char** argv, const Suite& suite, void (*set_threads)(int));

}  // namespace bench
