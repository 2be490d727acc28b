// Invitations: single use, three days, three false answers; and the comparison by voice (log.md 1.4).
#include "group/invitation.h"

#include "base/encoding.h"
#include "group/charters.h"
#include "group/vaults.h"
#include "log/pjson.h"

namespace parley::group {
namespace {

class InvitationTest : public testing::Test {
 protected:
  Invitation invite_bravo() {
    auto made = invite(alpha_.vault(), alpha_.card(), kGroup, kDraft, "bravo", "alpha.example:7440", kBegin);
    EXPECT_HOLDS(made);
    return std::move(*made);
  }
  std::string line_of(const Invitation& invitation) {
    return std::string(as_text(write_invitation(invitation).expose()));
  }
  InvitationAnswer good_answer(const Invitation& invitation) {
    return *read_answer(answer_invitation(invitation, bravo_.card(), "bravo.example:7440"));
  }
  Result<vault::InvitationRow> take(const InvitationAnswer& answer, UnixSeconds now = kBegin + 60) {
    return accept_answer(alpha_.vault(), alpha_.card(), answer, kDraft, now);
  }

  static constexpr Digest kDraft{std::byte{7}};
  TestVault alpha_{"Alpha"}, bravo_{"Bravo"};
};

TEST_F(InvitationTest, IsOneLineThatBringsWhatTheInvitedNeeds) {
  const Invitation made = invite_bravo();
  const auto read = read_invitation("  " + line_of(made) + "\r\n");
  ASSERT_HOLDS(read);
  EXPECT_EQ(read->group, kGroup);
  EXPECT_EQ(read->draft, kDraft);
  EXPECT_EQ(read->endpoint, "alpha.example:7440");
  EXPECT_EQ(read->expires, kBegin + 72 * 3600);
  EXPECT_EQ(read->from.note, alpha_.card().note);
  EXPECT_TRUE(read->secret.equals(made.secret));
  EXPECT_EQ(read->id(), made.id());
}

TEST_F(InvitationTest, IsRefusedWhenItsLineIsDamaged) {
  const std::string line = line_of(invite_bravo());
  for (const std::string& damaged :
       {line.substr(0, line.size() - 1), line.substr(0, line.size() / 2), line + "A", "x" + line, std::string(),
        std::string(kInvitationPrefix), "parley-invite2:" + line.substr(kInvitationPrefix.size()),
        std::string(kInvitationPrefix) + std::string(100'000, 'A'), line.substr(0, 100) + "\n" + line.substr(100)})
    EXPECT_FALSE(read_invitation(damaged).has_value()) << damaged.substr(0, 60);
}

TEST_F(InvitationTest, IsReadInItsOneFormOnly) {
  const Invitation made = invite_bravo();
  const log::Json::Object good =
      *log::parse_pjson(as_text(*from_base64url(line_of(made).substr(kInvitationPrefix.size()))), kMaxInvitationBytes)
           ->object();
  const std::pair<const char*, log::Json> changes[] = {
      {"v", 2},
      {"group", "short"},
      {"endpoint", "no port"},
      {"expires", -1},
      {"secret", to_base64(Bytes(31))},
      {"from", "a card"},
      {"draft", "0123"},
      {"extra", 1},
      {"from", made.from.line()},
  };
  for (const auto& [key, value] : changes) {
    log::Json::Object changed = good;
    changed.insert_or_assign(key, value);
    EXPECT_FALSE(
        read_invitation(std::string(kInvitationPrefix) + to_base64url(as_bytes(log::write_pjson(changed)))).has_value())
        << key;
  }
}

TEST_F(InvitationTest, IsAnsweredOnceAndBothKeepTheSameKeyOfTheirPair) {
  const Invitation made = invite_bravo();
  const auto answer =
      accept_invitation(bravo_.vault(), bravo_.card(), *read_invitation(line_of(made)), "", kBegin + 60);
  ASSERT_HOLDS(answer);
  const auto row = take(*read_answer(*answer));
  ASSERT_HOLDS(row);
  EXPECT_EQ(row->invited, "bravo");
  const auto at_alpha = alpha_.vault().secret(pair_key_name(bravo_.card()));
  const auto at_bravo = bravo_.vault().secret(pair_key_name(alpha_.card()));
  ASSERT_TRUE(at_alpha->has_value() && at_bravo->has_value());
  EXPECT_TRUE(constant_time_equal((*at_alpha)->expose(), (*at_bravo)->expose()));
  EXPECT_FALSE(alpha_.vault().secret("invitation/" + made.id())->has_value()) << "the secret is gone with its use";
  EXPECT_REFUSED(take(*read_answer(*answer)), Errc::policy, "used already");
}

TEST_F(InvitationTest, ExpiresAfterThreeDaysAndNotASecondBefore) {
  const Invitation first = invite_bravo();
  EXPECT_HOLDS(take(good_answer(first), first.expires - 1));
  const Invitation second = invite_bravo();
  EXPECT_REFUSED(take(good_answer(second), second.expires), Errc::policy, "expired");
  EXPECT_FALSE(alpha_.vault().secret("invitation/" + second.id())->has_value());
  EXPECT_REFUSED(take(good_answer(second), kBegin), Errc::policy, "burnt") << "a clock set back does not revive it";
  EXPECT_HOLDS(accept_invitation(bravo_.vault(), bravo_.card(), first, "", first.expires - 1));
  EXPECT_REFUSED(accept_invitation(bravo_.vault(), bravo_.card(), first, "", first.expires), Errc::policy, "expired");
}

TEST_F(InvitationTest, IsBurntByTheThirdFalseAnswerAcrossRestarts) {
  const Invitation made = invite_bravo();
  InvitationAnswer wrong = good_answer(made);
  wrong.mac[31] ^= std::byte{1};
  EXPECT_REFUSED(take(wrong), Errc::signature, "burn");
  alpha_.reopen();
  EXPECT_REFUSED(take(wrong), Errc::signature, "Three such");
  const auto open = alpha_.vault().secret("invitation/" + made.id());
  EXPECT_TRUE(open->has_value()) << "two failures leave it open";
  EXPECT_REFUSED(take(wrong), Errc::signature, "third");
  EXPECT_FALSE(alpha_.vault().secret("invitation/" + made.id())->has_value());
  EXPECT_REFUSED(take(good_answer(made)), Errc::policy, "burnt");
}

TEST_F(InvitationTest, IsNotAnsweredInAnothersName) {
  const Invitation made = invite_bravo();
  TestVault mallory("Mallory");
  InvitationAnswer answer = good_answer(made);
  answer.card = mallory.card();
  EXPECT_REFUSED(take(answer), Errc::signature, "holds the invitation");
  EXPECT_REFUSED(accept_answer(alpha_.vault(), alpha_.card(), good_answer(made), Digest{}, kBegin + 60),
                 Errc::signature, "other terms");
  InvitationAnswer elsewhere = good_answer(made);
  elsewhere.endpoint = "mallory.example:7440";
  EXPECT_REFUSED(take(elsewhere), Errc::signature, "holds the invitation");
  InvitationAnswer unknown = good_answer(made);
  unknown.invitation = "0000000000000000";
  EXPECT_REFUSED(take(unknown), Errc::not_found, "answers no invitation");
  EXPECT_REFUSED(accept_invitation(alpha_.vault(), alpha_.card(), made, "", kBegin), Errc::usage, "your own");
}

TEST_F(InvitationTest, IsForgottenWhenItHasExpiredUnanswered) {
  const Invitation made = invite_bravo();
  EXPECT_EQ(close_expired_invitations(alpha_.vault(), made.expires - 1).value(), 0u);
  EXPECT_EQ(close_expired_invitations(alpha_.vault(), made.expires).value(), 1u);
  EXPECT_FALSE(alpha_.vault().secret("invitation/" + made.id())->has_value());
  EXPECT_EQ(close_expired_invitations(alpha_.vault(), made.expires).value(), 0u);
}

TEST_F(InvitationTest, HasAnAnswerThatIsRefusedWhenDamaged) {
  const std::string line = answer_invitation(invite_bravo(), bravo_.card(), "");
  ASSERT_HOLDS(read_answer(line));
  for (const std::string& damaged : {line.substr(0, line.size() - 2), line + "!", std::string(kAnswerPrefix),
                                     std::string("parley-invite1:") + line.substr(kAnswerPrefix.size())})
    EXPECT_FALSE(read_answer(damaged).has_value());
}

TEST(PairKey, IsTheSameFromBothSidesAndAnotherForEveryPair) {
  const Card a = *read_card(test_member("alpha").card_note()), b = *read_card(test_member("bravo").card_note()),
             c = *read_card(test_member("charlie").card_note());
  const Secret<32> secret = random_secret<32>();
  EXPECT_TRUE(pair_key(secret, a, b).equals(pair_key(secret, b, a)));
  EXPECT_FALSE(pair_key(secret, a, b).equals(pair_key(secret, a, c)));
  EXPECT_FALSE(pair_key(secret, a, b).equals(pair_key(random_secret<32>(), a, b)));
}

TEST(SpokenFingerprint, IsTakenInAnySpellingAndNoOther) {
  Card card;
  card.note = "parley";  // …-y3c3-wb04 (tests/vectors/log/vectors.json)
  for (const char* good : {"y3c3-wb04", "Y3C3 WB04", "y3c3wb04", "Y3C3-WBO4", " y3c3 - wb04 ",
                           "tt4x-zkd2-9scs-254d-2szd-6k5c-y3c3-wb04", "TT4XZKD29SCS254D2SZD6K5CY3C3WB04"})
    EXPECT_HOLDS(check_spoken(good, card)) << good;
  for (const char* wrong : {"y3c3-wb05", "0000-wb04", "y3c4-wb04", "6k5c-y3c3", "wb04-y3c3", "tt4x-zkd2",
                            "tt4x-zkd2-9scs-254d-2szd-6k5c-y3c3-wb05", "0t4x-zkd2-9scs-254d-2szd-6k5c-y3c3-wb04"})
    EXPECT_REFUSED(check_spoken(wrong, card), Errc::signature, "Nothing was confirmed") << wrong;
  for (const char* none :
       {"", "y", "wb04", "y3c3-wb0", "y3c3-wb04-x", "6k5c-y3c3-wb04", "tt4x-zkd2-9scs-254d-2szd-6k5c-y3c3-wb04-0"})
    EXPECT_REFUSED(check_spoken(none, card), Errc::usage, "last two groups") << none;
}

}  // namespace
}  // namespace parley::group
