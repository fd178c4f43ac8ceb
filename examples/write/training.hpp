// Training a GPT.
#pragma once

#include "examples/write/corpus.hpp"
#include "examples/write/model.hpp"
#include "train/fit.hpp"

namespace cadena::examples {

/// Stretches from anywhere in the training text; an epoch has as many characters as the text. The weights
/// that are best on the validation text are kept. @throws ValueError as train::fit
train::FitResult train_gpt(Gpt& gpt, const Corpus& corpus, const WriteOptions& o);

}  // namespace cadena::examples
