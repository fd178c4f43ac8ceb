#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "files.hpp"
#include "messages.hpp"

namespace cadena::data {
namespace {

Checkpoint sample() {
  Checkpoint c;
  c["model"].tensors = {{"fc.weight", tensor({{1.0, 2.0}})}, {"fc.bias", zeros({1})}};
  c["optimizer"].tensors = {{"fc.weight/exp_avg", tensor({0.1}, f64)}};
  c["optimizer"].values = {{"step", std::int64_t{7}}, {"lr", 0.1}, {"amsgrad", false}};
  c["run"].values = {{"name", std::string("i:3 / \"é\"")},
                     {"inf", std::numeric_limits<double>::infinity()},
                     {"tiny", 5e-324},
                     {"first", std::numeric_limits<std::int64_t>::min()}};
  Generator g(0xFFFFFFFFFFFFFFFF);
  g.set_position(0xFFFFFFFFFFFFFFFE);
  c["run"].put("random", g);
  return c;
}

void expect_equal(const Checkpoint& a, const Checkpoint& b) {
  ASSERT_EQ(a.sections().size(), b.sections().size());
  for (const auto& [name, section] : a.sections()) {
    const auto& other = b.at(name);
    EXPECT_EQ(section.values, other.values) << name;
    ASSERT_EQ(section.tensors.size(), other.tensors.size()) << name;
    for (const auto& [key, t] : section.tensors) EXPECT_TRUE(equal(t, other.tensors.at(key))) << key;
  }
}

TEST(Checkpoint, RoundTripsToTheBit) {
  const Folder folder;
  save_checkpoint(folder / "a", sample());
  const Checkpoint back = load_checkpoint(folder / "a");
  expect_equal(sample(), back);
  EXPECT_EQ(format_checkpoint(back), read_file(folder / "a"));
  EXPECT_EQ(back.at("optimizer").value<double>("lr"), 0.1);
  EXPECT_EQ(back.at("optimizer").value<std::int64_t>("step"), 7);
  EXPECT_EQ(back.at("run").value<std::string>("name"), "i:3 / \"é\"");
  const Generator g = back.at("run").generator("random");
  EXPECT_EQ(g.seed(), 0xFFFFFFFFFFFFFFFF);
  EXPECT_EQ(g.position(), 0xFFFFFFFFFFFFFFFE);
  EXPECT_EQ(read_safetensors(folder / "a").tensors.count("model/fc.weight"), 1U);  // others can look into it
}

TEST(Checkpoint, EverySingleByteChangeIsNoticedOrHarmless) {
  const Checkpoint want = sample();
  Bytes file = format_checkpoint(want);
  int noticed = 0;
  for (std::size_t i = 0; i < file.size(); ++i) {
    const auto right = file[i];
    for (const int step : {1, 2, 16, 128, 255}) {
      file[i] = static_cast<std::uint8_t>(right + step);
      try {
        expect_equal(want, parse_checkpoint(file));  // spaces of the header
      } catch (const FormatError&) {
        ++noticed;
      }
    }
    file[i] = right;
  }
  EXPECT_GT(noticed, static_cast<int>(file.size() * 5 * 95 / 100));
}

TEST(Checkpoint, SaysWhatIsWrong) {
  EXPECT_TRUE(
      contains(message_of<FormatError>([] { parse_checkpoint(format_safetensors({})); }),
               "[checkpoint] version at byte 0: expected a checkpoint, got another safetensors file"));
  EXPECT_TRUE(contains(message_of<FormatError>([] {
                         parse_checkpoint(format_safetensors({.metadata = {{"cadena.checkpoint", "2"}}}));
                       }),
                       "expected 1, got 2"));
  EXPECT_TRUE(contains(message_of<FormatError>([] {
                         parse_checkpoint(format_safetensors({.metadata = {{"cadena.checkpoint", "1"}}}));
                       }),
                       "[checkpoint] checksum at byte 0"));
  Bytes file = format_checkpoint(sample());
  file.back() ^= 1;
  EXPECT_TRUE(contains(message_of<FormatError>([&] { parse_checkpoint(file); }), "the file is damaged"));
  const Checkpoint c = sample();
  EXPECT_EQ(message_of<ValueError>([&] { c.at("scheduler"); }),
            "[Checkpoint::at] expected one of the sections model, optimizer, run, got scheduler");
  EXPECT_EQ(message_of<ValueError>([&] { c.at("run").value<double>("nothing"); }),
            "[CheckpointSection::value] expected nothing of the type asked for, got none");
  EXPECT_THROW(c.at("optimizer").value<double>("step"), ValueError);
  Checkpoint slashed;
  slashed["a/b"].values = {{"x", true}};
  EXPECT_THROW(format_checkpoint(slashed), ValueError);
}

}  // namespace
}  // namespace cadena::data
