#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cadena::plot {

/// How often each class was taken for which: `counts[t * classes.size() + p]` examples of class t were
/// predicted as class p.
struct ConfusionMatrix {
  std::string title = {};
  std::string subtitle = {};
  std::vector<std::string> classes = {};
  std::vector<std::int64_t> counts = {};
};

/// The table as an SVG document: a row for each true class, a column for each predicted one, the count in
/// every cell. Hits and mistakes have a colour each, the deeper the larger the share of the true class (by
/// the square root, as the few mistakes are what one looks for); recall stands at the right, precision at the
/// foot. Throws cadena::ValueError if there is no class, `counts` is not square in them, or a count is
/// negative.
std::string render_confusion(const ConfusionMatrix& matrix);

/// The same table as plain text for a terminal, headed by the numbers of the classes.
std::string print_confusion(const ConfusionMatrix& matrix);

}  // namespace cadena::plot
