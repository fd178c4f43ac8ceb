#include "optim/lbfgs.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "optim/line_search.hpp"

namespace cadena::optim {

template class OptimizerWith<LBFGSOptions>;

namespace {

double product_of(const Tensor& a, const Tensor& b) { return dot(a, b).item(); }
double largest(const Tensor& a) { return a.numel() == 0 ? 0 : amax(abs(a)).item(); }

/// Tensors seen as one vector.
class Flat {
 public:
  explicit Flat(std::vector<Tensor> parts) : parts_(std::move(parts)), dtype_(f32) {
    for (auto& p : parts_)
      if (p.dtype() == f64) dtype_ = f64;
  }
  Tensor values() const {
    return join([](const Tensor& p) { return p.detach(); });
  }
  Tensor gradients() const {
    return join([](const Tensor& p) { return p.grad().defined() ? p.grad() : zeros_like(p); });
  }
  void set(const Tensor& x) {
    std::int64_t at = 0;
    for (auto& p : parts_) {
      p.copy_(x.slice(0, {.start = at, .stop = at + p.numel()}).reshape(p.shape()));
      at += p.numel();
    }
  }
  DType dtype() const { return dtype_; }

 private:
  template <class F>
  Tensor join(const F& piece) const {
    std::vector<Tensor> pieces;
    for (auto& p : parts_) pieces.push_back(piece(p).reshape({p.numel()}).to(dtype_));
    return cat(pieces, 0);
  }

  std::vector<Tensor> parts_;
  DType dtype_;
};

}  // namespace

void LBFGS::add_param_group_by_name(Params, const OptionValues&) {
  throw ValueError("[LBFGS] expected one group, got another one");
}

void LBFGS::step() { throw GraphError("[LBFGS::step] expected a closure as step(closure), got none"); }

/// Calls the closure and counts.
struct LBFGS::Evaluation {
  const std::function<Tensor()>& closure;
  Flat flat;
  std::int64_t count = 0;
  Tensor first = {};

  LinePoint operator()() {
    ++count;
    Tensor loss;
    {
      EnableGrad enable_grad;
      loss = closure();
    }
    if (count == 1) first = loss;
    return {0, loss.item(), 0, flat.gradients()};
  }
};

void LBFGS::remember(Memory& m, const Tensor& grad) const {
  const Tensor y = grad - m.prev_flat_grad, s = m.d * m.t;
  const double ys = product_of(y, s);
  if (!(ys > 1e-10)) return;  // without curvature H would lose its sign
  if (std::ssize(m.old_dirs) >= options().history_size) {
    m.old_dirs.erase(m.old_dirs.begin());
    m.old_stps.erase(m.old_stps.begin());
  }
  m.old_dirs.push_back(y);
  m.old_stps.push_back(s);
  m.H_diag = ys / product_of(y, y);
}

/// -H grad.
Tensor LBFGS::direction(const Memory& m, const Tensor& grad) const {
  const auto count = m.old_dirs.size();
  std::vector<double> rho(count), alpha(count);
  Tensor q = -grad;
  for (std::size_t i = count; i-- > 0;) {
    rho[i] = 1 / product_of(m.old_dirs[i], m.old_stps[i]);
    alpha[i] = product_of(m.old_stps[i], q) * rho[i];
    q.add_(m.old_dirs[i], -alpha[i]);
  }
  q.mul_(m.H_diag);
  for (std::size_t i = 0; i < count; ++i)
    q.add_(m.old_stps[i], alpha[i] - product_of(m.old_dirs[i], q) * rho[i]);
  return q;
}

Tensor LBFGS::step(const std::function<Tensor()>& closure) {
  NoGrad no_grad;
  Evaluation evaluate{closure, Flat(parameters())};
  const Tensor start = evaluate.flat.values();
  try {
    auto memory = memory_;
    iterate(memory, evaluate, start);
    memory_ = std::move(memory);
  } catch (...) {
    evaluate.flat.set(start);
    throw;
  }
  return evaluate.first;
}

void LBFGS::iterate(Memory& m, Evaluation& evaluate, Tensor x) const {
  const auto& o = options();
  const auto max_eval = o.max_eval == 0 ? o.max_iter * 5 / 4 : o.max_eval;
  auto now = evaluate();
  for (std::int64_t i = 1; i <= o.max_iter && largest(now.grad) > o.tolerance_grad; ++i) {
    if (++m.n_iter > 1) remember(m, now.grad);
    m.d = direction(m, now.grad);
    m.prev_flat_grad = now.grad;
    m.t = m.n_iter == 1 ? std::min(1.0, 1 / abs(now.grad).sum().item()) * o.lr : o.lr;
    now.slope = product_of(now.grad, m.d);
    if (!(now.slope <= -o.tolerance_change)) break;

    const double before = now.loss;
    const auto at = [&](double t) {
      evaluate.flat.set(x + m.d * t);
      auto point = evaluate();
      point.t = t;
      point.slope = product_of(point.grad, m.d);
      return point;
    };
    if (o.line_search_fn == LineSearch::strong_wolfe) {
      now.t = 0;
      now = strong_wolfe(at, now, m.t, largest(m.d));
      m.t = now.t;
    } else if (i < o.max_iter) {
      now = at(m.t);
    }
    x = x + m.d * m.t;
    evaluate.flat.set(x);
    if (evaluate.count >= max_eval || largest(m.d * m.t) <= o.tolerance_change ||
        std::abs(now.loss - before) < o.tolerance_change)
      break;
  }
}

// ---- State

namespace {

/// (pairs, shape): the elements of each vector that belong to one parameter.
Tensor piece(const std::vector<Tensor>& vectors, std::int64_t at, const Tensor& parameter) {
  Shape shape{std::ssize(vectors)};
  for (const auto extent : parameter.shape()) shape.push_back(extent);
  if (vectors.empty()) return zeros(shape, parameter.dtype());
  return stack(vectors, 0).slice(1, {.start = at, .stop = at + parameter.numel()}).reshape(shape).clone();
}

}  // namespace

OptimizerState LBFGS::state_dict() const {
  NoGrad no_grad;
  auto state = OptimizerWith::state_dict();
  if (memory_.n_iter == 0) return state;
  const auto parts = parameters();
  std::int64_t at = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto& p = state.groups[0].parameters[i];
    p.step = memory_.n_iter;
    p.slots = {{"d", piece({memory_.d}, at, parts[i])[0]},
               {"prev_flat_grad", piece({memory_.prev_flat_grad}, at, parts[i])[0]},
               {"old_dirs", piece(memory_.old_dirs, at, parts[i])},
               {"old_stps", piece(memory_.old_stps, at, parts[i])},
               {"t", full({}, memory_.t, f64)},
               {"H_diag", full({}, memory_.H_diag, f64)}};
    at += parts[i].numel();
  }
  return state;
}

