// Layers against PyTorch's: values, gradients, names and order of the state; see
// fixtures/torch_nn.py, whose calls these are, in its order. The same table then serves copies, saved state
// and precision, and no layer with parameters or buffers may be missing from it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "fixtures/torch_nn.hpp"
#include "nn/nn.hpp"
#include "torch_records.hpp"

namespace cadena {
namespace {

using In = const TensorList&;
using T = const Tensor&;

const Shape image{2, 4, 5, 6}, line{2, 4, 7}, box{1, 2, 4, 5, 3}, rows{4, 5};

Tensor weight() { return abs(numbers({5}, 9)) + 0.25; }
Tensor classes() { return tensor({1, 4, 2, 0}); }

// ---- Layers

struct LayerCase {
  const char* key;
  nn::AnyModule module;
  std::vector<Shape> shapes;
  std::function<Tensor(nn::Module&, In)> call;
};

template <class M, class F>
LayerCase with(const char* key, M module, std::vector<Shape> shapes, F f) {
  return {key, nn::AnyModule(std::move(module)), std::move(shapes),
          [f](nn::Module& m, In x) -> Tensor { return f(dynamic_cast<M&>(m), x); }};
}
template <class M>
LayerCase plain(const char* key, M module, const Shape& shape) {
  return with(key, std::move(module), {shape}, [](M& m, In x) { return m(x[0]); });
}

Tensor joined(const TensorList& tensors) {
  TensorList flat;
  for (auto& t : tensors) flat.push_back(t.reshape({t.numel()}));
  return cat(flat, 0);
}

std::vector<LayerCase> simple_layers() {
  return {plain("Linear", nn::Linear(5, 3), {2, 4, 5}),
          plain("LazyLinear", nn::LazyLinear(3, {.bias = false}), rows),
          with("Bilinear", nn::Bilinear(3, 4, 2), {{2, 5, 3}, {2, 5, 4}},
               [](nn::Bilinear& m, In x) { return m(x[0], x[1]); }),
          plain("PReLU", nn::PReLU(4), line),
          plain("Softmax2d", nn::Softmax2d(), image),
          plain("Unflatten", nn::Unflatten(1, {2, -1}), line),
          plain("Unfold", nn::Unfold({2, 3}, {.dilation = {2, 1}, .padding = {1}, .stride = {2}}), image),
          plain("Fold", nn::Fold({5, 6}, {2, 3}, {.padding = {1}, .stride = {2, 1}}), {2, 6, 18})};
}

std::vector<LayerCase> convolutions() {
  return {plain("Conv1d", nn::Conv1d(4, 6, 3, {.padding = 1, .groups = 2}), line),
          plain("Conv2d", nn::Conv2d(4, 3, 2), image),
          plain("Conv3d", nn::Conv3d(2, 3, 2), box),
          plain("ConvTranspose1d", nn::ConvTranspose1d(4, 3, 3, {.stride = 2}), line),
          plain("ConvTranspose2d", nn::ConvTranspose2d(4, 6, 2, {.groups = 2, .bias = false}), image),
          plain("ConvTranspose3d", nn::ConvTranspose3d(2, 3, 2), box),
          plain("LazyConv1d", nn::LazyConv1d(6, 3), line),
          plain("LazyConv2d", nn::LazyConv2d(6, 3, {.groups = 2}), image),
          plain("LazyConv3d", nn::LazyConv3d(1, 2, {.bias = false}), box),
          plain("LazyConvTranspose1d", nn::LazyConvTranspose1d(6, 3), line),
          plain("LazyConvTranspose2d", nn::LazyConvTranspose2d(6, 3, {.groups = 2}), image),
          plain("LazyConvTranspose3d", nn::LazyConvTranspose3d(1, 2), box)};
}

std::vector<LayerCase> norms() {
  return {
      plain("BatchNorm1d", nn::BatchNorm1d(4), line),
      plain("BatchNorm2d", nn::BatchNorm2d(4), image),
      plain("BatchNorm3d", nn::BatchNorm3d(2), box),
      plain("LazyBatchNorm1d", nn::LazyBatchNorm1d(), line),
      plain("LazyBatchNorm2d", nn::LazyBatchNorm2d({.affine = false}), image),
      plain("LazyBatchNorm3d", nn::LazyBatchNorm3d(), box),
      plain("InstanceNorm1d", nn::InstanceNorm1d(4, {.affine = true}), line),
      plain("InstanceNorm2d", nn::InstanceNorm2d(4, {.affine = true, .track_running_stats = true}), image),
      plain("InstanceNorm3d", nn::InstanceNorm3d(2), box),
      plain("LazyInstanceNorm1d", nn::LazyInstanceNorm1d({.affine = true}), line),
      plain("LazyInstanceNorm2d", nn::LazyInstanceNorm2d(), image),
      plain("LazyInstanceNorm3d", nn::LazyInstanceNorm3d({.affine = true}), box),
      plain("GroupNorm", nn::GroupNorm(2, 4), image),
      plain("LayerNorm", nn::LayerNorm(Shape{4, 7}), line)};
}

std::vector<LayerCase> recurrent() {
  const Tensor words = tensor({{1, 4, 2}, {0, 6, 1}});
  const auto one = [](auto& m, In x) {
    const auto [output, state] = m(x[0]);
    if constexpr (requires { state.c; })
      return joined({output, state.h, state.c});
    else
      return joined({output, state});
  };
  const auto packed = [](auto& m, In x) {
    const auto sequences =
        nn::pack_padded_sequence(x[0], tensor({4, 2, 5}), {.batch_first = true, .enforce_sorted = false});
    const auto [output, state] = m(sequences);
    const Tensor padded = nn::pad_packed_sequence(output, {.batch_first = true, .padding_value = 0.5}).output;
    if constexpr (requires { state.c; })
      return joined({padded, state.h, state.c});
    else
      return joined({padded, state});
  };
  const Shape sequence{4, 2, 5}, padded{3, 5, 4};
  return {
      with("Embedding", nn::Embedding(7, 3, {.padding_idx = 1}), {{1}},
           [=](nn::Embedding& m, In x) { return m(words) * x[0]; }),
      with("EmbeddingBag", nn::EmbeddingBag(7, 3, {.mode = BagMode::sum}), {{2, 3}},
           [=](nn::EmbeddingBag& m, In x) { return m(words, {}, x[0]); }),
      with("RNN", nn::RNN(5, 3, {.num_layers = 2, .nonlinearity = nn::init::Nonlinearity::relu}), {sequence},
           one),
      with("LSTM", nn::LSTM(5, 4, {.num_layers = 2, .bidirectional = true, .proj_size = 2}), {sequence}, one),
      with("GRU", nn::GRU(5, 3, {.bias = false, .batch_first = true}), {sequence}, one),
      with("RNN packed", nn::RNN(4, 3), {padded}, packed),
      with("LSTM packed", nn::LSTM(4, 3, {.num_layers = 2, .bidirectional = true, .proj_size = 2}), {padded},
           packed),
      with("GRU packed", nn::GRU(4, 3, {.bidirectional = true}), {padded}, packed),
      with("RNNCell", nn::RNNCell(5, 3), {rows, {4, 3}}, [](nn::RNNCell& m, In x) { return m(x[0], x[1]); }),
      with("LSTMCell", nn::LSTMCell(5, 3), {rows, {4, 3}, {4, 3}},
           [](nn::LSTMCell& m, In x) {
             const auto [h, c] = m(x[0], {x[1], x[2]});
             return joined({h, c});
           }),
      with("GRUCell", nn::GRUCell(5, 3), {rows, {4, 3}}, [](nn::GRUCell& m, In x) { return m(x[0], x[1]); })};
}

constexpr std::int64_t E = 6, L = 4, S = 6, N = 2;
const Shape query{L, N, E}, keys{S, N, E};

Tensor hidden() { return tensor({{0, 0, 0, 0, 0, 1}, {0, 1, 0, 0, 0, 0}}).to(boolean); }
Tensor upper() { return triu(ones({L, S}), 3).to(boolean); }
Tensor causal() { return triu(ones({L, L}), 1).to(boolean); }

std::vector<LayerCase> attentions() {
  using M = nn::MultiheadAttention;
  const auto attend = [](M& m, In x, const nn::AttentionCall& o = {}) {
    const auto [output, weights] = m(x[0], x[1], x[2], o);
    return joined({output, weights});
  };
  const auto three = [=](M& m, In x) { return attend(m, x); };
  return {
      with("MultiheadAttention", M(E, 2), {query, keys, keys}, three),
      with("MultiheadAttention self", M(E, 3, {.bias = false, .batch_first = true}), {{N, L, E}},
           [](M& m, In x) { return m(x[0], x[0], x[0], {.need_weights = false}).output; }),
      with("MultiheadAttention dims", M(E, 2, {.kdim = 3, .vdim = 5}), {query, {S, N, 3}, {S, N, 5}}, three),
      with("MultiheadAttention extra", M(E, 2, {.add_bias_kv = true, .add_zero_attn = true}),
           {query, keys, keys},
           [=](M& m, In x) {
             return attend(
                 m, x, {.key_padding_mask = hidden(), .attn_mask = upper(), .average_attn_weights = false});
           }),
      with("MultiheadAttention masks", M(E, 2), {query, keys, keys, {N * 2, L, S}},
           [](M& m, In x) { return m(x[0], x[1], x[2], {.attn_mask = x[3], .need_weights = false}).output; }),
      with("MultiheadAttention single", M(E, 2), {{L, E}, {S, E}, {S, E}}, three)};
}

std::vector<LayerCase> transformers() {
  using Encoder = nn::TransformerEncoderLayer;
  using Decoder = nn::TransformerDecoderLayer;
  const auto plain_options = [] { return nn::TransformerLayerOptions{.dim_feedforward = 7, .dropout = 0}; };
  auto first = plain_options(), gelu_first = plain_options(), small = plain_options();
  first.norm_first = gelu_first.norm_first = gelu_first.batch_first = true;
  gelu_first.activation = [](T x) { return gelu(x); };
  small.dim_feedforward = 5;
  const Encoder encoder(E, 2, plain_options());
  const Decoder decoder(E, 3, plain_options());
  const nn::Transformer all(
      {.d_model = E, .nhead = 2, .num_encoder_layers = 1, .num_decoder_layers = 2, .layer = small});
  const auto cross = [](auto& m, In x) { return m(x[0], x[1]); };
  return {plain("TransformerEncoderLayer", encoder, query),
          with("TransformerEncoderLayer first", Encoder(E, 2, gelu_first), {{N, L, E}},
               [](Encoder& m, In x) {
                 return m(x[0], {.src_mask = causal(), .src_key_padding_mask = hidden().slice(1, {2, 6})});
               }),
          with("TransformerDecoderLayer", decoder, {query, keys}, cross),
          with("TransformerDecoderLayer first", Decoder(E, 3, first), {query, keys},
               [](Decoder& m, In x) {
                 return m(
                     x[0], x[1],
                     {.memory_mask = upper(), .memory_key_padding_mask = hidden(), .tgt_is_causal = true});
               }),
          plain("TransformerEncoder", nn::TransformerEncoder(encoder, 2, nn::LayerNorm(E)), query),
          with("TransformerDecoder", nn::TransformerDecoder(decoder, 2), {query, keys}, cross),
          with("Transformer", all, {keys, query},
               [](nn::Transformer& m, In x) { return m(x[0], x[1], {.tgt = {.tgt_is_causal = true}}); })};
}

std::vector<LayerCase> parametrized() {
  using nn::utils::spectral_norm;
  using nn::utils::weight_norm;
  nn::Linear first(5, 3), last(5, 3), symmetric(5, 5);
  nn::Conv1d conv(4, 3, 2);
  nn::Conv2d spectral(4, 3, 2);
  nn::ConvTranspose1d transposed(4, 3, 2);
  weight_norm(first);
  weight_norm(conv, "weight", 1);
  weight_norm(last, "weight", std::nullopt);
  spectral_norm(spectral, "weight", {.n_power_iterations = 2});
  spectral_norm(transposed);
  const auto mirror = [](T w) { return triu(w) + triu(w, 1).t(); };
  nn::utils::parametrize::register_parametrization(symmetric, "weight", mirror);
  nn::utils::parametrize::register_parametrization(symmetric, "weight", nn::Linear(5, 5, {.bias = false}));
  return {plain("weight_norm", first, rows),
          plain("weight_norm axis", conv, line),
          plain("weight_norm all", last, rows),
          plain("spectral_norm", spectral, image),
          plain("spectral_norm transposed", transposed, line),
          plain("parametrize", symmetric, rows)};
}

std::vector<LayerCase> weighted_losses() {
  const Tensor w = weight();
  const nn::AdaptiveLogSoftmaxWithLoss adaptive(8, 9, {2, 5}, {.div_value = 2, .head_bias = true});
  const Tensor words = tensor({3, 0, 8, 1, 3, 7});
  return {with("AdaptiveLogSoftmaxWithLoss", adaptive, {{6, 8}},
               [=](nn::AdaptiveLogSoftmaxWithLoss& m, In x) {
                 const auto [output, loss] = m(x[0], words);
                 return joined({output, loss, m.log_prob(x[0])});
               }),
          with("BCELoss", nn::BCELoss({.weight = w}), {rows, rows},
               [](nn::BCELoss& m, In x) { return m(sigmoid(x[0]), sigmoid(x[1])); }),
          with("BCEWithLogitsLoss", nn::BCEWithLogitsLoss({.weight = w, .pos_weight = w}), {rows, rows},
               [](nn::BCEWithLogitsLoss& m, In x) { return m(x[0], sigmoid(x[1])); }),
          with("NLLLoss", nn::NLLLoss({.weight = w}), {rows},
               [](nn::NLLLoss& m, In x) { return m(x[0], classes()); }),
          with("CrossEntropyLoss", nn::CrossEntropyLoss({.weight = w}), {rows},
               [](nn::CrossEntropyLoss& m, In x) { return m(x[0], classes()); }),
          with("MultiMarginLoss", nn::MultiMarginLoss({.weight = w}), {rows},
               [](nn::MultiMarginLoss& m, In x) { return m(x[0], classes()); }),
          with("MultiLabelSoftMarginLoss", nn::MultiLabelSoftMarginLoss(w), {rows, rows},
               [](nn::MultiLabelSoftMarginLoss& m, In x) { return m(x[0], sigmoid(x[1])); })};
}

std::vector<LayerCase> layers() {
  std::vector<LayerCase> all;
  for (auto& part : {simple_layers(), convolutions(), norms(), recurrent(), attentions(), transformers(),
                     parametrized(), weighted_losses()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// The inputs as pieces of one vector.
TensorList pieces(const LayerCase& c, T x) {
  TensorList list;
  std::int64_t from = 0;
  for (const auto& shape : c.shapes) {
    list.push_back(x.slice(0, {from, from + shape.numel()}).reshape(shape));
    from += shape.numel();
  }
  return list;
}
Shape total(const LayerCase& c) {
  std::int64_t n = 0;
  for (const auto& shape : c.shapes) n += shape.numel();
  return {n};
}

std::vector<std::pair<std::string, Tensor>> state_of(const nn::Module& module) {
  auto all = module.named_parameters();
  for (auto& b : module.named_buffers()) all.push_back(b);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return all;
}

/// Sets it to the numbers of the script; a first call makes what is lazy.
void prepare(const LayerCase& c) {
  auto& m = c.module.module();
  c.call(m, pieces(c, numbers(total(c), 1)));
  m.to(f64);
  const auto state = state_of(m);
  for (std::size_t k = 0; k < state.size(); ++k) {
    Tensor t = state[k].second;
    NoGrad no_grad;
    if (!is_floating(t.dtype())) {
      t.zero_();
      continue;
    }
    const Tensor values = numbers(t.shape(), static_cast<std::int64_t>(k) + 2);
    t.copy_(state[k].first.find("var") != std::string::npos ? abs(values) + 0.25 : values);
  }
}

TEST(NnTorch, LayersStateValuesAndGradients) {
  const auto list = layers();
  ASSERT_EQ(list.size(), std::size(fixtures::torch_nn_layers));
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& record = fixtures::torch_nn_layers[i];
    const auto& c = list[i];
    ASSERT_STREQ(c.key, record.key);
    SCOPED_TRACE(record.key);
    prepare(c);
    auto& m = c.module.module();
    const auto state = state_of(m);
    std::string names;
    for (auto& [name, t] : state) names += (names.empty() ? "" : " ") + name;
    EXPECT_EQ(names, record.state);
    c.call(m, pieces(c, numbers(total(c), 1) * 1.5));
    Tensor x = numbers(total(c), 0).requires_grad_();
    const Tensor y = c.call(m, pieces(c, x));
    y.backward(numbers(y.shape(), 5));
    TensorList others{x.grad()};
    for (auto& [name, t] : state)
      if (t.requires_grad()) others.push_back(t.grad().defined() ? t.grad() : zeros_like(t));
    for (auto& [name, t] : state)
      if (!t.requires_grad()) others.push_back(t.to(f64));
    expect_recorded(record, fixtures::torch_nn_numbers, y, others);
  }
}

TEST(NnLayers, CopiesAndSavedStateGiveTheSame) {
  for (const auto& c : layers()) {
    SCOPED_TRACE(c.key);
    prepare(c);
    auto& m = c.module.module();
    m.eval();
    const TensorList x = pieces(c, numbers(total(c), 0));
    const Tensor y = c.call(m, x).detach();
    const auto copy = c.module.copy(), fresh = c.module.copy();
    EXPECT_TRUE(equal(c.call(copy.module(), x), y));
    for (auto& [name, t] : state_of(copy.module())) {
      NoGrad no_grad;
      t.fill_(1);
    }
    EXPECT_TRUE(equal(c.call(m, x), y)) << "the copy shares something";
    fresh.module().load_state_dict(copy.module().state_dict());
    EXPECT_TRUE(equal(c.call(fresh.module(), x), c.call(copy.module(), x)));
    fresh.module().load_state_dict(m.state_dict());
    EXPECT_TRUE(equal(c.call(fresh.module(), x), y));
  }
}

TEST(NnLayers, SinglePrecisionAgreesWithDouble) {
  for (const auto& c : layers()) {
    SCOPED_TRACE(c.key);
    prepare(c);
    auto& m = c.module.module();
    m.eval();
    const Tensor x = numbers(total(c), 0), y = c.call(m, pieces(c, x));
    m.to(f32);
    const Tensor single = c.call(m, pieces(c, x.to(f32)));
    EXPECT_EQ(single.dtype(), f32);
    EXPECT_TRUE(allclose(single.to(f64), y, 2e-4, 2e-4)) << max(abs(single.to(f64) - y)).item();
  }
}

/// Classes of nn/ with parameters or buffers of their own, as the headers spell them. Those without
/// instances, or with tests of their own, are not in PyTorch 1.13 or are bases.
TEST(NnLayers, NoneIsMissing) {
  const std::set<std::string> elsewhere = {
      "Conv",          "ConvTranspose", "RunningNorm", "RecurrentCell",   "RecurrentWeights",
      "RMSNorm",       "Perceptron",    "Adaline",     "Hopfield",        "ParameterList",
      "ParameterDict", "Parameter",     "Buffer",      "RotaryPositions", "SinusoidalPositions",
      "AlibiPositions"};
  std::set<std::string> known;
  for (const auto& record : fixtures::torch_nn_layers) {
    const std::string key = record.key;
    known.insert(key.substr(0, key.find(' ')));
  }
  const std::regex klass(R"(^(?:class|struct) (\w+)\b.*\{)"), member(R"(^  (?:Parameter|Buffer) \w+.*;)");
  std::size_t found = 0;
  for (const auto& file : std::filesystem::directory_iterator(CADENA_SOURCE_DIR "/nn")) {
    if (file.path().extension() != ".hpp" || file.path().filename() == "parametrize.hpp") continue;
    std::ifstream in(file.path());
    std::string current;
    std::smatch match;
    for (std::string text; std::getline(in, text);) {
      if (std::regex_search(text, match, klass)) current = match[1];
      if (!std::regex_search(text, member) || elsewhere.contains(current)) continue;
      ++found;
      EXPECT_TRUE(known.contains(current)) << current << " is not in the table";
    }
  }
  EXPECT_GT(found, 12u);
}

}  // namespace
}  // namespace cadena
