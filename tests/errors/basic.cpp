// Arithmetic, shapes, indexing, losses, factories and the graph.
#include <limits>

#include "errors/errors.hpp"

namespace cadena::errors {
namespace {
constexpr std::int64_t huge = std::int64_t{1} << 40;
}

Rows basic_rows() {
  return {
      {"add",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         m({2, 3}) + m({4});
       }},
      {"sub",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         m({2, 3}) - m({4});
       }},
      {"mul",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         m({2, 3}) * m({4});
       }},
      {"div",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         m({2, 3}) / m({4});
       }},
      {"pow",
       Kind::shape,
       {"(2, 3)", "(4,)"},
       [] {
         pow(m({2, 3}), m({4}));
       }},
      {"maximum", Kind::shape, {"(2,)", "(3,)"}, [] { maximum(m({2}), m({3})); }},
      {"minimum", Kind::shape, {"(2,)", "(3,)"}, [] { minimum(m({2}), m({3})); }},
      {"heaviside", Kind::shape, {"(2,)", "(3,)"}, [] { heaviside(m({2}), m({3})); }},
      {"where", Kind::dtype, {"bool", "f32"}, [] { where(m({2}), 1, 2); }},
      {"where", Kind::shape, {"(2,)", "(3,)"}, [] { where(m({2}) > 0, m({3}), m({3})); }},
      {"lt", Kind::shape, {"(2,)", "(3,)"}, [] { lt(m({2}), m({3})); }},
      {"eq", Kind::shape, {"(2,)", "(3,)"}, [] { eq(m({2}), m({3})); }},
      {"allclose", Kind::shape, {"(2,)", "(3,)"}, [] { allclose(m({2}), m({3})); }},
      {"sum",
       Kind::index,
       {"[-2, 2)", "2"},
       [] {
         sum(m({2, 3}), 2);
       }},
      {"sum",
       Kind::value,
       {"(0, 1, 0)"},
       [] {
         sum(m({2, 3}), {0, 1, 0});
       }},
      {"mean", Kind::dtype, {"i64"}, [] { mean(arange(3)); }},
      {"amax",
       Kind::value,
       {"(2, 0)", "axis 1"},
       [] {
         amax(m({2, 0}), 1);
       }},
      {"amin", Kind::value, {"(0,)"}, [] { amin(m({0})); }},
      {"argmax", Kind::value, {"(0,)"}, [] { argmax(m({0})); }},
      {"argmin", Kind::index, {"3"}, [] { argmin(m({2}), 3); }},
      {"logsumexp", Kind::dtype, {"i64"}, [] { logsumexp(arange(3), 0); }},
      {"softmax",
       Kind::index,
       {"2"},
       [] {
         softmax(m({2, 3}), 2);
       }},
      {"log_softmax", Kind::dtype, {"i64"}, [] { log_softmax(arange(3), 0); }},
      {"sum_to",
       Kind::shape,
       {"(2, 3)", "(2, 2)"},
       [] {
         sum_to(m({2, 3}), {2, 2});
       }},
      {"reshape",
       Kind::shape,
       {"(2, 3)", "(4, 2)"},
       [] {
         reshape(m({2, 3}), {4, 2});
       }},
      {"reshape",
       Kind::shape,
       {"-1"},
       [] {
         reshape(m({2, 3}), {-1, -1});
       }},
      {"reshape",
       Kind::shape,
       {"(0,)"},
       [] {
         reshape(m({0}), {-1, 0});
       }},
      {"flatten",
       Kind::value,
       {"1", "0"},
       [] {
         flatten(m({2, 3}), 1, 0);
       }},
      {"permute",
       Kind::shape,
       {"(2, 3)", "(0,)"},
       [] {
         permute(m({2, 3}), {0});
       }},
      {"permute",
       Kind::value,
       {"(1, 1)"},
       [] {
         permute(m({2, 3}), {1, 1});
       }},
      {"transpose",
       Kind::index,
       {"5"},
       [] {
         transpose(m({2, 3}), 0, 5);
       }},
      {"t",
       Kind::shape,
       {"(1, 2, 3)"},
       [] {
         t(m({1, 2, 3}));
       }},
      {"expand",
       Kind::shape,
       {"(2, 3)", "(2, 4)"},
       [] {
         expand(m({2, 3}), {2, 4});
       }},
      {"expand",
       Kind::shape,
       {"(2, 3)", "(3,)"},
       [] {
         expand(m({2, 3}), {3});
       }},
      {"squeeze", Kind::index, {"4"}, [] { squeeze(m({1}), 4); }},
      {"unsqueeze", Kind::index, {"4"}, [] { unsqueeze(m({1}), 4); }},
      {"select",
       Kind::index,
       {"(2, 3)", "-3"},
       [] {
         select(m({2, 3}), 0, -3);
       }},
      {"slice",
       Kind::value,
       {"0"},
       [] {
         slice(m({2}), 0, {0, 1, 0});
       }},
      {"index",
       Kind::index,
       {"(2,)", "2"},
       [] {
         m({2}).index({0, 0});
       }},
      {"flip", Kind::index, {"2"}, [] { flip(m({2}), 2); }},
      {"cat",
       Kind::shape,
       {"(2, 3)", "(2, 4)"},
       [] {
         cat({m({2, 3}), m({2, 4})});
       }},
      {"cat", Kind::value, {"none"}, [] { cat({}); }},
      {"stack",
       Kind::shape,
       {"(2,)", "(3,)"},
       [] {
         stack({m({2}), m({3})});
       }},
      {"pad",
       Kind::shape,
       {"(2,)"},
       [] {
         pad(m({2}), {{1, 0}, {1, 0}});
       }},
      {"matmul",
       Kind::shape,
       {"(2, 3)", "(2, 3)"},
       [] {
         matmul(m({2, 3}), m({2, 3}));
       }},
      {"matmul", Kind::shape, {"()"}, [] { matmul(m({}), m({2})); }},
      {"matmul",
       Kind::shape,
       {"(2,)", "(3,)"},
       [] {
         matmul(m({2, 2, 3}), m({3, 3, 4}));
       }},
      {"matmul", Kind::dtype, {"i64"}, [] { matmul(arange(3), arange(3)); }},
      {"linear",
       Kind::shape,
       {"(2, 3)", "(4, 5)"},
       [] {
         linear(m({2, 3}), m({4, 5}));
       }},
      {"linear",
       Kind::shape,
       {"(3,)"},
       [] {
         linear(m({2, 5}), m({4, 5}), m({3}));
       }},
      {"gather", Kind::dtype, {"f32"}, [] { gather(m({2}), 0, m({2})); }},
      {"gather",
       Kind::index,
       {"[0, 2)", "2", "(2,)"},
       [] {
         gather(m({2}), 0, tensor({0, 2}));
       }},
      {"gather", Kind::index, {"-1"}, [] { gather(m({2}), 0, tensor({-1})); }},
      {"gather",
       Kind::shape,
       {"(1, 5)", "(2, 3)"},
       [] {
         gather(m({2, 3}), 0, zeros({1, 5}, i64));
       }},
      {"scatter_add", Kind::index, {"7"}, [] { scatter_add(m({2}), 0, tensor({7}), m({1})); }},
      {"scatter_add", Kind::shape, {"(1,)", "(2,)"}, [] { scatter_add(m({2}), 0, tensor({1}), m({2})); }},
      {"index_select",  // also where there is nothing to copy, and only the first of several
       Kind::index,
       {"[0, 2)", "got 7"},
       [] {
         index_select(zeros({2, 0}), 0, tensor({1, 7, -9}));
       }},
      {"index_select",
       Kind::index,
       {"[0, 3)", "3"},
       [] {
         index_select(m({2, 3}), 1, tensor({3}));
       }},
      {"index_select",
       Kind::shape,
       {"(1, 1)"},
       [] {
         index_select(m({2, 3}), 1, zeros({1, 1}, i64));
       }},
      {"index_add",
       Kind::shape,
       {"(2, 1)", "(2, 2)"},
       [] {
         index_add(m({2, 3}), 1, tensor({0}), m({2, 2}));
       }},
      {"one_hot",
       Kind::index,
       {"3", "[0, 3)"},
       [] {
         one_hot(tensor({0, 3}), 3);
       }},
      {"one_hot", Kind::dtype, {"f32"}, [] { one_hot(m({2})); }},
      {"mse_loss",
       Kind::shape,
       {"(2,)", "(2, 1)"},
       [] {
         mse_loss(m({2}), m({2, 1}));
       }},
      {"binary_cross_entropy",
       Kind::value,
       {"[0, 1]", "1.5"},
       [] { binary_cross_entropy(full({1}, 1.5), m({1})); }},
      {"binary_cross_entropy_with_logits",
       Kind::shape,
       {"(2,)"},
       [] { binary_cross_entropy_with_logits(m({2}), m({1})); }},
      {"nll_loss",
       Kind::index,
       {"3"},
       [] {
         nll_loss(m({2, 3}), tensor({0, 3}));
       }},
      {"nll_loss",
       Kind::shape,
       {"(2, 3)", "(3,)"},
       [] {
         nll_loss(m({2, 3}), tensor({0, 1, 2}));
       }},
      {"cross_entropy",
       Kind::index,
       {"-1"},
       [] {
         cross_entropy(m({2, 3}), tensor({0, -1}));
       }},
      {"cross_entropy",
       Kind::dtype,
       {"f32"},
       [] {
         cross_entropy(m({2, 3}), m({2}));
       }},
      {"cross_entropy",
       Kind::value,
       {"label_smoothing", "2"},
       [] {
         cross_entropy(m({2, 3}), tensor({0, 1}), {.label_smoothing = 2});
       }},
      {"cross_entropy",
       Kind::shape,
       {"(2,)"},
       [] {
         cross_entropy(m({2, 3}), tensor({0, 1}), {.weight = ones({2})});
       }},
      // Tensors and factories.
      {"empty", Kind::shape, {"(-1,)"}, [] { empty({-1}); }},
      {"empty",
       Kind::shape,
       {"2^62"},
       [] {
         empty({huge, huge});
       }},
      {"empty",
       Kind::shape,
       {"2^62"},
       [] {
         empty({0, huge, huge});
       }},
      {"expand",
       Kind::shape,
       {"2^62"},
       [] {
         expand(m({}), {huge, huge});
       }},
      {"item", Kind::shape, {"(2,)"}, [] { m({2}).item(); }},
      {"data", Kind::dtype, {"f64", "f32"}, [] { m({2}).data<double>(); }},
      {"size", Kind::index, {"1"}, [] { m({2}).size(1); }},
      {"tensor", Kind::graph, {"undefined"}, [] { exp(Tensor()); }},
      {"from_blob", Kind::value, {"null"}, [] { from_blob(nullptr, {2}); }},
      {"from_blob",
       Kind::shape,
       {"(1,)"},
       [] {
         float x[4];
         from_blob(x, Shape{2, 2}, Strides{1});
       }},
      {"requires_grad_", Kind::dtype, {"i64"}, [] { arange(2).requires_grad_(); }},
      {"set_grad", Kind::shape, {"(2,)", "(3,)"}, [] { m({2}).requires_grad_().set_grad(m({3})); }},
      {"copy_", Kind::shape, {"(2,)", "(3,)"}, [] { m({2}).copy_(m({3})); }},
      {"copy_", Kind::shape, {"(1,)", "(3,)"}, [] { m({1}).copy_(m({3})); }},
      {"add_", Kind::shape, {"(1,)", "(3,)"}, [] { m({1}).add_(m({3})); }},
      {"add_", Kind::dtype, {"i64", "f32"}, [] { zeros({2}, i64).add_(m({2})); }},
      {"jvp",
       Kind::shape,
       {"(2,)", "(3,)"},
       [] { jvp([](const Tensor& x) { return x * x; }, m({2}), m({3})); }},
      {"backward", Kind::value, {"none"}, [] { backward(TensorList{}); }},
      {"transpose",
       Kind::index,
       {"2"},
       [] {
         transpose(m({2, 3}), 0, 2);
       }},
      {"t",
       Kind::shape,
       {"(2, 3, 4)"},
       [] {
         t(m({2, 3, 4}));
       }},
      {"max",
       Kind::index,
       {"2"},
       [] {
         max(m({2, 3}), 2);
       }},
      {"min",
       Kind::index,
       {"2"},
       [] {
         min(m({2, 3}), 2);
       }},
  };
}

}  // namespace cadena::errors
