// What it costs that results have the same bits for any number of threads: reductions by a fixed tree and
// products that are cut at places which their sizes alone decide, beside the same split freely, one part for
// each thread. With `--threads=N`.
#include "tools.hpp"

namespace bench {
namespace {

using cadena::Tensor;

Step sum_by_tree(std::int64_t n) {
  const Tensor x = constant({n}, 1);
  auto y = std::make_shared<Tensor>();
  return {[=] { *y = cadena::sum(x); }, [=] { return y->item(); }};
}

/// Each thread adds a part of its own, in whatever order vectorizes best.
Step sum_freely(std::int64_t n) {
  const Tensor x = constant({n}, 1);
  auto y = std::make_shared<float>();
  return {[=] {
            const float* data = x.data<float>();
            float sum = 0;
#pragma omp parallel for simd schedule(static) num_threads(cadena::num_threads()) reduction(+ : sum)
            for (std::int64_t i = 0; i < n; ++i) sum += data[i];
            *y = sum;
          },
          [=] { return *y; }};
}

/// The gradient of a layer's weights: a small matrix, summed over many rows.
struct LongProduct {
  Tensor a, b;
  LongProduct(std::int64_t width, std::int64_t rows)
      : a(constant({rows, width}, 1)), b(constant({rows, width}, 2)) {}
};

Step product_by_tiles(std::int64_t width, std::int64_t rows) {
  const LongProduct p(width, rows);
  auto y = std::make_shared<Tensor>();
  return {[=] { *y = matmul(p.a.t(), p.b); }, [=] { return digest(*y); }};
}

/// Each thread multiplies its part of the rows; the results are added.
Step product_freely(std::int64_t width, std::int64_t rows) {
  const LongProduct p(width, rows);
  auto y = std::make_shared<Tensor>();
  return {[=] {
            const std::int64_t parts = cadena::num_threads();
            std::vector<Tensor> sums(static_cast<std::size_t>(parts));
#pragma omp parallel for schedule(static) num_threads(static_cast <int>(parts))
            for (std::int64_t i = 0; i < parts; ++i) {
              const cadena::Slice range{rows * i / parts, rows * (i + 1) / parts};
              sums[static_cast<std::size_t>(i)] = matmul(p.a.slice(0, range).t(), p.b.slice(0, range));
            }
            *y = sums[0];
            for (std::size_t i = 1; i < sums.size(); ++i) *y = *y + sums[i];
          },
          [=] { return digest(*y); }};
}

Suite suite() {
  Suite list;
  for (const std::int64_t n : {1 << 12, 1 << 18, 1 << 24}) {
    const auto size = std::to_string(n);
    const Work work{.elements = static_cast<double>(n)};
    list.push_back({"determinism/sum/" + size + "/fixed", [=] { return sum_by_tree(n); }, work});
    list.push_back({"determinism/sum/" + size + "/free", [=] { return sum_freely(n); }, work});
  }
  for (const std::int64_t width : {8, 16, 64, 256}) {
    const std::int64_t rows = 1 << 16;
    const auto size = std::to_string(width) + "x" + std::to_string(rows);
    const Work work{.flop = 2 * static_cast<double>(width * width * rows)};
    list.push_back(
        {"determinism/product/" + size + "/fixed", [=] { return product_by_tiles(width, rows); }, work});
    list.push_back(
        {"determinism/product/" + size + "/free", [=] { return product_freely(width, rows); }, work});
  }
  return list;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv, bench::suite(), bench::cadena_library); }
