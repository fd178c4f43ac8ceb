#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plot/live_lines.hpp"
#include "plot/terminal.hpp"

namespace cadena::train {

/// How a metric's value is written.
enum class Format {
  number,    ///< 0.3451
  percent,   ///< the value is a share in [0, 1]: 87.6%
  count,     ///< 60,000
  rate,      ///< per second, the name behind it: 12.3k images/s
  duration,  ///< the value is in seconds: 1 min 05 s
};

struct Metric {
  std::string name = {};
  double value = 0;
  Format format = Format::number;
};

/// "loss 0.3451", "accuracy 87.6%", "12.3k images/s".
std::string format_metric(const Metric& metric);

/// A horizontal bar of exactly `columns` columns of which `fraction` (clamped to [0, 1]; NaN is 0) is filled,
/// in eighths of a column with Unicode blocks and in whole columns of '#' without.
std::string paint_bar(double fraction, int columns, bool unicode);

/// The parts of one status line.
struct StatusLine {
  std::string head = {};                  ///< "epoch  3/10"
  std::string short_head = {};            ///< used where the width does not allow `head`: " 3/10"
  double fraction = 0;                    ///< done, in [0, 1]
  std::vector<std::string> details = {};  ///< shown in this order, as many as fit
};

/// The status line for a terminal: at most `terminal.width - 1` columns (writing into the last one would wrap
/// on some terminals), whatever the width. Details that do not fit are left out, then the head; the
/// percentage is last.
std::string compose_status(const StatusLine& line, const plot::Terminal& terminal);

struct ProgressOptions {
  std::int64_t epochs = 1;
  std::int64_t items_per_epoch = 1;  ///< images, say; the unit of Progress::advance
  std::string item_name = "images";
  std::int64_t first_epoch = 0;  ///< epochs that an earlier run did already
  std::ostream* out = nullptr;   ///< std::cout when null
  std::optional<plot::Terminal> terminal =
      {};                              ///< what `out` shows; found out about standard output when empty
  std::function<double()> clock = {};  ///< seconds, monotonic; the steady clock when empty
  double redraw_interval = 0.1;        ///< seconds between two redraws on a terminal
  double plain_interval = 2;           ///< seconds between two lines within an epoch elsewhere
  /// Lines to show below the bar, such as a chart; on a terminal only. Asked for after every epoch, and when
  /// the terminal's size has changed.
  std::function<std::vector<std::string>(const plot::Terminal&)> panel = {};
};

/// The progress of a training run. On a terminal one line is redrawn in place (bar, percentage and remaining
/// time are those of the whole run) and every finished epoch leaves a line above it. Elsewhere (a file, a
/// pipe, TERM=dumb) plain lines come out: one for each epoch and up to three within it.
///
///     Progress progress({.epochs = 10, .items_per_epoch = 60000});
///     for each epoch:
///       for each batch: ...; progress.advance(64, {{"loss", loss}, {"acc", accuracy, Format::percent}});
///       progress.end_epoch({{"loss", mean_loss}, {"test acc", test_accuracy, Format::percent}});
///     progress.finish();
///
/// The cursor is never hidden and no terminal mode is changed, so an interrupt leaves nothing to repair; the
/// destructor ends an open line, so that the message of an exception starts on a line of its own. Not
/// thread-safe.
class Progress {
 public:
  /// Throws cadena::ValueError if `epochs` or `items_per_epoch` is not positive, or `first_epoch` is
  /// negative.
  explicit Progress(ProgressOptions options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `items` more are done. Cheap unless it is time to redraw.
  void advance(std::int64_t items, const std::vector<Metric>& metrics = {});

  /// The epoch is over, whatever was counted (a last partial batch may have been dropped). Leaves a line with
  /// its time, `metrics`, and the rate while batches ran (what ran between the last batch and this call, an
  /// evaluation, counts into the time but not into the rate).
  void end_epoch(const std::vector<Metric>& metrics = {});

  /// Prints one line; on a terminal, above the bar.
  void print(std::string_view text);

  /// Draws the bar a last time and ends its line. Nothing is drawn afterwards. May be called twice.
  void finish();

  /// Items per second while batches ran, in this epoch or, before its second batch (the first only sets the
  /// clock), in the one before; empty where neither is known.
  std::optional<double> rate() const;

  /// Seconds until the whole run is done, at the mean pace so far, pauses included; empty before the first
  /// item.
  std::optional<double> remaining_seconds() const;

 private:
  double fraction() const;
  std::optional<double> rate_of_this_epoch() const;
  std::string epoch_label(std::int64_t epoch) const;
  std::vector<std::string> details();
  void draw();
  void draw_plain_if_due();
  void follow_size();
  void refresh_panel();

  ProgressOptions options_;
  plot::Terminal terminal_;
  bool follow_size_;
  double start_ = 0;  // seconds, all of them on the options' clock
  double epoch_start_ = 0;
  double first_advance_ = 0;
  double last_advance_ = 0;
  double last_output_ = 0;
  std::int64_t epoch_ = 0;        // the running one, from 0
  std::int64_t items_ = 0;        // done in the running epoch
  std::int64_t timed_items_ = 0;  // of these, after the first advance
  int plain_quarter_ = 0;         // quarters of the epoch that have been reported in plain mode
  bool advanced_ = false;         // in the running epoch
  bool line_open_ = false;
  bool finished_ = false;
  std::optional<double> previous_rate_;
  std::vector<Metric> metrics_;
  std::vector<std::string> panel_;
  plot::LiveLines
      live_;  // the bar and the panel, once there is one; without, the cursor stays in the bar's line
  std::vector<int> widths_;  // the widest that each detail has been, so that the bar does not wobble
};

}  // namespace cadena::train
