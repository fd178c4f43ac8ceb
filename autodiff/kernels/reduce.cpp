#include "autodiff/kernels/reduce.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

#include "autodiff/kernels/copy.hpp"
#include "autodiff/kernels/reduce_loops.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

// A dimension of the input and what becomes of it. Kept ones know the step of their index in the output.
struct Dim {
  std::int64_t extent, stride;
  bool reduced;
  std::int64_t out_stride;
};

class Layout {
 public:
  Layout(const View& in, const Axes& axes) {
    for (int d = 0; d < in.shape.rank(); ++d) {
      const bool reduced = std::find(axes.begin(), axes.end(), d) != axes.end();
      empty_output_ |= !reduced && in.shape[d] == 0;
      empty_sum_ |= reduced && in.shape[d] == 0;
      if (in.shape[d] != 1) dims_[count_++] = {in.shape[d], in.strides[d], reduced, 0};
    }
    lay_out();
  }
  Layout(const Layout& o) { *this = o; }
  Layout& operator=(const Layout& o) {
    std::copy(o.begin(), o.end(), dims_.begin());  // few of eight, mostly
    count_ = o.count_, outputs_ = o.outputs_;
    empty_output_ = o.empty_output_, empty_sum_ = o.empty_sum_;
    return *this;
  }
  ~Layout() = default;

  bool empty_output() const { return empty_output_; }
  bool empty_sum() const { return empty_sum_; }
  std::int64_t outputs() const { return outputs_; }

  std::size_t count() const { return count_; }
  const Dim& operator[](std::size_t i) const { return dims_[i]; }
  int reduced() const {
    return static_cast<int>(std::count_if(begin(), end(), [](const Dim& d) { return d.reduced; }));
  }

  // Takes out the dimensions that only repeat elements, and are `reduced` or kept. @return the repeats
  std::int64_t drop_repeats(bool reduced) {
    std::int64_t repeats = 1;
    std::size_t n = 0;
    for (std::size_t i = 0; i < count_; ++i)
      if (dims_[i].stride == 0 && dims_[i].reduced == reduced)
        repeats *= dims_[i].extent;
      else
        dims_[n++] = dims_[i];
    count_ = n;
    lay_out();
    return repeats;
  }

  // Memory order: the largest step first. Repeated elements (step 0) go first, too: their loop costs least
  // outside.
  void sort() {
    const auto key = [](const Dim& d) { return d.stride == 0 ? INT64_MAX : std::abs(d.stride); };
    insertion_sort([&](const Dim& a, const Dim& b) { return key(a) > key(b); });
  }
  void move_reduced_last() {
    insertion_sort([](const Dim& a, const Dim& b) { return a.reduced < b.reduced; });
  }

  // Merges neighbours that are kept or reduced together.
  void merge() {
    std::size_t n = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const Dim d = dims_[i];
      Dim* last = n > 0 ? &dims_[n - 1] : nullptr;
      if (last && last->reduced == d.reduced && last->stride == d.stride * d.extent &&
          (d.reduced || last->out_stride == d.out_stride * d.extent))
        *last = {last->extent * d.extent, d.stride, d.reduced, d.out_stride};
      else
        dims_[n++] = d;
    }
    count_ = n;
  }

  // As if the input had been copied in the present order of dimensions.
  void make_contiguous() {
    std::int64_t stride = 1;
    for (std::size_t i = count_; i-- > 0;) dims_[i].stride = stride, stride *= dims_[i].extent;
  }
  View view(void* data, DType dtype) const {
    View v{data, dtype, {}, {}};
    for (const Dim& d : *this) v.shape.push_back(d.extent), v.strides.push_back(d.stride);
    return v;
  }
  void erase(std::size_t i) {
    std::copy(dims_.begin() + static_cast<std::ptrdiff_t>(i) + 1, end(),
              dims_.begin() + static_cast<std::ptrdiff_t>(i));
    --count_;
  }

  const Dim* begin() const { return dims_.data(); }
  const Dim* end() const { return dims_.data() + count_; }

 private:
  Dim* begin() { return dims_.data(); }
  Dim* end() { return dims_.data() + count_; }

  // Stable, and without the memory that std::stable_sort asks the system for.
  template <class Before>
  void insertion_sort(const Before& before) {
    for (std::size_t i = 1; i < count_; ++i)
      for (std::size_t j = i; j > 0 && before(dims_[j], dims_[j - 1]); --j) std::swap(dims_[j], dims_[j - 1]);
  }
  void lay_out() {
    outputs_ = 1;
    for (std::size_t i = count_; i-- > 0;)
      if (!dims_[i].reduced) dims_[i].out_stride = outputs_, outputs_ *= dims_[i].extent;
  }

  std::array<Dim, max_rank> dims_;
  std::size_t count_ = 0;
  std::int64_t outputs_ = 1;
  bool empty_output_ = false, empty_sum_ = false;
};

