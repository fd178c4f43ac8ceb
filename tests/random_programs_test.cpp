// Random programs with sharing, views and in-place writes, run by the library and by an interpreter that
// shares no code with it (random_programs/oracle.hpp). Values, gradients and tangents must agree, or the
// library must have refused with a GraphError: never a wrong number without a word.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "counts.hpp"
#include "random_programs/oracle.hpp"

namespace cadena {
namespace {

using oracle::Array;
using oracle::Extents;

/// One variable, as the library and as the interpreter see it.
struct Register {
  Tensor tensor;
  Array array;
  bool overlaps = false;  ///< some elements share memory (expand): nothing may be written there
};

struct Counts {
  int programs = 0, complete = 0, refused_programs = 0, refused_writes = 0, refused_reads = 0;
};

class Program {
 public:
  Program(std::uint64_t seed, bool in_place) : random_(seed), in_place_(in_place) {
    const auto leaves = 2 + below(2);
    for (std::size_t i = 0; i < leaves + 1; ++i) {
      const Extents shape = random_shape();
      Register r{randn(to_shape(shape), random_, f64), {}};
      const auto values = r.tensor.to_vector<double>();
      r.array = oracle::build(
          shape, [&](const oracle::Index& at) { return tape_.add(values[oracle::offset_of(shape, at)]); });
      if (i < leaves) {
        r.tensor.requires_grad_();
        leaves_.push_back(r);
      }
      registers_.push_back(r);
    }
  }

  void run(int steps, Counts& counts) {
    for (int i = 0; i < steps; ++i) step(counts);
    ++counts.programs;
    for (std::size_t i = 0; i < registers_.size(); ++i) compare_values(i);
    try {
      check_derivatives();
      ++counts.complete;
    } catch (const GraphError&) {
      EXPECT_TRUE(in_place_) << "refused without any write:\n" << text_.str();
      ++counts.refused_programs;
    }
  }

  std::string text() const { return text_.str(); }

 private:
  std::size_t below(std::size_t n) { return random_.below(n); }

  Extents random_shape() {
    Extents shape(below(4));
    for (auto& e : shape) e = std::size_t{1} + below(3);
    if (!shape.empty() && below(40) == 0) shape[below(shape.size())] = 0;
    return shape;
  }
  static Shape to_shape(const Extents& e) {
    Shape s;
    for (auto n : e) s.push_back(static_cast<std::int64_t>(n));
    return s;
  }

  const Register& any() { return registers_[below(registers_.size())]; }
  /// A register that fulfils the condition, or null after some tries.
  const Register* some(const std::function<bool(const Register&)>& fits) {
    for (int i = 0; i < 12; ++i)
      if (const Register& r = any(); fits(r)) return &r;
    return nullptr;
  }

  /// Runs one side after the other; what the library refuses does not happen.
  bool attempt(const std::string& line, int& refusals, const std::function<Tensor()>& library,
               const std::function<Array()>& interpreter, bool overlaps = false) {
    text_ << registers_.size() << " = " << line << "\n";
    Register r;
    try {
      r.tensor = library();
    } catch (const GraphError&) {
      EXPECT_TRUE(in_place_) << "refused without any write:\n" << text_.str();
      text_ << "  refused\n";
      ++refusals;
      return false;
    }
    r.array = interpreter();
    r.overlaps = overlaps;
    // Keep numbers moderate, so that rounding stays comparable.
    for (std::size_t i = 0; i < r.array.count(); ++i)
      if (!(std::abs(tape_.value(r.array.scalar(i))) < 1e3)) return false;
    registers_.push_back(std::move(r));
    return true;
  }

  void step(Counts& counts) {
    const std::size_t kinds = in_place_ ? 9 : 7;
    switch (below(kinds)) {
      case 0:
        return unary(counts.refused_reads);
      case 1:
      case 2:
        return binary(counts.refused_reads);
      case 3:
        return reduction(counts.refused_reads);
      case 4:
        return view(counts.refused_reads);
      case 5:
        return joined(counts.refused_reads);
      case 6:
        return matrix(counts.refused_reads);
      default:
        return written(counts.refused_writes);
    }
  }

  /// Two numbers that rounding may order either way; one scalar beside itself is a tie on both sides.
  bool nearly_tied(std::size_t s, std::size_t t) const {
    return s != t && std::abs(tape_.value(s) - tape_.value(t)) < 1e-9;
  }
  bool nearly_zero(const Array& x) const {
    for (std::size_t i = 0; i < x.count(); ++i)
      if (const double v = std::abs(tape_.value(x.scalar(i))); v > 0 && v < 1e-9) return true;
    return false;
  }

