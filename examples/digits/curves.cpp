#include "examples/digits/curves.hpp"

#include <numeric>

namespace cadena::examples {
using namespace plot;

std::vector<Chart> curves(const History& history) {
  std::vector<double> epochs(history.train.size());
  std::iota(epochs.begin(), epochs.end(), 1.0);
  const auto series = [&](const char* name, const std::vector<Score>& scores, double Score::*member) {
    Series s{.name = name, .x = epochs};
    for (const Score& score : scores) s.y.push_back(score.*member);
    return s;
  };
  const auto chart = [&](const char* what, double Score::*member, bool percent) {
    return Chart{.title = what,
                 .x_label = "epoch",
                 .y_label = what,
                 .series = {series("training", history.train, member),
                            series("validation", history.validation, member)},
                 .x_integer = true,
                 .y_percent = percent};
  };
  return {chart("cross entropy", &Score::loss, false), chart("accuracy", &Score::accuracy, true)};
}

}  // namespace cadena::examples
