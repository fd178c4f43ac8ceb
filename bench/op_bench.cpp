// Every differentiable op, read off the op table: value alone, value with recording, and both directions. A
// new row of the table is measured without a line here.
#include <memory>

#include "autodiff/core/table.hpp"
#include "tools.hpp"

namespace bench {
namespace {

using cadena::Tensor;
using cadena::TensorList;
using cadena::detail::OpInfo;
using cadena::detail::Sample;
using cadena::detail::Sampler;

enum class Extent { value, recorded, gradient };

std::shared_ptr<Sample> draw(const OpInfo& op, std::int64_t n, bool requires_grad) {
  Sampler sampler(1, cadena::f32);
  auto sample = std::make_shared<Sample>(op.large(sampler, n));
  for (auto& x : sample->inputs)
    if (requires_grad) x = x.detach().requires_grad_();
  return sample;
}

Step measure(const OpInfo& op, std::int64_t n, Extent extent) {
  const auto sample = draw(op, n, extent != Extent::value);
  if (extent != Extent::gradient) return {[=] { sample->call(sample->inputs); }, {}};
  const Tensor seed = cadena::ones_like(sample->call(sample->inputs));
  return {[=] {
            for (auto& x : sample->inputs) x.zero_grad();
            sample->call(sample->inputs).backward(seed);
          },
          {}};
}

Suite suite() {
  Suite list;
  const std::pair<Extent, const char*> extents[] = {
      {Extent::value, "value"}, {Extent::recorded, "recorded"}, {Extent::gradient, "gradient"}};
  for (const auto& op : cadena::detail::op_table())
    for (const auto& [extent, name] : extents)
      for (const std::int64_t n : {std::int64_t{1}, std::int64_t{1} << 12, std::int64_t{1} << 20}) {
        const auto title = std::string(op.meta.name) + "/" + name + "/" + std::to_string(n);
        list.push_back({title,
                        [&op, n, e = extent] { return measure(op, n, e); },
                        {.elements = static_cast<double>(n)}});
      }
  return list;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::run(argc, argv, bench::suite(), bench::cadena_library); }
