// Reductions against plain loops in long double, over shapes, sets of axes, layouts, thread counts and
// alignments.
#include "autodiff/kernels/xtensor_compat.hpp"

#if __has_include(<xtensor/views/xview.hpp>)
#include <xtensor/misc/xsort.hpp>
#else
#include <xtensor/xsort.hpp>
#endif

#include "autodiff/kernels/reduce.hpp"
#include "kernels_support.hpp"

namespace cadena::kernels::test {
namespace {

const Shape shapes[] = {{},        {1},       {5},       {16},       {17},         {300},
                        {4096},    {4097},    {70000},   {3, 5},     {64, 10},     {10, 64},
                        {1, 7},    {7, 1},    {5, 1, 7}, {129, 3},   {300, 40},    {1100, 2},
                        {9000, 3}, {2, 1100}, {2, 3, 4}, {4, 3, 17}, {6, 1, 5, 2}, {2, 2, 3, 2, 3}};

// Every set of axes, as bits.
template <class F>
void for_axes(const Shape& shape, const F& f) {
  for (unsigned set = 0; set < 1U << shape.rank(); ++set) {
    Axes axes;
    for (int d = 0; d < shape.rank(); ++d)
      if (set >> d & 1U) axes.push_back(d);
    f(axes);
  }
}

template <class T>
struct Group {
  long double sum = 0, size = 0;
  T max{}, min{};
  std::int64_t argmax = -1, argmin = -1, count = 0;

