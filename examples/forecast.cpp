// Forecasts a series with an LSTM and with a Transformer, beside the forecasts that any network must beat:
// ./run forecast --help
//
// This page is the order of events. What is worth reading first: forecast/models.hpp and forecast/series.cpp.
#include <iostream>

#include "autodiff/autodiff.hpp"
#include "examples/forecast/models.hpp"
#include "examples/forecast/options.hpp"
#include "examples/forecast/report.hpp"
#include "examples/forecast/series.hpp"
#include "examples/support/same_run.hpp"
#include "plot/format.hpp"

namespace cadena::examples {
namespace {

Trained train_one(const std::string& name, Forecaster& net, const Parts& parts, const ForecastOptions& o,
                  const std::filesystem::path& checkpoint) {
  if (o.resume && std::filesystem::exists(checkpoint))
    check_same_data(checkpoint, {{"window", net.window}, {"deviation", net.deviation}});
  std::cout << name << ", " << plot::format_grouped(net.num_parameters()) << " parameters\n" << std::flush;
  return {name, &net, fit_forecaster(net, parts, o, checkpoint)};
}

train::Stop run(const ForecastOptions& o) {
  const Series series = load_series(o);
  const Parts parts = split(series, o);
  prepare(o);
  print_header(o, describe(series, parts, o));
  if (!o.resume) std::filesystem::remove(o.second_checkpoint());

  std::vector<Forecast> forecasts = simple_forecasts(series, parts, o);
  std::vector<Trained> trained;
  LstmForecaster lstm(parts, o);
  TransformerForecaster transformer(parts, o);
  for (Forecaster* net : {static_cast<Forecaster*>(&lstm), static_cast<Forecaster*>(&transformer)}) {
    const bool first = net == &lstm;
    trained.push_back(train_one(first ? "LSTM" : "Transformer", *net, parts, o,
                                first ? o.checkpoint() : o.second_checkpoint()));
    if (trained.back().result.stop == train::Stop::interrupt) {
      say_how_it_ended("forecast", o, trained.back().result);
      return train::Stop::interrupt;
    }
    forecasts.push_back(network_forecast(trained.back().name, *net, series, parts, o));
  }
  print_errors(parts, forecasts, o);
  const auto files = leave_files(series, parts, o, trained, forecasts);
  double seconds = 0;
  for (std::size_t i = 0; i < trained.size(); ++i) {
    std::cout << "checksum       " << checksum(files[files.size() - trained.size() + i].path) << "   (of the "
              << trained[i].name << ")\n";
    seconds += trained[i].result.seconds;
  }
  std::cout << "training time  " << plot::format_duration(seconds) << "\n\n";
  print_files(files);
  return train::Stop::epochs;
}

}  // namespace
}  // namespace cadena::examples

int main(int argc, char** argv) {
  using namespace cadena::examples;
  CommandLine line("forecast", "Forecasts a series of numbers with an LSTM and with a Transformer.");
  ForecastOptions options;
  add_options(line, options);
  return run_program(line, argc, argv, [&] { return run(options); });
}
