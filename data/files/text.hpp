// Text as numbers, character by character.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena::data {

/// A file of text in UTF-8, without its byte order mark.
/// @throws IoError if `path` cannot be read, is no regular file or larger than `max_bytes`, FormatError with
///   the first byte that is not UTF-8
std::string read_text(const std::filesystem::path& path, std::uint64_t max_bytes = std::uint64_t{1} << 30);

/// The characters (Unicode code points) of a text, numbered in their order.
class CharVocabulary {
 public:
  CharVocabulary() = default;
  /// Of all characters that `text` has. @throws FormatError if it is not UTF-8
  explicit CharVocabulary(std::string_view text);

  std::int64_t size() const { return static_cast<std::int64_t>(characters_.size()); }
  /// All characters in order: CharVocabulary(v.characters()) equals v, which is how one is saved.
  std::string characters() const;

  /// @return i64 (characters of text) @throws FormatError if it is not UTF-8, ValueError for a character that
  ///   the vocabulary lacks
  Tensor encode(std::string_view text) const;
  /// @param codes integers of any shape, in row-major order @throws DtypeError, IndexError
  std::string decode(const Tensor& codes) const;

  friend bool operator==(const CharVocabulary&, const CharVocabulary&) = default;

 private:
  std::vector<std::string> characters_;
  std::map<std::string, std::int64_t, std::less<>> codes_;
};

}  // namespace cadena::data
