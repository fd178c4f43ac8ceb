// capture: what is recorded once and repeated gives what the program would give, to the bit, for every op.
#include "autodiff/capture.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/gradcheck.hpp"
#include "autodiff/transforms.hpp"
#include "tests/capture/bits.hpp"

namespace cadena {
namespace {

enum class Mode : std::uint8_t { value, gradients, second, forward };

/// Ops whose shapes or whose way depends on values: they must say so, and how.
std::map<std::string, std::string> refused_in(Mode mode) {
  std::map<std::string, std::string> ops = {
      {"bincount", "item"},       // as many bins as the largest value asks for
      {"ctc_loss", "data"},       // lengths are numbers of the program
      {"embedding_bag", "data"},  // bags, too
      {"index_put", "item"},      // masks become indices
      {"masked_scatter", "item"},    {"matrix_exp", "matrix_exp"},  // squares as often as the norm asks for
      {"repeat_interleave", "data"},
  };
  if (mode == Mode::second || mode == Mode::forward) {
    ops["det"] = "data";                                   // looks whether it is singular
    ops["scatter_prod"] = ops["scatter_reduce"] = "item";  // as many products as the indices ask for
    ops["scaled_dot_product_attention"] = "scaled_dot_product_attention";  // with dropout
  }
  return ops;
}

/// The elements in reverse order: other values of the same domain.
Tensor reversed(const Tensor& x) {
  Axes all;
  for (int i = 0; i < x.dim(); ++i) all.push_back(i);
  return x.dim() == 0 ? x.clone() : contiguous(flip(x, all));
}

using Call = std::function<Tensor(const TensorList&)>;
Tensor weighted(const Tensor& y) {
  const Tensor weights = add(arange(0, y.numel(), 1, y.dtype()), 0.5).reshape(y.shape());
  return sum(mul(y, weights));
}

/// The value, and derivatives of a weighted sum of it.
TensorList results(const Call& call, const TensorList& in, Mode mode) {
  if (mode == Mode::value) {
    NoGrad guard;
    return {call(in)};
  }
  TensorList x;
  for (const Tensor& t : in) x.push_back(t.detach().requires_grad_());
  if (mode == Mode::forward) {
    TensorList tangents;
    for (const Tensor& t : in) tangents.push_back(add(mul(t, 0.25), 1));
    const auto [outputs, out] = jvp([&](const TensorList& l) { return TensorList{call(l)}; }, in, tangents);
    return {outputs[0].detach(), out[0]};
  }
  const Tensor y = call(x);
  TensorList out{y.detach()};
  if (!y.requires_grad()) return out;
  const bool second = mode == Mode::second;
  TensorList first = grad({weighted(y)}, x, {.create_graph = second, .allow_unused = true});
  for (const Tensor& g : first) out.push_back(g.defined() ? g.detach() : g);
  if (!second) return out;
  Tensor all;
  for (const Tensor& g : first)
    if (g.defined() && g.requires_grad()) all = all.defined() ? add(all, weighted(g)) : weighted(g);
  if (all.defined())
    for (const Tensor& g : grad({all}, x, {.allow_unused = true})) out.push_back(g);
  return out;
}

class CaptureOps : public ::testing::TestWithParam<Mode> {};

TEST_P(CaptureOps, RepeatEveryOpOfTheTable) {
  const auto refused = refused_in(GetParam());
  std::set<std::string> found;
  int repeated = 0;
  const auto compare = [&](Captured& captured, const detail::Sample& sample, const TensorList& in) {
    TensorList expected, got;
    bool fails = false;
    try {
      expected = results(sample.call, in, GetParam());
    } catch (const Error&) {
      fails = true;  // as the values in their new order may
    }
    if (fails) {
      EXPECT_THROW(captured(in), Error);
      return;
    }
    got = captured(in);
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t k = 0; k < got.size(); ++k)
      EXPECT_TRUE(same_bits(got[k], expected[k])) << "result " << k;
    ++repeated;
  };
  for (const auto& info : detail::op_table()) {
    const std::string name(info.meta.name);
    detail::Sampler sampler(7, f64);
    for (const auto& sample : info.samples(sampler)) {
      SCOPED_TRACE(name + " " + sample.label);
      auto captured = capture([&](const TensorList& in) { return results(sample.call, in, GetParam()); });
      TensorList other;
      for (const Tensor& t : sample.inputs) other.push_back(reversed(t));
      try {
        captured(sample.inputs);
        captured(sample.inputs);
        compare(captured, sample, other);
        compare(captured, sample, sample.inputs);
      } catch (const CaptureError& e) {
        const std::string why = e.what();
        // Rows of random ops bring a generator of their own, which is gone by then.
        if (why.find("Generator of the first call") != std::string::npos) continue;
        found.insert(name);
        if (!refused.contains(name)) {
          ADD_FAILURE() << why;
          break;
        }
        EXPECT_NE(why.find("[" + refused.at(name)), std::string::npos) << why;
        break;
      }
    }
  }
  EXPECT_GT(repeated, 4000);
  if (GetParam() == Mode::gradients) {
    EXPECT_EQ(found.size(), refused.size());
  }
}

std::string mode_name(const ::testing::TestParamInfo<Mode>& info) {
  return std::array{"Value", "Gradients", "Second", "Forward"}[static_cast<std::size_t>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(All, CaptureOps,
                         ::testing::Values(Mode::value, Mode::gradients, Mode::second, Mode::forward),
                         mode_name);

}  // namespace
}  // namespace cadena
