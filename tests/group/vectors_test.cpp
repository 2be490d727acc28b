// Papers as they were written once (tests/vectors/group/README.md): the formats do not change under members' feet.
#include "base/encoding.h"
#include "base/file.h"
#include "group/charters.h"
#include "group/invitation.h"

namespace parley::group {
namespace {

std::string vector(const char* name) {
  const auto content = read_file(std::filesystem::path(PARLEY_VECTORS) / "group" / name, 1 << 20);
  EXPECT_HOLDS(content);
  return content ? std::string(as_text(*content)) : std::string();
}

TEST(GroupVectors, ACharterThatTwoMembersSigned) {
  const std::string note = vector("charter.note");
  const auto founded = read_founded(note);
  ASSERT_HOLDS(founded);
  EXPECT_EQ(to_hex(founded->hash), "95ddb4c354170ec240d99c9daeef13c0f2eed4bff50010ae0d62a8cc267f2fe8");
  EXPECT_EQ(founded->signers, (std::vector<std::string>{"alpha", "bravo"}));
  EXPECT_EQ(founded->charter.purpose, "Ticketing intrusions");
  EXPECT_EQ(founded->charter.not_after, 1'801'440'000);
  EXPECT_EQ(founded->charter.questions.size(), 3u);
  EXPECT_EQ(founded->charter.question(indicator::Type::ipv4, Function::count)->caps.sessions_per_day, 2);
  EXPECT_TRUE(note.starts_with(charter_text(founded->charter)));
}

TEST(GroupVectors, AnInvitationAndItsAnswer) {
  const auto invitation = read_invitation(vector("invitation.txt"));
  ASSERT_HOLDS(invitation);
  EXPECT_EQ(invitation->id(), "7cc7e94b1f0c3bb9");
  EXPECT_EQ(invitation->from.nick, "alpha");
  const auto answer = read_answer(vector("answer.txt"));
  ASSERT_HOLDS(answer);
  EXPECT_EQ(answer->card.nick, "bravo");
  EXPECT_EQ(answer_invitation(*invitation, answer->card, "") + "\n", vector("answer.txt"));
  EXPECT_EQ(to_hex(pair_key(invitation->secret, answer->card, invitation->from).expose()),
            "cec5944b4350ffcb1e9d454c23f006644b84e551f97854da913add9956bbbf2a");
}

}  // namespace
}  // namespace parley::group
