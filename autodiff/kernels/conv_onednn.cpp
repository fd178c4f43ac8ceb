#include "autodiff/kernels/conv_onednn.hpp"

#include <algorithm>
#include <dnnl.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "autodiff/error.hpp"
#include "autodiff/kernels/conv_columns.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {

#ifndef _OPENMP

// Without OpenMP here nothing could keep oneDNN from using its own threads.
bool conv_by_onednn(const ConvShape&, const float*, const float*, const float*, float*) { return false; }
bool conv_transpose_by_onednn(const ConvShape&, const float*, const float*, const float*, float*) {
  return false;
}
bool conv_weight_by_onednn(const ConvShape&, const float*, const float*, float*) { return false; }

#else

namespace {

using Desc = dnnl::memory::desc;
enum class Pass : std::uint8_t { forward, transpose, weight };

// While it lives, oneDNN prepares and runs what this thread asks for on this thread.
class OneThread {
 public:
  OneThread() : former_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(former_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int former_;
};

// Never destroyed, so that programs may compute while they end.
const dnnl::engine& engine() {
  static const auto* e = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *e;
}

dnnl::primitive_attr with_own_scratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

// An array as the library's users see it, and in the layout that the convolution wants.
struct Operand {
  Desc plain, blocked;
  std::optional<dnnl::reorder::primitive_desc> how;
  dnnl::reorder move;  // into the blocked layout, or, for a result, out of it

