#include "log/pjson.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace parley::log {
namespace {

using namespace std::string_literals;

constexpr std::size_t kLimit = 1 << 20;

TEST(CanonicalJson, IsReadAndWrittenBackByteForByte) {
  for (const std::string& text : {
           R"({})"s,
           R"({"a":0})"s,
           R"({"a":-1,"b":9007199254740991,"c":-9007199254740991})"s,
           R"({"a":true,"b":false,"c":"","d":[],"e":{}})"s,
           R"({"a":[1,"x",[true],{"b":2}]})"s,
           R"({"a0":1,"a_":2,"b":3})"s,
           R"({"a":"\b\t\n\f\r\"\\"})"s,
           R"({"a":"\u0000\u0001\u000b\u000e\u001f"})"s,
           "{\"a\":\"/\x7f\"}"s,
           "{\"a\":\"é€𝄞\"}"s,
           "{\"a\":\"\xe2\x80\xae\"}"s,  // a bidirectional control is text; showing it safely is the display's work
           "{\"a\":\"\xef\xbf\xbf\"}"s,  // a noncharacter is valid UTF-8
           "{\"abcdefghijklmnopqrstuvwxyz012345\":1}"s,
       }) {
    const auto json = parse_pjson(text, kLimit);
    ASSERT_TRUE(json.has_value()) << text << ": " << json.error().text();
    EXPECT_EQ(write_pjson(*json), text);
  }
}

TEST(CanonicalJson, IsReadUpToALimitOfValuesOfWhichEachObjectListTextAndNumberIsOne) {
  const std::string text = R"({"a":[1,"x,y",[true],{"b":2}],"c":{}})";  // 9 values
  EXPECT_TRUE(parse_pjson(text, kLimit, 9));
  const auto refused = parse_pjson(text, kLimit, 8);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::limit);
  EXPECT_NE(refused.error().message.find("more than 8 values"), std::string::npos) << refused.error().message;
}

