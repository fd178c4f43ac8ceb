// Everything for getting data in and out: files, data sets, batches, transforms, and toy data that need no
// file.
#pragma once

#include "data/compose.hpp"
#include "data/dataset.hpp"
#include "data/drawn_digits.hpp"
#include "data/files/checkpoint.hpp"
#include "data/files/csv.hpp"
#include "data/files/file.hpp"
#include "data/files/idx.hpp"
#include "data/files/idx_images.hpp"
#include "data/files/image.hpp"
#include "data/files/image_folder.hpp"
#include "data/files/npy.hpp"
#include "data/files/png.hpp"
#include "data/files/safetensors.hpp"
#include "data/files/text.hpp"
#include "data/files/torch_file.hpp"
#include "data/files/training_state.hpp"
#include "data/loader.hpp"
#include "data/sampler.hpp"
#include "data/toy.hpp"
#include "data/transforms.hpp"
