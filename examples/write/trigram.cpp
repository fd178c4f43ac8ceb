#include "examples/write/trigram.hpp"

#include <cmath>
#include <map>
#include <vector>

namespace cadena::examples {
namespace {

using Codes = std::vector<std::int64_t>;

/// What followed a context.
struct Followers {
  std::map<std::int64_t, std::int64_t> counts;
  std::int64_t total = 0;

  void add(std::int64_t code) {
    ++counts[code];
    ++total;
  }
  /// (count + kinds * shorter) / (total + kinds): a new kind is as likely as it was so far.
  double probability(std::int64_t code, double shorter) const {
    const auto kinds = static_cast<double>(counts.size());
    const auto found = counts.find(code);
    const double count = found == counts.end() ? 0 : static_cast<double>(found->second);
    return total == 0 ? shorter : (count + kinds * shorter) / (static_cast<double>(total) + kinds);
  }
};

/// Contexts of two characters, of one, and of none, as one number each.
class Trigram {
 public:
  Trigram(const Codes& text, std::int64_t vocabulary) : vocabulary_(vocabulary), by_length_(3) {
    for (std::size_t i = 2; i < text.size(); ++i)
      for (std::size_t length = 0; length <= 2; ++length)
        by_length_[length][context(text, i, length)].add(text[i]);
  }

  double probability(const Codes& text, std::size_t i) const {
    double p = 1 / static_cast<double>(vocabulary_);
    for (std::size_t length = 0; length <= 2; ++length) {
      const auto& followers = by_length_[length];
      const auto found = followers.find(context(text, i, length));
      if (found != followers.end()) p = found->second.probability(text[i], p);
    }
    return p;
  }

 private:
  std::int64_t context(const Codes& text, std::size_t i, std::size_t length) const {
    std::int64_t key = 0;
    for (std::size_t k = 0; k < length; ++k) key = key * vocabulary_ + text[i - 1 - k];
    return key;
  }

  std::int64_t vocabulary_;
  std::vector<std::map<std::int64_t, Followers>> by_length_;
};

}  // namespace

double trigram_loss(const Corpus& corpus) {
  const Trigram model(corpus.train.to_vector<std::int64_t>(), corpus.vocabulary.size());
  const Codes text = corpus.validation.to_vector<std::int64_t>();
  double sum = 0;
  for (std::size_t i = 2; i < text.size(); ++i) sum -= std::log(model.probability(text, i));
  return sum / static_cast<double>(text.size() - 2);
}

}  // namespace cadena::examples
