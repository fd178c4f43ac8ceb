// All optimizers by name: for `--optimizer NAME`, and for whatever is to be done with every one of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "optim/optimizer.hpp"

namespace cadena::optim {

/// "SGD", "Adam", ...: every optimizer of this library.
const std::vector<std::string>& optimizer_names();

/// @param options by the names that state_dict gives them; what is left out has its default
/// @throws ValueError for an unknown optimizer or option and for values out of their ranges, and what the
/// constructor throws
std::unique_ptr<Optimizer> make_optimizer(const std::string& name, Params params,
                                          const OptionValues& options = {});

}  // namespace cadena::optim
