// The model that a network must beat: what character follows which two, counted.
#pragma once

#include "examples/write/corpus.hpp"

namespace cadena::examples {

/// Mean -log p (nats per character) of the validation text under a trigram model of the training text,
/// smoothed with bigrams, single characters and the uniform distribution as Witten and Bell do ("The
/// zero-frequency problem", IEEE Transactions on Information Theory 37 (1991) 1085, method C).
double trigram_loss(const Corpus& corpus);

}  // namespace cadena::examples
