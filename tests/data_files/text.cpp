#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "files.hpp"
#include "messages.hpp"

namespace cadena::data {
namespace {

TEST(Text, IsReadWithoutItsMark) {
  const Folder folder;
  save(folder / "a", bytes_of("\xEF\xBB\xBF"
                              "¡Hola!\n"));
  EXPECT_EQ(read_text(folder / "a"), "¡Hola!\n");
  save(folder / "b", bytes_of("ab\xE9"));
  const auto message = message_of<FormatError>([&] { read_text(folder / "b"); });
  EXPECT_TRUE(contains(message, "[text] character at byte 2: expected UTF-8")) << message;
  EXPECT_THROW(read_text(folder / "a", 3), IoError);
}

TEST(CharVocabulary, NumbersCharactersInTheirOrder) {
  const CharVocabulary v("bañana 😀");
  EXPECT_EQ(v.characters(), " abnñ😀");
  EXPECT_EQ(v.size(), 6);
  EXPECT_TRUE(equal(v.encode("ñb😀"), tensor({4, 2, 5})));
  EXPECT_EQ(v.decode(v.encode("bañana 😀")), "bañana 😀");
  EXPECT_EQ(v.decode(tensor({{1, 2}, {3, 4}})), "abnñ");
  EXPECT_TRUE(equal(v.encode(""), empty({0}, i64)));
  EXPECT_EQ(CharVocabulary(v.characters()), v);
  EXPECT_EQ(message_of<ValueError>([&] { v.encode("z"); }),
            "[CharVocabulary::encode] expected characters of the vocabulary, got 'z'");
  EXPECT_EQ(message_of<IndexError>([&] { v.decode(tensor({6})); }),
            "[CharVocabulary::decode] expected codes in [0, 6), got 6");
  EXPECT_EQ(message_of<DtypeError>([&] { v.decode(ones({1})); }),
            "[CharVocabulary::decode] expected integers, got f32");
}

TEST(CharVocabulary, RefusesWhatIsNotUtf8) {
  // Alone, cut off, overlong, a surrogate, beyond the last character.
  for (const char* text : {"\x80", "\xC3", "\xC3(", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
                           "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF"})
    EXPECT_THROW(CharVocabulary{text}, FormatError) << ::testing::PrintToString(text);
  for (const char* text : {"\x7F", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_EQ(CharVocabulary(text).size(), 1) << ::testing::PrintToString(text);
}

}  // namespace
}  // namespace cadena::data
