// What a training run needs around its loop.
#pragma once

#include "train/curves.hpp"
#include "train/fit.hpp"
#include "train/interrupt.hpp"
#include "train/log.hpp"
#include "train/metrics.hpp"
#include "train/progress.hpp"
