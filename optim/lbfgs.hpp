// Limited-memory BFGS: for smooth problems whose whole loss can be computed again and again.
#pragma once

#include "optim/optimizer.hpp"

namespace cadena::optim {

enum class LineSearch : std::uint8_t {
  none,          ///< steps of length lr (the first one shorter)
  strong_wolfe,  ///< until the loss has fallen enough and its slope is small enough
};

struct LBFGSOptions {
  static constexpr const char* name = "LBFGS";
  double lr = 1;                    ///< >= 0; with a line search the first length it tries
  std::int64_t max_iter = 20;       ///< >= 1: iterations of one step
  std::int64_t max_eval = 0;        ///< calls of the closure in one step; 0 means max_iter * 5 / 4
  double tolerance_grad = 1e-7;     ///< >= 0: the largest element of the gradient at which a step ends
  double tolerance_change = 1e-9;   ///< >= 0: change of loss or parameters at which it ends
  std::int64_t history_size = 100;  ///< >= 1: pairs remembered, each twice as large as the parameters
  LineSearch line_search_fn = LineSearch::none;

  template <class V>
  void visit(V&& v) {
    v("lr", lr, non_negative);
    v("max_iter", max_iter, at_least_1);
    v("max_eval", max_eval, non_negative);
    v("tolerance_grad", tolerance_grad, non_negative);
    v("tolerance_change", tolerance_change, non_negative);
    v("history_size", history_size, at_least_1);
    v("line_search_fn", line_search_fn, one_of<2>);
  }
};

extern template class OptimizerWith<LBFGSOptions>;

/// w <- w + t d, d = -H g, where H g follows from the last changes s of the weights and y of the gradient by
/// the two-loop recursion. Nocedal, "Updating quasi-Newton matrices with limited storage" (1980); Liu and
/// Nocedal (1989); line search: Nocedal and Wright, "Numerical optimization" (2006), algorithms 3.5 and 3.6.
/// PyTorch's constants. One group only; no maximize. All parameters count as one vector, of f64 if any is.
/// Undefined gradients are zeros.
///
///   optim::LBFGS lbfgs({w}, {.line_search_fn = optim::LineSearch::strong_wolfe});
///   lbfgs.step([&] { lbfgs.zero_grad(); auto loss = f(w); loss.backward(); return loss; });
class LBFGS : public OptimizerWith<LBFGSOptions> {
 public:
  using OptimizerWith::OptimizerWith;
  void add_param_group(Params) = delete;
  void add_param_group(Params, const LBFGSOptions&) = delete;
  /// @throws ValueError: there is one group
  void add_param_group_by_name(Params params, const OptionValues& options) override;

  /// @throws GraphError: it needs the closure
  void step() override;
  /// Up to max_iter iterations. If the closure throws, the parameters are as they were. @return the first
  /// loss
  Tensor step(const std::function<Tensor()>& closure) override;

  /// The vectors are cut up into the parameters' slots "d", "prev_flat_grad" (of the parameter's shape),
  /// "old_dirs" and "old_stps" (pairs, shape), beside "t" and "H_diag"; step counts iterations.
  OptimizerState state_dict() const override;
  void load_state_dict(const OptimizerState& state) override;

 protected:
  void update(Update&, const LBFGSOptions&) override {}  // step(closure) moves the weights itself

 private:
  struct Memory {
    std::int64_t n_iter = 0;
    Tensor d, prev_flat_grad;
    std::vector<Tensor> old_dirs, old_stps;  // y and s, the oldest first
    double t = 0, H_diag = 1;
  };
  struct Evaluation;

  void iterate(Memory& m, Evaluation& evaluate, Tensor x) const;
  void remember(Memory& m, const Tensor& grad) const;
  Tensor direction(const Memory& m, const Tensor& grad) const;
  Memory loaded(const OptimizerState::Group& saved) const;

  Memory memory_;
};

}  // namespace cadena::optim
