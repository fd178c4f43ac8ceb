// Named products and einsum: values against plain loops.
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

using Values = std::vector<double>;

Values values(const Tensor& t) { return t.to_vector<double>(); }

/// Whole numbers, so that every order of summation gives the same bits.
Tensor whole(const Shape& shape, std::int64_t seed) {
  Generator g(static_cast<std::uint64_t>(seed) + 1);
  return randint(-4, 5, shape, g).to(f64);
}

/// One operand of an equation, its axes named by one character each.
struct Named {
  std::string axes;
  Tensor value;
};

/// Sum over all assignments of the letters, one after the other; an extent of 1 is read at 0.
Tensor by_loops(const std::vector<Named>& operands, const std::string& output) {
  std::map<char, std::int64_t> extent;
  for (const auto& [axes, value] : operands)
    for (std::size_t k = 0; k < axes.size(); ++k) {
      auto& e = extent[axes[k]];
      if (e < 2) e = value.size(static_cast<int>(k));
    }
  Shape shape;
  for (char c : output) shape.push_back(extent[c]);
  std::vector<double> out(static_cast<std::size_t>(shape.numel()), 0);
  std::vector<Values> data;
  std::int64_t all = 1;
  for (const auto& op : operands) data.push_back(values(op.value));
  for (const auto& [c, e] : extent) all *= e;
  for (std::int64_t n = 0; n < all; ++n) {
    std::map<char, std::int64_t> at;
    std::int64_t rest = n;
    for (const auto& [c, e] : extent) at[c] = rest % e, rest /= e;
    double product = 1;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      std::int64_t flat = 0;
      for (std::size_t k = 0; k < operands[i].axes.size(); ++k) {
        const std::int64_t e = operands[i].value.size(static_cast<int>(k));
        flat = flat * e + (e == 1 ? 0 : at[operands[i].axes[k]]);
      }
      product *= data[i][static_cast<std::size_t>(flat)];
    }
    std::int64_t flat = 0;
    for (char c : output) flat = flat * extent[c] + at[c];
    out[static_cast<std::size_t>(flat)] += product;
  }
  return tensor(out, shape);
}

struct EinsumCase {
  const char* equation;
  std::vector<std::pair<const char*, Shape>> operands;  // the axes of each, with digits for those of "..."
  const char* output;
};