  void unary(int& refusals) {
    struct Op {
      const char* name;
      Tensor (*library)(const Tensor&);
      oracle::Slope (*interpreter)(double);
    };
    static const Op ops[] = {
        {"tanh", cadena::tanh,
         [](double x) {
           return oracle::Slope{std::tanh(x), 1 - std::pow(std::tanh(x), 2)};
         }},
        {"sin", cadena::sin,
         [](double x) {
           return oracle::Slope{std::sin(x), std::cos(x)};
         }},
        {"sigmoid", cadena::sigmoid,
         [](double x) {
           const double y = 1 / (1 + std::exp(-x));
           return oracle::Slope{y, y * (1 - y)};
         }},
        {"relu", cadena::relu,
         [](double x) {
           return oracle::Slope{x > 0 ? x : 0, x > 0 ? 1.0 : 0.0};
         }},
        {"abs", cadena::abs,
         [](double x) {
           return oracle::Slope{std::abs(x), x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0};
         }},
        {"square", cadena::square,
         [](double x) {
           return oracle::Slope{x * x, 2 * x};
         }},
        {"exp of tanh", [](const Tensor& x) { return exp(cadena::tanh(x)); },
         [](double x) {
           const double t = std::tanh(x), y = std::exp(t);
           return oracle::Slope{y, y * (1 - t * t)};
         }},
        {"softplus", cadena::softplus,
         [](double x) {
           return oracle::Slope{std::log1p(std::exp(x)), 1 / (1 + std::exp(-x))};
         }},
        {"sqrt of 1 + square", [](const Tensor& x) { return sqrt(1 + square(x)); },
         [](double x) {
           return oracle::Slope{std::hypot(1, x), x / std::hypot(1, x)};
         }},
        {"detached copy", [](const Tensor& x) { return x.detach().clone(); },
         [](double x) {
           return oracle::Slope{x, 0};
         }},
    };
    const Op& op = ops[below(std::size(ops))];
    const Register x = any();
    if (nearly_zero(x.array)) return;  // relu and abs have a kink there
    attempt(
        op.name, refusals, [&] { return op.library(x.tensor); },
        [&] { return oracle::map(tape_, x.array, op.interpreter); });
  }

  void binary(int& refusals) {
    struct Op {
      const char* name;
      Tensor (*library)(const Tensor&, const Tensor&);
      oracle::Slopes (*interpreter)(double, double);
    };
    static const Op ops[] = {
        {"add", [](const Tensor& a, const Tensor& b) { return a + b; },
         [](double a, double b) {
           return oracle::Slopes{a + b, 1, 1};
         }},
        {"sub", [](const Tensor& a, const Tensor& b) { return a - b; },
         [](double a, double b) {
           return oracle::Slopes{a - b, 1, -1};
         }},
        {"mul", [](const Tensor& a, const Tensor& b) { return a * b; },
         [](double a, double b) {
           return oracle::Slopes{a * b, b, a};
         }},
        {"div", [](const Tensor& a, const Tensor& b) { return a / (1 + b * b); },
         [](double a, double b) {
           const double d = 1 + b * b;
           return oracle::Slopes{a / d, 1 / d, -2 * a * b / (d * d)};
         }},
        {"maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); },
         [](double a, double b) {
           return oracle::Slopes{a > b ? a : b,
                                 a > b    ? 1.0
                                 : a == b ? 0.5
                                          : 0.0,
                                 a < b    ? 1.0
                                 : a == b ? 0.5
                                          : 0.0};
         }},
        {"where greater", [](const Tensor& a, const Tensor& b) { return where(a > b, a, b * 0.5); },
         [](double a, double b) {
           return a > b ? oracle::Slopes{a, 1, 0} : oracle::Slopes{b * 0.5, 0, 0.5};
         }},
    };
    const Op& op = ops[below(std::size(ops))];
    const Register a = any();
    const Register* other = some([&](const Register& r) {
      const auto& s = r.array.shape;
      for (std::size_t d = 0; d < std::min(s.size(), a.array.shape.size()); ++d) {
        const auto m = s[s.size() - 1 - d], n = a.array.shape[a.array.shape.size() - 1 - d];
        if (m != n && m != 1 && n != 1) return false;
      }
      return true;
    });
    if (!other) return;
    const Register b = *other;
    for (const auto& at : oracle::positions(oracle::broadcast_shape(a.array.shape, b.array.shape)))
      if (nearly_tied(oracle::broadcast_scalar(a.array, at), oracle::broadcast_scalar(b.array, at))) return;
    attempt(
        op.name, refusals, [&] { return op.library(a.tensor, b.tensor); },
        [&] { return oracle::zip(tape_, a.array, b.array, op.interpreter); });
  }

