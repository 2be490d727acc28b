// A question as both sides read it.
#include "session/question.h"

#include <gtest/gtest.h>

namespace parley::session {
namespace {

Question sednit_addresses() {
  Question question;
  question.function = Function::intersection;
  question.direction = Direction::both;
  question.types = {indicator::Type::ipv4, indicator::Type::domain};
  question.label = "sednit";
  question.since = parse_time("2018-01-01");
  return question;
}

// The question's members, one of them replaced.
log::Json with(std::string_view key, log::Json value) {
  log::Json::Object object = *to_json(sednit_addresses()).object();
  object.insert_or_assign(std::string(key), std::move(value));
  return object;
}

TEST(Question, ReadsBackAsItWasWritten) {
  const auto back = question_from_json(to_json(sednit_addresses()));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(to_json(*back), to_json(sednit_addresses()));
}

TEST(Question, IsRefusedWhenAnythingInItIsNotWhatParleyWrites) {
  const log::Json wrong[] = {
      with("function", "everything"),
      with("direction", "ours"),
      with("types", log::Json::Array{}),
      with("types", log::Json::Array{"ipv4", "ipv4"}),
      with("types", log::Json::Array{"domain", "ipv4"}),
      with("types", log::Json::Array{"telephone"}),
      with("types", "ipv4"),
      with("since", "yesterday"),
      with("since", "2018-01-01"),
      with("since", 5),
      with("label", std::string(257, 'a')),
      with("note", "an unknown member"),
      log::Json("text"),
  };
  for (const log::Json& question : wrong) EXPECT_FALSE(question_from_json(question)) << log::write_pjson(question);
}

TEST(Question, SelectsByLabelOnTheAskersSideOnly) {
  EXPECT_EQ(asker_selection(sednit_addresses(), {}).label, "sednit");
  EXPECT_EQ(responder_selection(sednit_addresses(), {}).label, "");
}

TEST(Question, SelectsByTypeAndDateOnBothSides) {
  for (const vault::Selection& selection :
       {asker_selection(sednit_addresses(), {}), responder_selection(sednit_addresses(), {})}) {
    EXPECT_EQ(selection.types, sednit_addresses().types);
    EXPECT_EQ(selection.since, sednit_addresses().since);
  }
}

TEST(Question, SaysWhoLearnsFromWhicheverSideItIsRead) {
  Question question = sednit_addresses();
  question.direction = Direction::mine;
  EXPECT_TRUE(who_learns(question, true).starts_with("this side learns"));
  EXPECT_TRUE(who_learns(question, false).starts_with("the other side learns"));
  question.direction = Direction::theirs;
  EXPECT_TRUE(who_learns(question, true).starts_with("the other side learns"));
  question.direction = Direction::both;
  EXPECT_TRUE(who_learns(question, true).starts_with("each side learns"));
}

TEST(Question, ShowsALabelFromOutsideWithoutItsControlCharacters) {
  Question question = sednit_addresses();
  question.label = "sed\x1b[2Jnit";
  EXPECT_EQ(in_words(question).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace parley::session
