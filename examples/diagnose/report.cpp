#include "examples/diagnose/report.hpp"

#include <algorithm>
#include <iostream>

#include "autodiff/autodiff.hpp"
#include "data/files/file.hpp"
#include "data/files/safetensors.hpp"
#include "data/sampler.hpp"
#include "optim/options.hpp"
#include "plot/bars.hpp"
#include "plot/chart.hpp"
#include "plot/format.hpp"
#include "train/curves.hpp"

namespace cadena::examples {
namespace {

using plot::format_fixed, plot::format_grouped, plot::format_percent;

constexpr int deals = 5;
constexpr std::size_t most_bars = 24;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// x with the columns of a feature dealt out to other rows.
Tensor dealt(const Tensor& x, const Feature& feature, const Generator& stream) {
  const Tensor order = tensor(data::random_sampler(x.size(0)).order(stream));
  const Tensor moved = index_select(x.slice(1, {feature.begin, feature.end}), 0, order);
  return cat({x.slice(1, {0, feature.begin}), moved, x.slice(1, {feature.end, x.size(1)})}, 1);
}

plot::Series diagonal(const char* name) {
  return {.name = name, .x = {0, 1}, .y = {0, 1}, .dashed = true, .colour = 7};
}

/// A square over [0, 1] x [0, 1] with the diagonal.
plot::Chart unit_chart(const char* title, const char* subtitle, const std::string& x, const std::string& y) {
  return {.title = title,
          .subtitle = std::move(subtitle),
          .x_label = x,
          .y_label = y,
          .x_min = 0,
          .x_max = 1,
          .y_min = 0,
          .y_max = 1,
          .show_last = false,
          .width = 560,
          .height = 560};
}

std::string draw_roc(const Cohort& cohort, const std::vector<Verdict>& verdicts) {
  auto chart = unit_chart("ROC curve", "each threshold gives a point; chance is the diagonal",
                          "share of the others that is taken for " + cohort.classes[1],
                          "share of " + cohort.classes[1] + " that is found");
  for (const auto& v : verdicts)
    chart.series.push_back({.name = v.name + ", AUC " + format_fixed(v.auc, 3),
                            .x = v.roc.false_positive,
                            .y = v.roc.true_positive});
  chart.series.push_back(diagonal("chance"));
  return plot::render_chart(chart);
}

std::string draw_calibration(const std::vector<Verdict>& verdicts) {
  auto chart = unit_chart("Calibration", "of rows that get a probability, how many are of the class",
                          "predicted probability", "observed share");
  for (const auto& v : verdicts)
    chart.series.push_back({.name = v.name + ", error " + format_fixed(v.calibration.expected_error, 3),
                            .x = v.calibration.predicted,
                            .y = v.calibration.observed});
  chart.series.push_back(diagonal("perfect"));
  return plot::render_chart(chart);
}

std::string draw_importances(const std::vector<Importance>& all) {
  plot::Bars bars{.title = "What the network goes by",
                  .subtitle = "AUC on the test rows that is lost when a column is shuffled",
                  .x_label = "loss of AUC"};
  for (std::size_t i = 0; i < std::min(all.size(), most_bars); ++i) {
    bars.names.push_back(all[i].column);
    bars.values.push_back(all[i].loss);
  }
  return plot::render_bars(bars);
}

data::Table predictions(const Cohort& cohort, const std::vector<Verdict>& verdicts) {
  data::Column row{.name = "row"}, truth{.name = "truth", .kind = data::ColumnKind::category};
  truth.categories = {cohort.classes[0], cohort.classes[1]};
  const bool sorted = truth.categories[0] < truth.categories[1];
  if (!sorted) std::swap(truth.categories[0], truth.categories[1]);
  const auto labels = cohort.test.y.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    row.numbers.push_back(static_cast<double>(cohort.test.rows[i] + 1));
    truth.codes.push_back(sorted ? labels[i] : 1 - labels[i]);
  }
  std::vector<data::Column> columns{std::move(row), std::move(truth)};
  for (const auto& v : verdicts)
    columns.push_back({.name = v.name, .numbers = v.probability.to_vector<double>()});
  return data::Table(std::move(columns));
}

}  // namespace

Verdict judge(const std::string& name, Classifier& model, const Part& part) {
  const Tensor p = probabilities(model, part.x), labels = part.y.to(i64);
  return {.name = name,
          .probability = p,
          .auc = train::roc_auc(p, labels),
          .accuracy = mean(to(eq(p > 0.5, part.y > 0.5), f64)).item(),
          .brier = train::brier_score(p, labels),
          .roc = train::roc_curve(p, labels),
          .calibration = train::calibration(p, labels)};
}

