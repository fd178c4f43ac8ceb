// What follows from one `visit` line: names, order, ties, copies, conversion, modes, printing.
#include <gtest/gtest.h>

#include <sstream>
#include <type_traits>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"

namespace cadena {
namespace {

struct Net : nn::Module {
  nn::Linear fc1{4, 3}, fc2{3, 2};
  Tensor operator()(const Tensor& x) { return fc2(relu(fc1(x))); }
  void visit(nn::Visitor& v) override {
    v("fc1", fc1);
    v("fc2", fc2);
  }
};

/// Own parameters and buffers between children, a list, a dictionary, an absent child.
struct Mixed : nn::Module {
  nn::Linear first{2, 2, {.bias = false}};
  nn::Parameter scale = ones({2});
  nn::Buffer mean = zeros({2}), counter = zeros({}, i64), scratch = ones({3});
  std::vector<nn::Linear> layers;
  std::map<std::string, nn::ReLU> acts;
  std::unique_ptr<nn::Linear> absent;
  Mixed() {
    layers.emplace_back(2, 3);
    layers.emplace_back(3, 2);
    acts["a"];
  }
  void visit(nn::Visitor& v) override {
    v("first", first);
    v("scale", scale);
    v("mean", mean);
    v("counter", counter);
    v("scratch", scratch, false);
    v("layers", layers);
    v("acts", acts);
    v("absent", absent);
  }
};

struct Tied : nn::Module {
  nn::Linear encoder{3, 3}, decoder{3, 3};
  Tied() { decoder.weight.tie(encoder.weight); }
  Tensor operator()(const Tensor& x) { return decoder(encoder(x)); }
  void visit(nn::Visitor& v) override {
    v("encoder", encoder);
    v("decoder", decoder);
  }
};

template <class T>
std::vector<std::string> names(const std::vector<std::pair<std::string, T>>& named) {
  std::vector<std::string> result;
  for (auto& [name, value] : named) result.push_back(name);
  return result;
}
using Names = std::vector<std::string>;

/// The text of the error of type E that f throws.
template <class E, class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(NnModule, ParametersInVisitingOrder) {
  Net net;
  EXPECT_EQ(names(net.named_parameters()), (Names{"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}));
  const auto p = net.parameters();
  ASSERT_EQ(p.size(), 4u);
  EXPECT_EQ(p[0].raw(), net.fc1.weight.raw());
  EXPECT_EQ(p[3].shape(), (Shape{2}));
  for (auto& t : p) EXPECT_TRUE(t.requires_grad() && t.is_leaf());
  EXPECT_EQ(net.num_parameters(), 4 * 3 + 3 + 3 * 2 + 2);
}

TEST(NnModule, ListsDictionariesBuffersAndAbsentMembers) {
  Mixed m;
  EXPECT_EQ(names(m.named_parameters()), (Names{"first.weight", "scale", "layers.0.weight", "layers.0.bias",
                                                "layers.1.weight", "layers.1.bias"}));
  EXPECT_EQ(names(m.named_buffers()), (Names{"mean", "counter", "scratch"}));
  EXPECT_EQ(m.buffers().size(), 3u);
  EXPECT_EQ(names(m.named_children()), (Names{"first", "layers.0", "layers.1", "acts.a"}));
  EXPECT_EQ(names(m.named_modules()), (Names{"", "first", "layers.0", "layers.1", "acts.a"}));
  EXPECT_EQ(m.children()[1], &m.layers[0]);
  m.absent = std::make_unique<nn::Linear>(1, 1);
  EXPECT_EQ(names(m.named_children()).back(), "absent");
  for (auto& b : m.buffers()) EXPECT_FALSE(b.requires_grad());
}

TEST(NnModule, BadNames) {
  struct Bad : nn::Module {
    std::string first, second;
    nn::Linear a{1, 1}, b{1, 1};
    Bad(std::string f, std::string s) : first(std::move(f)), second(std::move(s)) {}
    void visit(nn::Visitor& v) override {
      v(first, a);
      v(second, b);
    }
  };
  EXPECT_EQ(error_of<ValueError>([] { Bad("x", "x").parameters(); }),
            "[Bad::visit] expected different names, got \"x\" twice");
  EXPECT_EQ(error_of<ValueError>([] { Bad("x", "y.z").parameters(); }),
            "[Bad::visit] expected a name without dots, got \"y.z\"");
  EXPECT_THROW(Bad("", "y").state_dict(), ValueError);
}

TEST(NnModule, TiedParametersAppearOnce) {
  Tied net;
  EXPECT_EQ(names(net.named_parameters()), (Names{"encoder.weight", "encoder.bias", "decoder.bias"}));
  EXPECT_EQ(net.num_parameters(), 9 + 3 + 3);
  net(ones({2, 3})).sum().backward();
  EXPECT_EQ(net.encoder.weight.grad().raw(), net.decoder.weight.grad().raw());
}

TEST(NnModule, CopiesShareNothing) {
  Net net;
  net(ones({1, 4})).sum().backward();
  const Net copy = net;
  const auto a = net.parameters(), b = copy.parameters();
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(equal(a[i], b[i]));
    EXPECT_FALSE(a[i].shares_storage(b[i]));
    EXPECT_TRUE(b[i].requires_grad() && b[i].is_leaf());
    EXPECT_FALSE(b[i].grad().defined());
  }
  nn::init::zeros_(net.fc1.weight);
  EXPECT_FALSE(equal(net.fc1.weight, copy.fc1.weight));
}

TEST(NnModule, CopiesKeepModeFrozenStateAndBuffers) {
  struct Outer : nn::Module {
    nn::Linear fc{2, 2};
    nn::Buffer mean = full({2}, 7);
    void visit(nn::Visitor& v) override {
      v("fc", fc);
      v("mean", mean);
    }
  };
  Outer net;
  net.eval();
  net.fc.weight.requires_grad_(false);
  auto copy = nn::clone(net);
  EXPECT_FALSE(copy.is_training());
  EXPECT_FALSE(copy.fc.is_training());
  EXPECT_FALSE(copy.fc.weight.requires_grad());
  EXPECT_TRUE(copy.fc.bias.requires_grad());
  EXPECT_TRUE(equal(copy.mean, net.mean));
  EXPECT_FALSE(copy.mean.shares_storage(net.mean));
}

TEST(NnModule, TiedModulesAreCopiedByCloneOnly) {
  Tied net;
  const auto text = error_of<ValueError>([&] { Tied copy = net; });
  EXPECT_EQ(text,
            "[Tied] expected a module without tied tensors to copy, got \"encoder.weight\" and "
            "\"decoder.weight\" in one; nn::clone copies it");
  auto copy = nn::clone(net);
  EXPECT_EQ(copy.parameters().size(), 3u);
  EXPECT_EQ(copy.encoder.weight.raw(), copy.decoder.weight.raw());
  EXPECT_FALSE(copy.encoder.weight.shares_storage(net.encoder.weight));
  EXPECT_TRUE(equal(copy.encoder.weight, net.encoder.weight));
}

TEST(NnModule, WhatWouldShareDoesNotCompile) {
  static_assert(std::is_copy_constructible_v<Net> && std::is_nothrow_move_constructible_v<nn::Linear>);
  static_assert(!std::is_copy_assignable_v<Net> && std::is_move_assignable_v<Net>);
  static_assert(!std::is_convertible_v<nn::Parameter&, nn::Parameter>);  // auto w = layer.weight;
  static_assert(!std::is_assignable_v<nn::Parameter&, nn::Parameter&>);  // a.weight = b.weight;
  static_assert(std::is_convertible_v<nn::Parameter&, Tensor>);          // Tensor w = layer.weight;
  static_assert(std::is_assignable_v<nn::Parameter&, Tensor>);
  static_assert(!std::is_invocable_v<nn::Visitor&, const char*, Tensor&>);  // v("w", tensor)
  static_assert(!std::is_constructible_v<nn::Module, const nn::Module&>);   // slicing
  Net net;
  Tensor handle = net.fc1.weight;
  EXPECT_EQ(handle.raw(), net.fc1.weight.raw());
  EXPECT_THROW(nn::Parameter(ones({2}, i64)), DtypeError);
}

TEST(NnModule, MovingKeepsTheTensors) {
  Net net;
  const auto* weight = net.fc1.weight.raw();
  Net moved = std::move(net);
  EXPECT_EQ(moved.fc1.weight.raw(), weight);
}

TEST(NnModule, ToConvertsEverythingFloating) {
  Mixed m;
  m.first.weight.set_grad(ones({2, 2}));
  m.scale.requires_grad_(false);
  m.to(f64);
  for (auto& [name, p] : m.named_parameters()) {
    EXPECT_EQ(p.dtype(), f64) << name;
    EXPECT_TRUE(p.is_leaf());
    EXPECT_EQ(p.requires_grad(), name != "scale") << name;
  }
  EXPECT_EQ(m.mean.dtype(), f64);
  EXPECT_EQ(m.counter.dtype(), i64);
  EXPECT_EQ(m.first.weight.grad().dtype(), f64);
  EXPECT_THROW(m.to(i64), DtypeError);

  Tied tied;
  tied.to(f64);
  EXPECT_EQ(tied.encoder.weight.raw(), tied.decoder.weight.raw());
  EXPECT_EQ(tied(ones({1, 3}, f64)).dtype(), f64);
}

TEST(NnModule, TrainEvalReachEveryModule) {
  Mixed m;
  EXPECT_TRUE(m.is_training());
  m.eval();
  for (auto& [name, module] : m.named_modules()) EXPECT_FALSE(module->is_training()) << name;
  m.train();
  for (auto& [name, module] : m.named_modules()) EXPECT_TRUE(module->is_training()) << name;
}

TEST(NnModule, ZeroGradFreezeApply) {
  Net net;
  net(ones({2, 4})).sum().backward();
  for (auto& p : net.parameters()) EXPECT_TRUE(p.grad().defined());
  net.zero_grad();
  for (auto& p : net.parameters()) EXPECT_FALSE(p.grad().defined());
  net.requires_grad_(false);
  EXPECT_EQ(net.num_parameters(true), 0);
  EXPECT_FALSE(net(ones({2, 4})).requires_grad());
  net.requires_grad_();
  EXPECT_EQ(net.num_parameters(true), net.num_parameters());

  std::vector<nn::Module*> order;
  net.apply([&](nn::Module& m) { order.push_back(&m); });
  EXPECT_EQ(order, (std::vector<nn::Module*>{&net.fc1, &net.fc2, &net}));
}

TEST(NnModule, PrintsLikePyTorch) {
  EXPECT_EQ(Net().to_string(),
            "Net(\n"
            "  (fc1): Linear(in_features=4, out_features=3, bias=True)\n"
            "  (fc2): Linear(in_features=3, out_features=2, bias=True)\n"
            ")");
  EXPECT_EQ(Mixed().to_string(),
            "Mixed(\n"
            "  (first): Linear(in_features=2, out_features=2, bias=False)\n"
            "  (layers): ModuleList(\n"
            "    (0): Linear(in_features=2, out_features=3, bias=True)\n"
            "    (1): Linear(in_features=3, out_features=2, bias=True)\n"
            "  )\n"
            "  (acts): ModuleDict(\n"
            "    (a): ReLU()\n"
            "  )\n"
            ")");
  std::ostringstream out;
  out << nn::Dropout(0.25) << nn::Softmax(1) << nn::Flatten();
  EXPECT_EQ(out.str(), "Dropout(p=0.25)Softmax(dim=1)Flatten(start_dim=1, end_dim=-1)");
}

}  // namespace
}  // namespace cadena
