#include "formats/json_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/limits.h"

namespace parley::formats {
namespace {

using ::testing::HasSubstr;

/// Gives its bytes one at a time, so that every token is cut wherever it can be.
class SlowSource final : public Source {
 public:
  explicit SlowSource(std::string_view text) : text_(text) {}
  Result<std::size_t> read(MutableByteView out) override {
    if (at_ == text_.size()) return 0;
    out[0] = static_cast<std::byte>(text_[at_++]);
    return 1;
  }
  Status rewind() override {
    at_ = 0;
    return {};
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

Result<std::string> value_of(Source& source, std::size_t limit = 1000) {
  JsonStream json(source);
  std::string out;
  TRY(const bool fits, json.raw_value(out, limit));
  TRY_STATUS(json.end());
  return fits ? out : "too long";
}

TEST(JsonStream, HandsOutValuesWithoutTheirOuterWhiteSpace) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"{}", "{}"},
      {" [ 1 , 2 ] ", "[1,2]"},
      {R"({"a": [{"b": "x ] } \" \\"}, null, -1.5e3, true]})", R"({"a":[{"b":"x ] } \" \\"},null,-1.5e3,true]})"},
      {R"("a\u0041")", R"("a\u0041")"},
      {"17", "17"},
      {"\xef\xbb\xbf[]", "[]"},
  };
  for (const auto& [text, value] : cases) {
    SlowSource slow(text);
    MemorySource fast(as_bytes(text));
    for (Source* source : {static_cast<Source*>(&slow), static_cast<Source*>(&fast)}) {
      // A byte order mark comes whole, in the first read.
      if (source == &slow && text.starts_with(kUtf8Mark)) continue;
      const auto found = value_of(*source);
      ASSERT_TRUE(found) << text << ": " << found.error().text();
      EXPECT_EQ(*found, value);
    }
  }
}

TEST(JsonStream, RefusesWhatIsNotBalancedOrNotClosed) {
  for (std::string_view text :
       {"", "  ", "{", "[", "\"", "\"a\\", "[}", "{]", "}", "]", "[[]", "{\"a\":[}", ",", ":", "[]x", "\"a\nb\""}) {
    SlowSource source(text);
    const auto found = value_of(source);
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.error().code, Errc::format) << text;
    EXPECT_THAT(found.error().where, HasSubstr("line")) << text;
  }
}

TEST(JsonStream, WalksObjectsAndArrays) {
  SlowSource source(R"({"a": 1, "list": [ {"x": 1} , 2 ], "b": {"c": []}})");
  JsonStream json(source);
  std::string key;
  std::string seen;
  ASSERT_TRUE(json.begin_object());
  while (*json.next_key(key)) {
    seen += key + "=";
    if (key == "list") {
      ASSERT_TRUE(json.begin_array());
      while (*json.next_element()) {
        ASSERT_TRUE(*json.raw_value(seen, 100));
        seen += ";";
      }
    } else {
      ASSERT_TRUE(json.skip_value());
    }
  }
  EXPECT_TRUE(json.end());
  EXPECT_EQ(seen, R"(a=list={"x":1};2;b=)");
}

TEST(JsonStream, NeedsCommasBetweenAndColonsBehindKeys) {
  for (std::string_view text : {R"({"a" 1})", R"({"a":1 "b":2})", R"({a:1})", R"({"a":1,})", R"({,})"}) {
    SlowSource source(text);
    JsonStream json(source);
    std::string key;
    ASSERT_TRUE(json.begin_object());
    bool failed = false;
    for (int i = 0; i < 3 && !failed; ++i) {
      const auto more = json.next_key(key);
      failed = !more || (*more && !json.skip_value());
      if (more && !*more) break;
    }
    EXPECT_TRUE(failed) << text;
  }
}

TEST(JsonStream, PassesOverWhatIsLongerThanTheLimit) {
  SlowSource source(R"(["aaaaaaaaaa", 1])");
  JsonStream json(source);
  std::string out = "kept ";
  ASSERT_TRUE(json.begin_array());
  ASSERT_TRUE(*json.next_element());
  EXPECT_FALSE(*json.raw_value(out, 5));
  EXPECT_EQ(out, "kept ");
  ASSERT_TRUE(*json.next_element());
  EXPECT_TRUE(*json.raw_value(out, 5));
  EXPECT_EQ(out, "kept 1");
}

TEST(JsonStream, BoundsNestingAndKeys) {
  const std::string deep(kMaxDepth + 1, '[');
  MemorySource source(as_bytes(deep));
  const auto found = value_of(source, 1'000'000);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::limit);

  const std::string long_key = "{\"" + std::string(kMaxJsonKeyBytes + 1, 'k') + "\":1}";
  MemorySource key_source(as_bytes(long_key));
  JsonStream json(key_source);
  std::string key;
  ASSERT_TRUE(json.begin_object());
  const auto more = json.next_key(key);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Errc::limit);
}

}  // namespace
}  // namespace parley::formats