bool gives_position(ReduceOp op) { return op == ReduceOp::argmax || op == ReduceOp::argmin; }

// Reduces dimension r; the innermost dimension has stride 1. The result is contiguous in the order of the
// others.
template <class T>
void reduce_dim(ReduceOp op, const Layout& layout, std::size_t r, const T* x, void* out) {
  const std::size_t last = layout.count() - 1;
  Loops<1> outer;
  for (std::size_t i = 0; i < layout.count(); ++i)
    if (i != r && (i != last || r == last)) {
      outer.shape.push_back(layout[i].extent);
      outer.strides[0].push_back(layout[i].stride);
    }
  outer = collapse(outer);
  if (r == last)
    reduce_rows(op, outer, layout[r].extent, x, out);
  else
    reduce_columns(op, outer, layout[r].extent, layout[r].stride, layout[last].extent, x, out);
}

template <class T>
void copy_to_output(const Layout& layout, DType dtype, T* from, void* out) {
  View source = layout.view(from, dtype), target = source;
  target.data = out;
  for (std::size_t i = 0; i < layout.count(); ++i) target.strides[static_cast<int>(i)] = layout[i].out_stride;
  copy(source, target);
}

bool in_output_order(const Layout& layout) {
  for (std::size_t i = 1; i < layout.count(); ++i)
    if (layout[i - 1].out_stride < layout[i].out_stride) return false;
  return true;
}

// One reduced dimension after the other, innermost first.
template <class T>
void reduce_in_stages(ReduceOp op, Layout layout, DType dtype, const T* x, void* out) {
  std::optional<Scratch<T>> previous;
  while (true) {
    std::size_t r = layout.count();
    while (!layout[--r].reduced) {
    }
    Layout rest = layout;
    rest.erase(r);
    rest.make_contiguous();
    const bool last_stage = rest.reduced() == 0;
    if (last_stage && in_output_order(rest)) return reduce_dim(op, layout, r, x, out);
    Scratch<T> result(layout.view(nullptr, dtype).shape.numel() / layout[r].extent);
    reduce_dim(op, layout, r, x, result.get());
    if (last_stage) return copy_to_output(rest, dtype, result.get(), out);
    previous.emplace(std::move(result));
    x = previous->get();
    layout = rest;
    layout.merge();
  }
}

template <class T>
void reduce_positions(ReduceOp op, Layout layout, const T* x, DType dtype, void* out) {
  layout.merge();
  const std::size_t last = layout.count() - 1;
  if (layout.reduced() == 1 && layout[last].stride == 1) {
    std::size_t r = 0;
    while (!layout[r].reduced) ++r;
    return reduce_dim(op, layout, r, x, out);
  }
  layout.move_reduced_last();
  const View source = layout.view(const_cast<T*>(x), dtype);
  const Scratch<T> dense(source.shape.numel());
  layout.make_contiguous();
  copy(source, layout.view(dense.get(), dtype));
  layout.merge();
  reduce_dim(op, layout, layout.count() - 1, dense.get(), out);
}

