// Pictures of a run.
#pragma once

#include <string>
#include <vector>

#include "optim/lr_find.hpp"
#include "plot/chart.hpp"
#include "train/fit.hpp"

namespace cadena::train {

/// A chart for each of `figures` over the epochs, with its "val " beside it where the history has one; for
/// plot::render_charts and plot::render_terminal_charts. Figures that the history lacks are left out.
std::vector<plot::Chart> curves(const History& history, const std::vector<std::string>& figures);

/// The same for a terminal, below a progress bar of `epochs` epochs: a panel for FitOptions. Empty where
/// there is no room.
std::vector<std::string> draw_curves(const History& history, const std::vector<std::string>& figures,
                                     std::int64_t epochs, const plot::Terminal& terminal);

/// The loss over the learning rate, with the suggested rate marked.
plot::Chart lr_chart(const optim::LrFindResult& found);

}  // namespace cadena::train
