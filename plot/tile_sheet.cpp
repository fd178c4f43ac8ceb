#include "plot/tile_sheet.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "autodiff/error.hpp"
#include "plot/format.hpp"
#include "plot/panel.hpp"
#include "plot/pixels.hpp"
#include "plot/svg.hpp"

namespace cadena::plot {
namespace {

constexpr double gap = 4;
constexpr double key_width = 120, key_height = 10;
constexpr double least_width = 300;  // for a short title above a single tile
constexpr Rgb white{1, 1, 1};
constexpr Rgb negative{0, 0x72 / 255.0, 0xb2 / 255.0};  // palette::good
constexpr Rgb positive{0xd5 / 255.0, 0x5e / 255.0, 0};  // palette::bad

void check(const TileSheet& sheet) {
  if (sheet.rows <= 0 || sheet.columns <= 0 || sheet.per_row <= 0 || !(sheet.enlarge > 0))
    throw ValueError("[render_tile_sheet] rows, columns, per_row and enlarge must be positive");
  if (sheet.values.size() % static_cast<std::uint64_t>(sheet.rows * sheet.columns) != 0)
    throw ValueError("[render_tile_sheet] expected whole tiles of " + std::to_string(sheet.rows) + " x " +
                     std::to_string(sheet.columns) + " values, got " + std::to_string(sheet.values.size()) +
                     " values");
  for (const double value : sheet.values)
    if (!std::isfinite(value))
      throw ValueError("[render_tile_sheet] expected finite values, got " + format_number(value));
}

std::uint8_t byte(double share) {
  return static_cast<std::uint8_t>(std::lround(255 * std::clamp(share, 0.0, 1.0)));
}

class Tiles {
 public:
  explicit Tiles(const TileSheet& sheet)
      : sheet_(sheet),
        tile_width_(static_cast<double>(sheet.columns) * sheet.enlarge),
        tile_height_(static_cast<double>(sheet.rows) * sheet.enlarge) {
    for (const double value : sheet.values) largest_ = std::max(largest_, std::abs(value));
    for (const std::string& name : sheet.row_names)
      left_ = std::max(left_, panel::margin + text_width(name, panel::text_size) + 2 * gap);
  }

  std::string draw() {
    const auto size = static_cast<std::size_t>(sheet_.rows * sheet_.columns);
    const std::size_t count = sheet_.values.size() / size;
    const auto across = std::clamp<std::size_t>(count, 1, static_cast<std::size_t>(sheet_.per_row));
    const std::size_t down = (count + across - 1) / across;
    const double width = std::max(
        left_ + static_cast<double>(across) * (tile_width_ + gap) - gap + panel::margin, least_width);
    const double top = panel::margin + (sheet_.title.empty() ? 0 : 26) + (sheet_.subtitle.empty() ? 0 : 20);
    const double bottom = top + static_cast<double>(down) * (tile_height_ + gap);
    const bool keyed = sheet_.tone == Tone::by_sign;
    Svg svg(width, bottom + (keyed ? 30 : 0) + panel::margin - gap, sheet_.title);
    draw_heading(svg, 0, panel::margin, width, sheet_.title, sheet_.subtitle);
    for (std::size_t i = 0; i < count; ++i) {
      const double x = left_ + static_cast<double>(i % across) * (tile_width_ + gap);
      const double y = top + static_cast<double>(i / across) * (tile_height_ + gap);
      if (i % across == 0) name_row(svg, i / across, y);
      svg.image(
          x, y, tile_width_, tile_height_,
          uri(std::span(sheet_.values).subspan(i * size, size), sheet_.rows, sheet_.columns, sheet_.enlarge));
    }
    if (keyed) key(svg, bottom + 14);
    return svg.str();
  }

 private:
  void name_row(Svg& svg, std::size_t row, double y) const {
    if (sheet_.row_names.empty()) return;
    svg.text({left_ - 2 * gap, y + tile_height_ / 2 + 4.5}, sheet_.row_names[row % sheet_.row_names.size()],
             {.size = panel::text_size, .anchor = Anchor::end});
  }

  void key(Svg& svg, double y) const {
    std::vector<double> ramp;
    for (int i = -32; i <= 32; ++i) ramp.push_back(largest_ * i / 32);
    const std::string low = format_number(-largest_), high = format_number(largest_);
    const double x = panel::margin + text_width(low, panel::tick_size) + 2 * gap;
    const double baseline = y + key_height - 1;
    svg.text({panel::margin, baseline}, low, {.size = panel::tick_size});
    svg.image(x, y, key_width, key_height, uri(ramp, 1, static_cast<std::int64_t>(ramp.size()), 1));
    svg.text({x + key_width + 2 * gap, baseline}, high, {.size = panel::tick_size});
  }

  std::string uri(std::span<const double> values, std::int64_t rows, std::int64_t columns,
                  double enlarge) const {
    std::vector<std::uint8_t> pixels;
    if (sheet_.tone != Tone::by_sign) {
      const bool dark = sheet_.tone == Tone::dark_on_light;
      for (const double value : values) pixels.push_back(byte(dark ? 1 - value : value));
      return enlarged_uri(pixels, rows, columns, enlarge);
    }
    for (const double value : values) {
      const Rgb colour =
          mix(white, value < 0 ? negative : positive, largest_ > 0 ? std::abs(value) / largest_ : 0);
      for (const double channel : {colour.red, colour.green, colour.blue}) pixels.push_back(byte(channel));
    }
    return enlarged_uri(pixels, rows, columns, enlarge, data::PngColour::rgb);
  }

  const TileSheet& sheet_;
  double tile_width_, tile_height_;
  double left_ = panel::margin;  // where the tiles begin
  double largest_ = 0;
};

}  // namespace

std::string render_tile_sheet(const TileSheet& sheet) {
  check(sheet);
  return Tiles(sheet).draw();
}

}  // namespace cadena::plot
