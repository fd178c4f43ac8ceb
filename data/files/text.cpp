#include "data/files/text.hpp"

#include <set>

#include "autodiff/error.hpp"
#include "data/files/byte_source.hpp"
#include "data/files/file.hpp"
#include "data/files/utf8.hpp"

namespace cadena::data {
namespace {

/// Calls f with each character. Sorted by its bytes, UTF-8 is sorted by code points.
template <class F>
void for_each_character(std::string_view text, const F& f) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0)
      throw FormatError("text", static_cast<std::int64_t>(at), "character",
                        "expected UTF-8, got other bytes");
    f(text.substr(at, length));
    at += length;
  }
}

}  // namespace

std::string read_text(const std::filesystem::path& path, std::uint64_t max_bytes) {
  return naming(path, [&] {
    const auto bytes = read_file(path, max_bytes);
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (const auto fault = utf8_fault(text); fault != text.size())
      throw FormatError("text", static_cast<std::int64_t>(fault), "character",
                        "expected UTF-8, got other bytes");
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    return std::string(text);
  });
}

CharVocabulary::CharVocabulary(std::string_view text) {
  std::set<std::string, std::less<>> seen;
  for_each_character(text, [&](std::string_view c) {
    if (seen.find(c) == seen.end()) seen.emplace(c);
  });
  for (const std::string& c : seen) {
    codes_.emplace(c, size());
    characters_.push_back(c);
  }
}

std::string CharVocabulary::characters() const {
  std::string all;
  for (const std::string& c : characters_) all += c;
  return all;
}

Tensor CharVocabulary::encode(std::string_view text) const {
  std::vector<std::int64_t> codes;
  for_each_character(text, [&](std::string_view c) {
    const auto found = codes_.find(c);
    if (found == codes_.end())
      throw ValueError("[CharVocabulary::encode] expected characters of the vocabulary, got '" +
                       std::string(c) + "'");
    codes.push_back(found->second);
  });
  return tensor(codes);
}

std::string CharVocabulary::decode(const Tensor& codes) const {
  if (is_floating(codes.dtype()))
    throw DtypeError("[CharVocabulary::decode] expected integers, got " + std::string(name(codes.dtype())));
  std::string text;
  for (const auto code : codes.to_vector<std::int64_t>()) {
    if (code < 0 || code >= size())
      throw IndexError("[CharVocabulary::decode] expected codes in [0, " + std::to_string(size()) +
                       "), got " + std::to_string(code));
    text += characters_[static_cast<std::size_t>(code)];
  }
  return text;
}

}  // namespace cadena::data
