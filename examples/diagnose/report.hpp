// What diagnose prints and leaves behind.
#pragma once

#include <string>
#include <vector>

#include "examples/diagnose/cohort.hpp"
#include "examples/diagnose/models.hpp"
#include "examples/support/left_files.hpp"
#include "train/metrics.hpp"

namespace cadena::examples {

/// What a model is worth on some rows.
struct Verdict {
  std::string name;
  Tensor probability;  ///< f64 (rows)
  double auc = 0, accuracy = 0, brier = 0;
  train::RocCurve roc;
  train::Calibration calibration;
};
Verdict judge(const std::string& name, Classifier& model, const Part& part);

/// How much AUC is lost when the values of a column are dealt out to other rows (Breiman, "Random forests",
/// 2001): the mean of five deals, the greatest loss first.
struct Importance {
  std::string column;
  double loss = 0;
};
std::vector<Importance> importances(Classifier& model, const Cohort& cohort, std::uint64_t seed);

plot::Table describe(const Cohort& cohort, const Perceptron& net, const DiagnoseOptions& o);

void print_verdicts(const Cohort& cohort, const std::vector<Verdict>& verdicts);

/// @param verdicts that of the network first
std::vector<LeftFile> leave_files(const Cohort& cohort, Perceptron& net, const DiagnoseOptions& o,
                                  const train::History& history, const std::vector<Verdict>& verdicts);

}  // namespace cadena::examples
