// Letting a GPT write.
#pragma once

#include <filesystem>
#include <string>

#include "data/files/text.hpp"
#include "examples/write/model.hpp"

namespace cadena::examples {

/// The prompt (a line break if there is none) and `length` characters behind it, drawn one by one with
/// probabilities softmax(logits / temperature). Same seed, same text. @throws ValueError for a prompt with
/// characters that the text did not have
std::string write_text(Gpt& gpt, const data::CharVocabulary& vocabulary, const WriteOptions& o);

struct LoadedGpt {
  Gpt gpt;
  data::CharVocabulary vocabulary;
};
/// From the weights that a run left. @throws IoError, FormatError, ValueError for other files
LoadedGpt load_gpt(const std::filesystem::path& weights);
/// Weights and characters in one file. @throws WriteError
void save_gpt(const std::filesystem::path& path, const Gpt& gpt, const data::CharVocabulary& vocabulary);

}  // namespace cadena::examples
