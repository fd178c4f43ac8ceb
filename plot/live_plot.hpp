#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string_view>
#include <vector>

#include "plot/chart.hpp"
#include "plot/live_lines.hpp"
#include "plot/terminal.hpp"

namespace cadena::plot {

struct LivePlotOptions {
  std::ostream* out = nullptr;            ///< std::cout when null
  std::optional<Terminal> terminal = {};  ///< what `out` shows; found out about standard output when empty
  std::function<double()> clock = {};     ///< seconds, monotonic; the steady clock when empty
  int rows = 10;                          ///< of the drawing; fewer where the terminal is low
  double redraw_interval = 0.1;           ///< seconds between two redraws on a terminal
  int plain_every = 1;                    ///< elsewhere: a line for every so many points, and for the last
};

/// A chart that grows while the program runs. On a terminal it is redrawn in place; elsewhere every point is
/// a line, "epoch 3  loss 0.1200  accuracy 87.6%", the chart's x_label and the series' names with their
/// values.
///
///     LivePlot plot({.x_label = "epoch", .series = {{.name = "loss"}}});
///     for each epoch: ...; plot.add(epoch, {loss});
///     plot.finish();
///
/// Lines that the program prints meanwhile belong into `print`, which puts them above the chart.
class LivePlot {
 public:
  explicit LivePlot(Chart chart, LivePlotOptions options = {});
  ~LivePlot();
  LivePlot(const LivePlot&) = delete;
  LivePlot& operator=(const LivePlot&) = delete;

  /// One value for each series. Throws cadena::ValueError for another number of them.
  void add(double x, const std::vector<double>& values);
  void print(std::string_view line);
  /// Draws a last time and leaves the chart where it is. May be called twice.
  void finish();

  const Chart& chart() const { return chart_; }  ///< with all points, for render_chart

 private:
  void draw();
  void print_point();

  Chart chart_;
  LivePlotOptions options_;
  Terminal terminal_;
  bool follow_size_;
  LiveLines lines_;
  double last_draw_ = 0;
  int points_ = 0;
  bool stale_ = false, finished_ = false;
};

}  // namespace cadena::plot
