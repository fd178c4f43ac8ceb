// state_dict and load_state_dict.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

namespace cadena {
namespace {

struct Net : nn::Module {
  nn::Linear fc1{4, 3}, fc2{3, 2};
  nn::Buffer seen = zeros({}, i64), scratch = zeros({2});
  Tensor operator()(const Tensor& x) { return fc2(relu(fc1(x))); }
  void visit(nn::Visitor& v) override {
    v("fc1", fc1);
    v("fc2", fc2);
    v("seen", seen);
    v("scratch", scratch, false);
  }
};

TEST(NnState, RoundTrip) {
  Net a, b;
  a.seen.fill_(5);
  const auto x = randn({3, 4});
  EXPECT_FALSE(equal(a(x), b(x)));
  const auto report = b.load_state_dict(a.state_dict());
  EXPECT_TRUE(report.missing.empty() && report.unexpected.empty() && report.mismatched.empty());
  EXPECT_TRUE(equal(a(x), b(x)));
  EXPECT_EQ(b.seen.item<std::int64_t>(), 5);
  for (auto& p : b.parameters()) EXPECT_TRUE(p.requires_grad() && p.is_leaf());
}

TEST(NnState, KeysArePyTorchs) {
  std::vector<std::string> keys;
  for (auto& [name, t] : Net().state_dict()) {
    keys.push_back(name);
    EXPECT_FALSE(t.requires_grad());
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"fc1.bias", "fc1.weight", "fc2.bias", "fc2.weight", "seen"}));
}

TEST(NnState, IsASnapshot) {
  Net net;
  const auto best = net.state_dict();
  const auto before = net.fc1.weight.clone();
  nn::init::zeros_(net.fc1.weight);
  net.load_state_dict(best);
  EXPECT_TRUE(equal(net.fc1.weight, before));
}

TEST(NnState, LoadingKeepsTheTensorsAnOptimizerHolds) {
  Net net;
  optim::SGD sgd(net.parameters(), {.lr = 1});
  const auto* handle = net.fc1.weight.raw();
  net.load_state_dict(Net().state_dict());
  EXPECT_EQ(net.fc1.weight.raw(), handle);
  const auto before = net.fc2.bias.clone();
  net(ones({1, 4})).sum().backward();
  sgd.step();
  EXPECT_FALSE(equal(net.fc2.bias, before));
}

TEST(NnState, ErrorsListEverythingAndChangeNothing) {
  Net net;
  auto state = Net().state_dict();
  state["fc1.weigth"] = state["fc1.weight"];
  state.erase("fc1.weight");
  state["fc2.bias"] = zeros({3});
  state["seen"] = zeros({});
  state["other"] = zeros({1});
  const auto before = net.state_dict();
  try {
    net.load_state_dict(state);
    FAIL() << "nothing was thrown";
  } catch (const nn::StateDictError& e) {
    EXPECT_EQ(e.report.missing, (std::vector<std::string>{"fc1.weight"}));
    EXPECT_EQ(e.report.unexpected, (std::vector<std::string>{"fc1.weigth", "other"}));
    EXPECT_EQ(e.report.mismatched, (std::vector<std::string>{"fc2.bias", "seen"}));
    EXPECT_STREQ(e.what(),
                 "[load_state_dict] expected the names and shapes of Net, got\n"
                 "  missing:\n"
                 "    \"fc1.weight\"\n"
                 "  unexpected:\n"
                 "    \"fc1.weigth\" (is it \"fc1.weight\"?)\n"
                 "    \"other\"\n"
                 "  mismatched:\n"
                 "    \"fc2.bias\": expected (2,) f32, got (3,) f32\n"
                 "    \"seen\": expected () i64, got () f32");
  }
  for (auto& [name, t] : net.state_dict()) EXPECT_TRUE(equal(t, before.at(name))) << name;
}

TEST(NnState, NotStrictLoadsWhatFits) {
  Net net, other;
  auto state = other.state_dict();
  state.erase("fc2.weight");
  state["extra"] = zeros({1});
  EXPECT_THROW(net.load_state_dict(state), nn::StateDictError);
  const auto kept = net.fc2.weight.clone();
  const auto report = net.load_state_dict(state, false);
  EXPECT_EQ(report.missing, (std::vector<std::string>{"fc2.weight"}));
  EXPECT_EQ(report.unexpected, (std::vector<std::string>{"extra"}));
  EXPECT_TRUE(equal(net.fc1.weight, other.fc1.weight));
  EXPECT_TRUE(equal(net.fc2.weight, kept));
  state["fc1.bias"] = Tensor();
  EXPECT_THROW(net.load_state_dict(state, false), nn::StateDictError);
}

TEST(NnState, PrecisionIsConverted) {
  Net wide;
  wide.to(f64);
  Net net;
  net.load_state_dict(wide.state_dict());
  EXPECT_EQ(net.fc1.weight.dtype(), f32);
  EXPECT_TRUE(equal(net.fc1.weight, wide.fc1.weight.to(f32)));
}

TEST(NnState, TiedParametersAreSavedUnderBothNames) {
  struct Tied : nn::Module {
    nn::Linear a{2, 2, {.bias = false}}, b{2, 2, {.bias = false}};
    Tied() { b.weight.tie(a.weight); }
    void visit(nn::Visitor& v) override {
      v("a", a);
      v("b", b);
    }
  };
  Tied net, other;
  const auto state = net.state_dict();
  ASSERT_EQ(state.size(), 2u);
  other.load_state_dict(state);
  EXPECT_EQ(other.a.weight.raw(), other.b.weight.raw());
  EXPECT_TRUE(equal(other.b.weight, net.a.weight));
}

}  // namespace
}  // namespace cadena