  void reduction(int& refusals) {
    const Register* found =
        some([](const Register& r) { return r.array.count() > 0 && !r.array.shape.empty(); });
    if (!found) return;
    const Register x = *found;
    const std::size_t axis = below(x.array.shape.size());
    const int a = static_cast<int>(axis);
    const auto extent = static_cast<double>(x.array.shape[axis]);
    switch (below(4)) {
      case 0:
        attempt(
            "sum", refusals, [&] { return sum(x.tensor, a, true); },
            [&] { return oracle::sum(tape_, x.array, axis, 1); });
        return;
      case 1:
        attempt(
            "mean", refusals, [&] { return mean(x.tensor, a, true); },
            [&] { return oracle::sum(tape_, x.array, axis, 1 / extent); });
        return;
      case 2:
        for (std::size_t i = 0; i < x.array.count(); ++i)
          for (std::size_t k = 0; k < i; ++k)
            if (nearly_tied(x.array.scalar(i), x.array.scalar(k))) return;
        attempt(
            "amax", refusals, [&] { return amax(x.tensor, a, true); },
            [&] { return oracle::largest(tape_, x.array, axis); });
        return;
      default:
        attempt(
            "softmax", refusals, [&] { return softmax(x.tensor, a); },
            [&] { return oracle::softmax(tape_, x.array, axis); });
    }
  }

  void view(int& refusals) {
    const Register* found =
        some([](const Register& r) { return !r.array.shape.empty() && r.array.count() > 0; });
    if (!found) return;
    const Register x = *found;
    const Extents& s = x.array.shape;
    const std::size_t axis = below(s.size()), second = below(s.size());
    const int a = static_cast<int>(axis);
    Extents shape = s;
    switch (below(7)) {
      case 0:
        std::swap(shape[axis], shape[second]);
        attempt(
            "transpose", refusals, [&] { return transpose(x.tensor, a, static_cast<int>(second)); },
            [&] {
              return oracle::view(x.array, shape, [&](oracle::Index at) {
                std::swap(at[axis], at[second]);
                return at;
              });
            },
            x.overlaps);
        return;
      case 1: {
        const std::size_t start = below(s[axis]), step = 1 + below(2);
        shape[axis] = (s[axis] - start + step - 1) / step;
        attempt(
            "slice", refusals,
            [&] {
              return slice(x.tensor, a,
                           {static_cast<std::int64_t>(start), {}, static_cast<std::int64_t>(step)});
            },
            [&] {
              return oracle::view(x.array, shape, [&](oracle::Index at) {
                at[axis] = start + step * at[axis];
                return at;
              });
            },
            x.overlaps);
        return;
      }
      case 2: {
        const std::size_t index = below(s[axis]);
        shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
        attempt(
            "select", refusals, [&] { return select(x.tensor, a, static_cast<std::int64_t>(index)); },
            [&] {
              return oracle::view(x.array, shape, [&](oracle::Index at) {
                at.insert(at.begin() + static_cast<std::ptrdiff_t>(axis), index);
                return at;
              });
            },
            x.overlaps);
        return;
      }
      case 3:
        attempt(
            "flip", refusals, [&] { return flip(x.tensor, a); },
            [&] {
              return oracle::view(x.array, shape, [&](oracle::Index at) {
                at[axis] = s[axis] - 1 - at[axis];
                return at;
              });
            },
            x.overlaps);
        return;
      case 4:
        if (s.size() > 3) return;
        shape.insert(shape.begin(), 2);
        attempt(
            "expand", refusals, [&] { return expand(x.tensor, to_shape(shape)); },
            [&] {
              return oracle::view(x.array, shape, [](oracle::Index at) {
                at.erase(at.begin());
                return at;
              });
            },
            true);
        return;
      case 5: {
        // A copy where the layout does not allow a view; both are fine as long as nothing is written.
        const Extents flat = {x.array.count()};
        attempt(
            "reshape of a copy", refusals, [&] { return reshape(clone(x.tensor), to_shape(flat)); },
            [&] {
              const auto all = oracle::positions(s);
              return oracle::build(flat, [&](const oracle::Index& at) {
                return x.array.scalar(oracle::offset_of(s, all[at[0]]));
              });
            });
        return;
      }
      default:
        shape.insert(shape.begin() + a, 1);
        if (shape.size() > 4) return;
        attempt(
            "unsqueeze", refusals, [&] { return unsqueeze(x.tensor, a); },
            [&] {
              return oracle::view(x.array, shape, [&](oracle::Index at) {
                at.erase(at.begin() + a);
                return at;
              });
            },
            x.overlaps);
    }
  }

