#include "plot/terminal_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "autodiff/error.hpp"
#include "plot/format.hpp"
#include "plot/ticks.hpp"

namespace cadena::plot {
namespace {

constexpr int least_columns = 8;         // of the drawing; below that, values in words say more
constexpr int least_chart_columns = 36;  // of charts side by side
constexpr int gap_between_charts = 2;
constexpr std::string_view bold = "1", faint = "2";

/// The codes of a terminal's own colours, which its user has chosen to be readable.
std::string_view colour_code(const Chart& chart, std::size_t series) {
  static constexpr std::array<std::string_view, 6> codes{"36", "33", "35", "32", "34", "31"};
  return codes[chart.series[series].colour.value_or(series) % codes.size()];
}

/// Text for a terminal, and how many columns of it are seen.
class Line {
 public:
  explicit Line(bool colour) : colour_(colour) {}
  void add(std::string_view text, std::string_view code = {}) {
    if (text.empty()) return;
    columns_ += display_columns(text);
    if (!colour_) code = {};
    if (code != code_)
      text_ += code.empty() ? "\x1b[0m" : (code_.empty() ? "\x1b[" : "\x1b[0;") + std::string(code) + "m";
    code_ = code;
    text_ += text;
  }
  void append(const Line& other) {
    if (!code_.empty()) text_ += "\x1b[0m";
    code_.clear();
    text_ += other.text_;
    code_ = other.code_;
    columns_ += other.columns_;
  }
  void pad_to(int columns) {
    add(std::string(static_cast<std::size_t>(std::max(columns - columns_, 0)), ' '));
  }
  int columns() const { return columns_; }
  std::string str() const { return code_.empty() ? text_ : text_ + "\x1b[0m"; }

 private:
  bool colour_;
  std::string text_, code_;
  int columns_ = 0;
};

/// How a line is drawn: so many dots on, so many off.
struct Dashes {
  int on, off;
  const char* sample;
  bool shows(int step) const { return step % (on + off) < on; }
};

/// As asked for where colour or marks tell the series apart, else by position.
Dashes dashes_of(const Chart& chart, std::size_t series, const Terminal& terminal) {
  static constexpr std::array<Dashes, 4> patterns{Dashes{1, 0, "⠤⠤"}, Dashes{4, 4, "⠤⠀"}, Dashes{1, 2, "⠄⠄"},
                                                  Dashes{6, 2, "⠤⠄"}};
  const bool told_apart = terminal.colour || !terminal.unicode;
  return patterns[told_apart ? (chart.series[series].dashed ? 1 : 0) : series % patterns.size()];
}

std::string braille(unsigned dots) {
  return {static_cast<char>(0xE2), static_cast<char>(0xA0U | dots >> 6),
          static_cast<char>(0x80U | (dots & 0x3FU))};
}

char ascii_mark(std::size_t series) { return "*+ox#@%&"[series % 8]; }

/// The characters between the axes.
class Canvas {
 public:
  Canvas(int columns, int rows, bool unicode)
      : columns_(columns),
        unicode_(unicode),
        dots_(static_cast<std::size_t>(columns * rows)),
        series_(dots_.size()),
        width_(unicode ? 2 * columns : columns),
        height_(unicode ? 4 * rows : rows) {}

  int x_of(double share) const { return static_cast<int>(std::lround(share * (width_ - 1))); }
  int y_of(double share) const { return static_cast<int>(std::lround((1 - share) * (height_ - 1))); }
  int column_of(double share) const { return x_of(share) / (unicode_ ? 2 : 1); }
  int row_of(double share) const { return y_of(share) / (unicode_ ? 4 : 1); }

  void dot(int x, int y, std::size_t series) {
    static constexpr unsigned bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    const int column = unicode_ ? x / 2 : x, row = unicode_ ? y / 4 : y;
    const auto cell = static_cast<std::size_t>(row * columns_ + column);
    dots_[cell] |= unicode_ ? bits[y % 4][x % 2] : 1U;
    series_[cell] = series;
  }

