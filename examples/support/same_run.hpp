// Whether a checkpoint belongs to the run that wants to go on from it.
#pragma once

#include <filesystem>

#include "nn/module.hpp"

namespace cadena::examples {

/// What follows from the data alone (means, the split) must stand in the checkpoint's model as it is now:
/// else rows that it was trained on would be taken for new ones.
/// @param expected buffers of the net by name @throws ValueError if one differs; what data::load_checkpoint
/// throws
void check_same_data(const std::filesystem::path& checkpoint, const nn::StateDict& expected);

}  // namespace cadena::examples
