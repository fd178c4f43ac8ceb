// Everything for getting data in: IDX files, data sets in memory, batches, drawn digits.
#pragma once

#include "data/dataset.hpp"
#include "data/drawn_digits.hpp"
#include "data/idx.hpp"
#include "data/idx_images.hpp"
#include "data/loader.hpp"
