#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "data_files/fixture.hpp"
#include "messages.hpp"

namespace cadena::data {
namespace {

TEST(Npy, ReadsEveryTypeOfNumPy) {
  const Tensor count = arange(6).reshape({2, 3});
  for (const char* name : {"little_i1", "little_u1", "little_i2", "big_i2", "little_u2", "little_i4",
                           "big_i4", "little_u4", "little_i8", "big_i8", "little_u8"})
    EXPECT_TRUE(equal(parse_npy(fixture(std::string("npy_") + name)), count)) << name;
  for (const char* name : {"little_f2", "big_f2", "little_f4", "big_f4"})
    EXPECT_TRUE(equal(parse_npy(fixture(std::string("npy_") + name)), count.to(f32))) << name;
  for (const char* name : {"little_f8", "big_f8"})
    EXPECT_TRUE(equal(parse_npy(fixture(std::string("npy_") + name)), count.to(f64))) << name;
  EXPECT_TRUE(equal(parse_npy(fixture("npy_bool")), ne(count, 0)));
  EXPECT_TRUE(equal(parse_npy(fixture("npy_fortran")), arange(0, 24, 1, f64).reshape({2, 3, 4})));
  EXPECT_TRUE(equal(parse_npy(fixture("npy_scalar")), full({}, 2.5, f64)));
  EXPECT_TRUE(equal(parse_npy(fixture("npy_none")), zeros({0, 3})));
}

TEST(Npy, RefusesWhatIsNoNumber) {
  const auto message = [](const char* name) {
    return message_of<FormatError>([&] { parse_npy(fixture(name)); });
  };
  EXPECT_TRUE(contains(message("npy_object"), "[npy] descr at byte ")) << message("npy_object");
  EXPECT_TRUE(contains(message("npy_object"), "got '|O'")) << message("npy_object");
  EXPECT_TRUE(contains(message("npy_text"), "got '<U2'")) << message("npy_text");
  EXPECT_TRUE(contains(message("npy_complex"), "got '<c16'")) << message("npy_complex");
  EXPECT_TRUE(contains(message("npy_record"), "got a record")) << message("npy_record");
}

/// A version 1.0 file with this header and these elements.
Bytes file(std::string header, const std::string& elements, int major = 1) {
  header += '\n';
  std::string text = "\x93NUMPY";
  text += {static_cast<char>(major), '\0', static_cast<char>(header.size()), '\0'};
  if (major > 1) text += std::string(2, '\0');
  return bytes_of(text + header + elements);
}

TEST(Npy, ReadsHeadersAsPythonWould) {
  const Tensor want = tensor({{1, 2}});
  const std::string bytes("\1\2");
  for (const char* header : {"{'descr': '|i1', 'fortran_order': False, 'shape': (1, 2), }",
                             "{'descr':'|i1','fortran_order':False,'shape':(1,2)}",
                             "{ \"shape\" : ( 1 , 2 , ) , \"fortran_order\" : True , 'descr' : \"<i1\" }   "})
    for (const int major : {1, 2, 3})
      EXPECT_TRUE(equal(parse_npy(file(header, bytes, major)), want)) << header;
  EXPECT_TRUE(equal(parse_npy(file("{'descr': '|i1', 'fortran_order': False, 'shape': (2,)}", bytes)),
                    tensor({1, 2})));
  EXPECT_TRUE(
      equal(parse_npy(file("{'descr': '|i1', 'fortran_order': True, 'shape': ()}", "\1")), full({}, 1, i64)));
}

TEST(Npy, RefusesOtherHeaders) {
  const std::string good = "{'descr': '|i1', 'fortran_order': False, 'shape': (1,)}";
  ASSERT_NO_THROW(parse_npy(file(good, "x")));
  for (const char* header : {"", "{}", "[1]", "{'descr': '|i1', 'fortran_order': False}",
                             "{'descr': '|i1', 'fortran_order': 0, 'shape': (1,)}",
                             "{'descr': '|i1', 'fortran_order': False, 'shape': (-1,)}",
                             "{'descr': '|i1', 'fortran_order': False, 'shape': (1.5,)}",
                             "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 'x')}",
                             "{'descr': '|i1', 'fortran_order': False, 'shape': 1}",
                             "{'descr': '|i1', 'fortran_order': False, 'shape': (99999999999999999999,)}",
                             "{'descr': '|i1', 'fortran_order': False, 'shape': (4611686018427387904, 4, 0)}",
                             "{'descr': '|i1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}",
                             "{'descr': '|i1', 'descr': '|i1', 'fortran_order': False, 'shape': (1,)}",
                             "{'descr': '|i1', 'fortran_order': False, 'shape': (1,), 'more': 1}",
                             "{'descr': '|i4', 'fortran_order': False, 'shape': ()}",
                             "{'descr': 'i1', 'fortran_order': False, 'shape': (1,)}",
                             "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}",
                             "{'descr': '|i1', 'fortran_order': False, 'shape': (1,)} x",
                             "{'descr': '|i1', 'fortran_order': False, 'shape': (1,"})
    EXPECT_THROW(parse_npy(file(header, "x")), FormatError) << header;
  EXPECT_THROW(parse_npy(file(good, "xy")), FormatError);
  EXPECT_THROW(parse_npy(file(good, "")), FormatError);
  EXPECT_THROW(parse_npy(file(good, "x", 4)), FormatError);
  EXPECT_THROW(parse_npy(file(good, "x"), {.max_header = 20}), FormatError);
  EXPECT_THROW(parse_npy(file(good, "x"), {.max_bytes = 7}), FormatError);  // one element takes 8 as i64
  EXPECT_EQ(message_of<FormatError>([&] { parse_npy(bytes_of("not an array")); }),
            "[npy] magic at byte 0: expected \\x93NUMPY, got other bytes");
}

std::map<std::string, Tensor> arrays() {
  return {{"a", arange(24).reshape({2, 3, 4})}, {"b", randn({3, 2}, f64)}, {"f", tensor({1.5})},
          {"t", tensor({true, false})},         {"n", full({}, 2.0)},      {"e", zeros({2, 0})}};
}

TEST(Npy, RoundTripsBothOrders) {
  const Folder folder;
  for (const auto& [name, t] : arrays())
    for (const bool fortran : {false, true}) {
      write_npy(folder / "a.npy", t, {.fortran_order = fortran});
      const Tensor back = read_npy(folder / "a.npy");
      EXPECT_TRUE(equal(back, t)) << name;
      EXPECT_EQ(back.dtype(), t.dtype()) << name;
      EXPECT_EQ(read_file(folder / "a.npy").size() % 8,
                t.numel() * static_cast<std::int64_t>(itemsize(t.dtype())) % 8);
    }
  const Bytes ours = format_npy(arange(6).reshape({2, 3}));
  EXPECT_EQ(ours, fixture("npy_little_i8"));  // what NumPy itself writes
  EXPECT_EQ(format_npy(arange(0, 24, 1, f64).reshape({2, 3, 4}), {.fortran_order = true}),
            fixture("npy_fortran"));
}

TEST(Npz, ReadsWhatNumPyWrites) {
  for (const char* name : {"npz_stored", "npz_compressed"}) {
    const auto got = parse_npz(fixture(name));
    ASSERT_EQ(got.size(), 3U);
    EXPECT_TRUE(equal(got.at("a"), arange(6).reshape({2, 3})));
    EXPECT_TRUE(equal(got.at("b"), zeros({10, 10}, f64)));
    EXPECT_TRUE(equal(got.at("c"), full({}, 1.5, f64)));
  }
}

TEST(Npz, RoundTrips) {
  const Folder folder;
  const auto want = arrays();
  for (const bool compressed : {false, true}) {
    write_npz(folder / "a.npz", want, {.compressed = compressed});
    const auto got = read_npz(folder / "a.npz");
    ASSERT_EQ(got.size(), want.size());
    for (const auto& [name, t] : want) EXPECT_TRUE(equal(got.at(name), t)) << name;
  }
  EXPECT_TRUE(parse_npz(format_npz({})).empty());
  EXPECT_LT(format_npz({{"z", zeros({10000})}}, {.compressed = true}).size(), 1000U);
}

TEST(Npz, RefusesBombsAndLies) {
  const Bytes bomb = format_npz({{"z", zeros({1 << 20})}}, {.compressed = true});
  EXPECT_LT(bomb.size(), 10000U);
  EXPECT_NO_THROW(parse_npz(bomb));
  EXPECT_TRUE(
      contains(message_of<FormatError>([&] { parse_npz(bomb, {.max_bytes = 1 << 20}); }), "[npz] directory"));
  Bytes joined = format_npz({{"a", ones({2})}});
  joined.insert(joined.begin(), 3, 0);  // another file in front
  EXPECT_THROW(parse_npz(joined), FormatError);
  Bytes damaged = format_npz({{"a", ones({2})}});
  damaged[140] ^= 1;
  EXPECT_TRUE(contains(message_of<FormatError>([&] { parse_npz(damaged); }), "checksum"));
}

}  // namespace
}  // namespace cadena::data