std::vector<Importance> importances(Classifier& model, const Cohort& cohort, std::uint64_t seed) {
  const Part& part = cohort.test;
  const Tensor labels = part.y.to(i64);
  const double whole = train::roc_auc(probabilities(model, part.x), labels);
  std::vector<Importance> all;
  for (std::size_t f = 0; f < cohort.features.size(); ++f) {
    train::Mean loss;
    for (int deal = 0; deal < deals; ++deal) {
      const Generator stream = Generator(seed).split(f).split(static_cast<std::uint64_t>(deal));
      const Tensor x = dealt(part.x, cohort.features[f], stream);
      loss.add(whole - train::roc_auc(probabilities(model, x), labels));
    }
    all.push_back({cohort.features[f].name, loss.get()});
  }
  std::stable_sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.loss > b.loss; });
  return all;
}

plot::Table describe(const Cohort& cohort, const Perceptron& net, const DiagnoseOptions& o) {
  const auto n = [](std::int64_t value) { return format_grouped(value); };
  plot::Table table{{"table", cohort.origin + ", " + n(cohort.rows) + " rows"},
                    {"target", "\"" + cohort.target + "\", " + cohort.classes[1] + " (" +
                                   n(cohort.positives) + ") against " + cohort.classes[0] + " (" +
                                   n(cohort.rows - cohort.positives - cohort.without_target) + ")"}};
  if (cohort.without_target > 0)
    table.emplace_back("", n(cohort.without_target) + " rows without a target are left out");
  std::vector<std::string> used;
  for (const auto& feature : cohort.features) used.push_back(feature.name);
  table.emplace_back("columns", joined(used));
  if (!cohort.left_out.empty())
    table.emplace_back("left out", joined(cohort.left_out) + ": one value only, or none that is common");
  table.emplace_back("rows", n(cohort.train.size()) + " to train on, " + n(cohort.validation.size()) +
                                 " to validate, " + n(cohort.test.size()) + " to test");
  table.emplace_back("network", "perceptron " + n(cohort.mean.size(0)) + "-64-32-1 with ReLU, " +
                                    n(net.num_parameters()) + " parameters");
  table.emplace_back("training", "AdamW, learning rate " + optim::to_text(o.lr) + ", batches of " +
                                     n(o.batch_size) + ", dropout " + optim::to_text(o.dropout) +
                                     ", at most " + n(o.epochs) + (o.epochs == 1 ? " epoch" : " epochs"));
  return table;
}

void print_verdicts(const Cohort& cohort, const std::vector<Verdict>& verdicts) {
  const auto line = [&](const char* what, const auto& value) {
    std::string text = what;
    std::size_t width = 20;
    for (const auto& v : verdicts) {
      text.resize(width, ' ');
      text += value(v);
      width += 10;
    }
    std::cout << text << '\n';
  };
  const double ones = cohort.test.y.to(f64).mean().item();
  std::cout << '\n';
  line("on the test rows", [](const Verdict& v) { return v.name; });
  line("AUC", [](const Verdict& v) { return format_fixed(v.auc, 4); });
  line("accuracy", [](const Verdict& v) { return format_percent(v.accuracy, 2); });
  line("Brier score", [](const Verdict& v) { return format_fixed(v.brier, 4); });
  line("calibration error", [](const Verdict& v) { return format_fixed(v.calibration.expected_error, 4); });
  std::cout << "Without any model: AUC 0.5, accuracy " << format_percent(std::max(ones, 1 - ones), 2)
            << ", Brier score " << format_fixed(ones * (1 - ones), 4) << ".\n\n";
}

std::vector<LeftFile> leave_files(const Cohort& cohort, Perceptron& net, const DiagnoseOptions& o,
                                  const train::History& history, const std::vector<Verdict>& verdicts) {
  data::write_file(o.out / "roc.svg", draw_roc(cohort, verdicts));
  data::write_file(o.out / "calibration.svg", draw_calibration(verdicts));
  data::write_file(o.out / "curves.svg", plot::render_charts(train::curves(history, {"loss", "accuracy"})));
  data::write_file(o.out / "importances.svg", draw_importances(importances(net, cohort, o.seed)));
  data::write_csv(o.out / "predictions.csv", predictions(cohort, verdicts));
  data::write_safetensors(
      o.out / "weights.safetensors",
      {.tensors = net.state_dict(), .metadata = {{"format", "pt"}, {"target", cohort.target}}});
  return {{o.out / "roc.svg", "what each threshold finds, and what it mistakes"},
          {o.out / "calibration.svg", "predicted probabilities against what happened"},
          {o.out / "curves.svg", "loss and accuracy over the epochs"},
          {o.out / "importances.svg", "what the network goes by"},
          {o.out / "predictions.csv", "the test rows with their probabilities"},
          {o.out / "weights.safetensors", "the trained network"}};
}

}  // namespace cadena::examples
