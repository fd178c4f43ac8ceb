// Everything for getting data in and out: files, data sets in memory, batches, drawn digits.
#pragma once

#include "data/dataset.hpp"
#include "data/drawn_digits.hpp"
#include "data/files/checkpoint.hpp"
#include "data/files/csv.hpp"
#include "data/files/file.hpp"
#include "data/files/idx.hpp"
#include "data/files/idx_images.hpp"
#include "data/files/image.hpp"
#include "data/files/npy.hpp"
#include "data/files/png.hpp"
#include "data/files/safetensors.hpp"
#include "data/files/text.hpp"
#include "data/files/torch_file.hpp"
#include "data/loader.hpp"