const EinsumCase einsum_cases[] = {
    {"ij,jk->ik", {{"ij", {2, 3}}, {"jk", {3, 4}}}, "ik"},
    {"ij,jk", {{"ij", {2, 3}}, {"jk", {3, 4}}}, "ik"},
    {"kj,ji", {{"kj", {2, 3}}, {"ji", {3, 4}}}, "ik"},  // alphabetical
    {"Ba", {{"Ba", {2, 3}}}, "Ba"},                     // capitals first
    {"aB", {{"aB", {2, 3}}}, "Ba"},
    {"bij,bjk->bik", {{"bij", {2, 3, 2}}, {"bjk", {2, 2, 3}}}, "bik"},
    {"bij,bjk->ik", {{"bij", {2, 3, 2}}, {"bjk", {2, 2, 3}}}, "ik"},
    {"bij,bkj->kbi", {{"bij", {2, 3, 2}}, {"bkj", {2, 4, 2}}}, "kbi"},
    {"i,j->ji", {{"i", {3}}, {"j", {2}}}, "ji"},
    {"i,i->", {{"i", {5}}, {"i", {5}}}, ""},
    {"i,i->i", {{"i", {5}}, {"i", {5}}}, "i"},
    {"i,j->", {{"i", {3}}, {"j", {4}}}, ""},
    {"ii->i", {{"ii", {4, 4}}}, "i"},
    {"ii", {{"ii", {4, 4}}}, ""},
    {"iii->i", {{"iii", {3, 3, 3}}}, "i"},
    {"ijij->ij", {{"ijij", {2, 3, 2, 3}}}, "ij"},
    {"iij,jj->i", {{"iij", {2, 2, 3}}, {"jj", {3, 3}}}, "i"},
    {" i j , j -> i ", {{"ij", {2, 3}}, {"j", {3}}}, "i"},
    {"...ij,...jk", {{"0ij", {4, 2, 3}}, {"jk", {3, 2}}}, "0ik"},
    {"...ij,...jk->...ki", {{"01ij", {2, 1, 2, 3}}, {"1jk", {3, 3, 2}}}, "01ki"},
    {"i...,j...->ij...", {{"i0", {2, 3}}, {"j0", {4, 3}}}, "ij0"},
    {"...i->i", {{"01i", {2, 2, 3}}}, "i"},  // sums what "..." stands for
    {"...", {{"01", {2, 3}}}, "01"},
    {"ij,ij->ij", {{"ij", {1, 3}}, {"ij", {2, 1}}}, "ij"},
    {"ij,jk->ik", {{"ij", {2, 1}}, {"jk", {3, 4}}}, "ik"},  // 1 broadcasts under the sum
    {"a,ab,abc->ca", {{"a", {2}}, {"ab", {2, 3}}, {"abc", {2, 3, 2}}}, "ca"},
    {"bn,anm,bm->ba", {{"bn", {2, 3}}, {"anm", {4, 3, 2}}, {"bm", {2, 2}}}, "ba"},
    {"ij,jk,kl,lm,mn->in",
     {{"ij", {2, 3}}, {"jk", {3, 2}}, {"kl", {2, 3}}, {"lm", {3, 2}}, {"mn", {2, 2}}},
     "in"},
    {"a,b,c,d,e,f,g->g",
     {{"a", {2}}, {"b", {2}}, {"c", {2}}, {"d", {2}}, {"e", {2}}, {"f", {2}}, {"g", {2}}},
     "g"},
    {"ab,bc,cd,de,ef,fa->",
     {{"ab", {2, 3}}, {"bc", {3, 2}}, {"cd", {2, 3}}, {"de", {3, 2}}, {"ef", {2, 3}}, {"fa", {3, 2}}},
     ""},
    {"ij,jk->ik", {{"ij", {2, 0}}, {"jk", {0, 3}}}, "ik"},
    {",i->i", {{"", {}}, {"i", {3}}}, "i"},
    {"->", {{"", {}}}, ""},
};

TEST(Einsum, EqualsPlainLoops) {
  std::int64_t seed = 0;
  for (const auto& c : einsum_cases) {
    TensorList operands;
    std::vector<Named> named;
    for (const auto& [axes, shape] : c.operands) {
      operands.push_back(whole(shape, ++seed));
      named.push_back({axes, operands.back()});
    }
    const Tensor got = einsum(c.equation, operands), expected = by_loops(named, c.output);
    EXPECT_TRUE(equal(got, expected)) << c.equation << "\n" << got << "\n" << expected;
  }
}

TEST(Einsum, ReadsStridedOperandsAndPromotes) {
  const Tensor a = whole({4, 3}, 1), b = whole({6, 4}, 2).slice(0, {0, 6, 2});
  EXPECT_TRUE(equal(einsum("ji,kj->ik", {a, b}), matmul(a.t(), b.t())));
  EXPECT_EQ(einsum("ij,jk", {ones({2, 2}), ones({2, 2}, f64)}).dtype(), f64);
  EXPECT_EQ(einsum("ij->ji", {ones({2, 3})}).dtype(), f32);
}

/// A chain whose order decides: left to right costs 1000 times the other way.
TEST(Einsum, TakesTheCheapOrder) {
  const Tensor a = ones({1000, 2}, f64), b = ones({2, 1000}, f64), v = ones({1000}, f64);
  for (const Tensor& y : {einsum("ij,jk,k->i", {a, b, v}), multi_dot({a, b, v})}) {
    EXPECT_EQ(y.shape(), (Shape{1000}));
    EXPECT_EQ(y.select(0, 7).item(), 2000);
  }
  // Out of order the product in between would hold 10^12 numbers.
  const Tensor tall = ones({1000000, 1}, f64), wide = ones({1, 1000000}, f64);
  EXPECT_EQ(einsum("ij,jk,kl->l", {tall, wide, tall}).item(), 1e12);
  EXPECT_EQ(multi_dot({wide, tall, wide, tall}).item(), 1e12);
}