  void joined(int& refusals) {
    const Register* found = some([](const Register& r) { return !r.array.shape.empty(); });
    if (!found) return;
    const Register a = *found;
    const std::size_t axis = below(a.array.shape.size());
    if (below(2) == 0) return picked(a, axis, refusals);
    const Register* other = some([&](const Register& r) {
      if (r.array.shape.size() != a.array.shape.size()) return false;
      for (std::size_t d = 0; d < r.array.shape.size(); ++d)
        if (d != axis && r.array.shape[d] != a.array.shape[d]) return false;
      return true;
    });
    if (!other || a.array.shape[axis] + other->array.shape[axis] > 6) return;
    const Register b = *other;
    Extents shape = a.array.shape;
    shape[axis] += b.array.shape[axis];
    attempt(
        "cat", refusals,
        [&] {
          return cat({a.tensor, b.tensor}, static_cast<int>(axis));
        },
        [&] {
          return oracle::build(shape, [&](oracle::Index at) {
            const std::size_t first = a.array.shape[axis];
            if (at[axis] < first) return a.array.scalar(oracle::offset_of(a.array.shape, at));
            at[axis] -= first;
            return b.array.scalar(oracle::offset_of(b.array.shape, at));
          });
        });
  }

  void picked(const Register& x, std::size_t axis, int& refusals) {
    if (x.array.shape[axis] == 0) return;
    std::vector<std::int64_t> index(1 + below(4));
    for (auto& i : index) i = static_cast<std::int64_t>(below(x.array.shape[axis]));
    Extents shape = x.array.shape;
    shape[axis] = index.size();
    attempt(
        "index_select", refusals,
        [&] { return index_select(x.tensor, static_cast<int>(axis), tensor(index)); },
        [&] {
          return oracle::build(shape, [&](oracle::Index at) {
            at[axis] = static_cast<std::size_t>(index[at[axis]]);
            return x.array.scalar(oracle::offset_of(x.array.shape, at));
          });
        });
  }

  void matrix(int& refusals) {
    const Register* left = some([](const Register& r) { return r.array.shape.size() == 2; });
    if (!left) return;
    const Register a = *left;
    const Register* right = some(
        [&](const Register& r) { return r.array.shape.size() == 2 && r.array.shape[0] == a.array.shape[1]; });
    if (!right) return;
    const Register b = *right;
    attempt(
        "matmul", refusals, [&] { return matmul(a.tensor, b.tensor); },
        [&] { return oracle::product(tape_, a.array, b.array); });
  }

  /// Writes into a register that is no leaf: what is refused must not have changed anything.
  void written(int& refusals) {
    const std::size_t target = below(registers_.size());
    Register& x = registers_[target];
    const bool leaf = target < leaves_.size();
    if (x.overlaps || leaf) return;
    const Register* other = some([&](const Register& r) {
      const auto &s = r.array.shape, &into = x.array.shape;
      if (s.size() > into.size()) return false;
      for (std::size_t d = 0; d < s.size(); ++d) {
        const auto m = s[s.size() - 1 - d], n = into[into.size() - 1 - d];
        if (m != n && m != 1) return false;
      }
      // A source that lies in the target's own memory is read while it is written.
      return r.array.store != x.array.store || r.array.places == x.array.places;
    });
    if (!other) return;
    const Register source = *other;
    const std::size_t kind = below(3);
    static const char* const names[] = {"copy_", "add_", "mul_"};
    text_ << names[kind] << " into register " << target << "\n";
    try {
      if (kind == 0)
        x.tensor.copy_(source.tensor);
      else if (kind == 1)
        x.tensor.add_(source.tensor);
      else
        x.tensor.mul_(source.tensor);
    } catch (const GraphError&) {
      text_ << "  refused\n";
      ++refusals;
      return;
    }
    const Array result = oracle::zip(tape_, x.array, source.array, [&](double a, double b) {
      return kind == 0   ? oracle::Slopes{b, 0, 1}
             : kind == 1 ? oracle::Slopes{a + b, 1, 1}
                         : oracle::Slopes{a * b, b, a};
    });
    oracle::write(x.array, result);
  }

