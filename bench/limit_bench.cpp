// What this machine's memory can do: the copy and the triad of the STREAM benchmark, and an update in place,
// which is spared the reading of lines that are about to be overwritten. On arrays that together fill the
// last-level cache, leave it, and are far beyond it. Bytes are counted as the loop reads and writes them.
#include "tools.hpp"

namespace bench {
namespace {

/// One pass of `f(a[i], b[i], c[i])` over arrays of n numbers; several threads are OpenMP's, as in the
/// kernels.
template <class F>
Step loop(std::size_t n, F f) {
  struct Arrays {
    std::vector<float> a, b, c;
  };
  auto arrays = std::make_shared<Arrays>(
      Arrays{std::vector<float>(n, 1), std::vector<float>(n, 2), std::vector<float>(n, 3)});
  return {[=] {
            float* a = arrays->a.data();
            const float *b = arrays->b.data(), *c = arrays->c.data();
#pragma omp parallel for simd schedule(static) num_threads(cadena::num_threads())
            for (std::size_t i = 0; i < n; ++i) f(a[i], b[i], c[i]);
          },
          {}};
}

Suite suite() {
  Suite list;
  for (const std::size_t megabytes : {16, 48, 192}) {
    const auto size = "/" + std::to_string(megabytes);
    const std::size_t floats = megabytes * 1'000'000 / sizeof(float);
    const Work work{.bytes = static_cast<double>(megabytes) * 1e6};
    const auto copy = [](float& a, float b, float) { a = b; };
    const auto triad = [](float& a, float b, float c) { a = b + 3 * c; };
    const auto update = [](float& a, float b, float) { a += 3 * b; };
    list.push_back({"limit/copy" + size, [=] { return loop(floats / 2, copy); }, work});
    list.push_back({"limit/triad" + size, [=] { return loop(floats / 3, triad); }, work});
    list.push_back(
        {"limit/update" + size, [=] { return loop(floats / 2, update); }, {.bytes = 1.5 * work.bytes}});
  }
  return list;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv, bench::suite(), bench::cadena_library); }