template <class T>
void reduce_distinct(ReduceOp op, Layout layout, const T* x, DType dtype, void* out) {
  if (layout.reduced() == 0) return copy_to_output(layout, dtype, const_cast<T*>(x), out);
  layout.sort();
  layout.merge();
  if (layout[layout.count() - 1].stride == 1) return reduce_in_stages(op, layout, dtype, x, out);
  const View source = layout.view(const_cast<T*>(x), dtype);
  const Scratch<T> dense(source.shape.numel());
  layout.make_contiguous();
  copy(source, layout.view(dense.get(), dtype));
  layout.merge();
  reduce_in_stages(op, layout, dtype, dense.get(), out);
}

template <class T>
void multiply(T* x, std::int64_t n, std::int64_t factor) {
  for (std::int64_t i = 0; i < n; ++i) {
    if constexpr (std::is_same_v<T, std::int64_t>)  // wraps around
      x[i] = static_cast<T>(static_cast<std::uint64_t>(x[i]) * static_cast<std::uint64_t>(factor));
    else
      x[i] = static_cast<T>(static_cast<double>(x[i]) * static_cast<double>(factor));
  }
}

// The results of `distinct`, repeated as `layout` says.
template <class T>
void copy_repeated(const Layout& layout, const Layout& distinct, DType dtype, T* results, void* out) {
  View from{results, dtype, {}, {}}, to{out, dtype, {}, {}};
  std::size_t next = 0;
  for (const Dim& d : layout) {
    const bool repeats = d.stride == 0 && !d.reduced;
    if (!d.reduced) {
      from.shape.push_back(d.extent);
      from.strides.push_back(repeats ? 0 : distinct[next].out_stride);
      to.strides.push_back(d.out_stride);
    }
    if (!repeats) ++next;
  }
  to.shape = from.shape;
  copy(from, to);
}

// Expanded views repeat elements, which are met once: equals sum up to a multiple, which is rounded once and
// costs no memory, and the largest of equals is any of them. Repeated results are repeated.
template <class T>
void reduce_values(ReduceOp op, Layout layout, const T* x, DType dtype, void* out) {
  const std::int64_t equals = op == ReduceOp::prod ? 1 : layout.drop_repeats(true);
  const bool counts = op == ReduceOp::sum && equals > 1;
  Layout distinct = layout;
  if (distinct.drop_repeats(false) == 1) {
    reduce_distinct(op, layout, x, dtype, out);
    if (counts) multiply(static_cast<T*>(out), layout.outputs(), equals);
    return;
  }
  const Scratch<T> results(distinct.outputs());
  reduce_distinct(op, distinct, x, dtype, results.get());
  if (counts) multiply(results.get(), distinct.outputs(), equals);
  copy_repeated(layout, distinct, dtype, results.get(), out);
}

bool is_contiguous(const View& v) {
  std::int64_t stride = 1;
  for (int d = v.shape.rank() - 1; d >= 0; --d) {
    if (v.shape[d] != 1 && v.strides[d] != stride) return false;
    stride *= v.shape[d];
  }
  return true;
}

template <class T>
void reduce_typed(ReduceOp op, const View& in, const Axes& axes, void* out) {
  const T* x = in.as<T>();
  const std::int64_t n = in.shape.numel();
  if (n > 0 && axes.rank() == in.shape.rank() && is_contiguous(in)) return reduce_rows(op, {}, n, x, out);
  const Layout layout(in, axes);
  if (layout.empty_output()) return;
  if (gives_position(op)) {
    if (layout.reduced() > 0)
      reduce_positions(op, layout, x, in.dtype, out);
    else
      std::fill_n(static_cast<std::int64_t*>(out), layout.outputs(), 0);
  } else if (layout.empty_sum()) {
    std::fill_n(static_cast<T*>(out), layout.outputs(), T(op == ReduceOp::prod));
  } else if (layout.reduced() > 0) {
    reduce_values(op, layout, x, in.dtype, out);
  } else {
    copy_to_output(layout, in.dtype, const_cast<T*>(x), out);
  }
}

}  // namespace

void reduce(ReduceOp op, const View& in, const Axes& axes, void* out) {
  if (in.dtype == f32)
    reduce_typed<float>(op, in, axes, out);
  else if (in.dtype == f64)
    reduce_typed<double>(op, in, axes, out);
  else
    reduce_typed<std::int64_t>(op, in, axes, out);
}

}  // namespace cadena::kernels
