// What write prints and leaves behind.
#pragma once

#include <string>
#include <vector>

#include "examples/support/left_files.hpp"
#include "examples/write/corpus.hpp"
#include "examples/write/model.hpp"
#include "plot/table.hpp"
#include "train/fit.hpp"

namespace cadena::examples {

plot::Table describe(const Corpus& corpus, const Gpt& gpt, const WriteOptions& o);
void print_result(const Corpus& corpus, const train::FitResult& result, double trigram);
/// Curves, the sample and the weights.
std::vector<LeftFile> leave_files(const Corpus& corpus, const Gpt& gpt, const WriteOptions& o,
                                  const train::FitResult& result, const std::string& sample);

}  // namespace cadena::examples