  void compare_values(std::size_t i) {
    const Register& r = registers_[i];
    const auto values = r.tensor.to_vector<double>();
    ASSERT_EQ(values.size(), r.array.count()) << text_.str();
    for (std::size_t k = 0; k < values.size(); ++k)
      expect_close(values[k], tape_.value(r.array.scalar(k)), "value of register " + std::to_string(i));
  }

  void expect_close(double got, double expected, const std::string& what) {
    EXPECT_NEAR(got, expected, 1e-10 * (1 + std::abs(expected))) << what << " after\n" << text_.str();
  }

  void check_derivatives() {
    TensorList outputs, inputs, seeds, directions;
    std::vector<std::size_t> out_scalars, in_scalars;
    std::vector<double> weights, moves;
    for (int i = 0; i < 3; ++i) {
      const Register& r = any();
      if (!r.tensor.requires_grad()) continue;
      outputs.push_back(r.tensor);
      seeds.push_back(randn(r.tensor.shape(), random_, f64));
      const auto w = seeds.back().to_vector<double>();
      for (std::size_t k = 0; k < w.size(); ++k) {
        out_scalars.push_back(r.array.scalar(k));
        weights.push_back(w[k]);
      }
    }
    for (const auto& leaf : leaves_) {
      inputs.push_back(leaf.tensor);
      directions.push_back(randn(leaf.tensor.shape(), random_, f64));
      const auto d = directions.back().to_vector<double>();
      for (std::size_t k = 0; k < d.size(); ++k) {
        in_scalars.push_back(leaf.array.scalar(k));
        moves.push_back(d[k]);
      }
    }
    if (outputs.empty()) return;
    const auto adjoint = tape_.pull_back(out_scalars, weights),
               tangent = tape_.push_forward(in_scalars, moves);
    const TensorList gradients = grad(outputs, inputs, {.retain_graph = true, .allow_unused = true}, seeds);
    const TensorList tangents = jvp_replay(outputs, inputs, directions);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto g = gradients[i].defined() ? gradients[i].to_vector<double>()
                                            : std::vector<double>(leaves_[i].array.count(), 0.0);
      for (std::size_t k = 0; k < g.size(); ++k)
        expect_close(g[k], adjoint[leaves_[i].array.scalar(k)], "gradient of leaf " + std::to_string(i));
    }
    std::size_t next = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto n = static_cast<std::size_t>(outputs[i].numel());
      const auto t = tangents[i].defined() ? tangents[i].to_vector<double>() : std::vector<double>(n, 0.0);
      for (std::size_t k = 0; k < n; ++k) expect_close(t[k], tangent[out_scalars[next++]], "tangent");
    }
  }

  Generator random_;
  bool in_place_;
  oracle::Tape tape_;
  std::vector<Register> registers_, leaves_;
  std::ostringstream text_;
};

Counts run_programs(int programs, bool in_place, std::uint64_t first_seed) {
  Counts counts;
  for (int i = 0; i < programs && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("seed " + std::to_string(first_seed + static_cast<std::uint64_t>(i)));
    Generator length(first_seed + static_cast<std::uint64_t>(i));
    Program(first_seed + static_cast<std::uint64_t>(i), in_place)
        .run(2 + static_cast<int>(length.split(1).below(59)), counts);
  }
  report_count("programs   " + std::to_string(counts.programs) + (in_place ? " with writes: " : ": ") +
               std::to_string(counts.complete) + " agree, " + std::to_string(counts.refused_programs) +
               " refused as a whole, " + std::to_string(counts.refused_writes) + " writes and " +
               std::to_string(counts.refused_reads) + " reads refused, none wrong");
  return counts;
}

TEST(RandomPrograms, WithoutWritesNothingIsRefused) {
  const Counts c = run_programs(4000, false, 1);
  EXPECT_EQ(c.complete, 4000);
}

TEST(RandomPrograms, WithWritesAreRightOrRefused) {
  const Counts c = run_programs(4000, true, 1'000'000);
  EXPECT_GT(c.complete, 2000);
  EXPECT_GT(c.refused_reads + c.refused_writes, 100) << "the programs do not reach what must be refused";
}

TEST(RandomPrograms, ThoroughAHundredThousand) {
  run_programs(50'000, false, 10'000'000);
  run_programs(50'000, true, 20'000'000);
}

}  // namespace
}  // namespace cadena
