#include "plot/confusion.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "autodiff/error.hpp"
#include "plot/format.hpp"
#include "plot/svg.hpp"

namespace cadena::plot {
namespace {

constexpr double cell = 46;
constexpr double gap = 2;
constexpr double margin = 24;
constexpr double text_size = 13;
constexpr double widest_label = 150;
constexpr double slope = 45;  // degrees, of the column labels where they do not fit upright

constexpr Rgb white{1, 1, 1};
constexpr Rgb faint{0.965, 0.97, 0.975};
constexpr Rgb hit{0.0, 0.353, 0.596};
constexpr Rgb miss{0.765, 0.298, 0.0};

void check(const ConfusionMatrix& matrix) {
  const std::size_t n = matrix.classes.size();
  if (n == 0 || matrix.counts.size() != n * n) {
    throw ValueError("[render_confusion] " + std::to_string(n) + " classes need " + std::to_string(n * n) +
                     " counts and at least one class, got " + std::to_string(matrix.counts.size()) +
                     " counts");
  }
  if (std::any_of(matrix.counts.begin(), matrix.counts.end(), [](std::int64_t count) { return count < 0; })) {
    throw ValueError("[render_confusion] counts must not be negative");
  }
}

std::int64_t count_at(const ConfusionMatrix& matrix, std::size_t truth, std::size_t predicted) {
  return matrix.counts[truth * matrix.classes.size() + predicted];
}

/// Examples of one true class (a row), or predictions of one class (a column).
std::int64_t total(const ConfusionMatrix& matrix, std::size_t index, bool row) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < matrix.classes.size(); ++i) {
    sum += row ? count_at(matrix, index, i) : count_at(matrix, i, index);
  }
  return sum;
}

/// The share of hits in a row (recall) or a column (precision); nothing where nothing was counted.
std::optional<double> hit_share(const ConfusionMatrix& matrix, std::size_t index, bool row) {
  const std::int64_t all = total(matrix, index, row);
  if (all == 0) return std::nullopt;
  return static_cast<double>(count_at(matrix, index, index)) / static_cast<double>(all);
}

std::string share_text(std::optional<double> share) { return share ? format_percent(*share) : "–"; }

Rgb cell_colour(const ConfusionMatrix& matrix, std::size_t truth, std::size_t predicted) {
  const std::int64_t count = count_at(matrix, truth, predicted);
  if (count == 0) return faint;
  const double share = static_cast<double>(count) / static_cast<double>(total(matrix, truth, true));
  // A tint at least, so that a single mistake shows; the power spreads out the small shares.
  return mix(white, truth == predicted ? hit : miss, 0.08 + 0.92 * std::pow(share, 0.4));
}

/// The table being drawn.
class Table {
 public:
  explicit Table(const ConfusionMatrix& matrix) : matrix_(matrix), n_(matrix.classes.size()) {
    double widest = 0;
    for (const std::string& name : matrix.classes) {
      names_.push_back(fit_text(name, widest_label, text_size));
      widest = std::max(widest, text_width(names_.back(), text_size));
    }
    sloped_ = widest > cell - 4;
    const double radians = slope * 3.14159265358979 / 180;
    const double heading = (matrix.title.empty() ? 0 : 22) + (matrix.subtitle.empty() ? 0 : 20);
    left_ = margin + 24 + std::max(widest, text_width("precision", text_size)) + 10;
    top_ = margin + heading + 30 + (sloped_ ? widest * std::sin(radians) + 16 : 22);
    side_ = static_cast<double>(n_) * cell;
    // The last sloped name reaches beyond its column, and the figures at the right need room, too.
    const double reach = sloped_ ? widest * std::cos(radians) + cell : 0;
    width_ = left_ + side_ + std::max(reach, 12 + text_width("100.0%", text_size)) + margin;
    const double title = std::max(text_width(matrix.title, 17, true), text_width(matrix.subtitle, text_size));
    width_ = std::max(width_, std::min(title, 900.0) + 2 * margin);
    height_ = top_ + side_ + 12 + 20 + margin;
  }

  std::string draw() {
    Svg svg(width_, height_, matrix_.title);
    headings(svg);
    for (std::size_t i = 0; i < n_; ++i) {
      names(svg, i);
      for (std::size_t p = 0; p < n_; ++p) draw_cell(svg, i, p);
      shares(svg, i);
    }
    return svg.str();
  }

 private:
  static double at(std::size_t i) { return static_cast<double>(i) * cell; }

