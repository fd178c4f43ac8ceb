// Bad input: a typed error that names the op and what was found; nothing is changed and the process goes on.
// The rows are in errors/*.cpp.
#include "errors/errors.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "autodiff/core/table.hpp"

namespace cadena {
namespace {

using errors::Kind;

errors::Rows all_rows() {
  errors::Rows all;
  for (auto family : {
           errors::attention_rows,      //
           errors::basic_rows,          //
           errors::convolution_rows,    //
           errors::elementwise_rows,    //
           errors::indexing_rows,       //
           errors::linalg_rows,         //
           errors::loss_rows,           //
           errors::distance_rows,       //
           errors::normalization_rows,  //
           errors::pooling_rows,        //
           errors::product_rows,        //
           errors::random_rows,         //
           errors::reduce_rows,         //
           errors::shapes_rows,         //
           errors::sort_rows,           //
           errors::transforms_rows,     //
           errors::vision_rows,         //
       })
    for (auto& row : family()) all.push_back(std::move(row));
  return all;
}

Kind thrown_kind(const std::function<void()>& f, std::string& text) {
  try {
    f();
  } catch (const ShapeError& e) {
    text = e.what();
    return Kind::shape;
  } catch (const DtypeError& e) {
    text = e.what();
    return Kind::dtype;
  } catch (const IndexError& e) {
    text = e.what();
    return Kind::index;
  } catch (const ValueError& e) {
    text = e.what();
    return Kind::value;
  } catch (const GraphError& e) {
    text = e.what();
    return Kind::graph;
  }
  text = "nothing was thrown";
  return Kind::graph;
}

TEST(Errors, AreTypedAndNameTheOpAndWhatWasFound) {
  for (const auto& row : all_rows()) {
    std::string text;
    EXPECT_EQ(thrown_kind(row.call, text), row.kind) << row.op << ": " << text;
    const std::string bracket = std::string("[") + row.op + "]";
    EXPECT_EQ(text.rfind(bracket, 0), 0u) << row.op << ": " << text;
    for (const char* part : row.parts)
      EXPECT_NE(text.find(part), std::string::npos) << part << " is missing in: " << text;
  }
}

/// Ops of several arguments or with attributes can be called wrongly: each row of the table has its test.
TEST(Errors, CoverTheTable) {
  // Internal, or nothing to get wrong.
  std::set<std::string> tested = {
      "abs_sum",          //
      "absorbing_mul",    //
      "alias",            //
      "atleast_1d",       //
      "atleast_2d",       //
      "atleast_3d",       //
      "channel_norm",     //
      "clamp_tensor",     //
      "clone",            //
      "contiguous",       //
      "conv",             //
      "conv_transpose",   //
      "conv_weight",      //
      "embed",            //
      "max_pool",         //
      "overlap_add",      //
      "resample",         //
      "scatter_extreme",  //
      "scatter_prod",     //
      "square_distance",  //
      "square_sum",       //
  };
  for (const auto& row : all_rows()) tested.insert(row.op);
  const std::set<std::string_view> elementwise = {"activation", "arithmetic", "exponential",
                                                  "rounding",   "special",    "trigonometric"};
  for (const auto& op : detail::op_table()) {
    detail::Sampler sampler(1);
    const bool unary = elementwise.contains(op.family) && op.samples(sampler)[0].inputs.size() == 1;
    if (!unary) {
      EXPECT_TRUE(tested.contains(std::string(op.meta.name))) << op.meta.name;
    }
  }
}

TEST(Errors, AFailedInPlaceWriteChangesNothing) {
  Tensor x = arange(3);
  const auto version = x.version();
  EXPECT_THROW(x.add_(ones({3})), DtypeError);
  EXPECT_THROW(x.mul_(ones({2}, i64)), ShapeError);
  EXPECT_EQ(x.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(x.version(), version);
}

TEST(Errors, MoreMemoryThanThereIs) {
  // 2^45 bytes fit the arithmetic, not the machine.
  EXPECT_THROW(empty({std::int64_t{1} << 43}), MemoryError);
  EXPECT_EQ(sum(ones({4})).item(), 4);
}

}  // namespace
}  // namespace cadena
