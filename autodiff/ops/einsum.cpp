// einsum: reads the equation, takes diagonals, and contracts two operands at a time, each pair as one matmul.
#include "autodiff/ops/einsum.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/diagonal.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {
namespace {

// Labels are numbers: A-Z, a-z, then the axes behind "...", counted from the last.
constexpr int letters = 52, labels = letters + max_rank;
constexpr int dots = -1;  // "..." before it is known how many axes it stands for

using Labels = std::vector<int>;
using LabelSet = std::uint64_t;

LabelSet bit(int label) { return LabelSet{1} << label; }
LabelSet set_of(const Labels& list) {
  LabelSet set = 0;
  for (int label : list) set |= bit(label);
  return set;
}
bool contains(LabelSet set, int label) { return (set & bit(label)) != 0; }

int label_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return 26 + c - 'a';
  return labels;
}
std::string text_of(int label) {
  if (label >= letters) return "an axis of \"...\"";
  return std::string("'") + static_cast<char>(label < 26 ? 'A' + label : 'a' + label - 26) + "'";
}

struct Term {
  Labels axes;
  Tensor value;
};

class Equation {
 public:
  Equation(std::string_view text, const TensorList& operands) : text_(text), operands_(operands) {
    read();
    fill_dots();
    measure();
    finish_output();
  }

