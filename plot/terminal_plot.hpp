#pragma once

#include <span>
#include <string>
#include <vector>

#include "plot/chart.hpp"
#include "plot/terminal.hpp"

namespace cadena::plot {

/// The chart in characters, `rows` (at least 3) of them high between title and x axis, and at most
/// `terminal.width - 1` columns wide: braille dots, 2 x 4 in a character, or one mark of ASCII for each
/// series where the terminal has no Unicode. Series are told apart by colour, else by dashes. Each name
/// stands above with its last value. Where a chart has no room, a line with the last values is all there is.
/// The chart's sizes in pixels are not used. Throws cadena::ValueError if a series' x and y differ in length.
std::vector<std::string> render_terminal_chart(const Chart& chart, const Terminal& terminal, int rows = 10);

/// Side by side, as many as find room for at least 36 columns each; the others below them.
std::vector<std::string> render_terminal_charts(std::span<const Chart> charts, const Terminal& terminal,
                                                int rows = 10);

}  // namespace cadena::plot
