#include "optim/table.hpp"

#include "optim/optim.hpp"

namespace cadena::optim {

namespace {

struct Row {
  const char* name;
  std::unique_ptr<Optimizer> (*make)(Params params, const OptionValues& options);
};

template <class T, class O>
constexpr Row row_of() {
  return {O::name, [](Params params, const OptionValues& options) -> std::unique_ptr<Optimizer> {
            return std::make_unique<T>(std::move(params), given_options(O(), options));
          }};
}

constexpr Row rows[] = {
    row_of<SGD, SGDOptions>(),         row_of<Adam, AdamOptions>(),
    row_of<AdamW, AdamWOptions>(),     row_of<Adagrad, AdagradOptions>(),
    row_of<RMSprop, RMSpropOptions>(), row_of<Adadelta, AdadeltaOptions>(),
    row_of<Adamax, AdamaxOptions>(),   row_of<NAdam, NAdamOptions>(),
    row_of<RAdam, RAdamOptions>(),     row_of<ASGD, ASGDOptions>(),
    row_of<Rprop, RpropOptions>(),     row_of<Adafactor, AdafactorOptions>(),
    row_of<Lion, LionOptions>(),       row_of<Muon, MuonOptions>(),
    row_of<LAMB, LAMBOptions>(),       row_of<LBFGS, LBFGSOptions>(),
};

}  // namespace

const std::vector<std::string>& optimizer_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (auto& row : rows) all.emplace_back(row.name);
    return all;
  }();
  return names;
}

std::unique_ptr<Optimizer> make_optimizer(const std::string& name, Params params,
                                          const OptionValues& options) {
  for (auto& row : rows)
    if (name == row.name) return row.make(std::move(params), options);
  std::string text = "[make_optimizer] expected one of";
  for (auto& row : rows) text += std::string(" ") + row.name;
  throw ValueError(text + ", got \"" + name + '"');
}

}  // namespace cadena::optim
