#include "autodiff/kernels/compare.hpp"

#include <cmath>
#include <limits>

#include "autodiff/kernels/map.hpp"

namespace cadena::kernels {

namespace {

template <class T, class F>
void compare_loop(const void*, void* out, const void* const* in, unsigned, std::int64_t n) {
  const T* a = static_cast<const T*>(in[0]);
  const T* b = static_cast<const T*>(in[1]);
  auto* o = static_cast<unsigned char*>(out);
  for (std::int64_t i = 0; i < n; ++i) o[i] = F{}(a[i], b[i]);
}

struct Eq {
  bool operator()(auto a, auto b) const { return a == b; }
};
struct Ne {
  bool operator()(auto a, auto b) const { return !(a == b); }
};
struct Lt {
  bool operator()(auto a, auto b) const { return a < b; }
};
struct Le {
  bool operator()(auto a, auto b) const { return a <= b; }
};

template <class T>
MapLoop loop_for(Comparison op) {
  switch (op) {
    case Comparison::eq:
      return compare_loop<T, Eq>;
    case Comparison::ne:
      return compare_loop<T, Ne>;
    case Comparison::lt:
      return compare_loop<T, Lt>;
    default:
      return compare_loop<T, Le>;
  }
}

template <class T>
void close_loop(const void* op, void* out, const void* const* in, unsigned, std::int64_t n) {
  const auto [relative, absolute, equal_nan] = *static_cast<const Closeness*>(op);
  constexpr double inf = std::numeric_limits<double>::infinity();
  const T* a = static_cast<const T*>(in[0]);
  const T* b = static_cast<const T*>(in[1]);
  auto* o = static_cast<unsigned char*>(out);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    // An infinite bound would make everything close, so both must be finite to be compared by their distance.
    // Numbers, whose & and | never branch, so that the loop has lanes.
    const int within = std::abs(x - y) <= std::abs(y) * relative + absolute;
    const int finite_x = std::abs(x) < inf, finite_y = std::abs(y) < inf, equal = x == y;
    const int nan_x = x != x, nan_y = y != y, nans_count = equal_nan;
    o[i] = static_cast<unsigned char>(equal | (within & finite_x & finite_y) | (nans_count & nan_x & nan_y));
  }
}

/// U stands for any element of its size: choosing does not look at values.
template <class U>
void where_loop(const void*, void* out, const void* const* in, unsigned, std::int64_t n) {
  const auto* c = static_cast<const unsigned char*>(in[0]);
  const U* a = static_cast<const U*>(in[1]);
  const U* b = static_cast<const U*>(in[2]);
  U* o = static_cast<U*>(out);
  for (std::int64_t i = 0; i < n; ++i) o[i] = c[i] ? a[i] : b[i];
}

MapInput input(const View& v, const View& out) {
  return {v.data, itemsize(v.dtype), broadcast_strides(v.shape, v.strides, out.shape)};
}

}  // namespace

void compare(Comparison op, const View& a, const View& b, const View& out) {
  const MapInput inputs[] = {input(a, out), input(b, out)};
  const MapLoop loop = visit(a.dtype, [&]<class T>(T) { return loop_for<T>(op); });
  map(loop, Splats::no, nullptr, out.data, 1, out.shape, inputs, 2);
}

void is_close(const Closeness& how, const View& a, const View& b, const View& out) {
  const MapInput inputs[] = {input(a, out), input(b, out)};
  map(a.dtype == f32 ? close_loop<float> : close_loop<double>, Splats::no, &how, out.data, 1, out.shape,
      inputs, 2);
}

void where(const View& condition, const View& a, const View& b, const View& out) {
  const MapInput inputs[] = {input(condition, out), input(a, out), input(b, out)};
  const std::size_t size = itemsize(out.dtype);
  const MapLoop loop = size == 4   ? where_loop<std::uint32_t>
                       : size == 8 ? where_loop<std::uint64_t>
                                   : where_loop<std::uint8_t>;
  map(loop, Splats::no, nullptr, out.data, size, out.shape, inputs, 3);
}

}  // namespace cadena::kernels
