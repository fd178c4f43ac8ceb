// Proves the derivatives of every op in the table, by the checks of autodiff/op_checks.hpp. Nothing here
// names an op: a new row is tested because it is there.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <tuple>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/op_checks.hpp"
#include "counts.hpp"

namespace cadena {
namespace {

using detail::OpInfo;

/// Checked samples by order, of all ops that this process ran.
int checked_samples[4] = {};

class Summary : public testing::Environment {
 public:
  void TearDown() override {
    if (!std::getenv("CADENA_THOROUGH")) return;  // else a process runs one op
    report_count("operations " + std::to_string(detail::op_table().size()));
    for (int order = 1; order <= 3; ++order)
      report_count("order " + std::to_string(order) + "    " + std::to_string(checked_samples[order]) +
                   " samples" + (order == 1 ? ", full Jacobians and forward mode" : ""));
  }
};
const testing::Environment* const summary = testing::AddGlobalTestEnvironment(new Summary);

OpUnderTest row_under_test(const OpInfo& row) {
  OpUnderTest op = detail::op_under_test(row);
  op.orders = 3;
  for (const char* family : {"reduce", "product", "softmax", "loss", "linalg"})
    op.reorders = op.reorders || row.family == family;
  // What the parts of a composite declare is checked there.
  if (!row.composite) op.keeps = row.meta.reads[0] | row.meta.reads[1] | row.meta.reads[2];
  op.keeps_besides = row.meta.keeps;
  return op;
}

class OpGradients : public testing::TestWithParam<std::tuple<const OpInfo*, const OpCheck*>> {};

TEST_P(OpGradients, Hold) {
  const auto [row, check] = GetParam();
  const OpReport report = check->run(row_under_test(*row));
  EXPECT_TRUE(report.ok) << report.text;
  if (check->name == std::string("FirstOrderAndForwardMode")) checked_samples[1] += report.samples;
  if (check->name == std::string("HigherOrders")) {
    EXPECT_GE(report.samples, 3);
    EXPECT_GE(report.third, 1);
    checked_samples[2] += report.samples;
    checked_samples[3] += report.third;
  }
}

std::vector<const OpInfo*> all_ops() {
  std::vector<const OpInfo*> list;
  for (const auto& op : detail::op_table()) list.push_back(&op);
  return list;
}

std::vector<const OpCheck*> all_checks() {
  std::vector<const OpCheck*> list;
  for (const auto& check : op_checks()) list.push_back(&check);
  return list;
}

std::string test_name(const testing::TestParamInfo<OpGradients::ParamType>& info) {
  const auto [row, check] = info.param;
  return std::string(row->meta.name) + "_" + check->name;
}

INSTANTIATE_TEST_SUITE_P(Table, OpGradients,
                         testing::Combine(testing::ValuesIn(all_ops()), testing::ValuesIn(all_checks())),
                         test_name);

}  // namespace
}  // namespace cadena
