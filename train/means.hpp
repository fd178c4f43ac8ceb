// Means of several figures over the batches of an epoch. Not part of the public interface.
#pragma once

#include <string>
#include <vector>

#include "data/files/checkpoint.hpp"
#include "train/fit.hpp"
#include "train/metrics.hpp"

namespace cadena::train {

/// The means come in the order in which their names first appeared.
class Means {
 public:
  /// @param examples that `metrics` are means over
  void add(const std::vector<Metric>& metrics, std::int64_t examples);
  /// The means, with `prefix` in front of their names.
  std::vector<Metric> get(const std::string& prefix = {}) const;

  void save(data::CheckpointSection& section) const;
  void load(const data::CheckpointSection& section);

 private:
  struct Entry {
    std::string name;
    Format format;
    Mean mean;
  };
  std::vector<Entry> entries_;
};

/// The history as values "history/0/...".
void save_history(data::CheckpointSection& section, const History& history);
History load_history(const data::CheckpointSection& section);

}  // namespace cadena::train
