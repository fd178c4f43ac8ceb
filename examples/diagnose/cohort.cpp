#include "examples/diagnose/cohort.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "autodiff/autodiff.hpp"
#include "data/sampler.hpp"
#include "data/toy.hpp"
#include "optim/options.hpp"

namespace cadena::examples {
namespace {

using data::Column, data::ColumnKind, data::Table;

constexpr std::int64_t example_rows = 4000, fewest_of_a_class = 10;
constexpr std::int64_t common = 5;           // training rows that a category needs to be learnt from
constexpr std::size_t most_categories = 64;  // the commonest; the others count as none
constexpr std::int64_t parts = 5;            // of the rows: one to test, one to validate, the others to train

/// The class of each row, -1 where the target is missing.
std::vector<std::int64_t> read_target(const Column& column, Cohort& cohort) {
  std::set<double> values;
  const bool numeric = column.kind == ColumnKind::number;
  const std::size_t n = column.rows();
  const auto value = [&](std::size_t row) {
    if (!numeric) return column.codes[row] < 0 ? std::nan("") : static_cast<double>(column.codes[row]);
    return column.numbers[row];
  };
  for (std::size_t row = 0; row < n; ++row)
    if (!std::isnan(value(row))) values.insert(value(row));
  if (values.size() != 2)
    throw ValueError("[--target] expected a column of two values, got " + std::to_string(values.size()) +
                     " in \"" + column.name + '"');
  const auto text = [&](double v) {
    return numeric ? optim::to_text(v) : column.categories[static_cast<std::size_t>(v)];
  };
  cohort.classes = {text(*values.begin()), text(*values.rbegin())};
  std::vector<std::int64_t> labels;
  for (std::size_t row = 0; row < n; ++row)
    labels.push_back(std::isnan(value(row)) ? -1 : value(row) == *values.rbegin() ? 1 : 0);
  return labels;
}

/// Each class in random order, a fifth of it to test, a fifth to validate.
void split(const std::vector<std::int64_t>& labels, std::uint64_t seed, Cohort& cohort) {
  for (std::int64_t label = 0; label < 2; ++label) {
    std::vector<std::int64_t> members;
    for (std::size_t row = 0; row < labels.size(); ++row)
      if (labels[row] == label) members.push_back(static_cast<std::int64_t>(row));
    const auto n = static_cast<std::int64_t>(members.size());
    if (n < fewest_of_a_class)
      throw ValueError("[diagnose] expected at least " + std::to_string(fewest_of_a_class) +
                       " rows of each class, got " + std::to_string(n) + " of \"" +
                       cohort.classes[static_cast<std::size_t>(label)] + '"');
    const Generator stream = Generator(seed).split(static_cast<std::uint64_t>(label));
    const auto order = data::random_sampler(n).order(stream);
    for (std::int64_t i = 0; i < n; ++i) {
      Part& part = i < n / parts ? cohort.test : i < 2 * (n / parts) ? cohort.validation : cohort.train;
      part.rows.push_back(members[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
    }
  }
  for (Part* part : {&cohort.train, &cohort.validation, &cohort.test})
    std::sort(part->rows.begin(), part->rows.end());
}

/// Columns of x, one after the other, for all rows of the table.
class Encoder {
 public:
  explicit Encoder(Cohort& cohort) : cohort_(cohort) {}

  void add(const Column& column) {
    const std::size_t begin = columns_.size();
    if (column.kind == ColumnKind::number)
      add_numbers(column.numbers);
    else
      add_categories(column);
    if (columns_.size() == begin) {
      cohort_.left_out.push_back(column.name);
      return;
    }
    cohort_.features.push_back(
        {column.name, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(columns_.size())});
  }

  /// Fills x of all parts. @throws ValueError if no column is left
  void finish(const std::vector<std::int64_t>& labels) {
    if (columns_.empty())
      throw ValueError("[diagnose] expected a column to learn \"" + cohort_.target + "\" from, got none in " +
                       cohort_.origin);
    cohort_.mean = tensor(means_);
    cohort_.deviation = tensor(deviations_);
    for (Part* part : {&cohort_.train, &cohort_.validation, &cohort_.test}) {
      std::vector<double> x;
      std::vector<float> y;
      for (const auto row : part->rows) {
        for (const auto& column : columns_) x.push_back(column[static_cast<std::size_t>(row)]);
        y.push_back(static_cast<float>(labels[static_cast<std::size_t>(row)]));
      }
      part->x = tensor(x, {part->size(), static_cast<std::int64_t>(columns_.size())});
      part->y = tensor(y);
    }
  }

 private:
  void push(std::vector<double> values, double mean = 0, double deviation = 1) {
    columns_.push_back(std::move(values));
    means_.push_back(mean);
    deviations_.push_back(deviation);
  }

  /// The numbers, and where some are missing a column that says so.
  void add_numbers(const std::vector<double>& numbers) {
    double sum = 0, squares = 0;
    std::int64_t known = 0;
    const auto each_known = [&](const auto& f) {
      for (const auto row : cohort_.train.rows)
        if (const double v = numbers[static_cast<std::size_t>(row)]; !std::isnan(v)) f(v);
    };
    each_known([&](double v) { sum += v, ++known; });
    const double mean = known > 0 ? sum / static_cast<double>(known) : 0;
    each_known([&](double v) { squares += (v - mean) * (v - mean); });
    const double deviation = std::sqrt(squares / static_cast<double>(std::max<std::int64_t>(known, 1)));
    if (deviation > 0 && std::isfinite(deviation)) push(numbers, mean, deviation);
    if (known == 0 || known == cohort_.train.size()) return;
    std::vector<double> missing;
    for (const double v : numbers) missing.push_back(std::isnan(v) ? 1 : 0);
    push(std::move(missing));
  }

  /// A column for each category that is common enough, and one for missing values if those are.
  void add_categories(const Column& column) {
    std::vector<std::pair<std::int64_t, std::int64_t>> counts;  // how often, code
    for (std::size_t code = 0; code <= column.categories.size(); ++code)
      counts.emplace_back(0, static_cast<std::int64_t>(code) - 1);
    for (const auto row : cohort_.train.rows)
      ++counts[static_cast<std::size_t>(column.codes[static_cast<std::size_t>(row)] + 1)].first;
    std::stable_sort(counts.begin(), counts.end(), [](auto& a, auto& b) { return a.first > b.first; });
    if (counts[0].first == cohort_.train.size()) return;  // one value only
    for (std::size_t i = 0; i < std::min(counts.size(), most_categories) && counts[i].first >= common; ++i) {
      std::vector<double> is;
      for (const auto code : column.codes) is.push_back(code == counts[i].second ? 1 : 0);
      push(std::move(is));
    }
  }

  Cohort& cohort_;
  std::vector<std::vector<double>> columns_;
  std::vector<double> means_, deviations_;
};

}  // namespace

Table example_table() { return data::make_diagnosis(example_rows); }

Cohort load_cohort(const DiagnoseOptions& o) {
  const Table table = o.file.empty() ? example_table() : data::read_csv(o.file);
  Cohort cohort{.origin = o.file.empty() ? "patients that are made up" : o.file.string()};
  if (table.columns().empty())
    throw ValueError("[diagnose] expected a table with a header, got an empty one in " + cohort.origin);
  const Column& target = o.target.empty() ? table.columns().back() : table.column(o.target);
  for (const auto& name : o.ignore) table.column(name);  // throws unless it is there
  cohort.target = target.name;
  const auto labels = read_target(target, cohort);
  split(labels, o.seed, cohort);
  cohort.rows = table.rows();
  cohort.positives = std::count(labels.begin(), labels.end(), 1);
  cohort.without_target = std::count(labels.begin(), labels.end(), -1);
  Encoder encoder(cohort);
  for (const Column& column : table.columns())
    if (column.name != target.name &&
        std::find(o.ignore.begin(), o.ignore.end(), column.name) == o.ignore.end())
      encoder.add(column);
  encoder.finish(labels);
  return cohort;
}

}  // namespace cadena::examples
