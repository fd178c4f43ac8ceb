// Where boxes and arrows go: layers from left to right, few crossings, nothing on top of anything.
#pragma once

#include <cstddef>
#include <vector>

namespace cadena::detail {

struct LayoutBox {
  double width = 0, height = 0;
  bool input = false;   ///< nothing leads here: it is put right before who uses it first
  double x = 0, y = 0;  ///< result: its centre
};

struct LayoutPoint {
  double x = 0, y = 0;
};

struct LayoutArrow {
  std::size_t from = 0, to = 0;
  std::vector<LayoutPoint> points;  ///< result: pairs, each the two ends of a curve between two layers
};

struct LayoutSize {
  double width = 0, height = 0;
};

struct LayoutGaps {
  double between_layers = 56, between_boxes = 18, border = 16;
};

/// Arrows must lead from a lower index to a higher one. @return the size of the whole
LayoutSize lay_out(std::vector<LayoutBox>& boxes, std::vector<LayoutArrow>& arrows,
                   const LayoutGaps& gaps = {});

}  // namespace cadena::detail
