// Optimizers and learning rules. They depend on tensors only.
#pragma once

#include "optim/adam.hpp"
#include "optim/optimizer.hpp"
#include "optim/rules.hpp"
#include "optim/sgd.hpp"
