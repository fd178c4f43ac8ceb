// Learns a column of two values from the others of any CSV file, and says how far its predictions can be
// trusted:
// ./run diagnose --help
//
// This page is the order of events. What is worth reading first: diagnose/cohort.cpp and diagnose/models.cpp.
#include <iostream>

#include "autodiff/autodiff.hpp"
#include "examples/diagnose/cohort.hpp"
#include "examples/diagnose/models.hpp"
#include "examples/diagnose/options.hpp"
#include "examples/diagnose/report.hpp"
#include "examples/support/same_run.hpp"
#include "plot/format.hpp"

namespace cadena::examples {
namespace {

train::Stop run(const DiagnoseOptions& o) {
  if (!o.write_example.empty()) {
    data::write_csv(o.write_example, example_table());
    print_files({{o.write_example, "patients that are made up"}});
    return train::Stop::epochs;
  }
  const Cohort cohort = load_cohort(o);
  prepare(o);
  Perceptron net(cohort, o.dropout);
  print_header(o, describe(cohort, net, o));
  if (o.resume) check_same_data(o.checkpoint(), {{"standardize.mean", net.standardize.mean}});

  const train::FitResult result = fit_perceptron(net, cohort, o);
  say_how_it_ended("diagnose", o, result);
  if (result.stop == train::Stop::interrupt) return result.stop;

  LogisticRegression logistic(cohort);
  fit_logistic(logistic, cohort.train);
  const std::vector<Verdict> verdicts{judge("network", net, cohort.test),
                                      judge("logistic regression", logistic, cohort.test)};
  print_verdicts(cohort, verdicts);
  const auto files = leave_files(cohort, net, o, result.history, verdicts);
  std::cout << "best epoch     " << result.best_epoch << "\nchecksum       " << checksum(files.back().path)
            << "   (of the weights)\ntraining time  " << plot::format_duration(result.seconds) << "\n\n";
  print_files(files);
  return result.stop;
}

}  // namespace
}  // namespace cadena::examples

int main(int argc, char** argv) {
  using namespace cadena::examples;
  CommandLine line("diagnose", "Learns to tell two classes apart from the rows of a table.");
  DiagnoseOptions options;
  add_options(line, options);
  return run_program(line, argc, argv, [&] { return run(options); });
}
