// The text that write learns from.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/dataset.hpp"
#include "data/files/text.hpp"
#include "examples/write/options.hpp"

namespace cadena::examples {

/// Stretches of `context` characters, and what follows each character: x, y i64 (n, context).
class Stretches {
 public:
  /// Stretch i begins at i * step. @param codes i64, longer than `context`
  Stretches(const Tensor& codes, std::int64_t context, std::int64_t step);

  std::int64_t size() const { return (codes_.numel() - context_ - 1) / step_ + 1; }
  data::Batch batch(std::span<const std::int64_t> indices) const;

 private:
  Tensor codes_;
  std::int64_t context_, step_;
};

struct Corpus {
  std::string origin;
  data::CharVocabulary vocabulary;
  Tensor train = {}, validation = {};  ///< i64: the first nine tenths of the text, and the last
  Tensor fingerprint = {};             ///< i64 (1), of the whole text
};

/// @throws IoError, FormatError for a text that cannot be read, ValueError for one that is too short
Corpus load_corpus(const WriteOptions& o);

}  // namespace cadena::examples
