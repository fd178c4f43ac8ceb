// The states of optimizers, schedulers and loaders as sections of a checkpoint.
#pragma once

#include "data/files/checkpoint.hpp"
#include "data/loader.hpp"
#include "optim/optimizer.hpp"
#include "optim/scheduler.hpp"

namespace cadena::train {

/// Slots become tensors "0/fc1.weight/exp_avg" (the group's number, the parameter, the slot), everything else
/// values.
data::CheckpointSection pack(const optim::OptimizerState& state);
/// @throws ValueError for a section that `pack` did not make
optim::OptimizerState unpack_optimizer(const data::CheckpointSection& section);

/// Values "last_epoch/0", those of schedulers within schedulers "schedulers/0/last_epoch/0".
data::CheckpointSection pack(const optim::SchedulerState& state);
/// @throws ValueError for a section that `pack` did not make
optim::SchedulerState unpack_scheduler(const data::CheckpointSection& section);

/// Values "epoch" and "position".
data::CheckpointSection pack(const data::LoaderState& state);
/// @throws ValueError for a section that `pack` did not make
data::LoaderState unpack_loader(const data::CheckpointSection& section);

}  // namespace cadena::train