  /// The operands, each label at most once, without the extents of 1 that broadcast against another operand.
  std::vector<Term> terms() const {
    std::vector<Term> list;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      Term term{inputs_[i], operands_[i]};
      take_diagonals(term);
      drop_broadcast(term);
      list.push_back(std::move(term));
    }
    return list;
  }
  const Labels& output() const { return output_; }
  const std::array<std::int64_t, labels>& extents() const { return extents_; }

  [[noreturn]] void fail(const std::string& what) const {
    throw ValueError("[einsum] expected " + what + " in \"" + text_ + "\"");
  }

 private:
  [[noreturn]] void fail_shape(const std::string& expected, std::size_t operand) const {
    throw ShapeError("[einsum] expected " + expected + ", got " + to_string(operands_[operand].shape()) +
                     " for operand " + std::to_string(operand) + " of \"" + text_ + "\"");
  }

  void read() {
    std::string plain;
    for (char c : text_)
      if (c != ' ') plain += c;
    const auto arrow = plain.find("->");
    explicit_output_ = arrow != std::string::npos;
    const std::string left = plain.substr(0, arrow);
    for (std::size_t start = 0; start <= left.size();) {
      const auto end = std::min(left.find(',', start), left.size());
      inputs_.push_back(read_subscripts(left.substr(start, end - start)));
      start = end + 1;
    }
    if (explicit_output_) output_ = read_subscripts(plain.substr(arrow + 2));
    if (inputs_.size() != operands_.size())
      fail("as many operands as subscripts (" + std::to_string(inputs_.size()) + "), got " +
           std::to_string(operands_.size()));
  }

  Labels read_subscripts(const std::string& part) const {
    Labels list;
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (part.compare(i, 3, "...") == 0 && std::find(list.begin(), list.end(), dots) == list.end()) {
        list.push_back(dots);
        i += 2;
      } else if (label_of(part[i]) < labels) {
        list.push_back(label_of(part[i]));
      } else {
        fail(std::string("letters, ',', one \"...\" an operand and \"->\", got '") + part[i] + "'");
      }
    }
    return list;
  }

  /// Replaces "..." by labels, as many as the operand has axes left.
  void fill_dots() {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      Labels& list = inputs_[i];
      const auto at = std::find(list.begin(), list.end(), dots);
      const int named = static_cast<int>(list.size()) - (at != list.end()), rank = operands_[i].dim();
      if (at == list.end() ? named != rank : named > rank)
        fail_shape((at == list.end() ? "" : "at least ") + std::to_string(named) + " dimensions", i);
      if (at == list.end()) continue;
      const int extra = rank - named;
      dotted_ = std::max(dotted_, extra);
      const auto place = list.erase(at);
      Labels axes;
      for (int k = extra; k > 0; --k) axes.push_back(letters + k - 1);
      list.insert(place, axes.begin(), axes.end());
    }
  }

  /// The extent of every label. An extent of 1 gives way to another; within one operand they must be equal.
  void measure() {
    extents_.fill(-1);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      std::array<std::int64_t, labels> own;
      own.fill(-1);
      for (std::size_t k = 0; k < inputs_[i].size(); ++k) {
        const auto label = static_cast<std::size_t>(inputs_[i][k]);
        const std::int64_t extent = operands_[i].shape()[static_cast<int>(k)];
        std::int64_t& known = extents_[label];
        if ((own[label] >= 0 && own[label] != extent) || (known > 1 && extent != 1 && extent != known) ||
            (known == 0 && extent > 1))
          fail_shape("an extent of " + std::to_string(own[label] >= 0 ? own[label] : known) + " for " +
                         text_of(inputs_[i][k]),
                     i);
        own[label] = extent;
        if (known < 0 || known == 1) known = extent;
      }
    }
  }

  void finish_output() {
    if (!explicit_output_) {
      output_.push_back(dots);
      for (int label = 0; label < letters; ++label) {
        std::ptrdiff_t count = 0;
        for (const auto& list : inputs_) count += std::count(list.begin(), list.end(), label);
        if (count == 1) output_.push_back(label);
      }
    }
    if (const auto at = std::find(output_.begin(), output_.end(), dots); at != output_.end()) {
      const auto place = output_.erase(at);
      Labels axes;
      for (int k = dotted_; k > 0; --k) axes.push_back(letters + k - 1);
      output_.insert(place, axes.begin(), axes.end());
    }
    LabelSet seen = 0;
    for (int label : output_) {
      if (extents_[static_cast<std::size_t>(label)] < 0)
        fail("output axes that some operand has, got " + text_of(label));
      if (contains(seen, label)) fail("every output axis once, got " + text_of(label) + " twice");
      seen |= bit(label);
    }
    if (output_.size() > static_cast<std::size_t>(max_rank)) fail("at most 8 output axes");
  }

  static void take_diagonals(Term& term) {
    for (std::size_t i = 0; i < term.axes.size(); ++i) {
      const auto from = term.axes.begin() + static_cast<std::ptrdiff_t>(i);
      const auto at = std::find(from + 1, term.axes.end(), *from);
      if (at == term.axes.end()) continue;
      const int label = *from;
      term.value = diagonal(term.value, 0, static_cast<int>(i), static_cast<int>(at - term.axes.begin()));
      term.axes.erase(at), term.axes.erase(from);
      term.axes.push_back(label);
      i = static_cast<std::size_t>(-1);  // the axes have moved: start again
    }
  }

  void drop_broadcast(Term& term) const {
    Labels axes;
    Shape shape;
    for (std::size_t k = 0; k < term.axes.size(); ++k) {
      const std::int64_t extent = term.value.size(static_cast<int>(k));
      if (extent != extents_[static_cast<std::size_t>(term.axes[k])]) continue;
      axes.push_back(term.axes[k]);
      shape.push_back(extent);
    }
    if (axes.size() != term.axes.size()) term = {axes, reshape(term.value, shape)};
  }

  std::string text_;
  const TensorList& operands_;
  std::vector<Labels> inputs_;
  Labels output_;
  bool explicit_output_ = false;
  int dotted_ = 0;  // most axes that a "..." stands for
  std::array<std::int64_t, labels> extents_{};
};

/// In which order to contract: pairs of positions in a list where the result takes the place of the first
/// and the second is taken out.
class Path {
 public:
  using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

  Path(const std::array<std::int64_t, labels>& extents, LabelSet output)
      : extents_(extents), output_(output) {}

  Pairs find(std::vector<LabelSet> terms) {
    if (terms.size() > 5) return greedy(std::move(terms));
    best_cost_ = std::numeric_limits<double>::infinity();
    best_.clear();
    search(terms, 0);
    return best_;
  }

