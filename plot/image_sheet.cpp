#include "plot/image_sheet.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "autodiff/error.hpp"
#include "plot/format.hpp"
#include "plot/pixels.hpp"
#include "plot/svg.hpp"

namespace cadena::plot {
namespace {

constexpr double margin = 24;
constexpr double gutter = 16;
constexpr double frame = 3;
constexpr double text_size = 12;
constexpr double caption_line = 16;
constexpr double narrowest = 76;  // of a caption that is still worth reading
constexpr double widest = 120;    // of a caption below an image that is smaller than that
constexpr double mark_width = 15;
constexpr double share_width = 40;  // of " 100%"

void check(const ImageSheet& sheet) {
  if (sheet.rows <= 0 || sheet.columns <= 0 || sheet.per_row <= 0 || !(sheet.enlarge > 0)) {
    throw ValueError("[render_image_sheet] rows, columns, per_row and enlarge must be positive");
  }
  for (const SheetItem& item : sheet.items) {
    if (item.pixels.size() == static_cast<std::uint64_t>(sheet.rows * sheet.columns)) continue;
    throw ValueError("[render_image_sheet] images of " + std::to_string(sheet.rows) + " x " +
                     std::to_string(sheet.columns) + " pixels were announced, got one of " +
                     std::to_string(item.pixels.size()) + " pixels");
  }
}

bool is_correct(const SheetItem& item) { return item.predicted == item.truth; }

/// Drawn, not a character: not every font has a tick, and the colour alone must not carry the meaning.
void draw_mark(Svg& svg, Point centre, bool correct) {
  const auto [x, y] = centre;
  if (correct) {
    const std::array<Point, 3> tick{{{x - 4, y}, {x - 1, y + 3.5}, {x + 4.5, y - 4}}};
    svg.polyline(tick, {palette::good, 2});
  } else {
    svg.line({x - 3.5, y - 3.5}, {x + 3.5, y + 3.5}, {palette::bad, 2.25});
    svg.line({x - 3.5, y + 3.5}, {x + 3.5, y - 3.5}, {palette::bad, 2.25});
  }
}

std::string image_uri(const ImageSheet& sheet, const SheetItem& item) {
  std::vector<std::uint8_t> pixels(item.pixels.begin(), item.pixels.end());
  if (sheet.dark_on_light)
    for (std::uint8_t& grey : pixels) grey = static_cast<std::uint8_t>(255 - grey);
  return enlarged_uri(pixels, sheet.rows, sheet.columns, sheet.enlarge);
}

class Sheet {
 public:
  explicit Sheet(const ImageSheet& sheet) : sheet_(sheet) {
    image_width_ = static_cast<double>(sheet.columns) * sheet.enlarge;
    image_height_ = static_cast<double>(sheet.rows) * sheet.enlarge;
    // As wide as the longest caption needs, but rather cut a very long name than tear the sheet apart.
    double caption = narrowest;
    for (const SheetItem& item : sheet.items) {
      caption = std::max(caption, mark_width + text_width(item.predicted, text_size, true) + share_width);
      if (!is_correct(item)) {
        caption = std::max(caption, mark_width + text_width(sheet_.truth + " " + item.truth, text_size));
      }
    }
    const double box = image_width_ + 2 * frame;
    column_ = std::max(box, std::min(caption, std::max(1.5 * box, widest)));
    const bool all_correct = std::all_of(sheet.items.begin(), sheet.items.end(), is_correct);
    row_ = image_height_ + 2 * frame + 6 + caption_line * (all_correct ? 1 : 2);
    top_ = margin + (sheet.title.empty() ? 0 : 24) + (sheet.subtitle.empty() ? 0 : 20) + 30;
  }

  std::string draw() {
    const std::size_t across =
        std::clamp<std::size_t>(sheet_.items.size(), 1, static_cast<std::size_t>(sheet_.per_row));
    const std::size_t down = (sheet_.items.size() + across - 1) / across;
    const double grid_width = static_cast<double>(across) * (column_ + gutter) - gutter;
    // Wide enough for the key and a short title above a single image.
    const double width = std::max(grid_width, 300.0) + 2 * margin;
    const double grid_height = static_cast<double>(down) * (row_ + gutter) - gutter;
    Svg svg(width, top_ + std::max(grid_height, 0.0) + margin - 8, sheet_.title);
    heading(svg, width - 2 * margin);
    for (std::size_t i = 0; i < sheet_.items.size(); ++i) {
      const double x = margin + static_cast<double>(i % across) * (column_ + gutter);
      const double y = top_ + static_cast<double>(i / across) * (row_ + gutter);
      item(svg, sheet_.items[i], x, y);
    }
    return svg.str();
  }

 private:
  void heading(Svg& svg, double room) const {
    double y = margin;
    if (!sheet_.title.empty()) {
      svg.text({margin, y += 14}, fit_text(sheet_.title, room, 17, true), {.size = 17, .bold = true});
      y += 10;
    }
    if (!sheet_.subtitle.empty()) {
      svg.text({margin, y += 12}, fit_text(sheet_.subtitle, room, 13),
               {.size = 13, .colour = palette::muted});
      y += 8;
    }
    const auto right = std::count_if(sheet_.items.begin(), sheet_.items.end(), is_correct);
    const auto wrong = static_cast<std::int64_t>(sheet_.items.size()) - right;
    const std::string first = format_grouped(right) + " " + sheet_.correct;
    draw_mark(svg, {margin + 6, y + 10}, true);
    svg.text({margin + 18, y + 14.5}, first, {.size = 13, .colour = palette::good, .bold = true});
    const double x = margin + 18 + text_width(first, 13, true) + 18;
    draw_mark(svg, {x + 6, y + 10}, false);
    svg.text({x + 18, y + 14.5}, format_grouped(wrong) + " " + sheet_.wrong,
             {.size = 13, .colour = palette::bad, .bold = true});
  }

  void item(Svg& svg, const SheetItem& item, double x, double y) const {
    const bool correct = is_correct(item);
    const std::string_view colour = correct ? palette::good : palette::bad;
    svg.image(x + frame, y + frame, image_width_, image_height_, image_uri(sheet_, item));
    // The thin frame hugs the image, the heavy one has all the room around it.
    const double inset = correct ? frame - 1 : 0;
    svg.frame(x + inset, y + inset, image_width_ + 2 * (frame - inset), image_height_ + 2 * (frame - inset),
              {correct ? palette::axis : colour, frame - inset}, 1);
    const double baseline = y + image_height_ + 2 * frame + caption_line;
    draw_mark(svg, {x + 6, baseline - 4}, correct);
    const std::string probability =
        std::isfinite(item.probability) ? format_percent(item.probability, 0) : "–";
    const double taken = mark_width + text_width(probability, text_size) + 4;
    svg.text({x + mark_width, baseline}, fit_text(item.predicted, column_ - taken, text_size, true),
             {.size = text_size, .colour = colour, .bold = true});
    svg.text({x + column_, baseline}, probability,
             {.size = text_size, .colour = palette::muted, .anchor = Anchor::end});
    if (correct) return;
    svg.text({x + mark_width, baseline + caption_line},
             fit_text(sheet_.truth + " " + item.truth, column_ - mark_width, text_size), {.size = text_size});
  }

  const ImageSheet& sheet_;
  double image_width_ = 0, image_height_ = 0;
  double column_ = 0, row_ = 0;  // of a cell of the sheet: image, frame and caption
  double top_ = 0;
};

}  // namespace

std::string render_image_sheet(const ImageSheet& sheet) {
  check(sheet);
  return Sheet(sheet).draw();
}

}  // namespace cadena::plot
