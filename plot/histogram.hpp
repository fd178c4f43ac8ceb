// How values are distributed.
#pragma once

#include <string>
#include <vector>

#include "plot/panel.hpp"

namespace cadena::plot {

struct HistogramSeries {
  std::string name = {};
  std::vector<double> values = {};  ///< those that are not finite are left out
};

struct Histogram {
  std::string title = {};
  std::string subtitle = {};
  std::string x_label = {};
  std::vector<HistogramSeries> series = {};  ///< one is drawn as bars, several as outlines
  int bins = 40;        ///< of equal width, from the smallest to the largest value of all
  bool share = false;   ///< of each series in its bins, in percent, instead of counts
  double width = 640;   ///< pixels; at least 240
  double height = 360;  ///< pixels; at least 200
};

/// The bins' borders (bins + 1 of them) and for each series what is in them; the last bin holds its upper
/// border, too.
struct Bins {
  std::vector<double> borders = {};
  std::vector<std::vector<double>> counts = {};
};
/// @throws ValueError unless bins > 0
Bins count_bins(const Histogram& histogram);

/// The picture as an SVG document. @throws ValueError for no bins, or a picture too small to hold anything
std::string render_histogram(const Histogram& histogram);

}  // namespace cadena::plot