std::vector<std::string> malformed_texts() {
  std::vector<std::string> texts = {
      // not an object, or not only one
      "",
      " ",
      "1",
      "true",
      "\"a\"",
      "[]",
      "null",
      "{",
      "}",
      "{}{}",
      "{},",
      "{}]",
      "[{}]",
      "{}\0"s,
      "\xef\xbb\xbf{}",
      // whitespace
      " {}",
      "{} ",
      "{}\n",
      "{ }",
      "{\"a\": 1}",
      "{\"a\" :1}",
      "{\"a\":1 }",
      "{ \"a\":1}",
      "{\"a\":1, \"b\":2}",
      "{\"a\":1,\n\"b\":2}",
      "{\"a\":[1, 2]}",
      "{\"a\":[ ]}",
      "{\"a\":\t1}",
      "\t{}",
      "{}\r\n",
      // structure
      "{\"a\"}",
      "{\"a\":}",
      "{\"a\":1,}",
      "{,}",
      "{,\"a\":1}",
      "{\"a\":1,,\"b\":2}",
      "{\"a\"=1}",
      "{\"a\":1;\"b\":2}",
      "{a:1}",
      "{'a':1}",
      "{\"a\":'b'}",
      "{\"a\":[1,]}",
      "{\"a\":[,1]}",
      "{\"a\":[,]}",
      "{\"a\":[1 2]}",
      "{\"a\":[1}",
      "{\"a\":[1}]",
      "{\"a\":{]}",
      "{\"a\":1",
      "{\"a\":[",
      "{\"a",
      "{\"a\":\"",
      "{\"a\":\"b",
      "{\"a\":1}x",
      "{\"a\":1\"b\":2}",
      "{1:1}",
      "{\"a\":1}}",
      "{\"a\"::1}",
      "{\"a\":1/**/}",
      "{\"a\":1}//",
      "{\"a\":#1}",
      // keys
      "{\"\":1}",
      "{\"A\":1}",
      "{\"aB\":1}",
      "{\"0\":1}",
      "{\"_a\":1}",
      "{\"a-b\":1}",
      "{\"a.b\":1}",
      "{\"a b\":1}",
      "{\"\xc3\xa9\":1}",
      "{\"\\u0061\":1}",
      "{\"a\\n\":1}",
      "{\"abcdefghijklmnopqrstuvwxyz0123456\":1}",
      "{\"a\":1,\"a\":1}",
      "{\"a\":1,\"a\":2}",
      "{\"b\":1,\"a\":2}",
      "{\"a\":1,\"c\":2,\"b\":3}",
      "{\"aa\":1,\"a\":2}",
      "{\"a_\":1,\"a0\":2}",
      "{null:1}",
      "{true:1}",
      // numbers
      "{\"a\":-0}",
      "{\"a\":+1}",
      "{\"a\":00}",
      "{\"a\":01}",
      "{\"a\":-01}",
      "{\"a\":1.0}",
      "{\"a\":0.5}",
      "{\"a\":.5}",
      "{\"a\":1.}",
      "{\"a\":1e0}",
      "{\"a\":1E3}",
      "{\"a\":1e-1}",
      "{\"a\":-}",
      "{\"a\":--1}",
      "{\"a\":0x1}",
      "{\"a\":1_000}",
      "{\"a\":NaN}",
      "{\"a\":Infinity}",
      "{\"a\":-Infinity}",
      "{\"a\":9007199254740992}",
      "{\"a\":-9007199254740992}",
      "{\"a\":9999999999999999}",
      "{\"a\":10000000000000000}",
      "{\"a\":18446744073709551617}",
      "{\"a\":99999999999999999999999999999999999999}",
      "{\"a\":\xd9\xa1}",
      // words
      "{\"a\":null}",
      "{\"a\":[null]}",
      "{\"a\":True}",
      "{\"a\":TRUE}",
      "{\"a\":tru}",
      "{\"a\":truex}",
      "{\"a\":fals}",
      "{\"a\":undefined}",
      "{\"a\":nul}",
      "{\"a\":t}",
      "{\"a\":f}",
      // escapes
      "{\"a\":\"\\/\"}",
      "{\"a\":\"\\a\"}",
      "{\"a\":\"\\v\"}",
      "{\"a\":\"\\0\"}",
      "{\"a\":\"\\x41\"}",
      "{\"a\":\"\\'\"}",
      "{\"a\":\"\\u0041\"}",
      "{\"a\":\"\\u00e9\"}",
      "{\"a\":\"\\u0022\"}",
      "{\"a\":\"\\u005c\"}",
      "{\"a\":\"\\u0008\"}",
      "{\"a\":\"\\u0009\"}",
      "{\"a\":\"\\u000a\"}",
      "{\"a\":\"\\u000c\"}",
      "{\"a\":\"\\u000d\"}",
      "{\"a\":\"\\u001F\"}",
      "{\"a\":\"\\u000B\"}",
      "{\"a\":\"\\U001f\"}",
      "{\"a\":\"\\u007f\"}",
      "{\"a\":\"\\u0020\"}",
      "{\"a\":\"\\u001\"}",
      "{\"a\":\"\\u00\"}",
      "{\"a\":\"\\u\"}",
      "{\"a\":\"\\\"}",
      "{\"a\":\"\\ud834\\udd1e\"}",
      "{\"a\":\"\\ud800\"}",
      "{\"a\":\"\\udc00\"}",
      "{\"a\":\"\\u001g\"}",
      "{\"a\":\"\\u2028\"}",
      "{\"a\":\"\\N\"}",
      "{\"a\":\"\\ n\"}",
      // invalid UTF-8
      "{\"a\":\"\x80\"}",
      "{\"a\":\"\xc3\"}",
      "{\"a\":\"\xc0\x80\"}",
      "{\"a\":\"\xc1\xbf\"}",
      "{\"a\":\"\xe0\x80\x80\"}",
      "{\"a\":\"\xed\xa0\x80\"}",
      "{\"a\":\"\xed\xbf\xbf\"}",
      "{\"a\":\"\xf0\x80\x80\x80\"}",
      "{\"a\":\"\xf4\x90\x80\x80\"}",
      "{\"a\":\"\xf5\x80\x80\x80\"}",
      "{\"a\":\"\xff\"}",
      "{\"a\":\"\xe2\x82\"}",
      "{\"a\":\"\xf0\x9d\x84\"}",
      "\xff{}",
      "{}\xff",
  };
  for (char control = 0; control < 0x20; ++control) texts.push_back("{\"a\":\"x"s + control + "x\"}");
  return texts;
}

TEST(CanonicalJson, RefusesEveryOtherSpelling) {
  const std::vector<std::string> texts = malformed_texts();
  EXPECT_GE(texts.size(), 180u);
  for (const std::string& text : texts) {
    const auto json = parse_pjson(text, kLimit);
    ASSERT_FALSE(json.has_value()) << testing::PrintToString(text);
    EXPECT_EQ(json.error().code, Errc::format) << testing::PrintToString(text);
  }
}

TEST(CanonicalJson, SaysAtWhichByteItIsWrong) {
  const auto json = parse_pjson(R"({"a":1,"b":null})", kLimit);
  ASSERT_FALSE(json.has_value());
  EXPECT_EQ(json.error().where, "byte 11");
  EXPECT_THAT(json.error().message, testing::HasSubstr("no null"));
}

