// Normalisation of samples that are rows of channels, beside the same numbers as rows of samples.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "autodiff/parallel.hpp"

namespace cadena {
namespace {

struct Results {
  Tensor y, gx, gw, gb;
};

/// batch_norm of x (N, C) and its gradients; with `turned`, of x as (1, C, N).
Results normalized(const Tensor& x0, const Tensor& w0, const Tensor& b0, const Tensor& g, bool turned) {
  const Tensor x = x0.clone().requires_grad_(), w = w0.clone().requires_grad_(),
               b = b0.clone().requires_grad_();
  const BatchNormOptions o{.weight = w, .bias = b, .training = true};
  const Tensor y = turned ? permute(batch_norm(unsqueeze(permute(x, {1, 0}), 0), {}, {}, o)[0], {1, 0})
                          : batch_norm(x, {}, {}, o);
  y.backward(g);
  return {y.detach(), x.grad(), w.grad(), b.grad()};
}

TEST(Normalization, RowsOfChannelsAreNormalizedAsRowsOfSamplesAre) {
  manual_seed(1);
  for (auto dtype : {f32, f64})
    for (std::int64_t samples : {2, 70, 600})
      for (std::int64_t channels : {1, 3, 16, 71, 130}) {
        SCOPED_TRACE(std::to_string(samples) + " x " + std::to_string(channels));
        const Tensor x = randn({samples, channels}, dtype) * 2 + 3, w = randn({channels}, dtype),
                     b = randn({channels}, dtype), g = randn(x.shape(), dtype);
        const Results r = normalized(x, w, b, g, false), e = normalized(x, w, b, g, true);
        const double bound = dtype == f32 ? 1e-4 : 1e-12;
        EXPECT_TRUE(allclose(r.y, e.y, bound, bound));
        EXPECT_TRUE(allclose(r.gx, e.gx, bound, bound));
        EXPECT_TRUE(allclose(r.gw, e.gw, bound, bound * 10));
        EXPECT_TRUE(allclose(r.gb, e.gb, bound, bound * 10));
      }
}

TEST(Normalization, ThreadsDoNotChangeBits) {
  const int threads = num_threads();
  manual_seed(2);
  const Tensor x = randn({1500, 90}), w = randn({90}), b = randn({90}), g = randn(x.shape());
  set_num_threads(1);
  const Results one = normalized(x, w, b, g, false);
  for (int n : {2, 3}) {
    set_num_threads(n);
    const Results r = normalized(x, w, b, g, false);
    EXPECT_TRUE(equal(r.y, one.y) && equal(r.gx, one.gx) && equal(r.gw, one.gw) && equal(r.gb, one.gb)) << n;
  }
  set_num_threads(threads);
}

}  // namespace
}  // namespace cadena
