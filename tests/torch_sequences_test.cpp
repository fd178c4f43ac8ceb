// Functions of sequences against PyTorch's; see fixtures/torch_sequences.py, whose calls these are, in its
// order.
#include "fixtures/torch_sequences.hpp"

#include <gtest/gtest.h>

#include "torch_records.hpp"

namespace cadena {
namespace {

Tensor indices(const Shape& shape, std::int64_t extent, std::int64_t k = 0) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < shape.numel(); ++i)
    values.push_back((i * 7919 + k * 104729 + i * i * 31) % 1021 % extent);
  return tensor(values, shape);
}

using In = const TensorList&;

std::vector<TorchCall> embeddings() {
  const Shape table{7, 3};
  const Tensor pairs = indices({4, 2}, 7), line = indices({9}, 7), offsets = tensor({0, 2, 2, 5});
  std::vector<TorchCall> list;
  const auto one = [&](const char* key, const Tensor& at, const EmbeddingOptions& o) {
    list.push_back({key, {table}, [=](In x) { return embedding(at, x[0], o); }});
  };
  one("embedding", pairs, {});
  one("embedding padding", pairs, {.padding_idx = -3});
  one("embedding frequency", line, {.scale_grad_by_freq = true});
  one("embedding max_norm", pairs, {.max_norm = 1.5});
  one("embedding max_norm 1", pairs, {.max_norm = 2, .norm_type = 1});
  const auto bag = [&](const char* key, const EmbeddingBagOptions& o) {
    const Tensor at = o.include_last_offset ? tensor({0, 2, 2, 9}) : offsets;
    list.push_back({key, {table}, [=](In x) { return embedding_bag(line, x[0], at, o); }});
  };
  list.push_back({"embedding_bag", {table}, [=](In x) { return embedding_bag(pairs, x[0]); }});
  bag("embedding_bag sum", {.mode = BagMode::sum});
  bag("embedding_bag mean", {.padding_idx = 4});
  bag("embedding_bag max", {.mode = BagMode::max, .padding_idx = -3});
  bag("embedding_bag last", {.mode = BagMode::sum, .include_last_offset = true});
  list.push_back({"embedding_bag factors", {table, {4, 2}}, [=](In x) {
                    return embedding_bag(pairs, x[0], {}, {.mode = BagMode::sum, .per_sample_weights = x[1]});
                  }});
  return list;
}

std::vector<TorchCall> attentions() {
  const Shape q{2, 3, 5, 4}, k{2, 3, 6, 4}, v{2, 3, 6, 2};
  const Tensor seen = indices({5, 6}, 3, 1) > 0;
  const auto attend = [](In x, const AttentionOptions& o = {}) {
    return scaled_dot_product_attention(x[0], x[1], x[2], o);
  };
  return {{"attention", {q, k, v}, [=](In x) { return attend(x); }},
          {"attention causal", {q, k, v}, [=](In x) { return attend(x, {.is_causal = true}); }},
          {"attention mask", {q, k, v}, [=](In x) { return attend(x, {.attn_mask = seen}); }},
          {"attention added mask", {q, k, v, {5, 6}}, [=](In x) { return attend(x, {.attn_mask = x[3]}); }},
          {"attention one head", {{5, 4}, {6, 4}, {6, 2}}, [=](In x) { return attend(x); }}};
}

std::vector<TorchCall> ctc_losses() {
  const Tensor labels = indices({3, 4}, 4, 2) + 1, few = tensor({4, 2, 3}), steps = tensor({12, 9, 11});
  const auto call = [=](In x, const CtcLossOptions& o = {}) {
    return ctc_loss(log_softmax(x[0], -1), labels, steps, few, o);
  };
  const Tensor vector = cat({labels[0], labels[1].slice(0, {0, 2}), labels[2].slice(0, {0, 3})});
  const Shape x{12, 3, 5};
  return {{"ctc_loss", {x}, [=](In x) { return call(x); }},
          {"ctc_loss sum", {x}, [=](In x) { return call(x, {.reduction = Reduction::sum}); }},
          {"ctc_loss each", {x}, [=](In x) { return call(x, {.reduction = Reduction::none}); }},
          {"ctc_loss blank",
           {x},
           [=](In x) { return ctc_loss(log_softmax(x[0], -1), labels - 1, steps, few, {.blank = 4}); }},
          {"ctc_loss vector", {x}, [=](In x) { return ctc_loss(log_softmax(x[0], -1), vector, steps, few); }},
          {"ctc_loss alone",
           {{12, 5}},
           [=](In x) { return ctc_loss(log_softmax(x[0], -1), labels[0], steps[0], few[0]); }},
          {"ctc_loss zero_infinity", {x}, [=](In x) {
             return ctc_loss(log_softmax(x[0], -1), labels, tensor({2, 9, 11}), few,
                             {.reduction = Reduction::none, .zero_infinity = true});
           }}};
}

TEST(TorchSequences, ValuesAndGradients) {
  std::vector<TorchCall> list;
  for (const auto& part : {embeddings(), attentions(), ctc_losses()})
    list.insert(list.end(), part.begin(), part.end());
  expect_calls(list, fixtures::torch_sequence_functions, fixtures::torch_sequence_numbers);
}

}  // namespace
}  // namespace cadena
