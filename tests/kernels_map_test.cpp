// Elementwise loops over broadcast and strided operands against element-by-element reading.
#include <random>

#include "autodiff/kernels/collapse.hpp"
#include "autodiff/kernels/map.hpp"
#include "kernels_support.hpp"

namespace cadena::kernels::test {
namespace {

constexpr int operands = 3;

/// out = a + 3 b + 7 c in whole numbers, and each operand is read as the contract says.
template <class T>
void weighted_sum(const void*, void* out, const void* const* in, unsigned splat, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    T sum{};
    for (int k = 0; k < operands; ++k)
      sum = static_cast<T>(sum + static_cast<T>((1 << k) + k) *
                                     static_cast<const T*>(in[k])[splat >> k & 1U ? i % 4 : i]);
    static_cast<T*>(out)[i] = sum;
  }
}

template <class T>
struct Drawn {
  std::vector<T> memory;
  MapInput input;
};

/// An operand that repeats along some dimensions of `shape`, and elsewhere lies in any order, with gaps or
/// not.
template <class T>
Drawn<T> draw(const Shape& shape, std::mt19937& random) {
  std::vector<int> order;
  for (int d = 0; d < shape.rank(); ++d) order.push_back(d);
  if (random() % 3 == 0) std::shuffle(order.begin(), order.end(), random);
  const unsigned repeated = random() % 2 == 0 ? 0 : static_cast<unsigned>(random());
  Strides strides = contiguous_strides(shape);
  std::int64_t step = random() % 4 == 0 ? 2 : 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    const int d = order[i];
    strides[d] = repeated >> d & 1U ? 0 : step;
    if (strides[d] != 0) step *= shape[d];
  }
  Drawn<T> drawn;
  for (std::int64_t i = 0; i < step; ++i) drawn.memory.push_back(static_cast<T>(i % 97));
  drawn.input = {drawn.memory.data(), sizeof(T), strides};
  return drawn;
}

template <class T>
void check(const Shape& shape, std::mt19937& random) {
  Drawn<T> drawn[operands];
  MapInput in[operands];
  std::array<Strides, operands> strides;
  for (std::size_t k = 0; k < operands; ++k) {
    drawn[k] = draw<T>(shape, random);
    in[k] = drawn[k].input;
    strides[k] = in[k].strides;
  }
  std::vector<T> wanted;
  for_each_index(shape, strides, [&](const auto& at) {
    T sum{};
    for (std::size_t k = 0; k < operands; ++k)
      sum = static_cast<T>(sum +
                           static_cast<T>((1U << k) + k) * drawn[k].memory[static_cast<std::size_t>(at[k])]);
    wanted.push_back(sum);
  });
  for (const Splats splats : {Splats::no, Splats::yes}) {
    std::vector<T> out(wanted.size());
    map(weighted_sum<T>, splats, nullptr, out.data(), sizeof(T), shape, in, operands);
    ASSERT_EQ(out, wanted) << to_string(shape) << " strides " << to_string(Shape(strides[0])) << " "
                           << to_string(Shape(strides[1])) << " " << to_string(Shape(strides[2]));
  }
}

const Shape shapes[] = {{1},       {5},          {4000, 3},       {3, 4000},
                        {700, 49}, {20, 1500},   {9, 1100, 3},    {16, 1, 129},
                        {6, 7, 8}, {1100, 17},   {2, 513, 70},    {30, 5, 60, 2},
                        {300, 64}, {7, 40, 300}, {90, 2, 3, 100}, {2, 3, 2, 3, 2, 3},
                        {40000},   {70, 1024},   {3, 2, 2049}};

TEST(KernelsMap, AnyOperandsAnyShape) {
  std::mt19937 random(1);
  for (const auto& shape : shapes)
    for (int i = 0; i < 8; ++i) {
      check<float>(shape, random);
      check<std::int64_t>(shape, random);
      check<std::uint8_t>(shape, random);
    }
}

}  // namespace
}  // namespace cadena::kernels::test
