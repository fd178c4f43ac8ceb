#include "support/suite.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <regex>
#include <string_view>

namespace bench {

namespace {

struct Options {
  int threads = 1;  // what comparisons are made with
  bool check = false;
  std::string filter = ".";
};

/// Takes our own options out of the arguments.
Options take_options(int& argc, char** argv) {
  Options options;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    constexpr std::string_view threads = "--threads=", filter = "--benchmark_filter=";
    if (argument.starts_with(filter)) options.filter = argument.substr(filter.size());
    if (argument == "--check")
      options.check = true;
    else if (argument.starts_with(threads))
      options.threads = std::atoi(argv[i] + threads.size());
    else
      argv[kept++] = argv[i];
  }
  argc = kept;
  return options;
}

void add_counters(benchmark::State& state, const Workload& w) {
  using benchmark::Counter;
  const auto time_of_one = static_cast<Counter::Flags>(Counter::kIsIterationInvariantRate | Counter::kInvert);
  if (w.ops > 0) state.counters["per_op"] = Counter(w.ops, time_of_one);
  if (w.elements > 0) state.counters["per_element"] = Counter(w.elements, time_of_one);
  if (w.flop > 0) state.counters["FLOP"] = Counter(w.flop, Counter::kIsIterationInvariantRate);
}

void measure(benchmark::State& state, const Workload& w) {
  const Step step = w.prepare();
  if (step.timed) {
    step.timed();
    for (auto _ : state) state.SetIterationTime(step.timed());
  } else {
    step.run();
    for (auto _ : state) step.run();
  }
  add_counters(state, w);
}

void print_results(const Suite& suite, const std::string& filter) {
  constexpr int steps = 5;
  const std::regex wanted(filter);
  for (const auto& w : suite) {
    if (!std::regex_search(w.name, wanted)) continue;
    const Step step = w.prepare();
    if (!step.result) continue;
    for (int i = 0; i < steps; ++i) step.run();
    std::printf("%s,%.9g\n", w.name.c_str(), step.result());
    std::fflush(stdout);
  }
}

void register_all(const Suite& suite, int threads) {
  for (const auto& w : suite) {
    auto* b =
        benchmark::RegisterBenchmark(w.name.c_str(), [&w](benchmark::State& state) { measure(state, w); });
    b->Unit(benchmark::kMicrosecond);
    // One thread: the processor time of the whole process, which other programs on the machine disturb least
    // and hidden helpers cannot lower. Several threads: what the clock on the wall says.
    if (w.manual)
      b->UseManualTime();
    else if (threads > 1)
      b->UseRealTime();
    else
      b->MeasureProcessCPUTime();
  }
}

}  // namespace

int run(int argc, char** argv, const Suite& suite, void (*set_threads)(int)) {
  const Options options = take_options(argc, argv);
  if (options.threads < 1) {
    std::fprintf(stderr, "%s: expected --threads=N with N >= 1\n", argv[0]);
    return 2;
  }
  set_threads(options.threads);
  if (options.check) {
    print_results(suite, options.filter);
    return 0;
  }
  register_all(suite, options.threads);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace bench