void LBFGS::load_state_dict(const OptimizerState& state) {
  NoGrad no_grad;
  auto plain = state;
  for (auto& group : plain.groups)
    for (auto& p : group.parameters) p.slots.clear();
  auto memory = state.groups.size() == 1 ? loaded(state.groups[0]) : Memory{};
  OptimizerWith::load_state_dict(plain);
  memory_ = std::move(memory);
}

LBFGS::Memory LBFGS::loaded(const OptimizerState::Group& saved) const {
  const std::string op = "[LBFGS::load_state_dict] expected ";
  const auto own = OptimizerWith::state_dict().groups[0].parameters;
  std::vector<const OptimizerState::Parameter*> sources;
  for (auto& mine : own)
    for (auto& p : saved.parameters)
      if (p.name == mine.name) sources.push_back(&p);
  Memory m;
  if (sources.size() != own.size()) return m;  // which the base refuses
  m.n_iter = sources[0]->step;
  if (m.n_iter == 0) return m;

  const auto parts = parameters();
  const Flat flat(parts);
  const auto slot = [&](std::size_t i, const char* name) {
    const auto found = sources[i]->slots.find(name);
    if (found == sources[i]->slots.end() || !found->second.defined())
      throw ValueError(op + "slot \"" + name + "\" of \"" + own[i].name + "\", got none");
    return found->second.detach();
  };
  // The vectors whose pieces lie in the rows of a slot.
  const auto vectors = [&](const char* name, bool one) {
    std::vector<Tensor> columns, rows;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Tensor t = one ? slot(i, name).unsqueeze(0) : slot(i, name);
      Shape shape{t.dim() == 0 ? 0 : t.size(0)};
      for (const auto extent : parts[i].shape()) shape.push_back(extent);
      if (t.shape() != shape || t.size(0) != (columns.empty() ? t : columns[0]).size(0))
        throw ShapeError(op + "vectors like " + to_string(parts[i].shape()) + " as slot \"" + name +
                         "\" of \"" + own[i].name + "\", got " + to_string(t.shape()));
      columns.push_back(t.reshape({t.size(0), parts[i].numel()}).to(flat.dtype()));
    }
    const Tensor matrix = cat(columns, 1);
    for (std::int64_t r = 0; r < matrix.size(0); ++r) rows.push_back(matrix[r].clone());
    return rows;
  };
  m.d = vectors("d", true)[0];
  m.prev_flat_grad = vectors("prev_flat_grad", true)[0];
  m.old_dirs = vectors("old_dirs", false);
  m.old_stps = vectors("old_stps", false);
  if (m.old_dirs.size() != m.old_stps.size())
    throw ValueError(op + std::to_string(m.old_dirs.size()) + " \"old_stps\", got " +
                     std::to_string(m.old_stps.size()));
  m.t = slot(0, "t").item();
  m.H_diag = slot(0, "H_diag").item();
  return m;
}

}  // namespace cadena::optim
