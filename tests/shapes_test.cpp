// Arranging, joining, diagonals, margins, windows and patterns: values by hand and by plain loops.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

using Values = std::vector<double>;
Values values(const Tensor& t) { return t.to_vector<double>(); }

Tensor counted(const Shape& shape) { return reshape(arange(shape.numel()).to(f32), shape); }

void expect(const Tensor& got, const Shape& shape, const Values& expected) {
  EXPECT_EQ(got.shape(), shape);
  EXPECT_EQ(values(got), expected);
}

TEST(Arrange, Axes) {
  const Tensor x = counted({2, 3, 4});
  EXPECT_EQ(movedim(x, 0, -1).shape(), (Shape{3, 4, 2}));
  EXPECT_EQ(movedim(x, {2, 0}, {0, 1}).shape(), (Shape{4, 2, 3}));
  EXPECT_EQ(movedim(x, {2, 0}, {0, 1}).index({3, 1, 2}).item(), 23);
  EXPECT_EQ(swapaxes(x, 0, 2).shape(), (Shape{4, 3, 2}));
  EXPECT_EQ(unflatten(x, 2, {2, -1}).shape(), (Shape{2, 3, 2, 2}));
  EXPECT_EQ(broadcast_to(counted({3, 1}), {2, 3, 2}).shape(), (Shape{2, 3, 2}));
  const auto both = broadcast_tensors({counted({2, 1}), counted({3})});
  expect(both[0], {2, 3}, {0, 0, 0, 1, 1, 1});
  expect(both[1], {2, 3}, {0, 1, 2, 0, 1, 2});
  EXPECT_EQ(atleast_1d(ones({})).shape(), (Shape{1}));
  EXPECT_EQ(atleast_2d(ones({3})).shape(), (Shape{1, 3}));
  EXPECT_EQ(atleast_3d(ones({3})).shape(), (Shape{1, 3, 1}));
  EXPECT_EQ(atleast_3d(ones({2, 3})).shape(), (Shape{2, 3, 1}));
}

TEST(Arrange, ViewsShareMemoryOrRefuse) {
  const Tensor x = counted({2, 6});
  EXPECT_TRUE(view(x, {3, -1}).shares_storage(x));
  EXPECT_EQ(view(x, {3, -1}).shape(), (Shape{3, 4}));
  EXPECT_TRUE(view(t(x), {3, 2, 2}).shares_storage(x));
  EXPECT_EQ(x.view({4, 3}).shape(), (Shape{4, 3}));
  EXPECT_THROW(view(t(x), {12}), ShapeError);
}