std::string nested(std::size_t depth, const std::string& open, const std::string& close) {
  std::string text = "{\"a\":";
  for (std::size_t i = 1; i < depth; ++i) text += open;
  text += "0";
  for (std::size_t i = 1; i < depth; ++i) text += close;
  return text + "}";
}

TEST(CanonicalJson, IsAtMostEightDeepHoweverItNests) {
  for (const auto& [open, close] : {std::pair("["s, "]"s), std::pair("{\"a\":"s, "}"s)}) {
    EXPECT_TRUE(parse_pjson(nested(kMaxDepth, open, close), kLimit).has_value());
    for (const std::size_t depth : {kMaxDepth + 1, std::size_t{100'000}}) {
      const auto json = parse_pjson(nested(depth, open, close), kLimit);
      ASSERT_FALSE(json.has_value());
      EXPECT_EQ(json.error().code, Errc::limit);
    }
  }
}

std::string wide(std::size_t members) {
  std::string text = "{";
  for (std::size_t i = 0; i < members; ++i) {
    const std::string number = std::to_string(100'000 + i);
    text += (i > 0 ? ",\"k" : "\"k") + number + "\":0";
  }
  return text + "}";
}

TEST(CanonicalJson, HasAtMost4096MembersInAnObject) {
  EXPECT_TRUE(parse_pjson(wide(kMaxMembers), kLimit).has_value());
  const auto json = parse_pjson(wide(kMaxMembers + 1), kLimit);
  ASSERT_FALSE(json.has_value());
  EXPECT_EQ(json.error().code, Errc::limit);
}

TEST(CanonicalJson, IsNotReadBeyondItsLimit) {
  const std::string text = R"({"a":1})";
  EXPECT_TRUE(parse_pjson(text, text.size()).has_value());
  const auto json = parse_pjson(text, text.size() - 1);
  ASSERT_FALSE(json.has_value());
  EXPECT_EQ(json.error().code, Errc::limit);
}

TEST(CanonicalJson, TakesTimeInProportionToItsLength) {
  std::string text = "{\"a\":\"";
  while (text.size() < (std::size_t{16} << 20)) text += "\\u0001\\n";
  text += "\"}";
  EXPECT_TRUE(parse_pjson(text, text.size()).has_value());
}

TEST(CanonicalJson, CannotBeWrittenFromWhatItCannotExpress) {
  Json deep = 1;
  for (std::size_t i = 0; i <= kMaxDepth; ++i) deep = Json::Array{deep};
  EXPECT_THROW(write_pjson(deep), std::invalid_argument);
  EXPECT_THROW(write_pjson(Json::Object{{"Key", 1}}), std::invalid_argument);
  EXPECT_THROW(write_pjson(Json::Object{{"a", "\xff"}}), std::invalid_argument);
  EXPECT_THROW(write_pjson(Json::Object{{"a", kMaxInteger + 1}}), std::invalid_argument);
  EXPECT_THROW(write_pjson(Json::Object{{"a", -kMaxInteger - 1}}), std::invalid_argument);
}

/// A random value of at most `depth` more levels.
Json random_json(std::mt19937_64& random, std::size_t depth) {
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  switch (below(depth == 0 ? 3 : 5)) {
    case 0:
      return below(2) == 0;
    case 1:
      return static_cast<std::int64_t>(below(2 * std::uint64_t{kMaxInteger} + 1)) - kMaxInteger;
    case 2: {
      std::string text;
      for (std::uint64_t i = below(20); i > 0; --i) text += static_cast<char>(below(0x80));
      return text;
    }
    case 3: {
      Json::Array array;
      for (std::uint64_t i = below(5); i > 0; --i) array.push_back(random_json(random, depth - 1));
      return array;
    }
    default: {
      Json::Object object;
      for (std::uint64_t i = below(5); i > 0; --i)
        object.emplace("k" + std::to_string(below(100)), random_json(random, depth - 1));
      return object;
    }
  }
}

TEST(CanonicalJson, ReadsBackWhateverItWrites) {
  const char* given = std::getenv("PARLEY_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    const Json value = Json::Object{{"a", random_json(random, kMaxDepth - 2)}};
    const std::string text = write_pjson(value);
    const auto read = parse_pjson(text, kLimit);
    ASSERT_TRUE(read.has_value()) << text << " with PARLEY_TEST_SEED=" << seed;
    ASSERT_EQ(*read, value) << "PARLEY_TEST_SEED=" << seed;
  }
}

TEST(CanonicalJson, RefusesEveryTextWithOneByteChangedThatIsNotCanonicalItself) {
  const std::string text = R"({"a":[1,-20,true,{"b":"x\n\u0001"}],"c":""})";
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[at] = static_cast<char>(byte);
      const auto json = parse_pjson(changed, kLimit);
      EXPECT_EQ(json ? write_pjson(*json) : changed, changed);
    }
  }
}

// --- ObjectReader ------------------------------------------------------------------------------------------------

Json example() {
  return Json::Object{{"array", Json::Array{"a", "b"}},
                      {"boolean", true},
                      {"bytes", "AAECAw=="},
                      {"digest", std::string(64, 'a')},
                      {"integer", 7},
                      {"object", Json::Object{{"x", 1}}},
                      {"text", "hello"}};
}

TEST(ObjectReader, GivesEachMemberByItsName) {
  const Json json = example();
  ObjectReader reader(json, "the example");
  EXPECT_THAT(reader.texts("array", 2, 1), testing::ElementsAre("a", "b"));
  EXPECT_TRUE(reader.boolean("boolean"));
  EXPECT_EQ(reader.bytes("bytes", 4).size(), 4u);
  EXPECT_EQ(reader.digest("digest")[31], std::byte{0xaa});
  EXPECT_EQ(reader.integer("integer", 0, 7), 7);
  EXPECT_EQ(reader.object("object"), Json(Json::Object{{"x", 1}}));
  EXPECT_EQ(reader.text("text", 5), "hello");
  EXPECT_TRUE(reader.finish().has_value());
}

struct Misreading {
  const char* what;
  std::function<void(ObjectReader&)> read;
  const char* said;
};

TEST(ObjectReader, SaysWhatIsWrongWithTheFirstMemberThatIs) {
  const Misreading cases[] = {
      {"missing", [](ObjectReader& r) { r.text("absent", 9); }, "\"absent\" is missing"},
      {"text of another type", [](ObjectReader& r) { r.text("integer", 9); }, "\"integer\" must be text"},
      {"text too long", [](ObjectReader& r) { r.text("text", 4); }, "longer than 4 bytes"},
      {"integer of another type", [](ObjectReader& r) { r.integer("text", 0, 9); }, "from 0 to 9"},
      {"integer too small", [](ObjectReader& r) { r.integer("integer", 8, 9); }, "from 8 to 9"},
      {"integer too large", [](ObjectReader& r) { r.integer("integer", 0, 6); }, "from 0 to 6"},
      {"another version", [](ObjectReader& r) { r.integer("integer", 1, 1); }, "must be 1"},
      {"boolean of another type", [](ObjectReader& r) { r.boolean("text"); }, "true or false"},
      {"digest of another type", [](ObjectReader& r) { r.digest("integer"); }, "64 hexadecimal"},
      {"digest that is none", [](ObjectReader& r) { r.digest("text"); }, "64 hexadecimal"},
      {"bytes too few", [](ObjectReader& r) { r.bytes("bytes", 5); }, "base64 of 5 bytes"},
      {"bytes too many", [](ObjectReader& r) { r.bytes("bytes", 3); }, "base64 of 3 bytes"},
      {"bytes that are none", [](ObjectReader& r) { r.bytes("text", 3); }, "base64"},
      {"array of another type", [](ObjectReader& r) { r.array("text", 9); }, "array of at most 9"},
      {"array too long", [](ObjectReader& r) { r.array("array", 1); }, "array of at most 1"},
      {"object of another type", [](ObjectReader& r) { r.object("array"); }, "must be an object"},
      {"texts that are too long", [](ObjectReader& r) { r.texts("array", 2, 0); }, "at most 0 bytes"},
      {"a rule of the caller", [](ObjectReader& r) { r.refuse("no such luck"); }, "no such luck"},
  };
  const Json json = example();
  for (const Misreading& c : cases) {
    ObjectReader reader(json, "the example");
    c.read(reader);
    reader.refuse("something later");
    const Status status = reader.finish();
    ASSERT_FALSE(status.has_value()) << c.what;
    EXPECT_EQ(status.error().code, Errc::format) << c.what;
    EXPECT_THAT(status.error().message, testing::AllOf(testing::HasSubstr(c.said), testing::HasSubstr("the example")))
        << c.what;
  }
}

TEST(ObjectReader, RefusesMembersThatNobodyAskedFor) {
  const Json json = Json::Object{{"known", 1}, {"surprise", 2}};
  ObjectReader reader(json, "the example");
  reader.integer("known", 0, 9);
  const Status status = reader.finish();
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message, testing::HasSubstr("\"surprise\" is not known"));
}

TEST(ObjectReader, RefusesWhatIsNoObject) {
  const Json json = 5;
  ObjectReader reader(json, "the example");
  EXPECT_EQ(reader.text("a", 9), "");
  EXPECT_FALSE(reader.finish().has_value());
}

}  // namespace
}  // namespace parley::log
