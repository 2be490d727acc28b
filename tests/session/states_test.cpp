// What the vault keeps of a session can be read again, whatever the other side said in it.
#include "session/states.h"

#include <gtest/gtest.h>

namespace parley::session {
namespace {

TEST(Outcome, ComesBackFromTheVaultAsItWas) {
  Outcome outcome;
  outcome.count = 3;
  outcome.failure = "Cut off.";
  const auto back = read_outcome(write_outcome(outcome));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->failure, "Cut off.");
  EXPECT_EQ(back->count, 3);
}

TEST(Outcome, CanBeReadAgainHoweverTheOtherSideDeclined) {
  std::string zero_width;
  for (int i = 0; i < 666; ++i) zero_width += "\u200b";
  for (const std::string& words :
       {std::string(2000, '\x01'), zero_width, std::string(5000, 'x'), std::string("\xff\xfe")}) {
    Outcome outcome;
    outcome.failure = "bravo declined. Its operator says: \"" + words + "\"";
    const auto back = read_outcome(write_outcome(outcome));
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_TRUE(back->failure.starts_with("bravo declined."));
  }
}

}  // namespace
}  // namespace parley::session