 private:
  /// What a pair leaves: labels of the output or of another term.
  LabelSet result(const std::vector<LabelSet>& terms, std::size_t i, std::size_t j) const {
    LabelSet others = output_;
    for (std::size_t k = 0; k < terms.size(); ++k)
      if (k != i && k != j) others |= terms[k];
    return (terms[i] | terms[j]) & others;
  }
  /// Multiplications; infinite if the result would have more axes than a tensor may.
  double cost(const std::vector<LabelSet>& terms, std::size_t i, std::size_t j) const {
    if (std::popcount(result(terms, i, j)) > max_rank) return std::numeric_limits<double>::infinity();
    double product = 1;
    for (int label = 0; label < labels; ++label)
      if (contains(terms[i] | terms[j], label))
        product *= static_cast<double>(extents_[static_cast<std::size_t>(label)]);
    return product;
  }
  void contract(std::vector<LabelSet>& terms, std::size_t i, std::size_t j) const {
    terms[i] = result(terms, i, j);
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(j));
  }

  void search(const std::vector<LabelSet>& terms, double spent) {
    if (terms.size() < 2) {
      if (spent < best_cost_) best_cost_ = spent, best_ = now_;
      return;
    }
    for (std::size_t i = 0; i < terms.size(); ++i)
      for (std::size_t j = i + 1; j < terms.size(); ++j) {
        const double total = spent + cost(terms, i, j);
        if (!(total < best_cost_)) continue;
        auto rest = terms;
        contract(rest, i, j);
        now_.emplace_back(i, j);
        search(rest, total);
        now_.pop_back();
      }
  }

  Pairs greedy(std::vector<LabelSet> terms) const {
    Pairs pairs;
    while (terms.size() > 1) {
      double least = std::numeric_limits<double>::infinity();
      std::pair<std::size_t, std::size_t> choice{0, 0};
      for (std::size_t i = 0; i < terms.size(); ++i)
        for (std::size_t j = i + 1; j < terms.size(); ++j)
          if (const double c = cost(terms, i, j); c < least) least = c, choice = {i, j};
      if (choice.second == 0) return {};  // every pair has too many axes
      contract(terms, choice.first, choice.second);
      pairs.push_back(choice);
    }
    return pairs;
  }

  const std::array<std::int64_t, labels>& extents_;
  LabelSet output_;
  Pairs now_, best_;
  double best_cost_ = 0;
};

/// The term with its axes in the order of `axes`, which are all of them.
Tensor arranged(const Term& term, const Labels& axes) {
  Axes order;
  for (int label : axes)
    order.push_back(std::find(term.axes.begin(), term.axes.end(), label) - term.axes.begin());
  return axes.empty() ? term.value : permute(term.value, order);
}

/// Sums over the labels that are not in `kept`.
void sum_out(Term& term, LabelSet kept) {
  Axes axes;
  Labels rest;
  for (std::size_t k = 0; k < term.axes.size(); ++k) {
    if (contains(kept, term.axes[k]))
      rest.push_back(term.axes[k]);
    else
      axes.push_back(static_cast<std::int64_t>(k));
  }
  if (axes.rank() > 0) term = {rest, sum(term.value, axes)};
}

/// Sum of products of two terms, whose labels are all in `kept` or in both of them.
Term contract(const Term& a, const Term& b, LabelSet kept) {
  const LabelSet in_a = set_of(a.axes), in_b = set_of(b.axes);
  Labels batch, summed, left, right;
  Shape shape;
  std::int64_t extents[4] = {1, 1, 1, 1};  // batch, summed, left, right
  auto sort_axis = [&](const Term& term, std::size_t k, Labels& only, std::int64_t& only_extent) {
    const int label = term.axes[k];
    const bool shared = contains(in_a & in_b, label);
    const std::int64_t extent = term.value.size(static_cast<int>(k));
    Labels& list = !shared ? only : contains(kept, label) ? batch : summed;
    if (shared && &term == &b) return;  // a's axes came first
    list.push_back(label);
    (!shared ? only_extent : contains(kept, label) ? extents[0] : extents[1]) *= extent;
  };
  for (std::size_t k = 0; k < a.axes.size(); ++k) sort_axis(a, k, left, extents[2]);
  for (std::size_t k = 0; k < b.axes.size(); ++k) sort_axis(b, k, right, extents[3]);
  auto joined = [](std::initializer_list<Labels> parts) {
    Labels all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  Term out{joined({batch, left, right}), {}};
  for (int label : out.axes) {
    const Term& from = contains(in_a, label) ? a : b;
    shape.push_back(from.value.size(
        static_cast<int>(std::find(from.axes.begin(), from.axes.end(), label) - from.axes.begin())));
  }
  const auto [n_batch, k, m, n] = extents;
  const Tensor x = arranged(a, joined({batch, left, summed})),
               y = arranged(b, joined({batch, summed, right}));
  Tensor product;
  if (summed.empty())  // nothing to add up
    product = mul(reshape(x, {n_batch, m, 1}), reshape(y, {n_batch, 1, n}));
  else if (batch.empty())
    product = matmul(reshape(x, {m, k}), reshape(y, {k, n}));
  else
    product = matmul(reshape(x, {n_batch, m, k}), reshape(y, {n_batch, k, n}));
  out.value = reshape(product, shape);
  return out;
}

}  // namespace

