#include "train/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iostream>

#include "autodiff/error.hpp"
#include "plot/format.hpp"

namespace cadena::train {
using namespace plot;

namespace {

constexpr int longest_bar = 40;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

std::string pad_left(const std::string& text, int columns) {
  return repeat(" ", columns - display_columns(text)) + text;
}

std::string pad_right(const std::string& text, int columns) {
  return text + repeat(" ", columns - display_columns(text));
}

/// Rounded down, so that 100% stands for nothing but the end.
std::string whole_percent(double fraction) {
  return pad_left(std::to_string(static_cast<int>(std::floor(100 * fraction))) + "%", 4);
}

double clamp_fraction(double fraction) { return fraction > 0 ? std::min(fraction, 1.0) : 0.0; }

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "  ") + part;
  return text;
}

}  // namespace

std::string format_metric(const Metric& metric) {
  switch (metric.format) {
    case Format::percent:
      return metric.name + " " + format_percent(metric.value);
    case Format::duration:
      return metric.name + " " + format_duration(metric.value);
    case Format::rate:
      return format_si(metric.value) + " " + metric.name + "/s";
    case Format::count:
      // A double beyond 2^53 is no exact count, and beyond 2^63 no integer at all.
      if (!(std::abs(metric.value) <= 9007199254740992.0)) break;
      return metric.name + " " + format_grouped(std::llround(metric.value));
    case Format::number:
      break;
  }
  return metric.name + " " + format_number(metric.value);
}

std::string paint_bar(double fraction, int columns, bool unicode) {
  static constexpr std::array<const char*, 8> partial{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  columns = std::max(columns, 0);
  const int steps = unicode ? 8 : 1;
  // Rounded down: a full bar, like 100%, means the end. The epsilon undoes 0.7 * 80 < 56.
  const int filled = static_cast<int>(std::floor(clamp_fraction(fraction) * columns * steps + 1e-9));
  const int rest = filled % steps;
  const int used = filled / steps + (rest > 0 ? 1 : 0);
  return repeat(unicode ? "█" : "#", filled / steps) + partial[static_cast<std::size_t>(rest)] +
         repeat(unicode ? " " : ".", columns - used);
}

std::string compose_status(const StatusLine& line, const Terminal& terminal) {
  const int budget = std::max(terminal.width - 1, 0);
  const double fraction = clamp_fraction(line.fraction);
  const std::string percent = whole_percent(fraction);
  const int fixed = 1 + 2 + display_columns(percent);  // a space before the percentage, the bar's two edges

  std::string head;
  int bar = 0;
  struct Variant {
    const std::string& head;
    int shortest_bar;
  };
  const std::string none;
  for (const Variant& variant : {Variant{line.head, 8}, Variant{line.short_head, 4}, Variant{none, 3}}) {
    head = variant.head.empty() ? "" : variant.head + " ";
    bar = variant.shortest_bar;
    if (display_columns(head) + bar + fixed <= budget) break;
    bar = 0;
  }
  if (bar == 0) return std::string(first_columns(percent, budget));

  std::string tail;
  int used = display_columns(head) + bar + fixed;
  for (const std::string& detail : line.details) {
    const int wanted = 2 + display_columns(detail);
    if (used + wanted > budget) break;
    tail += "  " + detail;
    used += wanted;
  }
  bar = std::min(longest_bar, bar + budget - used);

  const char* left = terminal.unicode ? "▕" : "[";
  const char* right = terminal.unicode ? "▏" : "]";
  const std::string painted = paint_bar(fraction, bar, terminal.unicode);
  return head + left + (terminal.colour ? "\x1b[36m" + painted + "\x1b[0m" : painted) + right + " " +
         percent + tail;
}

Progress::Progress(ProgressOptions options)
    : options_(std::move(options)), live_(options_.out == nullptr ? std::cout : *options_.out) {
  if (options_.epochs <= 0 || options_.items_per_epoch <= 0 || options_.first_epoch < 0) {
    throw ValueError(
        "[Progress] epochs and items_per_epoch must be positive and first_epoch not negative, got " +
        std::to_string(options_.epochs) + ", " + std::to_string(options_.items_per_epoch) + " and " +
        std::to_string(options_.first_epoch));
  }
  if (options_.out == nullptr) options_.out = &std::cout;
  if (!options_.clock) options_.clock = steady_seconds;
  follow_size_ = !options_.terminal.has_value();
  terminal_ = options_.terminal ? *options_.terminal : detect_terminal(STDOUT_FILENO);
  epoch_ = options_.first_epoch;
  start_ = epoch_start_ = last_output_ = options_.clock();
}

Progress::~Progress() {
  try {
    if (line_open_) *options_.out << '\n' << std::flush;
  } catch (...) {  // a stream that throws must not end the program from a destructor
  }
}

double Progress::fraction() const {
  const double items =
      std::min(static_cast<double>(items_) / static_cast<double>(options_.items_per_epoch), 1.0);
  return std::min((static_cast<double>(epoch_) + items) / static_cast<double>(options_.epochs), 1.0);
}

std::optional<double> Progress::rate() const {
  const auto current = rate_of_this_epoch();
  return current ? current : previous_rate_;
}

std::optional<double> Progress::rate_of_this_epoch() const {
  const double seconds = last_advance_ - first_advance_;
  if (timed_items_ == 0 || seconds <= 0) return std::nullopt;
  return static_cast<double>(timed_items_) / seconds;
}

std::optional<double> Progress::remaining_seconds() const {
  const double before = static_cast<double>(options_.first_epoch) / static_cast<double>(options_.epochs);
  const double done = fraction() - before;
  if (done <= 0) return std::nullopt;
  return (options_.clock() - start_) / done * (1 - fraction());
}

std::string Progress::epoch_label(std::int64_t epoch) const {
  const std::string total = std::to_string(options_.epochs);
  return pad_left(std::to_string(epoch + 1), static_cast<int>(total.size())) + "/" + total;
}

std::vector<std::string> Progress::details() {
  std::vector<std::string> texts;
  if (fraction() >= 1) {
    texts.push_back("in " + format_eta(options_.clock() - start_));
  } else {
    const auto remaining = remaining_seconds();
    texts.push_back("ETA " + (remaining ? format_eta(*remaining) : "--"));
  }
  for (const Metric& metric : metrics_) texts.push_back(format_metric(metric));
  const auto items_per_second = rate();
  if (terminal_
          .interactive) {  // in a field of its own from the first batch on, so that the bar keeps its length
    texts.push_back(pad_left(items_per_second ? format_si(*items_per_second) : "--", 5) + " " +
                    options_.item_name + "/s");
  } else if (items_per_second) {
    texts.push_back(format_metric({options_.item_name, *items_per_second, Format::rate}));
  }
  if (widths_.size() < texts.size()) widths_.resize(texts.size(), 0);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    widths_[i] = std::max(widths_[i], display_columns(texts[i]));
    if (i + 1 < texts.size()) texts[i] = pad_right(texts[i], widths_[i]);
  }
  return texts;
}

