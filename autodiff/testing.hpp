// Puts an operation of yours through the suite that proves those of the library, in one line of a GoogleTest
// file. Opt-in: the only header that needs GoogleTest.
//
//   CADENA_TEST_OP(Swish, [](const Tensor& x) { return x * sigmoid(x); });
//   CADENA_TEST_OP(Scale, my_custom_op, {.shapes = {{{3, 4}, {4}}, {{0}, {1}}}, .domain = {{}, {.low =
//   0.1}}});
//
// The first makes the tests Swish.Value, Swish.FirstOrderAndForwardMode, ...: what they check stands in
// op_checks.hpp, what can be said about an op in OpTest there. See docs/testing.md.
#pragma once

#include <gtest/gtest.h>

#include "autodiff/op_checks.hpp"

namespace cadena::detail {

/// A GoogleTest that makes one check.
class OpCheckTest : public ::testing::Test {
 public:
  OpCheckTest(const OpCheck& check, const OpUnderTest& (*op)()) : check_(check), op_(op) {}
  void TestBody() override {
    const OpReport report = check_.run(op_());
    EXPECT_TRUE(report.ok) << report.text;
    RecordProperty("samples", report.samples);
  }

 private:
  const OpCheck& check_;
  const OpUnderTest& (*op_)();
};

/// @param op is called when the first test runs, not before main
inline bool register_op_test(const char* name, const char* file, int line, const OpUnderTest& (*op)()) {
  for (const OpCheck& check : op_checks())
    ::testing::RegisterTest(name, check.name, nullptr, nullptr, file, line,
                            [&check, op]() -> ::testing::Test* { return new OpCheckTest(check, op); });
  return true;
}

}  // namespace cadena::detail

/// CADENA_TEST_OP(Name, f) or (Name, f, {.shapes = ..., .domain = ..., ...}): see OpTest and op_under_test.
#define CADENA_TEST_OP(Name, ...)                                                 \
  static const ::cadena::OpUnderTest& cadena_op_under_test_##Name() {             \
    static const ::cadena::OpUnderTest op = ::cadena::op_under_test(__VA_ARGS__); \
    return op;                                                                    \
  }                                                                               \
  [[maybe_unused]] static const bool cadena_op_is_registered_##Name =             \
      ::cadena::detail::register_op_test(#Name, __FILE__, __LINE__, cadena_op_under_test_##Name)
