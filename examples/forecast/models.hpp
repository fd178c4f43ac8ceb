// The networks of forecast, and the forecasts that they must beat.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "examples/forecast/series.hpp"
#include "nn/nn.hpp"
#include "train/fit.hpp"

namespace cadena::examples {

/// A stretch of the series as it is -> its continuation: f64 (batch, window) -> f64 (batch, horizon).
///
/// What the networks see is the difference to the last value, in deviations of the series: a level that they
/// never saw, where a trend has led to, looks to them like any other. They read it in tokens of several
/// values (Nie et al., "A time series is worth 64 words", arXiv:2211.14730) and say all values of the
/// forecast at once.
struct Forecaster : nn::Module {
  nn::Buffer window, deviation;

  Forecaster(const Parts& parts, const ForecastOptions& o)
      : window(full({1}, static_cast<double>(o.window), f64)), deviation(full({1}, parts.deviation, f64)) {}

  Tensor operator()(const Tensor& x) {
    const Tensor last = x.slice(1, {-1, {}});
    const Tensor tokens = ((x - last) / deviation).to(f32).reshape({x.size(0), -1, token_size});
    return last + deviation * continuation(tokens).to(f64);
  }
  void visit(nn::Visitor& v) override { v("window", window), v("deviation", deviation); }

 protected:
  /// f32 (batch, tokens, token_size) -> (batch, horizon)
  virtual Tensor continuation(const Tensor& tokens) = 0;
};

/// Hochreiter and Schmidhuber's network reads the tokens one after the other; its last state says the
/// forecast.
struct LstmForecaster : Forecaster {
  nn::LSTM lstm;
  nn::Linear out;

  LstmForecaster(const Parts& parts, const ForecastOptions& o)
      : Forecaster(parts, o), lstm(token_size, 96, {.batch_first = true}), out(96, o.horizon) {}

  Tensor continuation(const Tensor& tokens) override { return out(lstm(tokens).output.select(1, -1)); }
  void visit(nn::Visitor& v) override {
    Forecaster::visit(v);
    v("lstm", lstm);
    v("out", out);
  }
};

/// The encoder of Vaswani et al. looks at all tokens at once, each with a vector of its place; all that it
/// makes of them says the forecast.
struct TransformerForecaster : Forecaster {
  nn::Linear embed;
  nn::Parameter places;  ///< (tokens, 64)
  nn::TransformerEncoder encoder;
  nn::Linear out;

  TransformerForecaster(const Parts& parts, const ForecastOptions& o);
  Tensor continuation(const Tensor& tokens) override;
  void visit(nn::Visitor& v) override;
};

/// A forecast for every window of the held-out part.
struct Forecast {
  std::string name;
  Tensor held_out = {};  ///< f64 (windows, horizon)
  Tensor next = {};      ///< f64 (1, horizon): what follows the end of the series
  double mae = 0, rmse = 0;
};

/// Last value, last season, and least squares of the window. With their errors.
std::vector<Forecast> simple_forecasts(const Series& series, const Parts& parts, const ForecastOptions& o);
Forecast network_forecast(const std::string& name, Forecaster& net, const Series& series, const Parts& parts,
                          const ForecastOptions& o);

/// Trains with Adam and a learning rate that falls to 0 along a cosine; the weights that are best on the
/// validation windows are kept. @throws ValueError as train::fit
train::FitResult fit_forecaster(Forecaster& net, const Parts& parts, const ForecastOptions& o,
                                const std::filesystem::path& checkpoint);

}  // namespace cadena::examples
