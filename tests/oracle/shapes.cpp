#include "oracle.hpp"

namespace cadena::oracle {

Tensor joined(const TensorList& results) {
  TensorList lines;
  for (const auto& r : results) lines.push_back(reshape(to(r, f64), {-1}));
  return cat(lines);
}

Calls attribute_calls() {
  return {
      {"clamp both", [](In x) { return clamp(x[0], -1, 1.5); }},
      {"clamp above", [](In x) { return clamp(x[0], {}, 1.5); }},
      {"clamp below", [](In x) { return clamp(x[0], -1); }},
      {"addcmul", [](In x) { return addcmul(x[0], x[1], x[2], -0.75); }},
      {"addcdiv", [](In x) { return addcdiv(x[0], x[1], x[2], -0.75); }},
      {"softplus beta", [](In x) { return softplus(x[0], 2.5); }},
      {"prelu",
       [](In x) {
         return prelu(reshape(x[0], {1, -1}), x[1]);
       }},
      {"leaky_relu", [](In x) { return leaky_relu(x[0], -0.375); }},
      {"elu", [](In x) { return elu(x[0], 0.625); }},
      {"celu", [](In x) { return celu(x[0], 0.625); }},
      {"hardtanh", [](In x) { return hardtanh(x[0], -1, 1.5); }},
      {"hardshrink", [](In x) { return hardshrink(x[0]); }},
      {"softshrink", [](In x) { return softshrink(x[0]); }},
      {"threshold", [](In x) { return threshold(x[0], 0.25, -2); }},
      {"polygamma", [](In x) { return polygamma(2, x[0]); }},
      {"glu", [](In x) { return glu(x[0], 1); }},
      {"swiglu", [](In x) { return swiglu(x[0], 1); }},
      {"geglu", [](In x) { return geglu(x[0], 1); }},
      {"reglu", [](In x) { return reglu(x[0], 1); }},
      {"softmin", [](In x) { return softmin(x[0], 1); }},
  };
}

namespace {

/// The gradient of a linear f at g, as a function of g.
Tensor transposed(const std::function<Tensor(const Tensor&)>& f, const Shape& shape, const Tensor& g) {
  EnableGrad mode;
  const Tensor x = zeros(shape, f64).requires_grad_();
  return grad(f(x), x, {.create_graph = true}, g);
}

Tensor mask() {
  return tensor({{true, false, true, true}, {false, true, false, true}, {true, true, false, false}});
}

}  // namespace

Calls movement_calls() {
  return {
      {"reshape",
       [](In x) {
         return reshape(x[0], {4, -1});
       }},
      {"permute",
       [](In x) {
         return permute(x[0], {2, 0, 1});
       }},
      {"expand",
       [](In x) {
         return expand(x[0], {2, 3, 4});
       }},
      {"flip",
       [](In x) {
         return flip(x[0], {0, 2});
       }},
      {"clone", [](In x) { return clone(x[0]); }},
      {"alias", [](In x) { return alias(x[0]); }},
      {"view",
       [](In x) {
         return view(x[0], {6, 4});
       }},
      {"flatten", [](In x) { return flatten(x[0], 1); }},
      {"transpose", [](In x) { return transpose(x[0], 0, 2); }},
      {"t", [](In x) { return t(x[0]); }},
      {"squeeze", [](In x) { return squeeze(x[0], {1}); }},
      {"unsqueeze", [](In x) { return unsqueeze(x[0], 1); }},
      {"contiguous", [](In x) { return contiguous(t(x[0])); }},
      {"unflatten",
       [](In x) {
         return unflatten(x[0], 1, {2, 3});
       }},
      {"movedim",
       [](In x) {
         return movedim(x[0], {0, 1}, {2, 0});
       }},
      {"swapaxes", [](In x) { return swapaxes(x[0], 0, 1); }},
      {"broadcast_to",
       [](In x) {
         return broadcast_to(x[0], {2, 3, 4});
       }},
      {"broadcast_tensors",
       [](In x) {
         return joined(broadcast_tensors({x[0], x[1]}));
       }},
      {"atleast_1d", [](In x) { return atleast_1d(x[0]); }},
      {"atleast_2d", [](In x) { return atleast_2d(x[0]); }},
      {"atleast_3d", [](In x) { return atleast_3d(x[0]); }},
      {"roll",
       [](In x) {
         return roll(x[0], {1, -2}, {0, 1});
       }},
      {"roll flat", [](In x) { return roll(x[0], {3}); }},
      {"rot90",
       [](In x) {
         return rot90(x[0], 3, {1, 2});
       }},
      {"repeat",
       [](In x) {
         return repeat(x[0], {2, 1, 3});
       }},
      {"tile", [](In x) { return tile(x[0], {2}); }},
      {"repeat_interleave",
       [](In x) {
         return repeat_interleave(x[0], tensor({1, 0, 2}), 1);
       }},
      {"repeat_interleave flat", [](In x) { return repeat_interleave(x[0], 2); }},
      {"split",
       [](In x) {
         return joined(split(x[0], {2, 3}, 1));
       }},
      {"tensor_split",
       [](In x) {
         return joined(tensor_split(x[0], {1, 4}, 1));
       }},
      {"chunk", [](In x) { return joined(chunk(x[0], 3)); }},
      {"unbind", [](In x) { return joined(unbind(x[0], 1)); }},
      {"hstack",
       [](In x) {
         return hstack({x[0], x[1]});
       }},
      {"vstack",
       [](In x) {
         return vstack({x[0], x[1]});
       }},
      {"dstack",
       [](In x) {
         return dstack({x[0], x[1]});
       }},
      {"meshgrid",
       [](In x) {
         return joined(meshgrid({x[0], x[1]}));
       }},
      {"meshgrid xy",
       [](In x) {
         return joined(meshgrid({x[0], x[1]}, Indexing::xy));
       }},
      {"cartesian_prod",
       [](In x) {
         return cartesian_prod({x[0], x[1]});
       }},
      {"slice",
       [](In x) {
         return slice(x[0], 0, {1, 5, 2});
       }},
      {"embed",
       [](In x) {
         return transposed([](const Tensor& t) { return slice(t, 0, {1, 5, 2}); }, {5, 4}, x[0]);
       }},
      {"cat",
       [](In x) {
         return cat({x[0], x[1]}, 1);
       }},
      {"select", [](In x) { return select(x[0], 1, 2); }},
      {"stack",
       [](In x) {
         return stack({x[0], x[1]}, 1);
       }},
      {"diagonal", [](In x) { return diagonal(x[0], 1, 2, 1); }},
      {"diag_embed", [](In x) { return diag_embed(x[0], -1); }},
      {"tril", [](In x) { return tril(x[0], -1); }},
      {"triu", [](In x) { return triu(x[0], 1); }},
      {"diag", [](In x) { return diag(x[0], 1); }},
      {"hsplit",
       [](In x) {
         return joined(hsplit(x[0], {1, 3}));
       }},
      {"vsplit", [](In x) { return joined(vsplit(x[0], 2)); }},
      {"dsplit", [](In x) { return joined(dsplit(x[0], 2)); }},
      {"narrow", [](In x) { return narrow(x[0], 1, -3, 2); }},
      {"column_stack", [](In x) { return column_stack(x); }},
      {"block_diag", [](In x) { return block_diag(x); }},
      {"fliplr", [](In x) { return fliplr(x[0]); }},
      {"flipud", [](In x) { return flipud(x[0]); }},
      {"diagflat", [](In x) { return diagflat(x[0], 1); }},
      {"diagonal_scatter", [](In x) { return diagonal_scatter(x[0], x[1], -1, 2, 0); }},
      {"select_scatter", [](In x) { return select_scatter(x[0], x[1], 1, -1); }},
      {"slice_scatter",
       [](In x) {
         return slice_scatter(x[0], x[1], 0, {1, 5, 2});
       }},
      {"trace", [](In x) { return trace(x[0]); }},
      {"pad",
       [](In x) {
         return pad(x[0], {{2, 1}, {-1, 3}}, 0.5);
       }},
      {"pad reflect",
       [](In x) {
         return pad(x[0], {{2, 1}}, PadMode::reflect);
       }},
      {"pad replicate",
       [](In x) {
         return pad(x[0], {{2, 1}}, PadMode::replicate);
       }},
      {"pad circular",
       [](In x) {
         return pad(x[0], {{2, 1}}, PadMode::circular);
       }},
      {"unfold", [](In x) { return unfold(x[0], 1, 3, 2); }},
      {"unfold images",
       [](In x) {
         return unfold(x[0], {2, 3}, {.dilation = {2, 1}, .padding = {1}, .stride = {2}});
       }},
      {"overlap_add",
       [](In x) {
         return transposed([](const Tensor& t) { return unfold(t, 3, 3, 2); }, {1, 1, 1, 7},
                           reshape(x[0], {1, 1, 1, 3, 3}));
       }},
      {"fold",
       [](In x) {
         return fold(x[0], {4, 5}, {2, 2}, {.padding = {1}, .stride = {2}});
       }},
      {"rearrange", [](In x) { return rearrange(x[0], "b c h w -> b (h w) c"); }},
      {"reduce", [](In x) { return reduce(x[0], "b (h 2) c -> b h c", "mean"); }},
      {"einops_repeat",
       [](In x) {
         return einops_repeat(x[0], "h w -> h (w r)", {{"r", 3}});
       }},
      {"fmax", [](In x) { return fmax(x[0], x[1]); }},
      {"fmin", [](In x) { return fmin(x[0], x[1]); }},
      {"where", [](In x) { return where(mask(), x[0], x[1]); }},
  };
}

Calls indexing_calls() {
  const Tensor at = tensor({{0, 2, 2, 1}, {3, 3, 0, 3}}), once = tensor({{0, 2, 4, 1}, {3, 1, 0, 4}});
  using R = ScatterReduction;
  return {
      {"gather", [=](In x) { return gather(x[0], 1, at); }},
      {"scatter_add", [=](In x) { return scatter_add(x[0], 1, at, x[1]); }},
      {"index_select",
       [](In x) {
         return index_select(x[0], 1, tensor({2, 0, 2}));
       }},
      {"index_add",
       [](In x) {
         return index_add(x[0], 1, tensor({2, 0, 2}), x[1]);
       }},
      {"scatter", [=](In x) { return scatter(x[0], 1, once, x[1]); }},
      {"scatter_extreme", [=](In x) { return scatter_reduce(x[0], 1, at, x[1], R::amax); }},
      {"scatter_prod", [=](In x) { return scatter_reduce(x[0], 1, at, x[1], R::prod); }},
      {"scatter_reduce", [=](In x) { return scatter_reduce(x[0], 1, at, x[1], R::mean, false); }},
      {"scatter_reduce sum", [=](In x) { return scatter_reduce(x[0], 1, at, x[1], R::sum); }},
      {"scatter_reduce amin", [=](In x) { return scatter_reduce(x[0], 1, at, x[1], R::amin); }},
      {"take_along_dim",
       [](In x) {
         return take_along_dim(x[0], tensor({{1, 0, 2}}), 1);
       }},
      {"index_copy",
       [](In x) {
         return index_copy(x[0], 1, tensor({2, 0}), x[1]);
       }},
      {"index_fill",
       [](In x) {
         return index_fill(x[0], 1, tensor({2, 0}), 0.5);
       }},
      {"index",
       [](In x) {
         return x[0].index({tensor({1, 0, 1}), Slice{}, tensor({3, 2, 0})});
       }},
      {"index mask", [](In x) { return x[0].index({mask()}); }},
      {"index_put",
       [](In x) {
         return index_put(x[0], {tensor({1, 0, 2})}, x[1]);
       }},
      {"index_put added",
       [](In x) {
         return index_put(x[0], {tensor({1, 1, 2})}, x[1], true);
       }},
      {"take",
       [](In x) {
         return take(x[0], tensor({{4, 0}, {1, 4}}));
       }},
      {"put",
       [](In x) {
         return put(x[0], tensor({4, 0, 1}), x[1]);
       }},
      {"masked_select", [](In x) { return masked_select(x[0], mask()); }},
      {"masked_fill", [](In x) { return masked_fill(x[0], mask(), 0.5); }},
      {"masked_scatter", [](In x) { return masked_scatter(x[0], mask(), x[1]); }},
      {"bincount",
       [](In x) {
         return bincount(tensor({2, 0, 2, 3, 1}), x[0], 6);
       }},
  };
}

}  // namespace cadena::oracle
