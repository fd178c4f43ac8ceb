#include <limits>

#include "oracle.hpp"

namespace cadena::oracle {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Tensor spd(const Tensor& m) { return matmul(m, transpose(m, -2, -1)) + 3 * eye(m.shape()[m.dim() - 1], f64); }
Tensor symmetric(const Tensor& m) { return m + transpose(m, -2, -1); }

}  // namespace

Calls reduction_calls() {
  return {
      {"sum",
       [](In x) {
         return sum(x[0], {0, 2});
       }},
      {"amax",
       [](In x) {
         return amax(x[0], {0, 2});
       }},
      {"amax ties", [](In x) { return amax(x[0], {1}); }},
      {"prod", [](In x) { return prod(x[0], {1}); }},
      {"prod zeros", [](In x) { return prod(x[0], {1}); }},
      {"nansum", [](In x) { return nansum(x[0], {1}); }},
      {"square_sum",
       [](In x) {
         return vector_norm(x[0], 2, {0, 2});
       }},
      {"abs_sum",
       [](In x) {
         return vector_norm(x[0], 1, {1, 2});
       }},
      {"square_distance", [](In x) { return pairwise_distance(x[0], x[1], 2, 0.25); }},
      {"nanmean", [](In x) { return nanmean(x[0], {1}); }},
      {"aminmax",
       [](In x) {
         const auto r = aminmax(x[0], {1});
         return joined({r.min, r.max});
       }},
      {"mean",
       [](In x) {
         return mean(x[0], {0, 2}, true);
       }},
      {"amin", [](In x) { return amin(x[0], {2}); }},
      {"max", [](In x) { return max(x[0]); }},
      {"max axis", [](In x) { return max(x[0], 1).values; }},
      {"min", [](In x) { return min(x[0]); }},
      {"min axis", [](In x) { return min(x[0], 0).values; }},
      {"sum_to",
       [](In x) {
         return sum_to(x[0], {3, 1});
       }},
      {"var",
       [](In x) {
         return var(x[0], {0, 2});
       }},
      {"var population", [](In x) { return var(x[0], {1}, {.correction = 0}); }},
      {"std", [](In x) { return cadena::std(x[0], {1}); }},
      {"var_mean",
       [](In x) {
         const auto r = var_mean(x[0], {1});
         return joined({r.var, r.mean});
       }},
      {"cov",
       [](In x) {
         return cov(x[0], {.fweights = tensor({2, 1, 3, 1}), .aweights = x[1].detach()});
       }},
      {"corrcoef", [](In x) { return triu(corrcoef(x[0]), 1); }},
      {"trapezoid", [](In x) { return trapezoid(x[0], x[1], 1); }},
      {"trapezoid even", [](In x) { return trapezoid(x[0], 0.5); }},
      {"cumulative_trapezoid", [](In x) { return cumulative_trapezoid(x[0], x[1], 1); }},
      {"gradient",
       [](In x) {
         return joined(gradient(x[0], {.spacing = {0.5, 2}}));
       }},
      {"gradient uneven",
       [](In x) {
         return joined(gradient(
             x[0], {.coordinates = {tensor({0, 0.5, 1.75, 2, 3.5}, f64)}, .axes = 0, .edge_order = 2}));
       }},
      {"vander", [](In x) { return vander(x[0], 4); }},
      {"vander increasing", [](In x) { return vander(x[0], 3, true); }},
      {"std_mean",
       [](In x) {
         const auto r = std_mean(x[0], {1});
         return joined({r.std, r.mean});
       }},
      {"vector_norm",
       [](In x) {
         return vector_norm(x[0], 3, {0, 2});
       }},
      {"vector_norm 1", [](In x) { return vector_norm(x[0], 1, {1}); }},
      {"vector_norm 0.5", [](In x) { return vector_norm(x[0], 0.5, {1}); }},
      {"vector_norm inf", [](In x) { return vector_norm(x[0], infinity, {1}); }},
      {"vector_norm -inf", [](In x) { return vector_norm(x[0], -infinity, {1}); }},
      {"norm", [](In x) { return norm(x[0], 2, {1}); }},
      {"softmax", [](In x) { return softmax(x[0], 1); }},
      {"log_softmax", [](In x) { return log_softmax(x[0], 1); }},
      {"logsumexp",
       [](In x) {
         return logsumexp(x[0], {0, 2});
       }},
      {"cumsum", [](In x) { return cumsum(x[0], 1); }},
      {"cumprod", [](In x) { return cumprod(x[0], 1); }},
      {"logcumsumexp", [](In x) { return logcumsumexp(x[0], 1); }},
      {"linear_recurrence", [](In x) { return linear_recurrence(x[0], x[1], 1); }},
      {"linear_recurrence reverse", [](In x) { return linear_recurrence(x[0], x[1], 1, true); }},
      {"cummax", [](In x) { return cummax(x[0], 1).values; }},
      {"cummin", [](In x) { return cummin(x[0], 1).values; }},
      {"diff", [](In x) { return diff(x[0], 2, 1, x[1], x[2]); }},
      {"sort", [](In x) { return both(sort(x[0], 1, true)); }},
      {"topk", [](In x) { return both(topk(x[0], 3, 1)); }},
      {"topk smallest", [](In x) { return both(topk(x[0], 3, 1, false)); }},
      {"kthvalue", [](In x) { return both(kthvalue(x[0], 2, 1)); }},
      {"median", [](In x) { return median(x[0]); }},
      {"median axis", [](In x) { return both(median(x[0], 1)); }},
      {"nanmedian", [](In x) { return both(nanmedian(x[0], 1)); }},
      {"mode", [](In x) { return mode(x[0], 1).values; }},
      {"mode repeated", [](In x) { return mode(x[0], 1).values.detach() + 0 * sum(x[0]); }},
      {"quantile", [](In x) { return quantile(x[0], 0.3, {.axis = 1}); }},
      {"quantile by q", [](In x) { return quantile(x[0], x[1], {.axis = 1}); }},
      {"quantile midpoint",
       [](In x) { return quantile(x[0], 0.3, {.axis = 1, .interpolation = Interpolation::midpoint}); }},
      {"nanquantile", [](In x) { return nanquantile(x[0], 0.3, {.axis = 1}); }},
  };
}

