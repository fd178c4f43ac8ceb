#include "autodiff/kernels/margins.hpp"

#include <algorithm>
#include <cstddef>
#include <xsimd/xsimd.hpp>

#include "autodiff/kernels/parallel.hpp"

namespace cadena::kernels {
namespace {

using Index = std::vector<std::int64_t>;

// Where an index counts up by one: `count` entries from `begin` on.
struct Run {
  std::size_t begin = 0, count = 0;
};
Run longest_run(const Index& index) {
  Run best, now;
  for (std::size_t i = 0; i < index.size(); ++i) {
    const bool goes_on = now.count > 0 && index[i] == index[i - 1] + 1;
    now = goes_on ? Run{now.begin, now.count + 1} : Run{i, 1};
    if (now.count > best.count) best = now;
  }
  return best;
}

// A few vectors are moved here, the last one over a part of the one before: a call would cost more.
template <class T>
void copy_run(const T* from, std::size_t n, T* to) {
  if constexpr (sizeof(T) >= 4) {
    using Batch = xsimd::batch<T>;
    constexpr std::size_t step = Batch::size;
    if (n >= step && n <= 8 * step) {
      for (std::size_t i = 0; i + step < n; i += step)
        Batch::load_unaligned(from + i).store_unaligned(to + i);
      Batch::load_unaligned(from + n - step).store_unaligned(to + n - step);
      return;
    }
  }
  std::copy_n(from, n, to);
}

template <class T>
struct Reader {
  const std::vector<Index>& index;
  std::vector<std::int64_t> stride;  // of `from`, by axis
  Run run;                           // of the last index
  std::vector<std::size_t> singles;  // what is not in it

  void row(const T* from, T* to) const {
    const Index& last = index.back();
    if (run.count > 0) copy_run(from + last[run.begin], run.count, to + run.begin);
    for (const std::size_t i : singles) to[i] = from[last[i]];
  }

  // Rows first ... end of the result, in its order.
  void rows(const T* from, std::int64_t first, std::int64_t end, T* to) const {
    const std::size_t outer = index.size() - 1;
    std::vector<std::size_t> at(outer);
    for (std::size_t d = outer, rest = static_cast<std::size_t>(first); d-- > 0; rest /= index[d].size())
      at[d] = rest % index[d].size();
    std::vector<const T*> place(outer + 1, from);  // of what the indices of the axes before d name
    const auto find_from = [&](std::size_t d) {
      for (; d < outer; ++d) place[d + 1] = place[d] + index[d][at[d]] * stride[d];
    };
    find_from(0);
    const auto length = static_cast<std::int64_t>(index.back().size());
    for (std::int64_t r = first; r < end; ++r) {
      row(place[outer], to + r * length);
      std::size_t d = outer;
      while (d > 0 && ++at[d - 1] == index[d - 1].size()) at[--d] = 0;
      if (d > 0) find_from(d - 1);
    }
  }
};

template <class T>
void read(const View& from, const std::vector<Index>& index, const View& to) {
  Reader<T> reader{index, std::vector<std::int64_t>(index.size(), 1), longest_run(index.back()), {}};
  for (std::size_t i = 0; i < index.back().size(); ++i)
    if (i < reader.run.begin || i >= reader.run.begin + reader.run.count) reader.singles.push_back(i);
  std::int64_t rows = 1;
  for (int d = to.shape.rank() - 1; d > 0; --d) {
    const auto i = static_cast<std::size_t>(d);
    reader.stride[i - 1] = reader.stride[i] * from.shape[d];
    rows *= to.shape[d - 1];
  }
  const std::int64_t length = to.shape.back(),
                     group = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, length));
  if (rows * length == 0) return;
  const bool parallel = rows * length * 2 * static_cast<std::int64_t>(sizeof(T)) >= parallel_bytes;
  for_blocks((rows + group - 1) / group, parallel, [&](std::int64_t b) {
    reader.rows(from.as<const T>(), b * group, std::min(rows, (b + 1) * group), to.as<T>());
  });
}

}  // namespace

void read_by_axes(const View& from, const std::vector<Index>& index, const View& to) {
  // Elements are moved as plain bits.
  const auto size = itemsize(to.dtype);
  size == 1   ? read<unsigned char>(from, index, to)
  : size == 4 ? read<float>(from, index, to)
              : read<double>(from, index, to);
}

}  // namespace cadena::kernels
