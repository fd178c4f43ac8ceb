// Text of tensors. The layouts were recorded from NumPy 1.24.2 (array2string with prefix "tensor(").
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();
const double inf = std::numeric_limits<double>::infinity();

TEST(Print, LooksAsInNumPy) {
  // clang-format off
  const std::vector<std::pair<Tensor, const char*>> cases = {
    {tensor({{1.0, 2.0}, {3.0, 4.0}}),
     R"(tensor([[1., 2.],
        [3., 4.]], f32))"},
    {tensor({0.1, 0.25, -3.0}, f64),
     R"(tensor([ 0.1 ,  0.25, -3.  ], f64))"},
    {tensor({0.1, 1.0 / 3}),
     R"(tensor([0.1       , 0.33333334], f32))"},
    {tensor({0.1, 1.0 / 3}, f64),
     R"(tensor([0.1       , 0.33333333], f64))"},
    {tensor(1.5),
     R"(tensor(1.5, f32))"},
    {tensor(true),
     R"(tensor(True, bool))"},
    {tensor({true, true}),
     R"(tensor([ True,  True], bool))"},
    {tensor({true, false}),
     R"(tensor([ True, False], bool))"},
    {tensor({{1, -20}, {300, 4}}),
     R"(tensor([[  1, -20],
        [300,   4]], i64))"},
    {tensor({1e-5, 1.0}),
     R"(tensor([1.e-05, 1.e+00], f32))"},
    {tensor({1e10, 1.0}, f64),
     R"(tensor([1.e+10, 1.e+00], f64))"},
    {tensor({1e-100, 1e100}, f64),
     R"(tensor([1.e-100, 1.e+100], f64))"},
    {tensor({123456.789, 0.5}, f64),
     R"(tensor([1.23456789e+05, 5.00000000e-01], f64))"},
    {tensor({1.0, nan, -inf, inf}),
     R"(tensor([  1.,  nan, -inf,  inf], f32))"},
    {tensor({nan, nan}),
     R"(tensor([nan, nan], f32))"},
    {tensor({-0.0, 0.0}),
     R"(tensor([-0.,  0.], f32))"},
    {tensor({16777216.0, 80290512.0}),
     R"(tensor([16777216., 80290512.], f32))"},
    {tensor({99999999.0, 1.0}, f64),
     R"(tensor([9.9999999e+07, 1.0000000e+00], f64))"},
    {tensor({100000000.0, 1.0}, f64),
     R"(tensor([1.e+08, 1.e+00], f64))"},
    {tensor({1e8, 2e8}, f64),
     R"(tensor([1.e+08, 2.e+08], f64))"},
    {tensor({0.999999999999}, f64),
     R"(tensor([1.], f64))"},
    {arange(30),
     R"(tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15,
        16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29], i64))"},
    {arange(0.0, 2.0, 0.125).reshape({2, 2, 4}),
     R"(tensor([[[0.   , 0.125, 0.25 , 0.375],
         [0.5  , 0.625, 0.75 , 0.875]],

        [[1.   , 1.125, 1.25 , 1.375],
         [1.5  , 1.625, 1.75 , 1.875]]], f32))"},
    {arange(1001),
     R"(tensor([   0,    1,    2, ...,  998,  999, 1000], i64))"},
    {arange(1000).reshape({10, 100}).slice(0, {.start = 0, .stop = 2}),
     R"(tensor([[  0,   1,   2,   3,   4,   5,   6,   7,   8,   9,  10,  11,  12,
          13,  14,  15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25,
          26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,
          39,  40,  41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51,
          52,  53,  54,  55,  56,  57,  58,  59,  60,  61,  62,  63,  64,
          65,  66,  67,  68,  69,  70,  71,  72,  73,  74,  75,  76,  77,
          78,  79,  80,  81,  82,  83,  84,  85,  86,  87,  88,  89,  90,
          91,  92,  93,  94,  95,  96,  97,  98,  99],
        [100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112,
         113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125,
         126, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138,
         139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151,
         152, 153, 154, 155, 156, 157, 158, 159, 160, 161, 162, 163, 164,
         165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 177,
         178, 179, 180, 181, 182, 183, 184, 185, 186, 187, 188, 189, 190,
         191, 192, 193, 194, 195, 196, 197, 198, 199]], i64))"},
    {arange(2000).reshape({20, 100}),
     R"(tensor([[   0,    1,    2, ...,   97,   98,   99],
        [ 100,  101,  102, ...,  197,  198,  199],
        [ 200,  201,  202, ...,  297,  298,  299],
        ...,
        [1700, 1701, 1702, ..., 1797, 1798, 1799],
        [1800, 1801, 1802, ..., 1897, 1898, 1899],
        [1900, 1901, 1902, ..., 1997, 1998, 1999]], i64))"},
    {arange(1200.0).reshape({2, 3, 200}),
     R"(tensor([[[0.000e+00, 1.000e+00, 2.000e+00, ..., 1.970e+02, 1.980e+02,
          1.990e+02],
         [2.000e+02, 2.010e+02, 2.020e+02, ..., 3.970e+02, 3.980e+02,
          3.990e+02],
         [4.000e+02, 4.010e+02, 4.020e+02, ..., 5.970e+02, 5.980e+02,
          5.990e+02]],

        [[6.000e+02, 6.010e+02, 6.020e+02, ..., 7.970e+02, 7.980e+02,
          7.990e+02],
         [8.000e+02, 8.010e+02, 8.020e+02, ..., 9.970e+02, 9.980e+02,
          9.990e+02],
         [1.000e+03, 1.001e+03, 1.002e+03, ..., 1.197e+03, 1.198e+03,
          1.199e+03]]], f32))"},
    {arange(6).reshape({2, 3}).t(),
     R"(tensor([[0, 3],
        [1, 4],
        [2, 5]], i64))"},
  };
  // clang-format on
  for (const auto& [t, text] : cases) EXPECT_EQ(t.to_string(), text);
}