void Progress::follow_size() {
  if (!follow_size_) return;
  const TerminalSize size = terminal_size(STDOUT_FILENO);
  const bool changed = size.width != terminal_.width || size.height != terminal_.height;
  terminal_.width = size.width;
  terminal_.height = size.height;
  if (changed && !panel_.empty()) refresh_panel();
}

void Progress::refresh_panel() {
  panel_ = options_.panel && terminal_.interactive ? options_.panel(terminal_) : std::vector<std::string>{};
}

void Progress::draw() {
  follow_size();
  const std::string label = epoch_label(std::min(epoch_, options_.epochs - 1));
  const std::string status = compose_status({"epoch " + label, label, fraction(), details()}, terminal_);
  if (panel_.empty() && live_.empty()) {
    // Overwrite, then erase what is left of a longer line: erasing first would flicker.
    *options_.out << '\r' << status << "\x1b[K" << std::flush;
  } else {
    std::vector<std::string> lines{status};
    lines.insert(lines.end(), panel_.begin(), panel_.end());
    live_.draw(std::move(lines), terminal_);
  }
  line_open_ = live_.empty();
  last_output_ = options_.clock();
}

void Progress::draw_plain_if_due() {
  const double share = static_cast<double>(items_) / static_cast<double>(options_.items_per_epoch);
  const int quarter = static_cast<int>(std::min(4 * share, 4.0));
  if (quarter <= plain_quarter_ || quarter >= 4) return;
  plain_quarter_ =
      quarter;  // also when it is too early to print: the next quarter gets its chance, not the next batch
  if (options_.clock() - last_output_ < options_.plain_interval) return;
  *options_.out << "epoch " << epoch_label(epoch_) << "  " << whole_percent(share) << "  " << join(details())
                << '\n'
                << std::flush;
  last_output_ = options_.clock();
}

void Progress::advance(std::int64_t items, const std::vector<Metric>& metrics) {
  if (finished_) return;
  last_advance_ = options_.clock();
  if (advanced_) {
    timed_items_ += items;
  } else {
    first_advance_ = last_advance_;
    advanced_ = true;
  }
  items_ += items;
  metrics_ = metrics;
  if (!terminal_.interactive) {
    draw_plain_if_due();
  } else if ((!line_open_ && live_.empty()) || last_advance_ - last_output_ >= options_.redraw_interval) {
    draw();
  }
}

void Progress::end_epoch(const std::vector<Metric>& metrics) {
  if (finished_) return;
  std::vector<std::string> parts{"epoch " + epoch_label(epoch_),
                                 format_duration(options_.clock() - epoch_start_)};
  for (const Metric& metric : metrics) parts.push_back(format_metric(metric));
  const auto items_per_second = rate_of_this_epoch();
  if (items_per_second) {
    parts.push_back(format_metric({options_.item_name, *items_per_second, Format::rate}));
  }
  if (items_per_second) previous_rate_ = items_per_second;
  ++epoch_;
  items_ = timed_items_ = 0;
  advanced_ = false;
  plain_quarter_ = 0;
  follow_size();
  refresh_panel();
  print(join(parts));
  epoch_start_ = last_output_ = options_.clock();
}

void Progress::print(std::string_view text) {
  const bool redraw = line_open_ || !live_.empty();
  if (live_.empty())
    *options_.out << (line_open_ ? "\r\x1b[K" : "") << text << '\n' << std::flush;
  else
    live_.print_above(text);
  line_open_ = false;
  if (redraw && !finished_) draw();
}

void Progress::finish() {
  if (finished_) return;
  if (terminal_.interactive) {
    draw();
    if (line_open_) *options_.out << '\n' << std::flush;
    live_.release();
    line_open_ = false;
  }
  finished_ = true;
}

}  // namespace cadena::train