TEST(Products, KnownValues) {
  const Tensor x = tensor({1., 2., 3.}, f64), y = tensor({4., 5., 6.}, f64),
               a = tensor({{1., 2.}, {3., 4.}}, f64), b = tensor({{0., 5.}, {6., 7.}}, f64);
  EXPECT_EQ(dot(x, y).item(), 32);
  EXPECT_EQ(values(outer(x, y)), (Values{4, 5, 6, 8, 10, 12, 12, 15, 18}));
  EXPECT_EQ(values(inner(a, b)), (Values{10, 20, 20, 46}));
  EXPECT_EQ(values(inner(a, tensor(2., f64))), (Values{2, 4, 6, 8}));
  EXPECT_EQ(values(vecdot(a, b)), (Values{10, 46}));
  EXPECT_EQ(values(vecdot(a, b, 0)), (Values{18, 38}));
  EXPECT_EQ(values(cross(x, y)), (Values{-3, 6, -3}));
  EXPECT_EQ(values(cross(x.unsqueeze(1), y.unsqueeze(1), 0)), (Values{-3, 6, -3}));
  EXPECT_EQ(values(mv(a, tensor({1., -1.}, f64))), (Values{-1, -1}));
  EXPECT_EQ(values(mm(a, b)), (Values{12, 19, 24, 43}));
  EXPECT_EQ(values(bmm(stack({a, b}), stack({b, a}))), (Values{12, 19, 24, 43, 15, 20, 27, 40}));
  // The example of Wikipedia's article on the Kronecker product.
  EXPECT_EQ(values(kron(a, b)), (Values{0, 5, 0, 10, 6, 7, 12, 14, 0, 15, 0, 20, 18, 21, 24, 28}));
  EXPECT_EQ(values(kron(tensor({1., 2.}, f64), a)), (Values{1, 2, 2, 4, 3, 4, 6, 8}));
  EXPECT_EQ(tensordot(a, b).item(), 0 + 10 + 18 + 28);
  EXPECT_EQ(values(tensordot(a, b, 1)), (Values{12, 19, 24, 43}));
  EXPECT_EQ(values(tensordot(a, b, {0}, {1})), (Values{15, 27, 20, 40}));
  EXPECT_EQ(tensordot(a, b, 0).shape(), (Shape{2, 2, 2, 2}));
}

TEST(Products, WithAnAddedInput) {
  const Tensor a = tensor({{1., 2.}, {3., 4.}}, f64), b = tensor({{0., 5.}, {6., 7.}}, f64),
               c = tensor({1., 2.}, f64), batch = stack({a, b});
  EXPECT_EQ(values(addmm(c, a, b)), (Values{13, 21, 25, 45}));
  EXPECT_EQ(values(addmm(c, a, b, {.beta = 2, .alpha = -1})), (Values{-10, -15, -22, -39}));
  EXPECT_EQ(values(addmv(c, a, c)), (Values{6, 13}));
  EXPECT_EQ(values(baddbmm(c, batch, batch)), (Values{8, 12, 16, 24, 31, 37, 43, 81}));
  EXPECT_EQ(values(addbmm(c, batch, batch)), (Values{38, 47, 58, 103}));
  const Tensor lost = full({2}, std::numeric_limits<double>::quiet_NaN(), f64);
  EXPECT_EQ(values(addmm(lost, a, b, {.beta = 0})), (Values{12, 19, 24, 43}));
}

TEST(Products, EmptySumsAreZero) {
  EXPECT_EQ(dot(zeros({0}), zeros({0})).item(), 0);
  EXPECT_EQ(values(mm(zeros({1, 0}), zeros({0, 2}))), (Values{0, 0}));
  EXPECT_EQ(values(addmm(ones({2}), zeros({1, 0}), zeros({0, 2}))), (Values{1, 1}));
  EXPECT_EQ(values(addbmm(ones({1}), zeros({0, 1, 2}), zeros({0, 2, 1}))), (Values{1}));
  EXPECT_EQ(kron(zeros({2, 0}), zeros({2, 2})).shape(), (Shape{4, 0}));
}

}  // namespace
}  // namespace cadena
