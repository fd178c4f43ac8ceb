// Strided copies, conversions and fills against element-by-element loops.
#include <array>

#include "autodiff/kernels/copy.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/xtensor_compat.hpp"
#include "kernels_support.hpp"

namespace cadena::kernels::test {
namespace {

const Shape shapes[] = {{},           {1},
                        {0},          {7},
                        {3, 5},       {1, 9},
                        {9, 1},       {64, 64},
                        {8, 8},       {17, 100},
                        {2, 3, 4},    {5, 1, 6, 1},
                        {3, 40, 33},  {2, 2, 2, 2, 2},
                        {2, 0, 3},    {130, 67},
                        {4, 9, 9, 4}, {1, 2, 1, 2, 1, 2, 1, 2}};

template <class From, class To, class Expected>
void check(const Shape& shape, Layout from_layout, Layout to_layout, const Expected& expected) {
  if (to_layout == Layout::repeated) return;
  SCOPED_TRACE(testing::Message() << to_string(shape) << " layouts " << static_cast<int>(from_layout) << " "
                                  << static_cast<int>(to_layout));
  const Buffer<From> from(shape, strides_of(shape, from_layout));
  Buffer<To> to(shape, strides_of(shape, to_layout));
  auto wanted = to.memory;
  std::vector<From> values;
  for_each(from.view,
           [&](const auto&, std::int64_t at) { values.push_back(from.view.template as<From>()[at]); });
  auto value = values.begin();
  const auto base = to.view.template as<To>() - to.memory.data();
  for_each(to.view, [&](const auto&, std::int64_t at) {
    wanted[static_cast<std::size_t>(base + at)] = expected(*value++);
  });
  copy(from.view, to.view);
  EXPECT_TRUE(same_bits(wanted, to.memory));
}

template <class T>
class Copy : public testing::Test {};
using Types = testing::Types<float, double, std::int64_t>;
TYPED_TEST_SUITE(Copy, Types);

TYPED_TEST(Copy, AnyLayoutToAnyLayout) {
  for (const auto& shape : shapes)
    for (auto from : layouts)
      for (auto to : layouts) check<TypeParam, TypeParam>(shape, from, to, [](auto v) { return v; });
}

template <class T>
class Add : public testing::Test {};
using Floats = testing::Types<float, double>;
TYPED_TEST_SUITE(Add, Floats);

TYPED_TEST(Add, AnyLayoutToAnyLayout) {
  using T = TypeParam;
  for (const auto& shape : shapes)
    for (auto from_layout : layouts)
      for (auto to_layout : layouts) {
        if (to_layout == Layout::repeated) continue;
        const Buffer<T> from(shape, strides_of(shape, from_layout));
        Buffer<T> to(shape, strides_of(shape, to_layout));
        std::vector<std::int64_t> places;
        for_each(to.view, [&](const auto&, std::int64_t at) { places.push_back(at); });
        auto wanted = to.memory;
        const auto base = to.view.template as<T>() - to.memory.data();
        auto place = places.begin();
        for_each(from.view, [&](const auto&, std::int64_t at) {
          wanted[static_cast<std::size_t>(base + *place++)] += from.view.template as<T>()[at];
        });
        add(from.view, to.view);
        EXPECT_TRUE(same_bits(wanted, to.memory)) << to_string(shape);
      }
}

// Permutations of three dimensions, with extents around the transposing tile's.
TYPED_TEST(Copy, Permutations) {
  using T = TypeParam;
  for (auto [a, b, c] : {std::array{3, 64, 65}, {70, 8, 9}, {16, 7, 80}}) {
    std::array<int, 3> order{0, 1, 2};
    do {
      const Shape base{a, b, c};
      const Strides strides = row_major(base);
      Shape shape;
      Strides permuted;
      for (int d : order) shape.push_back(base[d]), permuted.push_back(strides[d]);
      const Buffer<T> from(base, strides);
      std::vector<T> to(static_cast<std::size_t>(shape.numel()));
      copy({from.view.data, from.view.dtype, shape, permuted},
           {to.data(), from.view.dtype, shape, row_major(shape)});
      std::size_t i = 0;
      for_each({nullptr, f32, shape, permuted}, [&](const auto&, std::int64_t at) {
        ASSERT_EQ(to[i++], from.view.template as<T>()[at]) << to_string(shape);
      });
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TYPED_TEST(Copy, LargeOnSeveralThreads) {
  using T = TypeParam;
  for (const auto& shape : {Shape{1 << 20}, Shape{1000, 700}, Shape{3, 500, 300}, Shape{200000, 3}})
    for (auto layout : {Layout::dense, Layout::reversed, Layout::stepped, Layout::repeated}) {
      const Buffer<T> from(shape, strides_of(shape, layout));
      expect_same_bits_for_any_threads([&] {
        std::vector<T> to(static_cast<std::size_t>(shape.numel()));
        copy(from.view, {to.data(), from.view.dtype, shape, row_major(shape)});
        return to;
      });
    }
  const Threads two(2);
  check<T, T>({1000, 700}, Layout::reversed, Layout::dense, [](auto v) { return v; });
  check<T, T>({1 << 20}, Layout::stepped, Layout::dense, [](auto v) { return v; });
}

// Results so large that they go past the caches, in whole lines or not.
TYPED_TEST(Copy, LargeTransposes) {
  using T = TypeParam;
  for (auto [rows, columns] : {std::array<std::int64_t, 2>{1456, 1504}, {1100, 2048}, {1451, 1509}}) {
    const auto values = random_values<T>(rows * columns);
    expect_same_bits_for_any_threads([&, rows = rows, columns = columns] {
      const Scratch<T> lines(rows * columns);
      copy({const_cast<T*>(values.data()), dtype_of<T>(), {columns, rows}, {1, columns}},
           {lines.get(), dtype_of<T>(), {columns, rows}, {rows, 1}});
      std::vector<T> to(lines.get(), lines.get() + rows * columns);
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j)
          wrong +=
              to[static_cast<std::size_t>(j * rows + i)] != values[static_cast<std::size_t>(i * columns + j)];
      EXPECT_EQ(wrong, 0) << rows << " x " << columns;
      return to;
    });
  }
}

// The same slice by xtensor.
TEST(Copy, AgreesWithXtensor) {
  auto values = random_values<float>(20 * 30);
  const auto matrix = xt::adapt(values, std::array<std::size_t, 2>{20, 30});
  const xt::xarray<float> wanted =
      xt::transpose(xt::strided_view(matrix, {xt::range(2, 20, 3), xt::range(1, 30, 4)}));
  xt::xarray<float> to = xt::zeros_like(wanted);
  copy({values.data() + 2 * 30 + 1, f32, {8, 6}, {4, 90}}, {to.data(), f32, {8, 6}, {6, 1}});
  EXPECT_EQ(wanted, to);
}

TEST(Copy, ConvertsBetweenNumbers) {
  for (const auto& shape : {Shape{}, Shape{37}, Shape{5, 6}})
    for (auto from : layouts)
      for (auto to : layouts) {
        check<float, double>(shape, from, to, [](float v) { return static_cast<double>(v); });
        check<double, float>(shape, from, to, [](double v) { return static_cast<float>(v); });
        check<std::int64_t, float>(shape, from, to, [](auto v) { return static_cast<float>(v); });
        check<std::int64_t, double>(shape, from, to, [](auto v) { return static_cast<double>(v); });
      }
}

template <class From, class To>
To converted(From v) {
  To out{};
  copy({&v, dtype_of<From>(), {}, {}}, {&out, dtype_of<To>(), {}, {}});
  return out;
}

template <class T>
void check_to_i64() {
  constexpr auto top = std::numeric_limits<std::int64_t>::max(),
                 bottom = std::numeric_limits<std::int64_t>::min();
  const auto convert = converted<T, std::int64_t>;
  EXPECT_EQ(convert(T(2.9)), 2);
  EXPECT_EQ(convert(T(-2.9)), -2);
  EXPECT_EQ(convert(nan<T>), 0);
  EXPECT_EQ(convert(inf<T>), top);
  EXPECT_EQ(convert(-inf<T>), bottom);
  EXPECT_EQ(convert(T(9223372036854775808.0)), top);  // 2^63
  EXPECT_EQ(convert(T(-9223372036854775808.0)), bottom);
  EXPECT_EQ(convert(std::nextafter(T(9223372036854775808.0), T(0))),
            static_cast<std::int64_t>(std::nextafter(T(9223372036854775808.0), T(0))));
  EXPECT_EQ(convert(std::numeric_limits<T>::max()), top);
}

TEST(Copy, FloatingToIntegersIsDefined) {
  check_to_i64<float>();
  check_to_i64<double>();
}

TEST(Copy, Bool) {
  EXPECT_TRUE((converted<float, bool>(0.1F)));
  EXPECT_TRUE((converted<double, bool>(nan<double>)));
  EXPECT_FALSE((converted<double, bool>(-0.0)));
  EXPECT_TRUE((converted<std::int64_t, bool>(256)));
  EXPECT_EQ((converted<bool, float>(true)), 1.0F);
  EXPECT_EQ((converted<bool, std::int64_t>(true)), 1);
  EXPECT_EQ((converted<bool, double>(false)), 0.0);
  const bool from[] = {true, false, true, true, false, false};
  bool to[6] = {};
  copy({const_cast<bool*>(from), boolean, {2, 3}, {1, 2}}, {to, boolean, {2, 3}, {3, 1}});
  const bool wanted[] = {true, true, false, false, true, false};
  EXPECT_TRUE(std::equal(to, to + 6, wanted));
}

TEST(Fill, WritesOnlyTheView) {
  for (const auto& shape : shapes)
    for (auto layout : layouts) {
      if (layout == Layout::repeated) continue;
      Buffer<double> to(shape, strides_of(shape, layout));
      auto wanted = to.memory;
      const auto base = to.view.as<double>() - to.memory.data();
      for_each(to.view,
               [&](const auto&, std::int64_t at) { wanted[static_cast<std::size_t>(base + at)] = 2.5; });
      fill(to.view, 2.5);
      EXPECT_TRUE(same_bits(wanted, to.memory)) << to_string(shape);
    }
}

TEST(Fill, Converts) {
  std::int64_t i = 0;
  fill({&i, i64, {}, {}}, 3.7);
  EXPECT_EQ(i, 3);
  fill({&i, i64, {}, {}}, nan<double>);
  EXPECT_EQ(i, 0);
  fill({&i, i64, {}, {}}, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(i, std::numeric_limits<std::int64_t>::max());
  float f = 0;
  fill({&f, f32, {}, {}}, true);
  EXPECT_EQ(f, 1.0F);
  bool b = false;
  fill({&b, boolean, {}, {}}, 0.5);
  EXPECT_TRUE(b);
}

}  // namespace
}  // namespace cadena::kernels::test