TEST(Arrange, TurnsAndRepetitions) {
  const Tensor x = counted({2, 3});
  expect(roll(x, 1), {2, 3}, {5, 0, 1, 2, 3, 4});
  expect(roll(x, {1, -1}, {0, 1}), {2, 3}, {4, 5, 3, 1, 2, 0});
  expect(roll(x, -4, 1), {2, 3}, {1, 2, 0, 4, 5, 3});
  expect(rot90(x), {3, 2}, {2, 5, 1, 4, 0, 3});
  expect(rot90(x, 2), {2, 3}, {5, 4, 3, 2, 1, 0});
  expect(rot90(x, -1), {3, 2}, {3, 0, 4, 1, 5, 2});
  EXPECT_FALSE(rot90(x, 4).shares_storage(x));
  expect(repeat(counted({2}), {2, 3}), {2, 6}, {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1});
  expect(tile(x, {2}), {2, 6}, {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
  EXPECT_EQ(repeat(x, {2, 0}).shape(), (Shape{4, 0}));
  EXPECT_EQ(tile(ones({1, 1, 1, 1, 1, 1, 1, 2}), {2, 1, 1, 1, 1, 1, 1, 3}).shape(),
            (Shape{2, 1, 1, 1, 1, 1, 1, 6}));
  EXPECT_FALSE(repeat(x, {1, 1}).shares_storage(x));
  expect(repeat_interleave(x, 2, 1), {2, 6}, {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
  expect(repeat_interleave(x, tensor({0, 2}), 0), {2, 3}, {3, 4, 5, 3, 4, 5});
  expect(repeat_interleave(counted({2}), 2), {4}, {0, 0, 1, 1});
}

TEST(Joining, PartsAndGrids) {
  const Tensor x = counted({5, 2});
  const auto shapes = [](const std::vector<Tensor>& parts) {
    std::vector<std::int64_t> list;
    for (const auto& p : parts) list.push_back(p.size(0));
    return list;
  };
  using List = std::vector<std::int64_t>;
  EXPECT_EQ(shapes(split(x, 2)), (List{2, 2, 1}));
  EXPECT_EQ(shapes(split(x, {1, 0, 4})), (List{1, 0, 4}));
  EXPECT_EQ(shapes(split(x, {5})), (List{5}));
  EXPECT_EQ(shapes(chunk(x, 3)), (List{2, 2, 1}));
  EXPECT_EQ(shapes(chunk(x, 4)), (List{2, 2, 1}));  // as PyTorch: at most so many
  EXPECT_EQ(shapes(tensor_split(x, 3)), (List{2, 2, 1}));
  EXPECT_EQ(shapes(tensor_split(x, 7)), (List{1, 1, 1, 1, 1, 0, 0}));
  EXPECT_EQ(shapes(tensor_split(x, {2})), (List{2, 3}));
  EXPECT_EQ(shapes(tensor_split(x, {3, 1, -1})), (List{3, 0, 3, 1}));
  EXPECT_EQ(split(zeros({0, 2}), 3).size(), 1u);
  EXPECT_TRUE(split(x, 2)[1].shares_storage(x));
  EXPECT_EQ(values(unbind(x, 1)[1]), (Values{1, 3, 5, 7, 9}));
  const Tensor a = counted({2}), b = counted({2}) + 5;
  expect(hstack({a, b}), {4}, {0, 1, 5, 6});
  expect(vstack({a, b}), {2, 2}, {0, 1, 5, 6});
  expect(dstack({a, b}), {1, 2, 2}, {0, 5, 1, 6});
  expect(hstack({counted({2, 1}), counted({2, 2})}), {2, 3}, {0, 0, 1, 1, 2, 3});
  const auto grid = meshgrid({counted({2}), counted({3})});
  expect(grid[0], {2, 3}, {0, 0, 0, 1, 1, 1});
  expect(grid[1], {2, 3}, {0, 1, 2, 0, 1, 2});
  expect(meshgrid({counted({2}), counted({3})}, Indexing::xy)[0], {3, 2}, {0, 1, 0, 1, 0, 1});
  expect(cartesian_prod({a, b}), {4, 2}, {0, 5, 0, 6, 1, 5, 1, 6});
}

TEST(Diagonal, LinesAndTriangles) {
  const Tensor x = counted({3, 4});
  expect(diagonal(x), {3}, {0, 5, 10});
  expect(diagonal(x, 2), {2}, {2, 7});
  expect(diagonal(x, -1), {2}, {4, 9});
  EXPECT_EQ(diagonal(x, 9).numel() + diagonal(x, -9).numel(), 0);
  EXPECT_EQ(diagonal(x, std::numeric_limits<std::int64_t>::min()).numel(), 0);
  EXPECT_EQ(diagonal(counted({2, 3, 4}), 0, 2, 0).shape(), (Shape{3, 2}));
  EXPECT_EQ(values(diagonal(counted({2, 3, 4}), 1, 0, 2)), (Values{1, 14, 5, 18, 9, 22}));
  Tensor in_place = zeros({2, 2});
  diagonal(in_place).fill_(7);
  EXPECT_EQ(values(in_place), (Values{7, 0, 0, 7}));
  expect(diag(counted({2}) + 1, -1), {3, 3}, {0, 0, 0, 1, 0, 0, 0, 2, 0});
  expect(diag_embed(counted({2, 2}) + 1), {2, 2, 2}, {1, 0, 0, 2, 3, 0, 0, 4});
  EXPECT_EQ(trace(x).item(), 15);
  expect(tril(x), {3, 4}, {0, 0, 0, 0, 4, 5, 0, 0, 8, 9, 10, 0});
  expect(triu(x, 1), {3, 4}, {0, 1, 2, 3, 0, 0, 6, 7, 0, 0, 0, 11});
  expect(tril(x, -2), {3, 4}, {0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect(tril(tensor({{1., nan}, {2., 3.}}, f64)), {2, 2}, {1, 0, 2, 3});
  expect(tril_indices(3, 2), {2, 5}, {0, 1, 1, 2, 2, 0, 0, 1, 0, 1});
  expect(triu_indices(2, 3, 1), {2, 3}, {0, 0, 1, 1, 2, 2});
  EXPECT_EQ(triu_indices(2, 3, 7).shape(), (Shape{2, 0}));
}

TEST(Padding, AllModes) {
  const Tensor x = counted({4});
  expect(pad(x, {{2, 1}}, 9), {7}, {9, 9, 0, 1, 2, 3, 9});
  expect(pad(x, {{-1, 2}}, 9), {5}, {1, 2, 3, 9, 9});
  expect(pad(x, {{-6, 4}}, 9), {2}, {9, 9});
  expect(pad(x, {{3, -6}}, 9), {1}, {9});
  expect(pad(x, {{2, 3}}, PadMode::reflect), {9}, {2, 1, 0, 1, 2, 3, 2, 1, 0});
  expect(pad(x, {{2, 3}}, PadMode::replicate), {9}, {0, 0, 0, 1, 2, 3, 3, 3, 3});
  expect(pad(x, {{2, 3}}, PadMode::circular), {9}, {2, 3, 0, 1, 2, 3, 0, 1, 2});
  expect(pad(x, {{-1, 2}}, PadMode::reflect), {5}, {1, 2, 3, 2, 1});
  // The last axis first; corners from both.
  expect(pad(counted({2, 2}), {{1, 0}, {0, 1}}, PadMode::replicate), {3, 3}, {0, 0, 1, 2, 2, 3, 2, 2, 3});
  expect(pad(tensor({std::int64_t{1} << 60}), {{1, 0}}, (std::int64_t{1} << 60) + 1), {2},
         {static_cast<double>((std::int64_t{1} << 60) + 1), static_cast<double>(std::int64_t{1} << 60)});
  EXPECT_EQ(values(pad(tensor({(std::int64_t{1} << 60) + 1}), {{0, 1}}, (std::int64_t{1} << 60) + 3) -
                   (std::int64_t{1} << 60)),
            (Values{1, 3}));
}

TEST(Window, ViewsOfWindows) {
  const Tensor x = counted({6});
  expect(unfold(x, 0, 3, 2), {2, 3}, {0, 1, 2, 2, 3, 4});
  EXPECT_TRUE(unfold(x, 0, 3, 2).shares_storage(x));
  EXPECT_EQ(unfold(counted({2, 5, 3}), 1, 2, 1).shape(), (Shape{2, 4, 3, 2}));
  Tensor leaf = counted({6}).requires_grad_();
  EXPECT_EQ(values(grad(sum(unfold(leaf, 0, 3, 1)), leaf)), (Values{1, 2, 3, 3, 2, 1}));
}

TEST(Window, ColumnsOfImagesEqualLoops) {
  const Shape shape{2, 3, 5, 4};
  const Tensor x = counted(shape);
  const WindowOptions options{.dilation = {2, 1}, .padding = {1, 2}, .stride = {1, 2}};
  const Tensor columns = unfold(x, {2, 3}, options);
  // Heights (5 + 2 - 3) / 1 + 1 = 5, widths (4 + 4 - 3) / 2 + 1 = 3.
  ASSERT_EQ(columns.shape(), (Shape{2, 18, 15}));
  const Values v = values(x), got = values(columns);
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t row = 0; row < 18; ++row)
      for (std::int64_t place = 0; place < 15; ++place) {
        const std::int64_t c = row / 6, i = place / 3 + row / 3 % 2 * 2 - 1, j = place % 3 * 2 + row % 3 - 2;
        const bool inside = i >= 0 && i < 5 && j >= 0 && j < 4;
        const double expected = inside ? v[static_cast<std::size_t>(((n * 3 + c) * 5 + i) * 4 + j)] : 0;
        ASSERT_EQ(got[static_cast<std::size_t>((n * 18 + row) * 15 + place)], expected);
      }
  // Folding ones back counts how many windows see an element.
  expect(fold(ones({1, 4, 4}), {3, 3}, {2}), {1, 1, 3, 3}, {1, 2, 1, 2, 4, 2, 1, 2, 1});
  expect(fold(unfold(counted({1, 1, 4}) + 1, {2}, {.stride = {2}}), {4}, {2}, {.stride = {2}}), {1, 1, 4},
         {1, 2, 3, 4});
}

TEST(Rearrange, ByNames) {
  const Tensor x = counted({2, 3, 4});
  expect(rearrange(counted({2, 3}), "a b -> b a"), {3, 2}, {0, 3, 1, 4, 2, 5});
  expect(rearrange(counted({2, 3}), "a b->(b a)"), {6}, {0, 3, 1, 4, 2, 5});
  EXPECT_EQ(rearrange(x, "b (h w) c -> b c h w", {{"h", 3}}).shape(), (Shape{2, 4, 3, 1}));
  EXPECT_EQ(rearrange(x, "... c -> c ...").shape(), (Shape{4, 2, 3}));
  EXPECT_EQ(rearrange(x, "a ... -> (...) a 1").shape(), (Shape{12, 2, 1}));
  EXPECT_EQ(rearrange(ones({2, 1, 3}), "a 1 b -> b a ()").shape(), (Shape{3, 2, 1}));
}

TEST(Rearrange, ReduceAndRepeat) {
  expect(reduce(counted({2, 4}), "b (w 2) -> b w", "max"), {2, 2}, {1, 3, 5, 7});
  expect(reduce(counted({2, 3}), "a b -> b", "sum"), {3}, {3, 5, 7});
  expect(reduce(counted({2, 3}), "a b -> 1 a", "mean"), {1, 2}, {1, 4});
  expect(reduce(counted({2, 3}) + 1, "... -> ", "prod"), {}, {720});
  expect(reduce(counted({2, 3}), "a b -> b a", "min"), {3, 2}, {0, 3, 1, 4, 2, 5});
  expect(einops_repeat(counted({2}), "a -> a r", {{"r", 2}}), {2, 2}, {0, 0, 1, 1});
  expect(einops_repeat(counted({2}), "a -> (2 a)"), {4}, {0, 1, 0, 1});
  expect(einops_repeat(counted({2}), "a -> (a 2)"), {4}, {0, 0, 1, 1});
}

TEST(Rearrange, ErrorsNameThePatternAndThePosition) {
  const auto message = [](auto f) -> std::string {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  const Tensor x = counted({2, 6});
  EXPECT_EQ(message([&] { rearrange(x, "a (b c -> a b c"); }),
            "[rearrange] expected a closing parenthesis for the one at position 2 of \"a (b c -> a b c\", "
            "got \"(\"");
  EXPECT_EQ(message([&] { rearrange(x, "a b"); }),
            "[rearrange] expected \"->\" at position 3 of \"a b\", got its end");
  EXPECT_EQ(
      message([&] { rearrange(x, "a b -> a c"); }),
      "[rearrange] expected an axis of the left side, not \"c\" at position 9 of \"a b -> a c\", got \"c\"");
  EXPECT_EQ(message([&] { rearrange(x, "a b -> a"); }),
            "[rearrange] expected every axis of the left side on the right, too, not without \"b\" at "
            "position 2 of "
            "\"a b -> a\", got \"b\"");
  EXPECT_EQ(message([&] { rearrange(x, "a (b c) -> a b c"); }),
            "[rearrange] expected a size for \"c\" at position 5 of \"a (b c) -> a b c\", got \"c\"");
  EXPECT_EQ(
      message([&] {
        rearrange(x, "a (b c) -> a b c", {{"b", 4}});
      }),
      "[rearrange] expected an extent of a multiple of 4 along axis 1 for \"a (b c) -> a b c\", got (2, 6)");
  EXPECT_EQ(message([&] { rearrange(x, "a b c -> a b c"); }),
            "[rearrange] expected 3 axes for \"a b c -> a b c\", got (2, 6)");
  EXPECT_EQ(message([&] { rearrange(x, "a a -> a"); }).find("[rearrange] expected each name once"), 0u);
  EXPECT_EQ(message([&] { rearrange(x, "a, b -> a b"); }).find("[rearrange] expected a name"), 0u);
}

}  // namespace
}  // namespace cadena