  /// Without its first dot. `step` counts the dots of a line, for its dashes.
  void segment(int x0, int y0, int x1, int y1, std::size_t series, const Dashes& dashes, int& step) {
    const int n = std::max(std::abs(x1 - x0), std::abs(y1 - y0));
    for (int i = 1; i <= n; ++i, ++step) {
      const double share = static_cast<double>(i) / n;
      if (dashes.shows(step))
        dot(static_cast<int>(std::lround(x0 + share * (x1 - x0))),
            static_cast<int>(std::lround(y0 + share * (y1 - y0))), series);
    }
  }

  void append_row(int row, const Chart& chart, Line& line) const {
    for (int column = 0, shown = line.columns(); column < columns_; ++column) {
      const auto cell = static_cast<std::size_t>(row * columns_ + column);
      if (dots_[cell] == 0) continue;
      line.pad_to(shown + column);
      line.add(unicode_ ? braille(dots_[cell]) : std::string(1, ascii_mark(series_[cell])),
               colour_code(chart, series_[cell]));
    }
  }

 private:
  int columns_;
  bool unicode_;
  std::vector<unsigned> dots_;
  std::vector<std::size_t> series_;  // whose dots a cell shows; the last one's where lines meet
  int width_, height_;               // in dots
};

/// Values onto [0, 1].
struct Axis {
  Ticks ticks;
  Scale scale;

