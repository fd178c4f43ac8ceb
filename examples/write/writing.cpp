#include "examples/write/writing.hpp"

#include <algorithm>

#include "autodiff/autodiff.hpp"
#include "data/files/safetensors.hpp"

namespace cadena::examples {
namespace {

constexpr const char* characters_key = "characters";

/// What a text so far may keep in view when its context is full: half of it, so that the other half can be
/// written before the cache has to be filled again.
Tensor recent(const Tensor& codes, std::int64_t context) {
  const std::int64_t n = codes.size(1), kept = std::max<std::int64_t>(context / 2, 1);
  return n <= kept ? codes : codes.slice(1, {n - kept, n});
}

}  // namespace

std::string write_text(Gpt& gpt, const data::CharVocabulary& vocabulary, const WriteOptions& o) {
  const NoGrad no_grad;
  gpt.eval();
  Generator generator(o.seed);
  const std::string prompt = !o.prompt.empty() ? o.prompt : vocabulary.decode(zeros({1}, i64));
  Tensor codes = vocabulary.encode(prompt).unsqueeze(0), fresh = recent(codes, gpt.context());
  nn::TransformerCache cache;
  for (std::int64_t i = 0; i < o.length; ++i) {
    if (cache.length() + fresh.size(1) > gpt.context()) {
      cache = {};
      fresh = recent(codes, gpt.context());
    }
    const Tensor logits = gpt.next(fresh, cache).select(1, -1);
    fresh = random::categorical(logits / o.temperature, {.generator = &generator}).reshape({1, 1});
    codes = cat({codes, fresh}, 1);
  }
  return vocabulary.decode(codes);
}

void save_gpt(const std::filesystem::path& path, const Gpt& gpt, const data::CharVocabulary& vocabulary) {
  data::write_safetensors(path, {.tensors = gpt.state_dict(),
                                 .metadata = {{"format", "pt"}, {characters_key, vocabulary.characters()}}});
}

LoadedGpt load_gpt(const std::filesystem::path& weights) {
  const auto file = data::read_safetensors(weights);
  const auto characters = file.metadata.find(characters_key);
  const auto shape = file.tensors.find("shape");
  if (characters == file.metadata.end() || shape == file.tensors.end() || shape->second.numel() != 4)
    throw ValueError("[write] expected weights that ./run write left, got " + weights.string());
  const auto size = shape->second.to_vector<std::int64_t>();
  for (const std::int64_t n : size)
    if (n < 1 || n > 65536)
      throw ValueError("[write] expected the shape of a network, got " + shape->second.to_string() + " in " +
                       weights.string());
  data::CharVocabulary vocabulary(characters->second);
  Gpt gpt(vocabulary.size(), {.context = size[0], .dim = size[1], .heads = size[2], .layers = size[3]});
  gpt.load_state_dict(file.tensors);
  return {std::move(gpt), std::move(vocabulary)};
}

}  // namespace cadena::examples
