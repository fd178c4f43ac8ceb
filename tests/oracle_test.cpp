// Every row of the op table against another system: values and gradients that PyTorch and mpmath gave,
// recorded by fixtures/oracle.py.
#include "oracle/oracle.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "autodiff/core/table.hpp"
#include "data/files/byte_source.hpp"

namespace cadena {
namespace {

using nlohmann::json;
using Values = std::vector<double>;

/// Rows whose values are random draws, which no other system repeats: tests/random_laws_test.cpp checks their
/// laws, the gradient suite their derivatives.
const std::set<std::string> drawn = {
    "alpha_dropout", "drop_path",      "dropout", "exponential", "feature_alpha_dropout", "feature_dropout",
    "gumbel",        "gumbel_softmax", "laplace", "normal",      "permutation",           "uniform",
};

std::string contents(const std::string& name) {
  auto source =
      data::unpack_if_gzip(data::open_file(std::string(CADENA_SOURCE_DIR "/tests/fixtures/") + name));
  std::vector<std::uint8_t> bytes(1 << 22);
  bytes.resize(source->read(bytes.data(), bytes.size()));
  return {bytes.begin(), bytes.end()};
}

const json& fixture() {
  static const json all = json::parse(contents("oracle.json.gz"));
  return all;
}

std::string row_of(const std::string& key) { return key.substr(0, key.find(' ')); }

/// The calls of tests/oracle/.
oracle::Calls written_calls() {
  oracle::Calls calls;
  for (const auto& some :
       {oracle::attribute_calls(), oracle::movement_calls(), oracle::indexing_calls(),
        oracle::reduction_calls(), oracle::product_calls(), oracle::linalg_calls(), oracle::loss_calls(),
        oracle::sequence_calls(), oracle::network_calls(), oracle::convolution_calls()})
    for (const auto& [key, call] : some) EXPECT_TRUE(calls.emplace(key, call).second) << "twice: " << key;
  return calls;
}

/// Calls of elementwise rows; the first sample has no attributes.
oracle::Calls row_calls() {
  oracle::Calls calls;
  for (const auto& op : detail::op_table()) {
    detail::Sampler sampler(1);
    for (const char* family :
         {"arithmetic", "exponential", "trigonometric", "activation", "rounding", "special"})
      if (op.family == family) calls[std::string(op.meta.name)] = op.samples(sampler)[0].call;
  }
  return calls;
}

/// The cotangent: multiples of 2^-8 in [-2, 2), as in fixtures/oracle_numbers.py.
Tensor cotangent(const Shape& shape) {
  Values values;
  for (std::int64_t i = 0; i < shape.numel(); ++i)
    values.push_back(static_cast<double>((i * 7919 + i * i * 31) % 1021) / 256 - 2);
  return tensor(values, shape);
}

/// Each number by its own size where elements are computed one by one, else by the largest of them.
void expect_recorded(const Tensor& got, const Values& expected, const json& record, const std::string& what) {
  const Values values = got.to_vector<double>();
  ASSERT_EQ(values.size(), expected.size()) << what;
  double largest = 0;
  for (double v : expected) largest = std::max(largest, std::abs(v));
  const bool elementwise = record.contains("elementwise");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double size = elementwise ? std::abs(expected[i]) : largest;
    EXPECT_LE(std::abs(values[i] - expected[i]), record["rtol"].get<double>() * size)
        << what << " at element " << i << ": " << values[i] << ", recorded " << expected[i];
  }
}

void check(const json& record, const std::function<Tensor(const TensorList&)>& call) {
  TensorList inputs;
  for (std::size_t i = 0; i < record["inputs"].size(); ++i) {
    Shape shape;
    for (std::int64_t n : record["shapes"][i]) shape.push_back(n);
    inputs.push_back(tensor(record["inputs"][i].get<Values>(), shape).requires_grad_());
  }
  const Tensor y = call(inputs);
  const auto value = record["value"].get<Values>();
  ASSERT_EQ(y.numel(), static_cast<std::int64_t>(value.size()));
  expect_recorded(y.detach(), value, record, "value");
  TensorList g(inputs.size());
  if (y.requires_grad())
    g = grad(TensorList{y}, inputs, {.allow_unused = true}, {reshape(cotangent({y.numel()}), y.shape())});
  for (std::size_t i = 0; i < g.size(); ++i)
    expect_recorded(g[i].defined() ? g[i] : zeros_like(inputs[i]), record["gradients"][i].get<Values>(),
                    record, "gradient of input " + std::to_string(i));
}

TEST(Oracle, ValuesAndGradientsAreThoseOfOtherSystems) {
  const auto written = written_calls(), rows = row_calls();
  for (const json& record : fixture()["cases"]) {
    const auto key = record["key"].get<std::string>();
    SCOPED_TRACE(key);
    const bool elementwise = record.contains("elementwise") && !written.contains(key);
    const auto& calls = elementwise ? rows : written;
    const auto call = calls.find(elementwise ? row_of(key) : key);
    ASSERT_NE(call, calls.end()) << "no call of this name in tests/oracle/";
    check(record, call->second);
  }
}

TEST(Oracle, EveryRowHasARecordOrAReason) {
  std::set<std::string> recorded, rows;
  for (const json& record : fixture()["cases"]) recorded.insert(row_of(record["key"]));
  for (const auto& op : detail::op_table()) {
    const std::string name(op.meta.name);
    rows.insert(name);
    EXPECT_EQ(recorded.contains(name) + drawn.contains(name), 1)
        << name << ": add it to fixtures/oracle_cases.py and tests/oracle/, or give a reason";
  }
  for (const auto& name : recorded) EXPECT_TRUE(rows.contains(name)) << name << " is no row";
}

TEST(Oracle, EveryCallIsRecorded) {
  std::set<std::string> keys;
  for (const json& record : fixture()["cases"])
    EXPECT_TRUE(keys.insert(record["key"]).second) << record["key"];
  for (const auto& [key, call] : written_calls())
    EXPECT_TRUE(keys.contains(key)) << key << " was changed without its record";
}

/// What was recorded is what the scripts say now.
TEST(Oracle, TheScriptsHaveNotChangedSince) {
  std::string sources;
  for (const char* name :
       {"oracle.py", "oracle_cases.py", "oracle_elementwise.py", "oracle_losses.py", "oracle_numbers.py"})
    sources += contents(name);
  const auto now =
      crc32(0, reinterpret_cast<const Bytef*>(sources.data()), static_cast<uInt>(sources.size()));
  EXPECT_EQ(fixture()["sources"].get<std::uint64_t>(), now)
      << "run /usr/bin/python3 tests/fixtures/oracle.py > tests/fixtures/oracle.json.gz";
}

}  // namespace
}  // namespace cadena
