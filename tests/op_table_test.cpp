// The table is complete: every op that can be recorded has a row, and so has every public function of
// autodiff/ops/*.hpp that has a derivative.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/node.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/inspect.hpp"

namespace cadena {
namespace {

std::set<std::string> rows() {
  std::set<std::string> names;
  for (const auto& op : detail::op_table())
    EXPECT_TRUE(names.emplace(op.meta.name).second) << "twice: " << op.meta.name;
  return names;
}

void collect(const detail::Node* node, std::set<const detail::Node*>& seen, std::set<std::string>& names) {
  if (!node || !seen.insert(node).second) return;
  if (!node->leaf) names.emplace(node->name());
  for (int i = 0; i < node->n_edges; ++i) collect(node->edges[i].get(), seen, names);
}

TEST(OpTable, WhateverIsRecordedHasARow) {
  const auto known = rows();
  std::set<std::string> recorded;
  for (const auto& op : detail::op_table()) {
    detail::Sampler sampler(1);
    for (auto& s : op.samples(sampler)) {
      for (auto& x : s.inputs) x.requires_grad_();
      const Tensor y = s.call(s.inputs);
      std::set<const detail::Node*> seen;
      collect(detail::impl(y)->node.get(), seen, recorded);
      // And what the derivatives are made of.
      for (const auto& g :
           grad(TensorList{y}, s.inputs, {.create_graph = true, .allow_unused = true}, {ones_like(y)}))
        if (g.defined()) collect(detail::impl(g)->node.get(), seen, recorded);
    }
  }
  for (const auto& name : recorded)
    EXPECT_TRUE(known.contains(name)) << name << " is recorded, but has no row";
}

/// For docs and pictures: elementwise formulas print themselves, all else has a line in its Meta.
TEST(OpTable, EveryRowSaysWhatItComputesAndHowItIsDerived) {
  std::size_t symbolic = 0;
  for (const auto& op : detail::op_table()) {
    const OpFormula f = formula_of(op.meta.name);
    EXPECT_FALSE(f.value.text.empty()) << op.meta.name << ": Meta::formula is missing";
    EXPECT_TRUE(op.composite || !f.derivatives.empty()) << op.meta.name << ": Meta::derivative is missing";
    symbolic += f.symbols.has_value();
  }
  EXPECT_GE(symbolic, 23u);
}

/// docs/operations.md is the table of conventions: no op may have a singular point and be silent about it.
TEST(OpTable, EveryRowWithASingularPointSaysWhatHoldsThere) {
  for (const auto& op : detail::op_table()) {
    bool special = op.meta.singular;
    for (const auto& d : op.meta.domain) special = special || d.distinct || d.kinks[0] < 1e300;
    EXPECT_TRUE(!special || !op.meta.conventions.empty()) << op.meta.name << ": Meta::conventions is missing";
  }
}

/// Results are integers or bool.
const std::set<std::string> without_gradient = {
    "all",               //
    "any",               //
    "argmax",            //
    "argmin",            //
    "argsort",           //
    "argwhere",          //
    "bernoulli",         //
    "beta",              //
    "bitwise_and",       //
    "bitwise_not",       //
    "bitwise_or",        //
    "bitwise_xor",       //
    "bucketize",         //
    "categorical",       //
    "count_nonzero",     //
    "dirichlet",         //
    "eq",                //
    "gamma",             //
    "ge",                //
    "gt",                //
    "histc",             //
    "histogram",         //
    "isclose",           //
    "isfinite",          //
    "isin",              //
    "isinf",             //
    "isnan",             //
    "isneginf",          //
    "isposinf",          //
    "le",                //
    "logical_and",       //
    "logical_not",       //
    "logical_or",        //
    "logical_xor",       //
    "lt",                //
    "matrix_rank",       //
    "multinomial",       //
    "ne",                //
    "nonzero",           //
    "one_hot",           //
    "poisson",           //
    "searchsorted",      //
    "tril_indices",      //
    "triu_indices",      //
    "truncated_normal",  //
    "unique",            //

    "bartlett_window",      //
    "bitwise_left_shift",   //
    "bitwise_right_shift",  //
    "blackman_window",      //
    "hamming_window",       //
    "hann_window",          //
    "kaiser_window",        //
    "logspace",             //
    "unique_consecutive",   //
};
/// A derivative that f64 differences cannot see; CastTest below checks it.
const std::set<std::string> casts = {"to"};

TEST(OpTable, EveryPublicFunctionIsAccountedFor) {
  const auto known = rows();
  std::set<std::string> declared;
  const std::regex function(R"(^(?:[A-Z][A-Za-z]*|std::vector<Tensor>) ([a-z_0-9]+)\()");
  for (const auto& file : std::filesystem::directory_iterator(CADENA_SOURCE_DIR "/autodiff/ops")) {
    if (file.path().extension() != ".hpp") continue;
    std::ifstream header(file.path());
    for (std::string line; std::getline(header, line);)
      if (std::smatch m; std::regex_search(line, m, function)) declared.insert(m[1]);
  }
  ASSERT_GT(declared.size(), 60u);
  for (const auto& name : declared) {
    const int found = known.contains(name) + without_gradient.contains(name) + casts.contains(name);
    EXPECT_EQ(found, 1) << name << ": neither a row of the table nor known to have no gradient";
  }
}

TEST(CastTest, GradientComesBackInTheInputsDtype) {
  Tensor x = tensor({1.5, -2.0, 0.25}, f32).requires_grad_();
  const Tensor y = to(x, f64) * 3;
  EXPECT_EQ(y.dtype(), f64);
  const Tensor g = grad(sum(square(y)), x, {.create_graph = true});
  EXPECT_EQ(g.dtype(), f32);
  EXPECT_EQ(g.to_vector<double>(), (std::vector<double>{27, -36, 4.5}));
  EXPECT_EQ(grad(sum(g), x).to_vector<double>(), (std::vector<double>{18, 18, 18}));
  const Tensor tangent = jvp_replay({to(x, f64)}, {x}, {ones({3})})[0];
  EXPECT_EQ(tangent.dtype(), f64);
}

TEST(CastTest, WholeNumbersAreABarrier) {
  Tensor x = tensor({1.5, -2.5}, f32).requires_grad_();
  EXPECT_FALSE(to(x, i64).requires_grad());
  EXPECT_FALSE(to(to(x, i64), f32).requires_grad());
}

}  // namespace
}  // namespace cadena