Calls product_calls() {
  const AddProductOptions factors{.beta = 0.5, .alpha = -2};
  return {
      {"matmul", [](In x) { return matmul(x[0], x[1]); }},
      {"matmul vector", [](In x) { return matmul(x[0], x[1]); }},
      {"linear", [](In x) { return linear(x[0], x[1], x[2]); }},
      {"bilinear", [](In x) { return bilinear(x[0], x[1], x[2], x[3]); }},
      {"dot", [](In x) { return dot(x[0], x[1]); }},
      {"inner", [](In x) { return inner(x[0], x[1]); }},
      {"outer", [](In x) { return outer(x[0], x[1]); }},
      {"vecdot", [](In x) { return vecdot(x[0], x[1], 0); }},
      {"cross", [](In x) { return cross(x[0], x[1], 1); }},
      {"mv", [](In x) { return mv(x[0], x[1]); }},
      {"mm", [](In x) { return mm(x[0], x[1]); }},
      {"bmm", [](In x) { return bmm(x[0], x[1]); }},
      {"kron", [](In x) { return kron(x[0], x[1]); }},
      {"tensordot",
       [](In x) {
         return tensordot(x[0], x[1], {2, 0}, {1, 0});
       }},
      {"addmm", [=](In x) { return addmm(x[0], x[1], x[2], factors); }},
      {"addr", [=](In x) { return addr(x[0], x[1], x[2], factors); }},
      {"addmv", [=](In x) { return addmv(x[0], x[1], x[2], factors); }},
      {"baddbmm", [=](In x) { return baddbmm(x[0], x[1], x[2], factors); }},
      {"addbmm", [=](In x) { return addbmm(x[0], x[1], x[2], factors); }},
      {"multi_dot", [](In x) { return multi_dot(x); }},
      {"einsum", [](In x) { return einsum("bij,bjk,k->bi", x); }},
      {"einsum diagonal", [](In x) { return einsum("...ii,...i->...", x); }},
      {"normalize", [](In x) { return normalize(x[0], 3); }},
      {"cosine_similarity", [](In x) { return cosine_similarity(x[0], x[1]); }},
      {"pairwise_distance", [](In x) { return pairwise_distance(x[0], x[1], 3); }},
      {"dist", [](In x) { return dist(x[0], x[1], 3); }},
      {"pdist", [](In x) { return pdist(x[0]); }},
      {"renorm", [](In x) { return renorm(x[0], 2, 1, 2); }},
      {"cdist", [](In x) { return cdist(x[0], x[1]); }},
      {"cdist 3", [](In x) { return cdist(x[0], x[1], 3); }},
  };
}

