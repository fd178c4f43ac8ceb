#include "train/means.hpp"

#include <algorithm>

namespace cadena::train {
namespace {

using data::CheckpointSection;

std::int64_t code(Format format) { return static_cast<std::int64_t>(format); }
Format format_in(const CheckpointSection& section, const std::string& name) {
  return static_cast<Format>(section.value<std::int64_t>(name));
}

}  // namespace

void Means::add(const std::vector<Metric>& metrics, std::int64_t examples) {
  for (const auto& [name, value, format] : metrics) {
    auto at = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
    if (at == entries_.end()) at = entries_.insert(at, Entry{name, format, {}});
    at->mean.add(value, static_cast<double>(examples));
  }
}

std::vector<Metric> Means::get(const std::string& prefix) const {
  std::vector<Metric> result;
  for (const auto& entry : entries_) result.push_back({prefix + entry.name, entry.mean.get(), entry.format});
  return result;
}

void Means::save(CheckpointSection& section) const {
  section.values["means"] = static_cast<std::int64_t>(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto at = "means/" + std::to_string(i) + "/";
    section.values[at + "name"] = entries_[i].name;
    section.values[at + "format"] = code(entries_[i].format);
    section.values[at + "sum"] = entries_[i].mean.sum();
    section.values[at + "weight"] = entries_[i].mean.weight();
  }
}

void Means::load(const CheckpointSection& section) {
  entries_.clear();
  for (std::int64_t i = 0, n = section.value<std::int64_t>("means"); i < n; ++i) {
    const auto at = "means/" + std::to_string(i) + "/";
    entries_.push_back({section.value<std::string>(at + "name"), format_in(section, at + "format"),
                        Mean::from(section.value<double>(at + "sum"), section.value<double>(at + "weight"))});
  }
}

void save_history(CheckpointSection& section, const History& history) {
  section.values["history"] = static_cast<std::int64_t>(history.size());
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto at = "history/" + std::to_string(i) + "/";
    section.values[at + "epoch"] = history[i].epoch;
    section.values[at + "seconds"] = history[i].seconds;
    section.values[at + "metrics"] = static_cast<std::int64_t>(history[i].metrics.size());
    for (std::size_t m = 0; m < history[i].metrics.size(); ++m) {
      const auto& [name, value, format] = history[i].metrics[m];
      section.values[at + std::to_string(m) + "/name"] = name;
      section.values[at + std::to_string(m) + "/value"] = value;
      section.values[at + std::to_string(m) + "/format"] = code(format);
    }
  }
}

History load_history(const CheckpointSection& section) {
  History history;
  for (std::int64_t i = 0, n = section.value<std::int64_t>("history"); i < n; ++i) {
    const auto at = "history/" + std::to_string(i) + "/";
    auto& record = history.emplace_back();
    record.epoch = section.value<std::int64_t>(at + "epoch");
    record.seconds = section.value<double>(at + "seconds");
    for (std::int64_t m = 0, count = section.value<std::int64_t>(at + "metrics"); m < count; ++m) {
      const auto entry = at + std::to_string(m) + "/";
      record.metrics.push_back({section.value<std::string>(entry + "name"),
                                section.value<double>(entry + "value"),
                                format_in(section, entry + "format")});
    }
  }
  return history;
}

}  // namespace cadena::train
