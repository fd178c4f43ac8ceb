// Layers, containers, losses and initialisers.
#pragma once

#include "nn/activation.hpp"
#include "nn/classic.hpp"
#include "nn/conv.hpp"
#include "nn/distance.hpp"
#include "nn/dropout.hpp"
#include "nn/init.hpp"
#include "nn/linear.hpp"
#include "nn/loss.hpp"
#include "nn/module.hpp"
#include "nn/normalization.hpp"
#include "nn/padding.hpp"
#include "nn/parameter.hpp"
#include "nn/pooling.hpp"
#include "nn/recurrent.hpp"
#include "nn/sequential.hpp"
#include "nn/vision.hpp"
