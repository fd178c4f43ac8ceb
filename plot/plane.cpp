#include "plot/plane.hpp"

#include <algorithm>

#include "autodiff/error.hpp"
#include "plot/contour.hpp"
#include "plot/format.hpp"

namespace cadena::plot {
namespace {

using namespace panel;

class Drawing {
 public:
  Drawing(const Plane& plane, Svg& svg, double left, double top)
      : plane_(plane), svg_(svg), left_(left), y_(top + margin), bottom_(top + plane.height) {}

  void draw() {
    y_ = draw_heading(svg_, left_, y_, plane_.width, plane_.title, plane_.subtitle);
    y_ = draw_legend(svg_, left_, y_, plane_.width, legend());
    axes();
    std::vector<ScalarField> values;
    for (const PlaneField& field : plane_.fields)
      values.emplace_back(plane_.low, plane_.high, field.resolution, field.resolution, field.f);
    for (std::size_t i = 0; i < values.size(); ++i) shade(plane_.fields[i], values[i]);
    marks();
    for (std::size_t i = 0; i < values.size(); ++i) lines(plane_.fields[i], values[i]);
    for (const PlanePath& path : plane_.paths) draw(path);
    for (const PlanePoints& points : plane_.points)
      for (const Point& at : points.at) draw_mark(svg_, page(at), points.mark, points.size);
  }

 private:
  std::vector<LegendItem> legend() const {
    std::vector<LegendItem> items;
    for (const PlanePoints& points : plane_.points) items.push_back({points.name, points.mark});
    for (const PlanePath& path : plane_.paths) items.push_back({path.name, path.mark});
    for (const PlaneField& field : plane_.fields) {
      items.push_back({field.line_name, field.line});
      items.push_back({field.shade_name, {.kind = Mark::Kind::square, .colour = field.shade}});
    }
    std::erase_if(items, [](const LegendItem& item) { return item.name.empty(); });
    return items;
  }

  void axes() {
    const TickStyle style{.target = 5, .outward = false};
    x_ = {.ticks = linear_ticks(plane_.low.x, plane_.high.x, style)};
    y_axis_ = {.ticks = linear_ticks(plane_.low.y, plane_.high.y, style)};
    double widest = 0;
    for (const std::string& label : y_axis_.ticks.labels)
      widest = std::max(widest, text_width(label, tick_size));
    x_.from = left_ + margin + widest + 8;
    x_.to = left_ + plane_.width - margin;
    y_ += 16 + (plane_.y_label.empty() ? 0 : line_height);
    y_axis_.to = y_;
    y_axis_.from = bottom_ - margin - 20 - (plane_.x_label.empty() ? 0 : line_height + 2);
    if (x_.to - x_.from < 40 || y_axis_.from - y_axis_.to < 40)
      throw ValueError("[render_plane] no room for a plot in " + format_fixed(plane_.width, 0) + " x " +
                       format_fixed(plane_.height, 0) + " pixels");
  }

  Point page(const Point& at) const { return {x_(at.x), y_axis_(at.y)}; }

  std::vector<Point> page(const std::vector<Point>& points) const {
    std::vector<Point> pixels;
    for (const Point& at : points) pixels.push_back(page(at));
    return pixels;
  }

  void shade(const PlaneField& field, const ScalarField& values) {
    if (!field.shade_above) return;
    std::vector<std::vector<Point>> area;
    for (const auto& polygon : area_above(values, *field.shade_above)) area.push_back(page(polygon));
    svg_.area(area, field.shade);
  }

  void marks() {
    if (!plane_.y_label.empty())
      svg_.text({left_ + margin, y_axis_.to - 15},
                fit_text(plane_.y_label, plane_.width - 2 * margin, tick_size),
                {.size = tick_size, .colour = palette::muted});
    draw_y_axis(svg_, x_, y_axis_);
    draw_x_axis(svg_, x_, y_axis_, plane_.x_label, plane_.width - 2 * margin);
  }

  void lines(const PlaneField& field, const ScalarField& values) {
    for (const double level : field.levels)
      for (const auto& line : contour_lines(values, level))
        svg_.polyline(page(line), {field.line.colour, field.line_width, field.line.dashes});
  }

  void draw(const PlanePath& path) {
    const auto points = page(path.at);
    if (points.size() > 1) svg_.polyline(points, {path.mark.colour, path.width, path.mark.dashes});
    if (path.dots > 0)
      for (const Point& at : points) svg_.circle(at, path.dots, path.mark.colour);
  }

  const Plane& plane_;
  Svg& svg_;
  double left_;
  double y_;  // the page is filled down to here
  double bottom_;
  Axis x_, y_axis_;
};

void check(const Plane& plane) {
  if (!(plane.width >= 240 && plane.height >= 240))
    throw ValueError("[render_plane] at least 240 x 240 pixels are needed, got " +
                     format_fixed(plane.width, 0) + " x " + format_fixed(plane.height, 0));
  if (!(plane.low.x < plane.high.x && plane.low.y < plane.high.y))
    throw ValueError("[render_plane] expected low below high in both directions");
}

}  // namespace

std::string render_plane(const Plane& plane) { return render_planes({&plane, 1}); }

std::string render_planes(std::span<const Plane> planes, std::size_t per_row) {
  if (per_row == 0) throw ValueError("[render_planes] expected at least one plane in a row, got 0");
  double width = 240, height = 0;
  std::string title;
  std::vector<Point> corners;
  for (std::size_t first = 0; first < planes.size(); first += per_row) {
    double x = 0, tallest = 0;
    for (const Plane& plane : planes.subspan(first, std::min(per_row, planes.size() - first))) {
      check(plane);
      corners.push_back({x, height});
      x += plane.width;
      tallest = std::max(tallest, plane.height);
      title += (title.empty() ? "" : ", ") + plane.title;
    }
    width = std::max(width, x);
    height += tallest;
  }
  Svg svg(width, std::max(height, 240.0), title);
  for (std::size_t i = 0; i < planes.size(); ++i) Drawing(planes[i], svg, corners[i].x, corners[i].y).draw();
  return svg.str();
}

}  // namespace cadena::plot
