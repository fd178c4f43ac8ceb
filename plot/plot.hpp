// Pictures without dependencies: SVG documents, and charts in the terminal.
#pragma once

#include "plot/chart.hpp"
#include "plot/confusion.hpp"
#include "plot/decision.hpp"
#include "plot/histogram.hpp"
#include "plot/image_sheet.hpp"
#include "plot/live_plot.hpp"
#include "plot/network.hpp"
#include "plot/plane.hpp"
#include "plot/terminal_plot.hpp"