TEST(Print, TellsShapeOnlyWhereBracketsDoNot) {
  EXPECT_EQ(zeros({0}).to_string(), "tensor([], f32)");
  EXPECT_EQ(zeros({0, 3}, i64).to_string(), "tensor([], shape=(0, 3), i64)");
}

TEST(Print, TellsWhatIsRecorded) {
  Tensor x = tensor({{1.0, 2.0}, {3.0, 4.0}}).requires_grad_();
  EXPECT_EQ(x.to_string(), "tensor([[1., 2.],\n        [3., 4.]], f32, requires_grad)");
  EXPECT_EQ((x * 2).to_string(), "tensor([[2., 4.],\n        [6., 8.]], f32, grad_fn=<mul>)");
  EXPECT_EQ(x.detach().to_string(), "tensor([[1., 2.],\n        [3., 4.]], f32)");
}

TEST(Print, StartsALineWhereTheEndWouldPassTheMargin) {
  const Tensor t = full({9}, 1.25).requires_grad_();
  EXPECT_EQ(t.to_string(),
            "tensor([1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25],\n       f32, requires_grad)");
}

// NumPy 2 and this library agree that 0.0001 needs no exponent; NumPy 1 compared an f32 with a double.
TEST(Print, OneTenThousandthIsStillPositional) {
  EXPECT_EQ(tensor({0.0001}).to_string(), "tensor([0.0001], f32)");
  EXPECT_EQ(tensor({0.00009}).to_string(), "tensor([9.e-05], f32)");
}

TEST(Print, UndefinedTensorsAndStreams) {
  EXPECT_EQ(Tensor().to_string(), "tensor(undefined)");
  std::ostringstream out;
  out << tensor({1, 2}) << "|" << Tensor();
  EXPECT_EQ(out.str(), "tensor([1, 2], i64)|tensor(undefined)");
}

// Only the edges may be read: a view of one element repeated 10^15 times prints at once.
TEST(Print, ReadsOnlyWhatItShows) {
  const Tensor t = tensor({7}).expand({std::int64_t{1} << 50});
  EXPECT_EQ(t.to_string(), "tensor([7, 7, 7, ..., 7, 7, 7], i64)");
}

}  // namespace
}  // namespace cadena
