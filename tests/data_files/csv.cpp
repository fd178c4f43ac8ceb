#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "files.hpp"
#include "messages.hpp"

namespace cadena::data {
namespace {

using Names = std::vector<std::string>;

TEST(Csv, TypesColumns) {
  const Table t = parse_csv(
      "age,city,score\n"
      "31,Lima,0.5\n"
      " 42 ,\"San José, CR\",-1e3\r\n"
      "\n"
      "NA,Lima,\n"
      "+7,\"say \"\"hi\"\"\nthere\",.25");
  EXPECT_EQ(t.rows(), 4);
  EXPECT_EQ(t.names(), (Names{"age", "city", "score"}));
  const Tensor numbers = t.numbers({"score", "age"}, f64);
  EXPECT_EQ(numbers.shape(), Shape({4, 2}));
  EXPECT_TRUE(
      equal(nan_to_num(numbers, 99), tensor({{0.5, 31.0}, {-1000.0, 42.0}, {99.0, 99.0}, {0.25, 7.0}}, f64)));
  EXPECT_TRUE(equal(t.missing("age"), tensor({false, false, true, false})));
  EXPECT_TRUE(equal(t.missing("city"), tensor({false, false, false, false})));
  EXPECT_EQ(t.column("city").categories, (Names{"Lima", "San José, CR", "say \"hi\"\nthere"}));
  EXPECT_TRUE(equal(t.codes("city"), tensor({0, 1, 0, 2})));
  EXPECT_TRUE(equal(t.one_hot("city"), tensor({{1, 0, 0}, {0, 1, 0}, {1, 0, 0}, {0, 0, 1}}, f32)));
}

TEST(Csv, MissingCategoriesAreMinusOne) {
  const Table t = parse_csv("a,b\n1,x\n2,\n3,?\n4,w\n");
  EXPECT_TRUE(equal(t.codes("b"), tensor({1, -1, -1, 0})));
  EXPECT_TRUE(equal(t.missing("b"), tensor({false, true, true, false})));
  EXPECT_TRUE(equal(t.one_hot("b"), tensor({{0, 1}, {0, 0}, {0, 0}, {1, 0}}, f32)));
}

TEST(Csv, OptionsDecideWhereTheTextDoesNot) {
  const Table t = parse_csv("1;a\n02;b\n", {.separator = ';', .header = false, .categories = {"column 1"}});
  EXPECT_EQ(t.column("column 1").categories, (Names{"02", "1"}));
  EXPECT_EQ(t.column("column 2").kind, ColumnKind::category);
  EXPECT_EQ(parse_csv("a\n-\n3\n", {.missing = {"-"}}).column("a").kind, ColumnKind::number);
  EXPECT_EQ(parse_csv("a\tb\n1\t2\n", {.separator = '\t'}).names(), (Names{"a", "b"}));
  EXPECT_EQ(message_of<FormatError>([] { parse_csv("a,b\n1,2\n1,x\n", {.numbers = {"b"}}); }),
            "[csv] line 3 at byte 8: expected a number in b, got x");
  EXPECT_THROW(parse_csv("a\n1\n", {.numbers = {"c"}}), ValueError);
  EXPECT_THROW(parse_csv("a\n1\n", {.categories = {"c"}}), ValueError);
  EXPECT_THROW(parse_csv("a\n1\n", {.separator = '"'}), ValueError);
}

TEST(Csv, NumbersAreDecimalAndExact) {
  for (const char* text : {"1", "-1", "+1", "1.", ".5", "1e5", "1E-5", "9007199254740992"})
    EXPECT_EQ(parse_csv(std::string("a\n") + text).column("a").kind, ColumnKind::number) << text;
  for (const char* text :
       {"1x", "0x10", "inf", "1,5", "1e999", "--1", "+-1", "1 2", "e", ".", "9007199254740993", "1_000", "-"})
    EXPECT_EQ(parse_csv(std::string("a\n") + text, {.separator = ';'}).column("a").kind, ColumnKind::category)
        << text;
}

TEST(Csv, ReadsOddButValidFiles) {
  EXPECT_EQ(parse_csv("").rows(), 0);
  EXPECT_EQ(parse_csv("\n\n").columns().size(), 0U);
  EXPECT_EQ(parse_csv("a,b").names(), (Names{"a", "b"}));
  EXPECT_EQ(parse_csv("\xEF\xBB\xBF"
                      "a,b\n1,2")
                .names(),
            (Names{"a", "b"}));
  EXPECT_EQ(parse_csv(",b\n0,2").names(), (Names{"column 1", "b"}));
  EXPECT_EQ(parse_csv("a\n\"\"\n1\n").rows(), 2);  // quoted emptiness is a row
  EXPECT_EQ(parse_csv("a\r\n\"1\"\r\n\"2\"\r\n").column("a").numbers, (std::vector<double>{1, 2}));
}

TEST(Csv, RefusesDamagedFiles) {
  const auto message = [](const std::string& text) {
    return message_of<FormatError>([&] { parse_csv(text); });
  };
  EXPECT_EQ(message("a,b\n1,2\n\n3\n"), "[csv] line 4 at byte 9: expected 2 fields, got 1");
  EXPECT_EQ(message("a,b\n1,\"\n\"\n3\n"), "[csv] line 4 at byte 10: expected 2 fields, got 1");
  EXPECT_EQ(message("a,a\n1,2\n"), "[csv] line 1 at byte 0: expected every name once, got a twice");
  EXPECT_EQ(message("a\n\"x\n1\n"),
            "[csv] line 2 at byte 2: expected closing quotes, got the end of the file");
  EXPECT_EQ(message("a\nx\"y\"\n"),
            "[csv] line 2 at byte 3: expected quotes around a whole field, got one inside");
  EXPECT_EQ(message("a\n\"x\"y\n"),
            "[csv] line 2 at byte 5: expected a separator behind closing quotes, got something else");
  EXPECT_EQ(message("a\n\xC3\n"), "[csv] line 2 at byte 2: expected text in UTF-8, got other bytes");
  EXPECT_TRUE(contains(message("a\n" + std::string(5000, 'x')), "expected fields of at most 4096 bytes"));
  EXPECT_NO_THROW(parse_csv("a\n" + std::string(5000, 'x'), {.max_field = 5000}));
}

TEST(Csv, RoundTrips) {
  const Folder folder;
  const std::string text = "n,\"a, b\"\n0.1,x\n-3e-300,\"two words\"\n,\n1e+22,\"q\"\"q\"\n";
  const Table t = parse_csv(text);
  EXPECT_EQ(format_csv(t), text);
  write_csv(folder / "a.csv", t, ';');
  const Table back = read_csv(folder / "a.csv", {.separator = ';'});
  EXPECT_EQ(format_csv(back), text);
  EXPECT_EQ(format_csv(parse_csv("a\n1\nNA\n")), "a\n1\nNA\n");  // alone in its row, it cannot be empty
}

TEST(Table, ChecksItsColumnsAndSaysWhatItHas) {
  EXPECT_THROW(Table({{.name = "a", .numbers = {1}}, {.name = "b"}}), ValueError);
  EXPECT_THROW(Table({{.name = "a"}, {.name = "a"}}), ValueError);
  EXPECT_THROW(Table({{.name = "a", .kind = ColumnKind::category, .codes = {1}, .categories = {"x"}}}),
               ValueError);
  const Table t = parse_csv("age,city\n3,Lima\n");
  EXPECT_EQ(message_of<ValueError>([&] { t.column("agee"); }),
            "[Table::column] expected one of age, city, got agee (is it \"age\"?)");
  EXPECT_EQ(message_of<DtypeError>([&] {
              t.numbers({"age", "city"});
            }),
            "[Table::numbers] expected columns of numbers, got city, which holds categories, such as Lima");
  EXPECT_EQ(message_of<DtypeError>([&] { t.one_hot("age"); }),
            "[Table::one_hot] expected a column of categories, got age, which holds numbers");
  EXPECT_EQ(message_of<DtypeError>([&] { t.codes("age"); }),
            "[Table::codes] expected a column of categories, got age, which holds numbers");
}

}  // namespace
}  // namespace cadena::data