Calls linalg_calls() {
  Calls calls = {
      {"cholesky", [](In x) { return cholesky(spd(x[0])); }},
      {"cholesky upper", [](In x) { return cholesky(spd(x[0]), {.upper = true}); }},
      {"cholesky_inverse", [](In x) { return cholesky_inverse(cholesky(spd(x[0]))); }},
      {"tensorinv",
       [](In x) {
         return tensorinv(reshape(spd(x[0]), {2, 3, 6}), 2);
       }},
      {"tensorsolve",
       [](In x) {
         return tensorsolve(reshape(spd(x[0]), {2, 3, 6}), x[1]);
       }},
      {"cholesky_solve", [](In x) { return cholesky_solve(x[1], cholesky(spd(x[0]))); }},
      {"solve_triangular",
       [](In x) { return solve_triangular(triu(x[0]) + 3 * eye(3, f64), x[1], {.upper = true}); }},
      {"solve", [](In x) { return solve(spd(x[0]), x[1]); }},
      {"solve right", [](In x) { return solve(x[0], x[1], {.left = false}); }},
      {"inv", [](In x) { return inv(x[0]); }},
      {"lu_factor", [](In x) { return lu_factor(x[0]).LU; }},
      {"lu_factor wide", [](In x) { return lu_factor(x[0]).LU; }},
      {"lu",
       [](In x) {
         const auto [p, l, u] = lu(x[0]);
         return joined({p, l, u});
       }},
      {"lu_solve",
       [](In x) {
         const auto factor = lu_factor(x[0]);
         return lu_solve(factor.LU, factor.pivots, x[1]);
       }},
      {"eigh",
       [](In x) {
         const auto r = eigh(symmetric(x[0]));
         return joined({r.eigenvalues, abs(r.eigenvectors)});
       }},
      {"eigvalsh", [](In x) { return eigvalsh(symmetric(x[0])); }},
      {"svd",
       [](In x) {
         const auto [u, s, vh] = svd(x[0]);
         return joined({abs(u), s, abs(vh)});
       }},
      {"svdvals", [](In x) { return svdvals(x[0]); }},
      {"pinv", [](In x) { return pinv(x[0]); }},
      {"lstsq",
       [](In x) {
         const auto r = lstsq(x[0], x[1]);
         return joined({r.solution, r.residuals});
       }},
      {"matrix_norm fro", [](In x) { return matrix_norm(x[0]); }},
      {"matrix_norm nuc", [](In x) { return matrix_norm(x[0], "nuc"); }},
      {"cond", [](In x) { return cond(x[0]); }},
      {"cond fro", [](In x) { return cond(x[0], "fro"); }},
      {"det", [](In x) { return det(x[0]); }},
      {"slogdet", [](In x) { return slogdet(x[0]).logabsdet; }},
      {"logdet", [](In x) { return logdet(spd(x[0])); }},
      {"matrix_power", [](In x) { return matrix_power(x[0], 3); }},
      {"matrix_power -2", [](In x) { return matrix_power(x[0], -2); }},
      {"matrix_exp", [](In x) { return matrix_exp(x[0]); }},
  };
  for (const char* key : {"qr", "qr wide"})
    calls[key] = [](In x) {
      const auto [q, r] = qr(x[0]);
      return joined({q, r});
    };
  const std::pair<const char*, double> orders[] = {{"1", 1},   {"-1", -1},        {"2", 2},
                                                   {"-2", -2}, {"inf", infinity}, {"-inf", -infinity}};
  for (const auto& [name, ord] : orders)
    calls[std::string("matrix_norm ") + name] = [ord = ord](In x) { return matrix_norm(x[0], ord); };
  return calls;
}

}  // namespace cadena::oracle
