#include "log/quorum.h"

#include <gtest/gtest.h>

#include <bit>

#include "base/random.h"
#include "vectors.h"

namespace parley::log {
namespace {

TEST(LogQuorum, IsThatOfTheTable) {
  constexpr std::size_t kTable[] = {1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11};  // n = 1 to 16
  for (std::size_t n = 1; n <= 16; ++n) EXPECT_EQ(log_quorum(n), kTable[n - 1]) << n;
}

TEST(LogQuorum, LeavesNoRoomForTwoViewsAndIsReachedWithoutTheLiars) {
  for (std::size_t n = 4; n <= 16; ++n) {
    const std::size_t quorum = log_quorum(n);
    const std::size_t liars = (n - 1) / 3;
    EXPECT_GT(2 * quorum, n + liars) << n << ": two views could both reach the quorum";
    EXPECT_LE(quorum, n - liars) << n << ": the liars could stop it by their silence";
    EXPECT_LE(2 * (quorum - 1), n + liars + 1) << n << ": a smaller quorum would do";
  }
}

class StandingOf : public testing::TestWithParam<std::size_t> {
 protected:
  StandingOf() {
    for (std::size_t i = 0; i < GetParam(); ++i) {
      const std::string nick = "m" + std::to_string(i);
      const std::string name = "g/" + nick;
      node_seeds_.push_back(random_secret<32>());
      log_seeds_.push_back(random_secret<32>());
      cosign_seeds_.push_back(random_secret<32>());
      members_.push_back({nick, vkey_of(name + "/node", KeyType::ed25519, node_seeds_.back()),
                          vkey_of(name, KeyType::ed25519, log_seeds_.back()),
                          vkey_of(name + "/mirror", KeyType::cosignature, cosign_seeds_.back())});
    }
  }
  Checkpoint checkpoint() const { return {members_[0].log.name, 3, Digest{std::byte{7}}}; }
  std::string cosigned(std::uint32_t subset) const {
    std::string note = sign_checkpoint(checkpoint(), log_seeds_[0]);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if ((subset >> i & 1) == 0) continue;
      note = *add_cosignature(note, cosign(checkpoint(), members_[i].cosign.name, cosign_seeds_[i], 100 + i),
                              members_[i].cosign);
    }
    return note;
  }
  Result<Standing> standing(std::string_view note) const {
    return read_standing(note, members_, 0, log_quorum(members_.size()));
  }
  std::vector<Secret<32>> node_seeds_, log_seeds_, cosign_seeds_;
  std::vector<MemberKeys> members_;
};

TEST_P(StandingOf, IsTheSameWithOnlyTheLinesThatCount) {
  const std::uint32_t all = (1u << members_.size()) - 1;
  // The owner's own cosignature is among these, and adds nothing.
  for (std::uint32_t subset = 0; subset <= all; ++subset) {
    const std::string clean = cosigned(subset & ~1u);
    EXPECT_EQ(*only_what_counts(clean, members_, 0), clean);
    Note spoilt = *parse_note(cosigned(subset));
    const NoteSignature twice = spoilt.signatures.back();
    spoilt.signatures.push_back(twice);
    const Secret<32> strangers = random_secret<32>();
    spoilt.signatures.insert(spoilt.signatures.begin(), cosign(checkpoint(), "g/stranger/mirror", strangers, 100));
    spoilt.signatures.push_back(parse_note(sign_checkpoint(checkpoint(), log_seeds_[0]))->signatures.at(0));
    const auto counted = only_what_counts(write_note(spoilt), members_, 0);
    ASSERT_TRUE(counted.has_value());
    EXPECT_EQ(*counted, clean) << subset;
    EXPECT_EQ(standing(*counted)->holders, standing(write_note(spoilt))->holders);
  }
}

TEST_P(StandingOf, IsNoneOfANoteThatItsLogDidNotSign) {
  Note note = *parse_note(cosigned(0));
  note.signatures = {cosign(checkpoint(), members_[0].cosign.name, cosign_seeds_[0], 100)};
  EXPECT_FALSE(only_what_counts(write_note(note), members_, 0).has_value());
  EXPECT_FALSE(only_what_counts("no note", members_, 0).has_value());
  EXPECT_FALSE(only_what_counts(std::string(kMaxCheckpointBytes + 1, 'x'), members_, 0).has_value());
}

INSTANTIATE_TEST_SUITE_P(Members, StandingOf, testing::Values(1, 2, 3, 4, 5, 7));

TEST_P(StandingOf, EverySubsetOfCosignersIsWhatItIs) {
  for (std::uint32_t subset = 0; subset < 1u << members_.size(); ++subset) {
    const auto read = standing(cosigned(subset));
    ASSERT_TRUE(read.has_value()) << read.error().text();
    const auto holders = static_cast<std::size_t>(std::popcount(subset | 1));  // the owner holds it anyway
    EXPECT_EQ(read->holders.size(), holders) << subset;
    EXPECT_EQ(read->is_final(), holders >= log_quorum(members_.size())) << subset;
    EXPECT_EQ(read->is_unanimous(), holders == members_.size()) << subset;
    for (std::size_t i = 0; i < members_.size(); ++i) EXPECT_EQ(read->held_by(i), ((subset | 1) >> i & 1) == 1);
    for (std::size_t i = 0; i < holders; ++i)
      EXPECT_EQ(read->times[i], read->holders[i] == 0 ? 0 : 100 + read->holders[i]);
  }
}

TEST_P(StandingOf, ANonMembersCosignatureDoesNotCount) {
  const Secret<32> seed = random_secret<32>();
  const VerifierKey stranger = vkey_of("g/stranger/mirror", KeyType::cosignature, seed);
  const auto note = add_cosignature(cosigned(0), cosign(checkpoint(), stranger.name, seed, 1), stranger);
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(standing(*note)->holders.size(), 1u);
}

TEST_P(StandingOf, ACosignatureOfAnotherTreeFailsTheWhole) {
  Checkpoint other = checkpoint();
  other.size = 4;
  const NoteSignature moved = cosign(other, members_.back().cosign.name, cosign_seeds_.back(), 1);
  Note note = *parse_note(cosigned(0));
  note.signatures.push_back(moved);
  const auto read = standing(write_note(note));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::signature);
}

TEST_P(StandingOf, ACheckpointThatTheOwnerDidNotSignHasNone) {
  const std::string note = sign_checkpoint(checkpoint(), random_secret<32>());
  ASSERT_FALSE(standing(note).has_value());
  EXPECT_EQ(standing(note).error().code, Errc::signature);
}

}  // namespace
}  // namespace parley::log
