#include "autodiff/ops/linalg/support.hpp"

#include <algorithm>

#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"

namespace cadena::detail {

void check_matrix(const char* op, const Tensor& a) {
  if (!is_floating(a.dtype()))
    throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(a.dtype())) +
                     " of shape " + to_string(a.shape()));
  if (a.dim() < 2)
    throw ShapeError("[" + std::string(op) + "] expected (..., m, n), got " + to_string(a.shape()));
}

void check_square(const char* op, const Tensor& a) {
  check_matrix(op, a);
  if (a.size(-1) != a.size(-2))
    throw ShapeError("[" + std::string(op) + "] expected square matrices (..., n, n), got " +
                     to_string(a.shape()));
}

Shape batch_of(const Tensor& a) {
  Shape batch;
  for (int i = 0; i < a.dim() - 2; ++i) batch.push_back(a.shape()[i]);
  return batch;
}

Shape with(Shape batch, std::initializer_list<std::int64_t> extents) {
  for (auto e : extents) batch.push_back(e);
  return batch;
}

std::int64_t matrices_in(const Tensor& a) { return batch_of(a).numel(); }

std::string which_matrix(const Shape& batch, std::int64_t index) {
  if (batch.empty()) return "";
  Shape at = batch;
  for (int d = batch.rank() - 1; d >= 0; --d) {
    at[d] = index % batch[d];
    index /= batch[d];
  }
  return " of matrix " + to_string(at);
}

Tensor over_batch(const Tensor& x, const Shape& batch) {
  NoGrad guard;
  return contiguous(expand(x, with(batch, {x.size(-2), x.size(-1)})));
}

OpInfo linalg_row(const Meta& meta, std::vector<Case> cases, Call large, int inputs) {
  return case_row(meta, "linalg", std::move(cases), [large = std::move(large), inputs](std::int64_t n) {
    return Case{std::vector<Shape>(static_cast<std::size_t>(inputs), Shape{n / 64, 8, 8}), large};
  });
}

std::vector<Case> cases_of(const Call& call, const std::vector<std::vector<Shape>>& shapes,
                           const std::string& label) {
  std::vector<Case> cases;
  for (const auto& s : shapes) cases.push_back({s, call, label});
  return cases;
}

std::vector<Case> joined(std::vector<std::vector<Case>> lists) {
  std::vector<Case> all;
  for (auto& list : lists)
    for (auto& c : list) all.push_back(std::move(c));
  return all;
}

const std::vector<std::vector<Shape>>& square_shapes() {
  static const std::vector<std::vector<Shape>> list = {{{3, 3}}, {{1, 1}},    {{2, 2}}, {{2, 2, 2}},
                                                       {{0, 0}}, {{0, 2, 2}}, {{4, 4}}, {{2, 1, 3, 3}}};
  return list;
}

OpList linalg_ops() {
  OpList all;
  for (auto part : {linalg_solve_ops, linalg_lu_ops, linalg_qr_ops, linalg_spectral_ops, linalg_norm_ops,
                    linalg_det_ops, linalg_function_ops})
    for (auto& row : part()) all.push_back(std::move(row));
  return all;
}

}  // namespace cadena::detail