  bool needs_move() const { return how.has_value(); }
  void prepare(const Desc& wanted, bool result) {
    blocked = wanted;
    if (blocked == plain) return;
    how.emplace(engine(), result ? blocked : plain, engine(), result ? plain : blocked,
                with_own_scratchpad());
    move = dnnl::reorder(*how);
  }
};

// A convolution of `batch` samples, ready to run. Constant once made, so that threads may share it.
struct Plan {
  Operand x, w, y;
  Desc bias, scratchpad;
  dnnl::primitive run;
};

dnnl::memory::dims dims(std::initializer_list<std::int64_t> head, const ConvShape::Extents& e, int rank) {
  dnnl::memory::dims d(head);
  d.insert(d.end(), e.end() - rank, e.end());
  return d;
}

Desc plain_desc(const dnnl::memory::dims& d) {
  dnnl::memory::dims strides(d.size(), 1);
  for (std::size_t i = d.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * d[i];
  return {d, dnnl::memory::data_type::f32, strides};
}
Desc any_desc(const dnnl::memory::dims& d) {
  return {d, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
}

// How far the windows reach behind x; negative if its end is not used.
ConvShape::Extents padding_behind(const ConvShape& s) {
  ConvShape::Extents p;
  for (std::size_t i = 0; i < 3; ++i)
    p[i] = (s.y[i] - 1) * s.stride[i] + (s.kernel[i] - 1) * s.dilation[i] + 1 - s.x[i] - s.padding[i];
  return p;
}

template <class PrimitiveDesc>
bool finish(Plan& plan, const PrimitiveDesc& pd, dnnl::primitive&& run, const Desc& x, const Desc& w,
            const Desc& y, Pass pass) {
  if (std::string(pd.impl_info_str()).starts_with("ref")) return false;
  plan.x.prepare(x, pass == Pass::transpose);
  plan.w.prepare(w, pass == Pass::weight);
  plan.y.prepare(y, pass == Pass::forward);
  plan.scratchpad = pd.scratchpad_desc();
  plan.run = std::move(run);
  return true;
}

// Null if oneDNN cannot, or only slowly.
std::shared_ptr<const Plan> make_plan(const ConvShape& s, std::int64_t batch, bool biased, Pass pass) {
  using dnnl::prop_kind;
  auto plan = std::make_shared<Plan>();
  const int rank = std::max(s.rank, 2);  // moving weights of one dimension into its layouts is slow
  const auto x = dims({batch, s.in}, s.x, rank), y = dims({batch, s.out}, s.y, rank);
  const auto w = dims({s.out, s.in / s.groups}, s.kernel, rank);
  auto grouped = w;
  if (s.groups > 1) {
    grouped[0] /= s.groups;
    grouped.insert(grouped.begin(), s.groups);
  }
  plan->x.plain = plain_desc(x), plan->w.plain = plain_desc(grouped), plan->y.plain = plain_desc(y);
  ConvShape::Extents gaps = s.dilation;
  for (auto& g : gaps) --g;
  const auto strides = dims({}, s.stride, rank), dilation = dims({}, gaps, rank);
  const auto before = dims({}, s.padding, rank), behind = dims({}, padding_behind(s), rank);
  const auto direct = dnnl::algorithm::convolution_direct;
  const auto attr = with_own_scratchpad();
  const OneThread guard;
  try {
    if (biased) plan->bias = plain_desc({s.out});
    using Forward = dnnl::convolution_forward;
    const auto kind = pass == Pass::forward ? prop_kind::forward_inference : prop_kind::forward_training;
    const auto forward_desc = biased ? Forward::desc(kind, direct, any_desc(x), any_desc(grouped), plan->bias,
                                                     any_desc(y), strides, dilation, before, behind)
                                     : Forward::desc(kind, direct, any_desc(x), any_desc(grouped),
                                                     any_desc(y), strides, dilation, before, behind);
    const Forward::primitive_desc forward(forward_desc, attr, engine());
    bool fast = false;
    if (pass == Pass::forward) {
      fast = finish(*plan, forward, Forward(forward), forward.src_desc(), forward.weights_desc(),
                    forward.dst_desc(), pass);
    } else if (pass == Pass::transpose) {
      using Backward = dnnl::convolution_backward_data;
      const Backward::primitive_desc pd(
          {direct, any_desc(x), any_desc(grouped), any_desc(y), strides, dilation, before, behind}, attr,
          engine(), forward);
      fast = finish(*plan, pd, Backward(pd), pd.diff_src_desc(), pd.weights_desc(), pd.diff_dst_desc(), pass);
    } else {
      using Backward = dnnl::convolution_backward_weights;
      const Backward::primitive_desc pd(
          {direct, any_desc(x), any_desc(grouped), any_desc(y), strides, dilation, before, behind}, attr,
          engine(), forward);
      fast = finish(*plan, pd, Backward(pd), pd.src_desc(), pd.diff_weights_desc(), pd.diff_dst_desc(), pass);
    }
    return fast ? plan : nullptr;
  } catch (const dnnl::error&) {
    return nullptr;
  }
}

// Plans by what they depend on. Making one costs up to a millisecond, a table look-up nothing.
std::shared_ptr<const Plan> plan_for(const ConvShape& s, std::int64_t batch, bool biased, Pass pass) {
  using Key = std::array<std::int64_t, 25>;
  Key key{static_cast<std::int64_t>(pass), biased, batch, s.in, s.out, s.groups, s.rank};
  auto* at = key.data() + 7;
  for (const auto* e : {&s.x, &s.kernel, &s.y, &s.stride, &s.dilation, &s.padding})
    at = std::copy(e->begin(), e->end(), at);
  static auto* plans = new std::map<Key, std::shared_ptr<const Plan>>;
  static auto* guard = new std::mutex;
  constexpr std::size_t most = 512;
  const std::lock_guard lock(*guard);
  if (const auto found = plans->find(key); found != plans->end()) return found->second;
  if (plans->size() == most) plans->clear();
  return plans->emplace(key, make_plan(s, batch, biased, pass)).first->second;
}

// What runs plans on one thread.
class Runner {
 public:
  Runner() : stream_(engine()) {}

  static dnnl::memory memory(const Desc& d, const float* data) {
    return {d, engine(), const_cast<float*>(data)};
  }
  // The operand in the blocked layout, which lies in `room` unless it is the plain one.
  dnnl::memory load(const Operand& o, const float* plain, float* room) {
    if (!o.needs_move()) return memory(o.plain, plain);
    auto blocked = memory(o.blocked, room);
    move(o, memory(o.plain, plain), blocked);
    return blocked;
  }
  void store(const Operand& o, dnnl::memory& blocked, float* plain) {
    if (o.needs_move()) move(o, blocked, memory(o.plain, plain));
  }
  void run(const Plan& p, std::unordered_map<int, dnnl::memory>&& arguments) {
    const Scratch<std::byte> scratch(static_cast<std::int64_t>(p.scratchpad.get_size()));
    arguments.emplace(DNNL_ARG_SCRATCHPAD, dnnl::memory(p.scratchpad, engine(), scratch.get()));
    p.run.execute(stream_, arguments);
    stream_.wait();
  }

 private:
  void move(const Operand& o, dnnl::memory from, dnnl::memory to) {
    const auto d = o.how->scratchpad_desc();
    const Scratch<std::byte> scratch(static_cast<std::int64_t>(d.get_size()));
    o.move.execute(stream_, {{DNNL_ARG_FROM, from},
                             {DNNL_ARG_TO, to},
                             {DNNL_ARG_SCRATCHPAD, dnnl::memory(d, engine(), scratch.get())}});
    stream_.wait();
  }

  OneThread guard_;
  dnnl::stream stream_;
};

Scratch<float> room_for(const Operand& o) {
  const auto bytes = o.needs_move() ? o.blocked.get_size() : 0;
  return Scratch<float>(static_cast<std::int64_t>(bytes / sizeof(float)));
}

template <class F>
void translating_errors(const char* what, const F& f) {
  try {
    f();
  } catch (const dnnl::error& e) {
    if (e.status == dnnl_out_of_memory) throw MemoryError(std::string("[conv] oneDNN has no memory ") + what);
    throw Error(std::string("[conv] expected oneDNN to run ") + what + ", got " + e.what());
  }
}

// Samples that go through one run: few enough for the cache and for work to share, and not so few that the
// weights are read for nothing.
std::int64_t samples_at_once(const ConvShape& s) {
  constexpr std::int64_t cache = 1 << 18;
  const std::int64_t one = s.in * s.x_size() + s.out * s.y_size();
  const std::int64_t fitting = std::max(cache / one, s.out * s.w_size() / (2 * one));
  return std::clamp<std::int64_t>(fitting, 1, std::max<std::int64_t>(1, s.batch / 8));
}

// Plans for runs of `batch` samples and for the last, shorter one.
struct Plans {
  std::shared_ptr<const Plan> full, rest;
  explicit operator bool() const { return full && rest; }
};
Plans plans_for(const ConvShape& s, std::int64_t batch, bool biased, Pass pass) {
  Plans p;
  p.full = plan_for(s, batch, biased, pass);
  p.rest = s.batch % batch == 0 ? p.full : plan_for(s, s.batch % batch, biased, pass);
  return p;
}

// The weights in the layout of a plan.
class Weights {
 public:
  Weights(Runner& runner, const Plan& p, const float* w)
      : room_(room_for(p.w)), memory_(runner.load(p.w, w, room_)) {}
  const dnnl::memory& operator*() const { return memory_; }

 private:
  Scratch<float> room_;
  dnnl::memory memory_;
};

bool is_parallel(const ConvShape& s) { return s.work() >= 1 << 20; }

// f(runner, plan, its weights, first sample) for all runs.
template <class F>
void for_samples(const ConvShape& s, const Plans& plans, std::int64_t batch, const float* w, const F& f) {
  std::optional<Weights> full, rest;
  {
    Runner runner;
    full.emplace(runner, *plans.full, w);
    if (plans.rest != plans.full) rest.emplace(runner, *plans.rest, w);
  }
  for_blocks<Schedule::stealing>((s.batch + batch - 1) / batch, is_parallel(s), [&](std::int64_t b) {
    Runner runner;
    const bool whole = (b + 1) * batch <= s.batch;
    f(runner, whole || !rest ? *plans.full : *plans.rest, whole || !rest ? **full : **rest, b * batch);
  });
}

}  // namespace

bool conv_by_onednn(const ConvShape& s, const float* x, const float* w, const float* bias, float* y) {
  const std::int64_t batch = samples_at_once(s);
  const Plans plans = plans_for(s, batch, bias != nullptr, Pass::forward);
  if (!plans) return false;
  translating_errors("forward", [&] {
    for_samples(s, plans, batch, w, [&](Runner& runner, const Plan& p, const auto& weights, std::int64_t i) {
      const auto x_room = room_for(p.x), y_room = room_for(p.y);
      float* to = y + i * s.out * s.y_size();
      const auto in = runner.load(p.x, x + i * s.in * s.x_size(), x_room);
      auto out = p.y.needs_move() ? Runner::memory(p.y.blocked, y_room) : Runner::memory(p.y.plain, to);
      std::unordered_map<int, dnnl::memory> arguments{
          {DNNL_ARG_SRC, in}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, out}};
      if (bias) arguments.emplace(DNNL_ARG_BIAS, Runner::memory(p.bias, bias));
      runner.run(p, std::move(arguments));
      runner.store(p.y, out, to);
    });
  });
  return true;
}

bool conv_transpose_by_onednn(const ConvShape& s, const float* y, const float* w, const float* bias,
                              float* x) {
  const std::int64_t batch = samples_at_once(s);
  const Plans plans = plans_for(s, batch, false, Pass::transpose);
  if (!plans) return false;
  translating_errors("backward by its input", [&] {
    for_samples(s, plans, batch, w, [&](Runner& runner, const Plan& p, const auto& weights, std::int64_t i) {
      const auto x_room = room_for(p.x), y_room = room_for(p.y);
      float* to = x + i * s.in * s.x_size();
      const auto in = runner.load(p.y, y + i * s.out * s.y_size(), y_room);
      auto out = p.x.needs_move() ? Runner::memory(p.x.blocked, x_room) : Runner::memory(p.x.plain, to);
      runner.run(p, {{DNNL_ARG_DIFF_DST, in}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_SRC, out}});
      runner.store(p.x, out, to);
      for (std::int64_t c = 0; bias && c < std::min(batch, s.batch - i) * s.in; ++c)
        for (std::int64_t j = 0; j < s.x_size(); ++j) to[c * s.x_size() + j] += bias[c % s.in];
    });
  });
  return true;
}

bool conv_weight_by_onednn(const ConvShape& s, const float* x, const float* y, float* w) {
  // Sums of their own, of nearly equal numbers of samples, which are added in order: not too many for the
  // memory.
  const std::int64_t total = s.out * s.w_size();
  const std::int64_t parts =
      std::clamp<std::int64_t>((1 << 24) / total, 1, std::min<std::int64_t>(8, s.batch));
  const std::int64_t few = s.batch / parts, more = s.batch % parts;  // `more` parts have one sample more
  const auto usual = plan_for(s, few, false, Pass::weight);
  const auto longer = more > 0 ? plan_for(s, few + 1, false, Pass::weight) : usual;
  if (!usual || !longer) return false;
  const Scratch<float> sums(parts > 1 ? parts * total : 0);
  translating_errors("backward by its weights", [&] {
    for_blocks<Schedule::stealing>(parts, is_parallel(s), [&](std::int64_t part) {
      Runner runner;
      const Plan& p = part < more ? *longer : *usual;
      const std::int64_t first = part * few + std::min(part, more);
      const auto x_room = room_for(p.x), y_room = room_for(p.y), w_room = room_for(p.w);
      float* to = parts > 1 ? sums + part * total : w;
      const auto in = runner.load(p.x, x + first * s.in * s.x_size(), x_room);
      const auto out = runner.load(p.y, y + first * s.out * s.y_size(), y_room);
      auto sum = p.w.needs_move() ? Runner::memory(p.w.blocked, w_room) : Runner::memory(p.w.plain, to);
      runner.run(p, {{DNNL_ARG_SRC, in}, {DNNL_ARG_DIFF_DST, out}, {DNNL_ARG_DIFF_WEIGHTS, sum}});
      runner.store(p.w, sum, to);
    });
  });
  if (parts > 1) add_parts<float>(sums, parts, total, w);
  return true;
}

#endif

}  // namespace cadena::kernels
