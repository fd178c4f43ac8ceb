// Reading and adding at indices against element-by-element loops, over axes, layouts and thread counts.
#include <algorithm>

#include "autodiff/kernels/index.hpp"
#include "kernels_support.hpp"

namespace cadena::kernels::test {
namespace {

std::vector<std::int64_t> random_indices(std::int64_t n, std::int64_t extent) {
  std::vector<std::int64_t> v(static_cast<std::size_t>(n));
  for (auto& i : v) i = std::uniform_int_distribution<std::int64_t>(0, extent - 1)(generator());
  return v;
}

std::int64_t offset(const View& v, const std::vector<std::int64_t>& index) {
  std::int64_t at = 0;
  for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * v.strides[static_cast<int>(d)];
  return at;
}

View index_view(std::vector<std::int64_t>& values, const Shape& shape, Layout layout = Layout::dense) {
  // Reversed strides read the same numbers in another order, which is as good.
  return {values.data(), i64, shape, strides_of(shape, layout == Layout::reversed ? layout : Layout::dense)};
}

template <class T>
class Index : public testing::Test {};
using Types = testing::Types<float, double, std::int64_t>;
TYPED_TEST_SUITE(Index, Types);

struct Case {
  Shape shape, index;  // the index is at most as large outside the axis
  int axis;
};
const Case cases[] = {{{7}, {4}, 0},
                      {{7}, {30}, 0},
                      {{5, 6}, {5, 3}, 1},
                      {{5, 6}, {2, 6}, 0},
                      {{5, 6}, {9, 4}, 0},
                      {{4, 50}, {4, 40}, 1},
                      {{3, 4, 5}, {2, 7, 5}, 1},
                      {{3, 4, 5}, {3, 4, 1}, 2},
                      {{3, 4, 5}, {6, 3, 2}, 0},
                      {{2, 3, 40}, {2, 3, 33}, 2},
                      {{3, 4}, {3, 0}, 1},
                      {{1}, {1}, 0},
                      {{}, {}, 0},
                      {{2, 3, 4, 5}, {2, 2, 4, 5}, 1},
                      {{6, 3000}, {40, 2500}, 0}};

std::int64_t extent(const Case& c) { return c.shape.empty() ? 1 : c.shape[c.axis]; }

TYPED_TEST(Index, GatherReadsAndScatterAdds) {
  using T = TypeParam;
  for (const auto& c : cases)
    for (auto layout : layouts) {
      SCOPED_TRACE(testing::Message() << to_string(c.shape) << " index " << to_string(c.index) << " axis "
                                      << c.axis << " layout " << static_cast<int>(layout));
      auto indices = random_indices(c.index.numel(), extent(c));
      const View index = index_view(indices, c.index, layout);
      const Buffer<T> x(c.shape, strides_of(c.shape, layout));
      const auto moved = [&](std::vector<std::int64_t> at, std::int64_t i) {
        if (!at.empty()) at[static_cast<std::size_t>(c.axis)] = i;
        return at;
      };
      const Layout writable = layout == Layout::repeated ? Layout::dense : layout;
      Buffer<T> out(c.index, strides_of(c.index, writable));
      auto wanted = out.memory;
      const auto base = out.view.template as<T>() - out.memory.data();
      for_each(index, [&](const auto& at, std::int64_t i) {
        wanted[static_cast<std::size_t>(base + offset(out.view, at))] =
            x.view.template as<T>()[offset(x.view, moved(at, index.as<std::int64_t>()[i]))];
      });
      EXPECT_EQ(gather(x.view, c.axis, index, out.view), std::nullopt);
      EXPECT_TRUE(same_bits(wanted, out.memory));

      Buffer<T> into(c.shape, strides_of(c.shape, writable));
      auto sums = into.memory;
      const Buffer<T> src(c.index, strides_of(c.index, layout));
      const auto start = into.view.template as<T>() - into.memory.data();
      for_each(index, [&](const auto& at, std::int64_t i) {
        sums[static_cast<std::size_t>(start + offset(into.view, moved(at, index.as<std::int64_t>()[i])))] +=
            src.view.template as<T>()[offset(src.view, at)];
      });
      EXPECT_EQ(scatter_add(into.view, c.axis, index, src.view), std::nullopt);
      EXPECT_TRUE(same_bits(sums, into.memory));  // the same order of additions, so the same bits
    }
}

TYPED_TEST(Index, SelectReadsAndIndexAdds) {
  using T = TypeParam;
  for (const auto& shape : {Shape{9}, Shape{4, 6}, Shape{3, 5, 7}, Shape{2, 1, 4, 3}, Shape{30, 700}})
    for (int axis = 0; axis < shape.rank(); ++axis)
      for (std::int64_t n : {0, 1, 5, 40})
        for (auto layout : layouts) {
          auto indices = random_indices(n, shape[axis]);
          Shape small = shape;
          small[axis] = n;
          SCOPED_TRACE(testing::Message() << to_string(shape) << " axis " << axis << " n " << n);
          const View index{indices.data(), i64, {n}, {1}};
          const Layout writable = layout == Layout::repeated ? Layout::dense : layout;
          const Buffer<T> x(shape, strides_of(shape, layout)), src(small, strides_of(small, layout));
          Buffer<T> out(small, strides_of(small, writable)), into(shape, strides_of(shape, writable));
          auto wanted = out.memory, sums = into.memory;
          const auto base = out.view.template as<T>() - out.memory.data(),
                     start = into.view.template as<T>() - into.memory.data();
          for_each(src.view, [&](const auto& at, std::int64_t from) {
            auto moved = at;
            moved[static_cast<std::size_t>(axis)] =
                indices[static_cast<std::size_t>(at[static_cast<std::size_t>(axis)])];
            wanted[static_cast<std::size_t>(base + offset(out.view, at))] =
                x.view.template as<T>()[offset(x.view, moved)];
            sums[static_cast<std::size_t>(start + offset(into.view, moved))] +=
                src.view.template as<T>()[from];
          });
          EXPECT_EQ(index_select(x.view, axis, index, out.view), std::nullopt);
          EXPECT_EQ(index_add(into.view, axis, index, src.view), std::nullopt);
          EXPECT_TRUE(same_bits(wanted, out.memory));
          EXPECT_TRUE(same_bits(sums, into.memory));
        }
}

TEST(IndexChecks, NothingIsWrittenWhenAnIndexIsBad) {
  for (std::int64_t bad : {std::int64_t{-1}, std::int64_t{4}, std::numeric_limits<std::int64_t>::min(),
                           std::numeric_limits<std::int64_t>::max()})
    for (std::size_t place : {0U, 9U, 99U}) {
      auto indices = random_indices(100, 4);
      indices[place] = bad;
      if (place < 99) indices[99] = -7;  // a later one is not the first
      const Buffer<float> x({4, 3}, {3, 1}), src({100, 3}, {3, 1});
      Buffer<float> out({100, 3}, {3, 1}), into({4, 3}, {3, 1});
      const auto out_before = out.memory, into_before = into.memory;
      const View index{indices.data(), i64, {100}, {1}}, wide{indices.data(), i64, {100, 3}, {1, 0}};
      EXPECT_EQ(gather(x.view, 0, wide, out.view), bad);
      EXPECT_EQ(index_select(x.view, 0, index, out.view), bad);
      EXPECT_EQ(scatter_add(into.view, 0, wide, src.view), bad);
      EXPECT_EQ(index_add(into.view, 0, index, src.view), bad);
      EXPECT_EQ(find_bad_index(index, 4), bad);
      EXPECT_TRUE(same_bits(out_before, out.memory));
      EXPECT_TRUE(same_bits(into_before, into.memory));
    }
  std::int64_t any = 0;
  EXPECT_EQ(find_bad_index({&any, i64, {1}, {1}}, 0), 0);
  EXPECT_EQ(find_bad_index({nullptr, i64, {3, 0}, {0, 1}}, 0), std::nullopt);
}

TEST(IndexThreads, SameBitsForAnyThreads) {
  // 50,000 additions to 20 rows: the order at each row must not depend on the threads.
  auto indices = random_indices(50000, 20);
  const auto src = random_values<float>(50000 * 8);
  for (auto [shape, strides, axis] : {std::tuple{Shape{50000, 8}, Strides{8, 1}, 0},
                                      {Shape{8, 50000}, Strides{1, 8}, 1},
                                      {Shape{8, 50000}, Strides{50000, 1}, 1}}) {
    Shape to = shape;
    to[axis] = 20;
    expect_same_bits_for_any_threads([&, &s = shape, &st = strides, a = axis] {
      std::vector<float> into(160);
      EXPECT_EQ(index_add({into.data(), f32, to, row_major(to)}, a, {indices.data(), i64, {50000}, {1}},
                          {const_cast<float*>(src.data()), f32, s, st}),
                std::nullopt);
      return into;
    });
  }
}

TEST(IndexTypes, BoolIsRead) {
  bool x[] = {true, false, true}, out[4] = {};
  std::vector<std::int64_t> indices{1, 0, 2, 1};
  EXPECT_EQ(
      index_select({x, boolean, {3}, {1}}, 0, {indices.data(), i64, {4}, {1}}, {out, boolean, {4}, {1}}),
      std::nullopt);
  const bool wanted[] = {false, true, true, false};
  EXPECT_TRUE(std::equal(out, out + 4, wanted));
}

}  // namespace
}  // namespace cadena::kernels::test
