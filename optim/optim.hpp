// Optimizers, schedulers, clipping, averages and learning rules. They depend on tensors only.
#pragma once

#include "optim/adam.hpp"
#include "optim/adaptive.hpp"
#include "optim/averaging.hpp"
#include "optim/clip.hpp"
#include "optim/compose.hpp"
#include "optim/cycles.hpp"
#include "optim/large.hpp"
#include "optim/lbfgs.hpp"
#include "optim/lr_find.hpp"
#include "optim/optimizer.hpp"
#include "optim/rules.hpp"
#include "optim/schedules.hpp"
#include "optim/sgd.hpp"
#include "optim/table.hpp"
