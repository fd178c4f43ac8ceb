#include "examples/write/corpus.hpp"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cadena::examples {
namespace {

constexpr const char* licences = "/usr/share/common-licenses";

/// All texts of the folder, in the order of their names; links would repeat them.
std::string read_licences() {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;  // then there are none
  for (const auto& entry : std::filesystem::directory_iterator(licences, ignored))
    if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::string text;
  for (const auto& file : files) text += data::read_text(file);
  if (text.empty())
    throw ValueError("[write] expected a FILE, as there are no texts in " + std::string(licences));
  return text;
}

}  // namespace

Stretches::Stretches(const Tensor& codes, std::int64_t context, std::int64_t step)
    : codes_(codes), context_(context), step_(step) {}

data::Batch Stretches::batch(std::span<const std::int64_t> indices) const {
  std::vector<Tensor> x, y;
  for (const std::int64_t i : indices) {
    const std::int64_t begin = i * step_;
    x.push_back(codes_.slice(0, {begin, begin + context_}));
    y.push_back(codes_.slice(0, {begin + 1, begin + 1 + context_}));
  }
  return {stack(x), stack(y)};
}

Corpus load_corpus(const WriteOptions& o) {
  const std::string text = o.text.empty() ? read_licences() : data::read_text(o.text);
  Corpus corpus{.origin = o.text.empty() ? "licences in " + std::string(licences) : o.text.string(),
                .vocabulary = data::CharVocabulary(text)};
  const Tensor codes = corpus.vocabulary.encode(text);
  const std::int64_t n = codes.numel(), first = n - n / 10;
  if (n / 10 <= o.shape.context + 1)
    throw ValueError("[write] expected a text of more than " + std::to_string(10 * (o.shape.context + 2)) +
                     " characters for a context of " + std::to_string(o.shape.context) + ", got " +
                     std::to_string(n) + " in " + corpus.origin);
  corpus.train = codes.slice(0, {0, first});
  corpus.validation = codes.slice(0, {first, n});
  corpus.fingerprint = full(
      {1}, static_cast<std::int64_t>(crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size())),
      i64);
  return corpus;
}

}  // namespace cadena::examples
