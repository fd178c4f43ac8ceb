#include "plot/live_plot.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>

#include "autodiff/error.hpp"
#include "plot/format.hpp"
#include "plot/terminal_plot.hpp"

namespace cadena::plot {
namespace {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

LivePlot::LivePlot(Chart chart, LivePlotOptions options)
    : chart_(std::move(chart)),
      options_(std::move(options)),
      terminal_(options_.terminal ? *options_.terminal : detect_terminal(STDOUT_FILENO)),
      follow_size_(!options_.terminal),
      lines_(options_.out == nullptr ? std::cout : *options_.out) {
  if (options_.out == nullptr) options_.out = &std::cout;
  if (!options_.clock) options_.clock = steady_seconds;
  last_draw_ = options_.clock() - options_.redraw_interval;
}

LivePlot::~LivePlot() {
  try {
    finish();
  } catch (...) {  // a stream that throws must not end the program from a destructor
  }
}

void LivePlot::add(double x, const std::vector<double>& values) {
  if (values.size() != chart_.series.size())
    throw ValueError("[LivePlot] expected " + std::to_string(chart_.series.size()) + " values, got " +
                     std::to_string(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    chart_.series[i].x.push_back(x);
    chart_.series[i].y.push_back(values[i]);
  }
  ++points_;
  stale_ = true;
  if (!terminal_.interactive) {
    if (options_.plain_every > 0 && points_ % options_.plain_every == 0) print_point();
  } else if (options_.clock() - last_draw_ >= options_.redraw_interval) {
    draw();
  }
}

void LivePlot::print_point() {
  if (!stale_ || chart_.series.empty()) return;
  const double x = chart_.series[0].x.back();
  const bool whole = x == std::floor(x) && std::abs(x) < 1e15;
  *options_.out << (chart_.x_label.empty() ? "x" : chart_.x_label) << ' '
                << (whole ? std::to_string(std::llround(x)) : format_number(x));
  for (const Series& series : chart_.series) {
    const std::string& name = series.name.empty() ? chart_.y_label : series.name;
    *options_.out << "  " << name << (name.empty() ? "" : " ")
                  << (chart_.y_percent ? format_percent(series.y.back()) : format_number(series.y.back()));
  }
  *options_.out << '\n' << std::flush;
  stale_ = false;
}

void LivePlot::draw() {
  if (follow_size_) {
    const TerminalSize size = terminal_size(STDOUT_FILENO);
    terminal_.width = size.width;
    terminal_.height = size.height;
  }
  constexpr int others =
      6;  // title, legend, rule, labels, the cursor's own, and one of what was printed before
  lines_.draw(render_terminal_chart(chart_, terminal_, std::min(options_.rows, terminal_.height - others)),
              terminal_);
  last_draw_ = options_.clock();
  stale_ = false;
}

void LivePlot::print(std::string_view line) {
  if (terminal_.interactive)
    lines_.print_above(line);
  else
    *options_.out << line << '\n' << std::flush;
}

void LivePlot::finish() {
  if (finished_) return;
  finished_ = true;
  if (!terminal_.interactive) {
    print_point();
  } else if (stale_) {
    draw();
  }
  lines_.release();
}

}  // namespace cadena::plot
