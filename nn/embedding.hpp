// Tables of rows that are looked up by number. The functions: autodiff/ops/embedding.hpp.
#pragma once

#include <optional>

#include "autodiff/ops.hpp"
#include "nn/module.hpp"

namespace cadena::nn {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx = {};  ///< this row is 0 at first and gets no gradient
  std::optional<double> max_norm = {};           ///< longer rows are shortened when they are used
  double norm_type = 2;
  bool scale_grad_by_freq = false;
  DType dtype = f32;
};

/// Rows of a table: i64 indices (...) -> (..., embedding_dim).
///
/// Parameter `weight` (num_embeddings, embedding_dim), first standard normal.
class Embedding : public Layer {
 public:
  /// @throws ShapeError, DtypeError unless f32 or f64, IndexError for padding_idx
  Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, EmbeddingOptions options = {});
  /// A layer with a copy of `weight` (V, D), frozen unless told otherwise. The dtype is that of the weight.
  static Embedding from_pretrained(const Tensor& weight, bool freeze = true, EmbeddingOptions options = {});

  Tensor forward(const Tensor& indices) override;
  void visit(Visitor& v) override { v("weight", weight); }
  std::string extra_repr() const override;
  void reset_parameters();

  Parameter weight;

 private:
  EmbeddingOptions options_;
};

struct EmbeddingBagOptions {
  std::optional<double> max_norm = {};
  double norm_type = 2;
  bool scale_grad_by_freq = false;
  BagMode mode = BagMode::mean;
  bool include_last_offset = false;
  std::optional<std::int64_t> padding_idx = {};  ///< is left out of the bags
  DType dtype = f32;
};

/// Sum, mean or maximum of rows of a table, as embedding_bag.
///
/// Parameter `weight` (num_embeddings, embedding_dim), first standard normal, the row padding_idx 0.
class EmbeddingBag : public Callable {
 public:
  /// @throws ShapeError, DtypeError unless f32 or f64, IndexError for padding_idx
  EmbeddingBag(std::int64_t num_embeddings, std::int64_t embedding_dim, EmbeddingBagOptions options = {});
  static EmbeddingBag from_pretrained(const Tensor& weight, bool freeze = true,
                                      EmbeddingBagOptions options = {});

  Tensor operator()(const Tensor& indices, const Tensor& offsets = {},
                    const Tensor& per_sample_weights = {}) {
    return call([this](const Tensor& at, const Tensor& from,
                       const Tensor& factors) { return forward(at, from, factors); },
                indices, offsets, per_sample_weights);
  }
  Tensor forward(const Tensor& indices, const Tensor& offsets = {}, const Tensor& per_sample_weights = {});
  void visit(Visitor& v) override { v("weight", weight); }
  std::string extra_repr() const override;
  void reset_parameters();

  Parameter weight;

 private:
  EmbeddingBagOptions options_;
};

}  // namespace cadena::nn