  void headings(Svg& svg) const {
    double y = margin;
    const double room = width_ - 2 * margin;
    if (!matrix_.title.empty()) {
      svg.text({margin, y += 14}, fit_text(matrix_.title, room, 17, true), {.size = 17, .bold = true});
      y += 8;
    }
    if (!matrix_.subtitle.empty()) {
      svg.text({margin, y += 12}, fit_text(matrix_.subtitle, room, text_size),
               {.size = text_size, .colour = palette::muted});
      y += 8;
    }
    const TextStyle axis{.size = text_size, .colour = palette::ink, .anchor = Anchor::middle, .bold = true};
    svg.text({left_ + side_ / 2, y + 18}, "predicted", axis);
    TextStyle upright = axis;
    upright.rotate = -90;
    svg.text({margin + 12, top_ + side_ / 2}, "true", upright);
    column_name(svg, n_, "recall", palette::muted);
    svg.text({left_ - 10, top_ + side_ + 24}, "precision",
             {.size = text_size, .colour = palette::muted, .anchor = Anchor::end});
  }

  void column_name(Svg& svg, std::size_t column, std::string_view name, std::string_view colour) const {
    const double x = left_ + at(column) + cell / 2 + (column == n_ ? 8 : 0);
    if (sloped_)
      svg.text({x + 4, top_ - 8}, name, {.size = text_size, .colour = colour, .rotate = -slope});
    else
      svg.text({x, top_ - 9}, name, {.size = text_size, .colour = colour, .anchor = Anchor::middle});
  }

  void names(Svg& svg, std::size_t i) const {
    svg.text({left_ - 10, top_ + at(i) + cell / 2 + 4.5}, names_[i],
             {.size = text_size, .anchor = Anchor::end});
    column_name(svg, i, names_[i], palette::ink);
  }

  void draw_cell(Svg& svg, std::size_t truth, std::size_t predicted) const {
    const double x = left_ + at(predicted);
    const double y = top_ + at(truth);
    const Rgb ground = cell_colour(matrix_, truth, predicted);
    svg.rect(x + gap / 2, y + gap / 2, cell - gap, cell - gap, to_hex(ground), 3);
    const std::int64_t count = count_at(matrix_, truth, predicted);
    const std::string text = count < 10000 ? std::to_string(count) : format_si(static_cast<double>(count));
    const std::string_view colour = count == 0 ? "#b4bcc5" : readable_on(ground);
    const bool bold = truth == predicted && count > 0;
    const double size = text_width(text, text_size, bold) > cell - 6 ? 11 : text_size;
    svg.text({x + cell / 2, y + cell / 2 + 4.5}, text,
             {.size = size, .colour = colour, .anchor = Anchor::middle, .bold = bold});
  }

  void shares(Svg& svg, std::size_t i) const {
    const TextStyle style{.size = 11.5, .colour = palette::muted, .anchor = Anchor::middle};
    svg.text({left_ + side_ + cell / 2 + 8, top_ + at(i) + cell / 2 + 4.5},
             share_text(hit_share(matrix_, i, true)), style);
    svg.text({left_ + at(i) + cell / 2, top_ + side_ + 24}, share_text(hit_share(matrix_, i, false)), style);
  }

  const ConfusionMatrix& matrix_;
  std::size_t n_;
  std::vector<std::string> names_;
  bool sloped_ = false;
  double left_ = 0, top_ = 0, side_ = 0;  // of the grid of cells
  double width_ = 0, height_ = 0;
};

std::string pad(const std::string& text, int columns, bool right) {
  const std::string spaces(static_cast<std::size_t>(std::max(0, columns - display_columns(text))), ' ');
  return right ? spaces + text : text + spaces;
}

}  // namespace

std::string render_confusion(const ConfusionMatrix& matrix) {
  check(matrix);
  return Table(matrix).draw();
}

std::string print_confusion(const ConfusionMatrix& matrix) {
  check(matrix);
  const std::size_t n = matrix.classes.size();
  std::vector<std::string> heads;
  int label = 0;
  int column = 4;
  for (std::size_t i = 0; i < n; ++i) {
    const std::string number = std::to_string(i);
    heads.push_back(matrix.classes[i] == number ? number : number + " " + matrix.classes[i]);
    label = std::max(label, display_columns(heads.back()));
  }
  for (const std::int64_t count : matrix.counts)
    column = std::max(column, static_cast<int>(std::to_string(count).size()));
  label = std::max(label, display_columns("true \\ predicted"));

  std::string text = pad("true \\ predicted", label, false);
  for (std::size_t p = 0; p < n; ++p) text.append(" ").append(pad(std::to_string(p), column, true));
  text += "   recall\n";
  for (std::size_t t = 0; t < n; ++t) {
    text += pad(heads[t], label, false);
    for (std::size_t p = 0; p < n; ++p) {
      const std::int64_t count = count_at(matrix, t, p);
      // A mistake that never happened as a dot: the eye is to find those that did.
      text.append(" ").append(pad(count == 0 && t != p ? "·" : std::to_string(count), column, true));
    }
    text.append("  ").append(pad(share_text(hit_share(matrix, t, true)), 7, true)).append("\n");
  }
  text += pad("precision", label, false);
  for (std::size_t p = 0; p < n; ++p) {
    const auto share = hit_share(matrix, p, false);
    text.append(" ").append(pad(share ? format_percent(*share, 0) : "–", column, true));
  }
  return text + "\n";
}

}  // namespace cadena::plot
