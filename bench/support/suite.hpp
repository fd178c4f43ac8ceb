// Workloads and the program that measures them. Cadena's benchmarks and the peer's run on this one file, so
// that both are timed, named and checked alike.
//
//   program [--threads=N] [--check | --memory | --about] [GOOGLE BENCHMARK'S OPTIONS]
//
// `--check` measures nothing: it runs a few steps of each workload and prints `name,result`. Equal results of
// two programs show that they do the same work. `--memory` runs a few steps of the one workload that the
// filter leaves and prints `name,peak,kept`: the process's largest resident set and what the forward pass
// holds on to, in bytes. `--about` prints the library's version and what it chose on this machine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// The library that a program measures.
struct Library {
  void (*set_threads)(int);
  std::int64_t (*live_bytes)();  ///< in use by its tensors and graphs
  std::vector<std::pair<std::string, std::string>> (*about)();
};

/// A workload whose data are laid out.
struct Step {
  std::function<void()> run;       ///< what is timed
  std::function<double()> result;  ///< a number that depends on everything computed; not timed
  /// In place of `run`, for parts that cannot be timed from outside: the seconds of one step.
  std::function<double()> timed = {};
  /// The forward part of a step; what it returns keeps the graph. Shows what recording holds on to.
  std::function<std::shared_ptr<void>()> forward = {};
};

/// The least that one step has to do.
struct Work {
  double ops = 0;  ///< recorded operations: adds the time of one, and its memory where there is `forward`
  double elements = 0;  ///< adds the time of one
  double flop = 0;      ///< floating-point operations: adds their rate
  double bytes = 0;     ///< read and written if each op reads its inputs and writes its results once
};

struct Workload {
  std::string name;
  std::function<Step()> prepare;
  Work work = {};
  bool manual = false;  ///< its step has `timed`
};

using Suite = std::vector<Workload>;

/// The main function. @return its exit status
int run(int argc, char** argv, const Suite& suite, const Library& library);

}  // namespace bench