Tensor einsum(std::string_view equation, const TensorList& operands) {
  const Equation parsed(equation, operands);
  DType dtype = f32;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!is_floating(operands[i].dtype()))
      throw DtypeError("[einsum] expected f32 or f64, got " + std::string(name(operands[i].dtype())) +
                       " for operand " + std::to_string(i) + " of \"" + std::string(equation) + "\"");
    dtype = promote(dtype, operands[i].dtype());
  }
  std::vector<Term> terms = parsed.terms();
  const LabelSet output = set_of(parsed.output());
  std::vector<LabelSet> sets;
  for (auto& term : terms) term.value = to(term.value, dtype);
  for (std::size_t i = 0; i < terms.size(); ++i) {
    LabelSet kept = output;
    for (std::size_t k = 0; k < terms.size(); ++k)
      if (k != i) kept |= set_of(terms[k].axes);
    sum_out(terms[i], kept);
    sets.push_back(set_of(terms[i].axes));
  }
  const auto pairs = Path(parsed.extents(), output).find(sets);
  if (pairs.size() + 1 != terms.size()) parsed.fail("products of at most 8 axes on the way");
  for (const auto& [i, j] : pairs) {
    LabelSet kept = output;
    for (std::size_t k = 0; k < terms.size(); ++k)
      if (k != i && k != j) kept |= set_of(terms[k].axes);
    terms[i] = contract(terms[i], terms[j], kept);
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(j));
  }
  return arranged(terms[0], parsed.output());
}

namespace detail {

OpList einsum_ops() {
  const std::pair<const char*, std::vector<Shape>> equations[] = {
      {"ij,jk->ik", {{2, 3}, {3, 2}}},
      {"ij,jk", {{2, 3}, {3, 2}}},
      {"bij,bjk->bik", {{2, 2, 3}, {2, 3, 2}}},
      {"i,j->ij", {{3}, {2}}},
      {"i,i", {{4}, {4}}},
      {"ii->i", {{3, 3}}},
      {"ii", {{3, 3}}},
      {"ij->ji", {{2, 3}}},
      {"ij->", {{2, 3}}},
      {"iij,j->ij", {{2, 2, 3}, {3}}},
      {"...ij,...jk->...ik", {{2, 2, 3}, {3, 2}}},
      {"...i,...i->...", {{2, 1, 3}, {2, 3}}},
      {"i...->...", {{2, 3}}},
      {"bn,anm,bm->ba", {{2, 3}, {2, 3, 2}, {2, 2}}},
      {"ij,jk,kl,lm->im", {{2, 3}, {3, 2}, {2, 3}, {3, 2}}},
      {"ij,ij->ij", {{1, 3}, {2, 1}}},
      {"ij,jk->ik", {{2, 0}, {0, 3}}},
      {"a,b,c,d,e,f->abc", {{2}, {2}, {2}, {2}, {1}, {3}}},
      {",i->i", {{}, {3}}},
  };
  std::vector<Case> cases;
  for (const auto& [equation, shapes] : equations)
    cases.push_back(
        {shapes, [text = std::string(equation)](const TensorList& x) { return einsum(text, x); }, equation});
  return {composite(
      case_row({.name = "einsum", .formula = "sum of the operands' product over labels not in the output"},
               "product", std::move(cases), [](std::int64_t n) {
                 return Case{{{n / 64, 8, 8}, {n / 64, 8, 8}, {8, 4}},
                             [](const TensorList& x) { return einsum("bij,bjk,kl->bil", x); }};
               }))};
}

}  // namespace detail
}  // namespace cadena
