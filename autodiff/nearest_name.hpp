// "Did you mean": the known name that a mistyped one is closest to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cadena::detail {

/// Insertions, deletions and replacements that turn `a` into `b` (Levenshtein).
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

/// ` (is it "fc1.weight"?)` if one of `names` is close to `name`, else nothing.
inline std::string nearest_name_hint(std::string_view name, const std::vector<std::string>& names) {
  const std::string* best = nullptr;
  auto least = name.size() / 3 + 1;
  for (const auto& n : names)
    if (const auto d = edit_distance(name, n); d < least) best = &n, least = d;
  return best ? " (is it \"" + *best + "\"?)" : "";
}

}  // namespace cadena::detail