  bool shows(double value) const {
    return std::isfinite(value) && value >= ticks.lo && value <= ticks.hi &&
           (scale == Scale::linear || value > 0);
  }
  double share(double value) const {
    if (scale == Scale::log) return std::log(value / ticks.lo) / std::log(ticks.hi / ticks.lo);
    return (value - ticks.lo) / (ticks.hi - ticks.lo);
  }
};

Axis make_axis(const Chart& chart, std::vector<double> Series::*values, Scale scale, const TickStyle& style,
               std::optional<double> fixed_lo, std::optional<double> fixed_hi) {
  std::vector<double> all;
  for (const Series& series : chart.series)
    all.insert(all.end(), (series.*values).begin(), (series.*values).end());
  if (fixed_lo) all.push_back(*fixed_lo);
  if (fixed_hi) all.push_back(*fixed_hi);
  double lo = scale == Scale::log ? 0.1 : 0, hi = 1;
  finite_range(all, scale == Scale::log, lo, hi);
  return {scale == Scale::log ? log_ticks(lo, hi, style) : linear_ticks(lo, hi, style), scale};
}

int widest(const std::vector<std::string>& labels) {
  int columns = 0;
  for (const std::string& label : labels) columns = std::max(columns, display_columns(label));
  return columns;
}

/// Three digits or so: a last value is for reading off, not for copying.
std::string short_number(double value) {
  const double size = std::abs(value);
  if (size >= 1000 && size < 1e15) return format_si(value);
  if (size != 0 && (size < 1e-3 || size >= 1e15)) return format_number(value);
  return format_fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

std::string last_value(const Chart& chart, const Series& series) {
  for (std::size_t i = series.y.size(); i-- > 0;)
    if (std::isfinite(series.y[i]))
      return chart.y_percent ? format_percent(series.y[i]) : short_number(series.y[i]);
  return "--";
}

/// One chart, as lines of at most `budget` columns.
class Renderer {
 public:
  Renderer(const Chart& chart, const Terminal& terminal, int budget, int rows)
      : chart_(chart), terminal_(terminal), budget_(budget), rows_(std::max(rows, 3)) {
    for (const Series& series : chart.series)
      if (series.x.size() != series.y.size())
        throw ValueError("[render_terminal_chart] series \"" + series.name + "\" has " +
                         std::to_string(series.x.size()) + " x values and " +
                         std::to_string(series.y.size()) + " y values");
  }

  std::vector<Line> render() {
    y_axis_ = make_axis(chart_, &Series::y, chart_.y_scale,
                        {.target = std::max(rows_ / 2, 2),
                         .percent = chart_.y_percent,
                         .outward = !(chart_.y_min && chart_.y_max)},
                        chart_.y_min, chart_.y_max);
    label_columns_ = widest(y_axis_.ticks.labels);
    columns_ = budget_ - label_columns_ - 2;
    if (columns_ < least_columns) return {words()};
    x_axis_ = make_axis(chart_, &Series::x, chart_.x_scale,
                        {.target = std::max(columns_ / 8, 2), .integer = chart_.x_integer, .outward = false},
                        chart_.x_min, chart_.x_max);
    std::vector<Line> lines{title(), legend()};
    drawing(lines);
    x_labels(lines);
    return lines;
  }

 private:
  Line line() const { return Line(terminal_.colour); }
  void add_cut(Line& to, std::string_view text, std::string_view code = {}) const {
    to.add(first_columns(text, budget_ - to.columns()), code);
  }
  std::string name_of_chart() const { return chart_.title.empty() ? chart_.y_label : chart_.title; }

  Line words() const {
    std::string text = name_of_chart();
    for (const Series& series : chart_.series)
      text += (text.empty() ? "" : "  ") + series.name + " " + last_value(chart_, series);
    Line all = line();
    add_cut(all, text);
    return all;
  }

  Line title() const {
    Line all = line();
    add_cut(all, name_of_chart(), bold);
    if (!chart_.title.empty() && !chart_.y_label.empty() && chart_.y_label != chart_.title)
      add_cut(all, "  " + chart_.y_label, faint);
    return all;
  }

  Line legend() const {
    Line all = line();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const std::string mark = (i > 0 ? "  " : "") + sample(i);
      const std::string name = chart_.series[i].name.empty() ? "" : " " + chart_.series[i].name;
      const std::string value = " " + last_value(chart_, chart_.series[i]);
      const int free = budget_ - all.columns() - display_columns(mark) - display_columns(name);
      add_cut(all, mark, colour_code(chart_, i));
      add_cut(all,
              display_columns(value) <= free ? name + value : name);  // half a number would be another one
    }
    return all;
  }

  std::string sample(std::size_t i) const {
    if (!terminal_.unicode) return {ascii_mark(i)};
    return dashes_of(chart_, i, terminal_).sample;
  }

  void draw_series(Canvas& canvas, std::size_t i) {
    const Series& series = chart_.series[i];
    const Dashes dashes = dashes_of(chart_, i, terminal_);
    bool connected = false;
    int x0 = 0, y0 = 0, step = 0;
    for (std::size_t k = 0; k < series.y.size(); ++k) {
      const bool shown = x_axis_.shows(series.x[k]) && y_axis_.shows(series.y[k]);
      if (shown) {
        const int x = canvas.x_of(x_axis_.share(series.x[k])), y = canvas.y_of(y_axis_.share(series.y[k]));
        if (connected)
          canvas.segment(x0, y0, x, y, i, dashes, step);
        else
          canvas.dot(x, y, i);
        x0 = x, y0 = y;
      }
      connected = shown;
    }
  }

  void drawing(std::vector<Line>& lines) {
    Canvas canvas(columns_, rows_, terminal_.unicode);
    for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_series(canvas, i);
    std::vector<std::string> labels(static_cast<std::size_t>(rows_));
    for (std::size_t i = 0; i < y_axis_.ticks.at.size(); ++i)
      labels[static_cast<std::size_t>(canvas.row_of(y_axis_.share(y_axis_.ticks.at[i])))] =
          y_axis_.ticks.labels[i];
    for (int row = 0; row < rows_; ++row) {
      const std::string& label = labels[static_cast<std::size_t>(row)];
      Line all = line();
      all.pad_to(label_columns_ - display_columns(label));
      all.add(label, faint);
      all.add(terminal_.unicode ? (label.empty() ? " │" : " ┤") : (label.empty() ? " |" : " +"), faint);
      canvas.append_row(row, chart_, all);
      lines.push_back(std::move(all));
    }
    for (std::size_t i = 0; i < x_axis_.ticks.at.size(); ++i)
      marks_.push_back({canvas.column_of(x_axis_.share(x_axis_.ticks.at[i])), x_axis_.ticks.labels[i]});
  }

  /// The line below the drawing, and the labels below that. A label that would touch the one before is left
  /// out.
  void x_labels(std::vector<Line>& lines) const {
    Line rule = line(), labels = line();
    rule.pad_to(label_columns_ + 1);
    rule.add(terminal_.unicode ? "└" : "+", faint);
    for (int column = 0; column < columns_; ++column) {
      const bool tick =
          std::any_of(marks_.begin(), marks_.end(), [&](const Mark& m) { return m.column == column; });
      rule.add(terminal_.unicode ? (tick ? "┬" : "─") : (tick ? "+" : "-"), faint);
    }
    const int left = label_columns_ + 2;
    // Free room from `begin` to `end`, where the name of the axis goes: the last that is long enough.
    struct Placed {
      int begin;
      std::string text;
    };
    std::vector<Placed> placed;
    int free_from = 0, name_at = -1;
    const int name = display_columns(chart_.x_label);
    const auto consider = [&](int begin, int end) {
      if (name > 0 && end - begin >= name + 4) name_at = (begin + end - name) / 2;
    };
    for (const Mark& mark : marks_) {
      const int size = display_columns(mark.label);
      const int begin = std::clamp(left + mark.column - size / 2, 0, std::max(budget_ - size, 0));
      if (!placed.empty() && begin <= free_from) continue;
      consider(free_from, begin);
      placed.push_back({begin, mark.label});
      free_from = begin + size;
    }
    consider(free_from, budget_ + 2);
    if (name_at >= 0) placed.push_back({name_at, chart_.x_label});
    std::sort(placed.begin(), placed.end(),
              [](const Placed& a, const Placed& b) { return a.begin < b.begin; });
    for (const Placed& p : placed) {
      labels.pad_to(p.begin);
      add_cut(labels, p.text, faint);
    }
    lines.push_back(std::move(rule));
    lines.push_back(std::move(labels));
  }

  struct Mark {
    int column;
    std::string label;
  };
  const Chart& chart_;
  const Terminal& terminal_;
  int budget_, rows_;
  Axis x_axis_{}, y_axis_{};
  int label_columns_ = 0, columns_ = 0;
  std::vector<Mark> marks_;
};

}  // namespace

std::vector<std::string> render_terminal_chart(const Chart& chart, const Terminal& terminal, int rows) {
  return render_terminal_charts({&chart, 1}, terminal, rows);
}

std::vector<std::string> render_terminal_charts(std::span<const Chart> charts, const Terminal& terminal,
                                                int rows) {
  const int budget = std::max(terminal.width - 1, 0);
  const int fit = std::max((budget + gap_between_charts) / (least_chart_columns + gap_between_charts), 1);
  std::vector<std::string> lines;
  while (!charts.empty()) {
    const int beside = std::min(fit, static_cast<int>(charts.size()));
    const int columns = (budget - (beside - 1) * gap_between_charts) / beside;
    std::vector<Line> joined;
    for (int i = 0; i < beside; ++i) {
      auto own = Renderer(charts[static_cast<std::size_t>(i)], terminal, columns, rows).render();
      while (joined.size() < own.size()) joined.emplace_back(terminal.colour);
      for (std::size_t k = 0; k < own.size(); ++k) {
        joined[k].pad_to(i * (columns + gap_between_charts));
        joined[k].append(own[k]);
      }
    }
    for (const Line& line : joined) lines.push_back(line.str());
    charts = charts.subspan(static_cast<std::size_t>(beside));
  }
  return lines;
}

}  // namespace cadena::plot
