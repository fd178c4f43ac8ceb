#include "autodiff/kernels/conv_direct.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "autodiff/kernels/conv_planes.hpp"
#include "autodiff/kernels/conv_tile.hpp"
#include "autodiff/kernels/conv_winograd.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t parallel_work = 1 << 20;  // multiplications
constexpr std::int64_t planes_size = 1 << 16;    // elements at once, to stay in the second-level cache
constexpr std::int64_t task_work = 1 << 19;      // multiplications of a task, where groups are small

template <class T>
constexpr auto width = static_cast<std::int64_t>(xsimd::batch<T>::size);

std::int64_t blocks_of(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

using Residue = std::array<std::int64_t, 3>;

// Targets of one residue along every axis: they use the same taps.
struct Class {
  Residue residue;
  std::vector<std::int64_t> offset;  // of each channel and tap, in the planes
  std::vector<std::int64_t> weight;  // of the same, in the weights of a target channel
  std::vector<ConvRun> runs;         // the same, one row behind the other
  std::int64_t packed = 0;           // where the class's weights begin among the packed ones of a group
};

// Sorts the taps of each column by row, and parts them into runs of at most so many.
void order_by_runs(Class& c, std::int64_t pitch, std::int64_t most) {
  std::vector<std::pair<std::int64_t, std::int64_t>> taps, sorted;
  for (std::size_t i = 0; i < c.offset.size(); ++i) taps.emplace_back(c.offset[i], c.weight[i]);
  std::sort(taps.begin(), taps.end());
  std::vector<bool> used(taps.size());
  for (std::size_t i = 0; i < taps.size(); ++i) {
    if (used[i]) continue;
    ConvRun run{taps[i].first, 0};
    for (std::size_t j = i; run.taps < most && j < taps.size(); ++j) {
      if (used[j] || taps[j].first != run.offset + run.taps * pitch) continue;
      used[j] = true, ++run.taps;
      sorted.push_back(taps[j]);
    }
    c.runs.push_back(run);
  }
  for (std::size_t i = 0; i < sorted.size(); ++i)
    c.offset[i] = sorted[i].first, c.weight[i] = sorted[i].second;
}

std::vector<Class> classes_of(const ConvForm& f, const ConvPlanes& planes) {
  std::vector<Class> list;
  std::int64_t packed = 0;
  for (std::int64_t a = 0; a < f.axes[0].residues; ++a)
    for (std::int64_t b = 0; b < f.axes[1].residues; ++b)
      for (std::int64_t c = 0; c < f.axes[2].residues; ++c) {
        if (f.axes[0].targets(a) < 1 || f.axes[1].targets(b) < 1 || f.axes[2].targets(c) < 1) continue;
        Class k{{a, b, c}, planes.offsets({a, b, c}), {}, {}, packed};
        for (std::int64_t s = 0; s < f.sources; ++s) {
          std::int64_t at = s * f.w_source;
          for (const auto& i : f.axes[0].taps)
            for (const auto& j : f.axes[1].taps)
              for (const auto& l : f.axes[2].taps) {
                if (i.residue == a && j.residue == b && l.residue == c) k.weight.push_back(at);
                ++at;
              }
        }
        if (f.targets == 1) order_by_runs(k, planes.row_step(), f.axes[1].target == 1 ? 1 : conv_run_taps);
        packed += static_cast<std::int64_t>(k.weight.size()) * f.targets;
        list.push_back(std::move(k));
      }
  return list;
}

// The weights of all groups, class by class, in the tiles that conv_tile reads.
template <class T>
void pack_weights(const ConvForm& f, const std::vector<Class>& classes, const T* w, T* to) {
  const std::int64_t size = f.sources * f.targets * f.taps();
  const std::int64_t blocks = blocks_of(f.targets, conv_tile_rows);
  for_blocks(f.groups * blocks, f.groups * size >= 1 << 17, [&](std::int64_t b) {
    const std::int64_t group = b / blocks, first = b % blocks * conv_tile_rows;
    for (const Class& c : classes) {
      const auto k = static_cast<std::int64_t>(c.weight.size());
      for_conv_tiles(
          std::min<std::int64_t>(conv_tile_rows, f.targets - first), [&](auto rows, std::int64_t r) {
            const T* from = w + group * f.w_group + (first + r) * f.w_target;
            T* packed = to + group * size + c.packed + (first + r) * k;
            for (std::int64_t p = 0; p < k; ++p)
              for (std::int64_t i = 0; i < rows; ++i)
                packed[p * rows + i] = from[i * f.w_target + c.weight[static_cast<std::size_t>(p)]];
          });
    }
  });
}

// The targets of a class in some rows of a slice.
struct Grid {
  std::int64_t rows, columns, pitch;
  std::int64_t to, row, step;  // the first one in memory, and from row to row and target to target
  bool one_row;                // there are no others, in any strip

  Grid(const ConvForm& f, const ConvPlanes& planes, const Class& c, std::int64_t first, std::int64_t most)
      : rows(std::clamp<std::int64_t>(f.axes[1].targets(c.residue[1]) - first, 0, most)),
        columns(f.axes[2].targets(c.residue[2])),
        pitch(planes.row_step()),
        to((first * f.axes[1].residues + c.residue[1]) * f.axes[2].target + c.residue[2]),
        row(f.axes[1].residues * f.axes[2].target),
        step(f.axes[2].residues),
        one_row(f.axes[1].target == 1) {}
};

// Where results of a vector go that lie apart, or not in one row: `count` from lane `lane` on.
struct Piece {
  std::int64_t lane, count, to;
};

// The same as vectors over the planes.
template <class T>
struct Vectors {
  struct One {
    std::int64_t from, count, to;  // `to` where the vectors are whole, else they have pieces
    std::size_t first_piece, pieces;
  };
  std::vector<One> list;
  std::vector<Piece> pieces;
  bool whole;

  // Vectors run through several rows, and the gaps between them, where that takes fewer of them. Taking one
  // apart costs about eight steps of its sum, which has k.
  Vectors(const Grid& g, std::int64_t k) {
    const std::int64_t all = g.rows > 0 ? (g.rows - 1) * g.pitch + g.columns : 0;
    const std::int64_t by_row_count = g.rows * blocks_of(g.columns, width<T>);
    const bool by_row = by_row_count * k <= blocks_of(all, width<T>) * (k + 8);
    whole = g.step == 1 && (by_row || (g.pitch == g.columns && g.row == g.columns));
    const std::int64_t lines = by_row ? g.rows : 1, length = by_row ? g.columns : all;
    for (std::int64_t l = 0; l < lines; ++l)
      for (std::int64_t i = 0; i < length; i += width<T>) {
        list.push_back(
            {l * g.pitch + i, std::min(width<T>, length - i), g.to + l * g.row + i, pieces.size(), 0});
        if (!whole) take_apart(g, list.back());
      }
  }

 private:
  void take_apart(const Grid& g, One& one) {
    for (std::int64_t at = one.from, end = one.from + one.count; at < end;) {
      const std::int64_t row = at / g.pitch, column = at % g.pitch,
                         count = std::min(g.columns - column, end - at);
      if (count > 0) {
        pieces.push_back({at - one.from, count, g.to + row * g.row + column * g.step});
        ++one.pieces;
      }
      at = std::min(end, (row + 1) * g.pitch);
    }
  }
};

// The one target channel of a group: rows share what they load, there being no channels to share it.
template <int R, class T>
void some_rows(const Grid& g, const Class& c, const T* planes, const T* w, T bias, std::int64_t first,
               T* to) {
  const T* from = planes + first * g.pitch;
  to += g.to + first * g.row;
  for (std::int64_t i = 0; i < g.columns; i += width<T>) {
    const std::int64_t count = std::min(width<T>, g.columns - i);
    if (g.step == 1) {
      conv_row_tile<R>(c.runs, w, bias, from + i, g.pitch, count, to + i, g.row);
      continue;
    }
    alignas(64) T buffer[R * width<T>];
    conv_row_tile<R>(c.runs, w, bias, from + i, g.pitch, count, buffer, width<T>);
    for (std::int64_t r = 0; r < R; ++r)
      for (std::int64_t l = 0; l < count; ++l) to[r * g.row + (i + l) * g.step] = buffer[r * width<T> + l];
  }
}
template <class T>
void one_channel(Grid g, const Class& c, const T* planes, const T* w, T bias, T* to) {
  if (g.one_row && g.columns > width<T>) {  // its vectors are computed as if they were rows
    const std::int64_t whole = g.columns / width<T>, done = whole * width<T>;
    Grid vectors = g;
    vectors.one_row = false;
    vectors.rows = whole, vectors.columns = vectors.pitch = width<T>, vectors.row = width<T> * g.step;
    one_channel(vectors, c, planes, w, bias, to);
    planes += done, g.to += done * g.step, g.columns -= done;
  }
  std::int64_t r = 0;
  for (; r + 8 <= g.rows; r += 8) some_rows<8>(g, c, planes, w, bias, r, to);
  if (r + 4 <= g.rows) some_rows<4>(g, c, planes, w, bias, r, to), r += 4;
  if (r + 2 <= g.rows) some_rows<2>(g, c, planes, w, bias, r, to), r += 2;
  if (r < g.rows) some_rows<1>(g, c, planes, w, bias, r, to);
}

// Several target channels of a group: tiles of vectors.
template <class T>
struct Tiles {
  const Vectors<T>& vectors;
  const Grid& grid;
  const Class& c;
  const T *planes, *w, *bias;
  T* to;
  std::int64_t stride;  // of target channels

  template <int MR>
  void rows(std::int64_t first) const {
    const auto count = vectors.list.size();
    constexpr std::size_t most = MR > 2 ? conv_tile_vectors : conv_row_vectors;
    std::size_t v = 0;
    for (; v + most <= count; v += most) some<MR, most>(first, v);
    if constexpr (most > 3)
      for (; v + 3 <= count; v += 3) some<MR, 3>(first, v);
    if (v + 2 <= count) some<MR, 2>(first, v), v += 2;
    if (v < count) some<MR, 1>(first, v);
  }

 private:
  template <int MR, int NV>
  void some(std::int64_t first, std::size_t v) const {
    const auto k = static_cast<std::int64_t>(c.weight.size());
    T* out = to + first * stride;
    alignas(64) T buffer[MR * NV * width<T>];
    ConvVector<T> now[NV];
    for (std::size_t i = 0; i < NV; ++i) {
      const auto& one = vectors.list[v + i];
      T* apart = buffer + static_cast<std::int64_t>(i) * width<T>;
      now[i] = {planes + one.from, vectors.whole ? out + one.to : apart, one.count};
    }
    conv_tile<MR, NV>(k, w + first * k, c.offset.data(), bias ? bias + first : nullptr, now,
                      vectors.whole ? stride : NV * width<T>);
    for (std::size_t i = 0; i < NV && !vectors.whole; ++i) {
      const auto& one = vectors.list[v + i];
      for (std::size_t q = 0; q < one.pieces; ++q)
        scatter<MR, NV>(buffer + static_cast<std::int64_t>(i) * width<T>, vectors.pieces[one.first_piece + q],
                        out);
    }
  }
  template <int MR, int NV>
  void scatter(const T* buffer, const Piece& piece, T* out) const {
    const Partial<T> some(piece.count);
    for (int r = 0; r < MR; ++r) {
      const T* from = buffer + r * NV * width<T> + piece.lane;
      T* at = out + r * stride + piece.to;
      if (grid.step == 1)
        some.store(at, some.load(from));
      else
        for (std::int64_t l = 0; l < piece.count; ++l) at[l * grid.step] = from[l];
    }
  }
};

// How many rows of targets have their planes made at once, and how many groups are one task.
struct Cut {
  std::int64_t rows, groups;
};
Cut cut_of(const ConvForm& f) {
  const std::int64_t rows = f.axes[1].targets(0);
  const ConvPlanes one(f, 1, ConvPlanes::Kind::parted), two(f, 2, ConvPlanes::Kind::parted);
  const std::int64_t row = std::max<std::int64_t>(1, two.size() - one.size());
  const std::int64_t work = f.sources * f.targets * f.taps() * f.target_size();
  Cut cut{std::clamp<std::int64_t>((planes_size - one.size()) / row, std::min<std::int64_t>(4, rows), rows),
          1};
  // Enough tasks for the threads, where one is worth starting.
  const std::int64_t tasks = f.batch * f.groups * f.axes[0].target;
  const std::int64_t wanted = std::clamp<std::int64_t>(work * f.batch * f.groups / parallel_work, 1, 8);
  if (tasks < wanted) cut.rows = std::clamp<std::int64_t>(blocks_of(rows * tasks, wanted), 1, cut.rows);
  cut.rows = blocks_of(rows, blocks_of(rows, cut.rows));
  if (cut.rows == rows)
    cut.groups = std::clamp<std::int64_t>(task_work / std::max<std::int64_t>(1, work), 1, f.groups);
  return cut;
}

template <class T>
class Pass {
 public:
  Pass(const ConvForm& form, const T* source, const T* w, const T* bias, T* target)
      : f_(form),
        cut_(cut_of(form)),
        planes_(form, cut_.rows,
                reads_in_place(form) ? ConvPlanes::Kind::in_place : ConvPlanes::Kind::parted),
        classes_(classes_of(form, planes_)),
        size_(form.sources * form.targets * form.taps()),
        packed_(form.groups * size_),
        source_(source),
        bias_(bias),
        target_(target) {
    pack_weights(f_, classes_, w, packed_.get());
  }

  void run() const {
    const std::int64_t strips = blocks_of(f_.axes[1].targets(0), cut_.rows);
    const std::int64_t parts = blocks_of(f_.groups, cut_.groups), slices = f_.axes[0].target;
    const bool parallel = f_.batch * f_.groups * size_ * f_.target_size() >= parallel_work;
    for_blocks<Schedule::stealing>(f_.batch * slices * strips * parts, parallel, [&](std::int64_t task) {
      const std::int64_t part = task % parts, strip = task / parts % strips;
      const std::int64_t slice = task / (parts * strips) % slices, sample = task / (parts * strips * slices);
      const std::int64_t first = part * cut_.groups;
      run_task(sample, first, std::min(f_.groups, first + cut_.groups), slice, strip * cut_.rows);
    });
  }

 private:
  struct Part {
    const Class* c;
    Grid grid;
    std::optional<Vectors<T>> vectors;
  };

  // Undivided x serves where few target channels read it: else a copy, in which channels lie close, is
  // faster.
  static bool reads_in_place(const ConvForm& f) {
    return f.targets < 96 && f.axes[1].step == 1 && f.axes[2].step == 1;
  }

  void run_task(std::int64_t sample, std::int64_t first, std::int64_t last, std::int64_t slice,
                std::int64_t row) const {
    const std::int64_t residue = slice % f_.axes[0].residues, t = slice / f_.axes[0].residues;
    std::vector<Part> parts;
    for (const Class& c : classes_) {
      if (c.residue[0] != residue) continue;
      parts.push_back({&c, Grid(f_, planes_, c, row, cut_.rows), {}});
      if (f_.targets > 1)
        parts.back().vectors.emplace(parts.back().grid, static_cast<std::int64_t>(c.weight.size()));
    }
    const Scratch<T> room(planes_.size());
    for (std::int64_t g = first; g < last; ++g) {
      const std::int64_t unit = sample * f_.groups + g;
      const T* from =
          planes_.fill(source_ + unit * f_.sources * f_.source_size(), residue, t, row, room.get());
      T* to = target_ + unit * f_.targets * f_.target_size() + slice * f_.axes[1].target * f_.axes[2].target;
      const T* bias = bias_ ? bias_ + g * f_.targets : nullptr;
      for (const Part& p : parts) {
        const T* w = packed_ + g * size_ + p.c->packed;
        if (!p.vectors) {
          one_channel(p.grid, *p.c, from, w, bias ? *bias : T(0), to);
          continue;
        }
        const Tiles<T> tiles{*p.vectors, p.grid, *p.c, from, w, bias, to, f_.target_size()};
        for_conv_tiles(f_.targets, [&](auto rows, std::int64_t r) { tiles.template rows<rows>(r); });
      }
    }
  }

  const ConvForm& f_;
  Cut cut_;
  ConvPlanes planes_;
  std::vector<Class> classes_;
  std::int64_t size_;  // weights of a group
  Scratch<T> packed_;
  const T *source_, *bias_;
  T* target_;
};

// Whether channels as lanes waste less of the vectors than positions do.
template <class T>
bool suits_channels(const ConvForm& f) {
  if (f.sources * f.taps() < 32) return false;
  for (const auto& a : f.axes)
    if (a.residues > 1) return false;
  const std::int64_t n = f.axes[2].target, rows = f.axes[1].target;
  const std::int64_t vectors = std::min(rows * blocks_of(n, width<T>), blocks_of(rows * (n + 1), width<T>));
  const std::int64_t lanes = blocks_of(f.targets, width<T>);
  return f.targets * vectors > rows * n * lanes;
}

template <class T>
void run(const ConvForm& f, const T* source, const T* w, const T* bias, T* target) {
  if (suits_winograd(f)) return conv_by_winograd(f, source, w, bias, target);
  if (suits_channels<T>(f)) return conv_by_channels(f, source, w, bias, target);
  Pass<T>(f, source, w, bias, target).run();
}

}  // namespace

template <class T>
void conv_direct(const ConvShape& s, const T* x, const T* w, const T* bias, T* y) {
  run(conv_form(s), x, w, bias, y);
}

template <class T>
void conv_transpose_direct(const ConvShape& s, const T* y, const T* w, const T* bias, T* x) {
  run(transposed_form(s), y, w, bias, x);
}

template void conv_direct(const ConvShape&, const float*, const float*, const float*, float*);
template void conv_direct(const ConvShape&, const double*, const double*, const double*, double*);
template void conv_transpose_direct(const ConvShape&, const float*, const float*, const float*, float*);
template void conv_transpose_direct(const ConvShape&, const double*, const double*, const double*, double*);

}  // namespace cadena::kernels
