// rand, randn, randint, randperm: argument checks around the loops of kernels/random.cpp.
#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "autodiff/core/tape.hpp"
#include "autodiff/kernels/random.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {
namespace {

void expect_floating(const char* op, DType dtype) {
  if (is_floating(dtype)) return;
  throw DtypeError(std::string("[") + op + "] expected dtype f32 or f64, got " + std::string(name(dtype)));
}

/// A new tensor of a floating dtype, filled by fill(pointer, count, start).
template <class Fill>
Tensor filled(const char* op, const Shape& shape, Generator& g, DType dtype, const Fill& fill) {
  expect_floating(op, dtype);
  const std::int64_t n = checked_numel(op, shape, itemsize(dtype));
  return detail::repeatable(op, [=, from = detail::DrawnFrom(g)] {
    Generator& stream = *from;
    Tensor out = empty(shape, dtype);
    const auto run = [&]<class T>(T* data) {
      const auto position = stream.advance(kernels::blocks_for<T>(n));
      fill(data, n, kernels::RandomStart{stream.seed(), position});
    };
    if (dtype == f32)
      run(out.mutable_data<float>());
    else
      run(out.mutable_data<double>());
    return out;
  });
}

/// Every number in [low, high) must be exact in `dtype`.
void expect_range(std::int64_t low, std::int64_t high, DType dtype) {
  if (low < high && dtype == i64) return;
  std::string range = "[";
  range += std::to_string(low) + ", " + std::to_string(high) + ")";
  if (low >= high) throw ValueError("[randint] expected low < high, got " + range);
  const std::int64_t most = dtype == boolean ? 1 : std::int64_t{1} << (dtype == f32 ? 24 : 53);
  const std::int64_t least = dtype == boolean ? 0 : -most;
  if (low >= least && high - 1 <= most) return;
  throw ValueError("[randint] expected a range that " + std::string(name(dtype)) + " holds exactly, [" +
                   std::to_string(least) + ", " + std::to_string(most) + "], got " + range);
}

}  // namespace

Tensor rand(const Shape& shape, Generator& g, DType dtype) {
  return filled("rand", shape, g, dtype, [](auto* out, std::int64_t n, kernels::RandomStart start) {
    kernels::fill_uniform(out, n, start);
  });
}

Tensor randn(const Shape& shape, Generator& g, DType dtype) {
  return filled("randn", shape, g, dtype, [](auto* out, std::int64_t n, kernels::RandomStart start) {
    kernels::fill_normal(out, n, start);
  });
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& g, DType dtype) {
  expect_range(low, high, dtype);
  const std::int64_t n = checked_numel("randint", shape, itemsize(dtype));
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  return detail::repeatable("randint", [=, from = detail::DrawnFrom(g)] {
    Tensor out = empty(shape, dtype);
    Generator& stream = *from;
    const kernels::RandomStart start{stream.seed(), stream.advance((static_cast<std::uint64_t>(n) + 1) / 2)};
    visit(dtype, [&]<class T>(T) { kernels::fill_integers(out.mutable_data<T>(), n, low, range, start); });
    return out;
  });
}

namespace {

/// What Generator::below would give one by one; the bits come in chunks, as they do in the loops that fill
/// memory.
class Draws {
 public:
  Draws(Generator& g, std::int64_t expected) : generator_(g), first_(g.advance(0)), left_(expected) {}
  /// The generator goes on behind what was drawn.
  void finish() { generator_.advance(used_); }
  std::uint64_t below(std::uint64_t n) {
    __extension__ using Wide = unsigned __int128;
    for (;;) {
      const Wide product = static_cast<Wide>(next()) * n;
      const auto low = static_cast<std::uint64_t>(product);
      if (low >= n || low >= (0 - n) % n) return static_cast<std::uint64_t>(product >> 64);
    }
  }

 private:
  static constexpr std::int64_t chunk = 256;

  std::uint64_t next() {
    if (at_ == have_) {
      have_ = std::clamp<std::int64_t>(left_, 1, chunk);
      left_ -= have_;
      kernels::fill_bits(words_, have_, {generator_.seed(), first_ + used_});
      at_ = 0;
    }
    ++used_;
    return words_[at_++];
  }

  Generator& generator_;
  std::uint64_t first_, used_ = 0;
  std::int64_t left_, have_ = 0, at_ = 0;
  std::uint64_t words_[chunk];
};

/// Fisher and Yates' shuffle of 0, 1, ... n - 1: every permutation is equally likely. Some swaps are drawn
/// ahead, so that the memory they need is on its way.
template <class T>
void shuffle(T* p, std::int64_t n, Generator& g) {
  constexpr std::int64_t ahead = 64;
  std::iota(p, p + n, T{0});
  Draws draws(g, n - 1);
  std::int64_t with[ahead];
  for (std::int64_t i = n - 1; i > 0; i -= ahead) {
    const std::int64_t count = std::min(ahead, i);
    for (std::int64_t k = 0; k < count; ++k) {
      with[k] = static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(i - k) + 1));
      __builtin_prefetch(p + with[k], 1);
    }
    for (std::int64_t k = 0; k < count; ++k) std::swap(p[i - k], p[with[k]]);
  }
  draws.finish();
}

}  // namespace

Tensor randperm(std::int64_t n, Generator& g) {
  if (n < 0) throw ValueError("[randperm] expected n >= 0, got " + std::to_string(n));
  return detail::repeatable("randperm", [n, from = detail::DrawnFrom(g)] {
    Generator& stream = *from;
    Tensor out = empty({n}, i64);
    auto* p = out.mutable_data<std::int64_t>();
    if (n > std::numeric_limits<std::int32_t>::max()) {
      shuffle(p, n, stream);
    } else if (n > 0) {  // half the memory to jump about in
      const kernels::Scratch<std::int32_t> order(n);
      shuffle(order.get(), n, stream);
      std::copy_n(order.get(), n, p);
    }
    return out;
  });
}

Tensor rand(const Shape& shape, DType dtype) { return rand(shape, default_generator(), dtype); }
Tensor randn(const Shape& shape, DType dtype) { return randn(shape, default_generator(), dtype); }
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype) {
  return randint(low, high, shape, default_generator(), dtype);
}
Tensor randperm(std::int64_t n) { return randperm(n, default_generator()); }

Tensor rand_like(const Tensor& t) { return rand(t.shape(), t.dtype()); }
Tensor randn_like(const Tensor& t) { return randn(t.shape(), t.dtype()); }

}  // namespace cadena
