#include "examples/forecast/models.hpp"

#include <cmath>
#include <functional>

#include "autodiff/autodiff.hpp"
#include "data/loader.hpp"
#include "optim/optim.hpp"
#include "train/metrics.hpp"

namespace cadena::examples {
namespace {

constexpr std::int64_t dim = 64, heads = 4, layers = 2, at_once = 1024;
constexpr std::int64_t most_equations = 20'000;  // of the least squares, of which there are always enough
constexpr double clip = 1;

/// Applies `f` to all held-out windows, some at a time, and to the last values of the series.
Forecast forecast(const std::string& name, const Series& series, const Parts& parts, const ForecastOptions& o,
                  const std::function<Tensor(const Tensor& x, std::int64_t first)>& f) {
  const NoGrad guard;
  Forecast result{.name = name};
  data::DataLoader windows(parts.test, {.batch_size = at_once});
  std::vector<Tensor> said, truth;
  std::int64_t first = parts.test.first(0);
  for (const auto& [x, y] : windows) {
    said.push_back(f(x, first));
    truth.push_back(y);
    first += x.size(0);
  }
  result.held_out = cat(said);
  result.mae = train::mean_absolute_error(result.held_out, cat(truth));
  result.rmse = std::sqrt(train::mean_squared_error(result.held_out, cat(truth)));
  const std::vector<double> end(series.values.end() - o.window, series.values.end());
  result.next = f(tensor(end, {1, o.window}), series.size());
  return result;
}

/// Each value is that of the season before; behind a whole season that one again.
Tensor season_before(const Series& series, const ForecastOptions& o, std::int64_t first,
                     std::int64_t windows) {
  std::vector<double> values;
  for (std::int64_t i = first; i < first + windows; ++i)
    for (std::int64_t h = 0; h < o.horizon; ++h)
      values.push_back(series.values[static_cast<std::size_t>(i + h % o.season - o.season)]);
  return tensor(values, {windows, o.horizon});
}

/// Differences to the last value, which would be zero itself, and a one.
Tensor regressors(const Tensor& x) {
  const std::int64_t last = x.size(1) - 1;
  return cat({x.slice(1, {0, last}) - x.slice(1, {last, {}}), ones({x.size(0), 1}, f64)}, 1);
}

/// The weights of least squares. A trace of the identity below the equations gives the weights of least size
/// where these do not determine them, as for a pure sine.
Tensor least_squares(const Parts& parts) {
  const auto [x, y] = parts.train.spread(most_equations);
  const Tensor a = regressors(x), b = y - x.slice(1, {-1, {}});
  const double trace = 1e-6 * parts.deviation * std::sqrt(static_cast<double>(a.size(0)));
  return lstsq(cat({a, trace * eye(a.size(1), f64)}), cat({b, zeros({a.size(1), b.size(1)}, f64)})).solution;
}

}  // namespace

TransformerForecaster::TransformerForecaster(const Parts& parts, const ForecastOptions& o)
    : Forecaster(parts, o),
      embed(token_size, dim),
      places(0.02 * randn({o.window / token_size, dim})),
      encoder(
          {dim, heads, {.dim_feedforward = 2 * dim, .dropout = 0.1, .batch_first = true, .norm_first = true}},
          layers, nn::LayerNorm({dim})),
      out(o.window / token_size * dim, o.horizon) {}

Tensor TransformerForecaster::continuation(const Tensor& tokens) {
  return out(encoder(embed(tokens) + places).flatten(1));
}

void TransformerForecaster::visit(nn::Visitor& v) {
  Forecaster::visit(v);
  v("embed", embed);
  v("places", places);
  v("encoder", encoder);
  v("out", out);
}

std::vector<Forecast> simple_forecasts(const Series& series, const Parts& parts, const ForecastOptions& o) {
  const Tensor weights = least_squares(parts);
  const auto last = [](const Tensor& x) { return x.slice(1, {-1, {}}); };
  return {forecast("last value", series, parts, o,
                   [&](const Tensor& x, std::int64_t) {
                     return last(x).expand({x.size(0), o.horizon});
                   }),
          forecast("last season", series, parts, o,
                   [&](const Tensor& x, std::int64_t first) {
                     return season_before(series, o, first, x.size(0));
                   }),
          forecast("linear", series, parts, o,
                   [&](const Tensor& x, std::int64_t) { return last(x) + matmul(regressors(x), weights); })};
}

Forecast network_forecast(const std::string& name, Forecaster& net, const Series& series, const Parts& parts,
                          const ForecastOptions& o) {
  net.eval();
  return forecast(name, series, parts, o, [&](const Tensor& x, std::int64_t) { return net(x); });
}

train::FitResult fit_forecaster(Forecaster& net, const Parts& parts, const ForecastOptions& o,
                                const std::filesystem::path& checkpoint) {
  optim::AdamW adam(net.parameters(), {.lr = o.lr});
  optim::CosineAnnealingLR schedule(adam, {.T_max = o.epochs});
  data::DataLoader batches(parts.train, {.batch_size = o.batch_size, .shuffle = true, .seed = o.seed});
  data::DataLoader validation(parts.validation, {.batch_size = at_once});
  train::FitOptions fit = fit_options(o, {"loss"});
  fit.checkpoint = checkpoint;
  fit.scheduler = &schedule;
  fit.validation = &validation;
  fit.restore_best = true;
  fit.clip_grad_norm = clip;
  fit.item_name = "windows";
  return train::fit(
      net, adam, batches,
      [&](const data::Batch& b) {  // in deviations, so that the loss means the same for any series
        return train::BatchResult{mse_loss(net(b.x) / parts.deviation, b.y / parts.deviation)};
      },
      fit);
}

}  // namespace cadena::examples
