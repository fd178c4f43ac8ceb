#include "support/suite.hpp"

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <regex>
#include <string_view>

namespace bench {

namespace {

constexpr int untimed_steps = 5;  // of --check and --memory
constexpr int first_steps = 2;    // before timing: a captured step is recorded by two

struct Options {
  int threads = 1;  // what comparisons are made with
  std::string mode;
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
    if (argument == "--check" || argument == "--memory" || argument == "--about")
      options.mode = argument;
    else if (argument.starts_with(threads))
      options.threads = std::atoi(argv[i] + threads.size());
    else
      argv[kept++] = argv[i];
  }
  argc = kept;
  return options;
}

void add_counters(benchmark::State& state, const Work& work) {
  using benchmark::Counter;
  const auto time_of_one = static_cast<Counter::Flags>(Counter::kIsIterationInvariantRate | Counter::kInvert);
  if (work.ops > 0) state.counters["per_op"] = Counter(work.ops, time_of_one);
  if (work.elements > 0) state.counters["per_element"] = Counter(work.elements, time_of_one);
  if (work.flop > 0) state.counters["FLOP"] = Counter(work.flop, Counter::kIsIterationInvariantRate);
  if (work.bytes > 0) state.counters["bytes"] = Counter(work.bytes, Counter::kIsIterationInvariantRate);
}

/// Bytes in use because the result of a forward pass is.
double kept_bytes(const Step& step, const Library& library) {
  const std::int64_t before = library.live_bytes();
  const auto result = step.forward();
  return static_cast<double>(library.live_bytes() - before);
}

void measure(benchmark::State& state, const Workload& w, const Library& library) {
  const Step step = w.prepare();
  if (step.timed) {
    step.timed();
    for (auto _ : state) state.SetIterationTime(step.timed());
  } else {
    for (int i = 0; i < first_steps; ++i) step.run();
    for (auto _ : state) step.run();
  }
  add_counters(state, w.work);
  if (w.work.ops > 0 && step.forward) state.counters["bytes_per_op"] = kept_bytes(step, library) / w.work.ops;
}

Suite matching(const Suite& suite, const std::string& filter) {
  const std::regex wanted(filter);
  Suite list;
  for (const auto& w : suite)
    if (std::regex_search(w.name, wanted)) list.push_back(w);
  return list;
}

void print_results(const Suite& suite) {
  for (const auto& w : suite) {
    const Step step = w.prepare();
    if (!step.result) continue;
    for (int i = 0; i < untimed_steps; ++i) step.run();
    std::printf("%s,%.17g\n", w.name.c_str(), step.result());
    std::fflush(stdout);
  }
}

int print_memory(const Suite& suite, const Library& library) {
  if (suite.size() != 1) {
    std::fprintf(stderr, "--memory: expected a filter that leaves one workload, got %zu\n", suite.size());
    return 2;
  }
  const Step step = suite[0].prepare();
  for (int i = 0; i < untimed_steps; ++i) step.run();
  const double kept = step.forward ? kept_bytes(step, library) : 0;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%s,%.0f,%.0f\n", suite[0].name.c_str(), 1024 * static_cast<double>(usage.ru_maxrss), kept);
  return 0;
}

void register_all(const Suite& suite, int threads, const Library& library) {
  for (const auto& w : suite) {
    auto* b = benchmark::RegisterBenchmark(w.name.c_str(),
                                           [&](benchmark::State& state) { measure(state, w, library); });
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

int run(int argc, char** argv, const Suite& suite, const Library& library) {
  const Options options = take_options(argc, argv);
  if (options.threads < 1) {
    std::fprintf(stderr, "%s: expected --threads=N with N >= 1\n", argv[0]);
    return 2;
  }
  library.set_threads(options.threads);
  if (options.mode == "--about") {
    for (const auto& [what, which] : library.about()) std::printf("%s: %s\n", what.c_str(), which.c_str());
    return 0;
  }
  if (options.mode == "--memory") return print_memory(matching(suite, options.filter), library);
  if (options.mode == "--check") {
    print_results(matching(suite, options.filter));
    return 0;
  }
  register_all(suite, options.threads, library);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace bench