  void add(T v) {
    sum += static_cast<long double>(v), size += std::abs(static_cast<long double>(v));
    if (count == 0 || (max == max && (v != v || v > max))) max = v, argmax = count;
    if (count == 0 || (min == min && (v != v || v < min))) min = v, argmin = count;
    ++count;
  }
};

// Row-major order within each group is row-major order of the reduced axes, as for_each walks.
template <class T>
std::vector<Group<T>> reference(const View& in, const Axes& axes) {
  Shape kept = in.shape;
  for (auto a : axes) kept[static_cast<int>(a)] = 1;
  Strides steps = row_major(kept);
  for (auto a : axes) steps[static_cast<int>(a)] = 0;
  std::vector<Group<T>> groups(static_cast<std::size_t>(kept.numel()));
  for_each(in, [&](const auto& index, std::int64_t at) {
    std::int64_t g = 0;
    for (std::size_t d = 0; d < index.size(); ++d) g += index[d] * steps[static_cast<int>(d)];
    groups[static_cast<std::size_t>(g)].add(in.template as<T>()[at]);
  });
  return groups;
}

template <class Out>
std::vector<Out> run(ReduceOp op, const View& in, const Axes& axes) {
  Shape kept = in.shape;
  for (auto a : axes) kept[static_cast<int>(a)] = 1;
  const auto n = static_cast<std::size_t>(kept.numel());
  std::vector<Out> out(n + 1, Out(77));
  reduce(op, in, axes, out.data());
  EXPECT_EQ(out[n], Out(77)) << "wrote beyond the output";
  out.resize(n);
  return out;
}

template <class T>
void check(const View& in, const Axes& axes) {
  SCOPED_TRACE(testing::Message() << to_string(in.shape) << " strides " << to_string(in.strides) << " axes "
                                  << to_string(axes));
  const auto wanted = reference<T>(in, axes);
  const auto sum = run<T>(ReduceOp::sum, in, axes), max = run<T>(ReduceOp::max, in, axes),
             min = run<T>(ReduceOp::min, in, axes);
  const auto argmax = run<std::int64_t>(ReduceOp::argmax, in, axes),
             argmin = run<std::int64_t>(ReduceOp::argmin, in, axes);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& w = wanted[i];
    // Equal numbers err all to one side: up to 32 epsilons in a chain of 64.
    if constexpr (std::is_integral_v<T>)
      ASSERT_EQ(sum[i], static_cast<T>(w.sum));
    else if (!std::isfinite(w.sum))
      ASSERT_TRUE(same(sum[i], static_cast<T>(w.sum)));
    else
      ASSERT_LE(std::abs(sum[i] - w.sum), 16 * std::numeric_limits<T>::epsilon() * w.size);
    ASSERT_TRUE(same(max[i], w.max)) << max[i] << " for " << w.max;
    ASSERT_TRUE(same(min[i], w.min)) << min[i] << " for " << w.min;
    ASSERT_EQ(argmax[i], w.argmax);
    ASSERT_EQ(argmin[i], w.argmin);
  }
}

template <class T>
class Reduce : public testing::Test {};
using Types = testing::Types<float, double, std::int64_t>;
TYPED_TEST_SUITE(Reduce, Types);

TYPED_TEST(Reduce, AnyAxesOfAnyLayout) {
  for (const auto& shape : shapes)
    for (auto layout : layouts)
      for_axes(shape, [&](const Axes& axes) {
        const Buffer<TypeParam> in(shape, strides_of(shape, layout));
        check<TypeParam>(in.view, axes);
      });
}

// Expanded views: any dimensions repeat.
TYPED_TEST(Reduce, AnyRepeats) {
  for (const auto& shape : {Shape{5}, Shape{700, 30}, Shape{3, 1, 40}, Shape{4, 3, 2, 5}})
    for_axes(shape, [&](const Axes& repeated) {
      Strides strides = row_major(shape);
      for (auto d : repeated) strides[static_cast<int>(d)] = 0;
      const Buffer<TypeParam> in(shape, strides);
      for_axes(shape, [&](const Axes& axes) { check<TypeParam>(in.view, axes); });
    });
}

TYPED_TEST(Reduce, RepeatsOfSpecialValues) {
  using T = TypeParam;
  T v = std::numeric_limits<T>::max();
  const View in{&v, dtype_of<T>(), {3, 4}, {0, 0}};
  if constexpr (std::is_integral_v<T>) {
    EXPECT_EQ(run<T>(ReduceOp::sum, in, {1}), (std::vector<T>{-4, -4, -4}));  // wraps around
    return;
  } else {
    EXPECT_EQ(run<T>(ReduceOp::sum, in, {0, 1})[0], inf<T>);
    v = nan<T>;
    EXPECT_TRUE(same(run<T>(ReduceOp::sum, in, {0})[3], nan<T>));
    EXPECT_TRUE(same(run<T>(ReduceOp::max, in, {0})[3], nan<T>));
    v = T(0.5);
    EXPECT_EQ(run<T>(ReduceOp::prod, in, {1}), (std::vector<T>{0.0625, 0.0625, 0.0625}));
  }
}

TYPED_TEST(Reduce, NothingSumsToZero) {
  using T = TypeParam;
  const std::vector<T> nothing;
  for (const auto& [shape, axes, outputs] : {std::tuple{Shape{0}, Axes{0}, 1},
                                             {Shape{3, 0}, Axes{1}, 3},
                                             {Shape{0, 4}, Axes{0}, 4},
                                             {Shape{2, 0, 3}, Axes{0, 1, 2}, 1},
                                             {Shape{3, 0}, Axes{0}, 0},
                                             {Shape{0, 4}, Axes{1}, 0}}) {
    const auto sum = run<T>(ReduceOp::sum, {nullptr, dtype_of<T>(), shape, row_major(shape)}, axes);
    EXPECT_EQ(sum, std::vector<T>(static_cast<std::size_t>(outputs), T(0))) << to_string(shape);
  }
}

TYPED_TEST(Reduce, SameBitsForAnyThreads) {
  using T = TypeParam;
  for (const auto& shape : {Shape{1 << 21}, Shape{3, 200000}, Shape{40000, 10}, Shape{40000, 33},
                            Shape{10, 40000}, Shape{700, 600}, Shape{30, 200, 70}, Shape{2, 9000, 30}})
    for (auto layout : {Layout::dense, Layout::reversed, Layout::stepped})
      for_axes(shape, [&](const Axes& axes) {
        SCOPED_TRACE(testing::Message() << to_string(shape) << " axes " << to_string(axes));
        const Buffer<T> in(shape, strides_of(shape, layout));
        for (auto op : {ReduceOp::sum, ReduceOp::max})
          expect_same_bits_for_any_threads([&] { return run<T>(op, in.view, axes); });
        expect_same_bits_for_any_threads([&] { return run<std::int64_t>(ReduceOp::argmax, in.view, axes); });
      });
}

TYPED_TEST(Reduce, SameBitsForAnyAlignment) {
  using T = TypeParam;
  for (const auto& shape :
       {Shape{13}, Shape{1000}, Shape{5000}, Shape{50, 7}, Shape{7, 50}, Shape{300, 70}}) {
    const auto values = random_values<T>(shape.numel());
    for_axes(shape, [&](const Axes& axes) {
      std::vector<T> first;
      for (std::size_t shift : {0U, 1U, 3U, 7U}) {
        std::vector<T> memory(shift);
        memory.insert(memory.end(), values.begin(), values.end());
        const auto sum =
            run<T>(ReduceOp::sum, {memory.data() + shift, dtype_of<T>(), shape, row_major(shape)}, axes);
        if (first.empty()) first = sum;
        EXPECT_TRUE(same_bits(first, sum)) << to_string(shape) << " axes " << to_string(axes);
      }
    });
  }
}

TYPED_TEST(Reduce, AgreesWithXtensor) {
  using T = TypeParam;
  auto values = random_values<T>(6 * 7 * 8);
  const auto x = xt::adapt(values, std::array<std::size_t, 3>{6, 7, 8});
  const View in{values.data(), dtype_of<T>(), {6, 7, 8}, {56, 8, 1}};
  const xt::xarray<double> wide = xt::cast<double>(x);
  const xt::xarray<double> sum = xt::sum(wide, {0, 2});
  const auto ours = run<T>(ReduceOp::sum, in, {0, 2});
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(static_cast<double>(ours[i]), sum.flat(i), 1e-5);
  const xt::xarray<T> max = xt::amax(x, {1});
  EXPECT_TRUE(std::equal(max.begin(), max.end(), run<T>(ReduceOp::max, in, {1}).begin()));
  const xt::xarray<std::size_t> argmin = xt::argmin(x, 2);
  const auto position = run<std::int64_t>(ReduceOp::argmin, in, {2});
  for (std::size_t i = 0; i < position.size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(position[i]), argmin.flat(i));
}

template <class T>
class FloatingReduce : public testing::Test {};
using Floating = testing::Types<float, double>;
TYPED_TEST_SUITE(FloatingReduce, Floating);

// One NaN, or two, or infinities, at every place of a short row, of a long one, and in columns.
TYPED_TEST(FloatingReduce, NanIsExtreme) {
  using T = TypeParam;
  for (const auto& shape :
       {Shape{1}, Shape{9}, Shape{21}, Shape{150}, Shape{10, 7}, Shape{10, 3}, Shape{3, 40}}) {
    const std::int64_t n = shape.numel();
    for (std::int64_t i = 0; i < n; ++i)
      for (T special : {nan<T>, inf<T>, -inf<T>})
        for_axes(shape, [&](const Axes& axes) {
          auto values = random_values<T>(n);
          values[static_cast<std::size_t>(i)] = special;
          values[static_cast<std::size_t>((i * 7 + 5) % n)] = special;
          check<T>({values.data(), dtype_of<T>(), shape, row_major(shape)}, axes);
        });
  }
}

TYPED_TEST(FloatingReduce, FirstOfEquals) {
  using T = TypeParam;
  std::vector<T> values(200, T(1));
  for (std::size_t first : {0U, 1U, 15U, 16U, 17U, 99U, 150U}) {
    values.assign(200, T(1));
    for (std::size_t i = first; i < 200; i += 3) values[i] = T(2);
    EXPECT_EQ(run<std::int64_t>(ReduceOp::argmax, {values.data(), dtype_of<T>(), {200}, {1}}, {0}).front(),
              static_cast<std::int64_t>(first));
  }
  const T low = std::numeric_limits<T>::lowest();
  std::vector<T> lowest(50, -inf<T>);
  EXPECT_EQ(run<T>(ReduceOp::max, {lowest.data(), dtype_of<T>(), {50}, {1}}, {0}).front(), -inf<T>);
  lowest[20] = low;
  EXPECT_EQ(run<T>(ReduceOp::max, {lowest.data(), dtype_of<T>(), {50}, {1}}, {0}).front(), low);
  EXPECT_EQ(run<std::int64_t>(ReduceOp::argmax, {lowest.data(), dtype_of<T>(), {50}, {1}}, {0}).front(), 20);
}

// A plain sum of 2^22 numbers in f32 is off by 1e-5; in double and rounded, by half an epsilon at most.
TYPED_TEST(FloatingReduce, AsAccurateAsDoubleAccumulation) {
  using T = TypeParam;
  auto values = random_values<T>(1 << 22);
  long double whole = 0, column = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = (values[i] + 1) / 2;
    whole += values[i];
    if (i % 4 == 0) column += values[i];
  }
  const DType t = dtype_of<T>();
  const double bound = 1.5 * static_cast<double>(std::numeric_limits<T>::epsilon());
  const auto row = run<T>(ReduceOp::sum, {values.data(), t, {1 << 22}, {1}}, {0});
  EXPECT_LE(static_cast<double>(std::abs(row[0] - whole) / whole), bound);
  const auto columns = run<T>(ReduceOp::sum, {values.data(), t, {1 << 20, 4}, {4, 1}}, {0});
  EXPECT_LE(static_cast<double>(std::abs(columns[0] - column) / column), bound);
}

TEST(Reduce, IntegerSumsWrapAround) {
  std::vector<std::int64_t> values(40, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(run<std::int64_t>(ReduceOp::sum, {values.data(), i64, {40}, {1}}, {0}).front(), -40);
}

}  // namespace
}  // namespace cadena::kernels::test
