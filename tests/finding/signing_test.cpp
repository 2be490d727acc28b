// k of n, and those who do not agree.
#include "finding/signing.h"

#include "finding/samples.h"

namespace parley::finding {
namespace {

using group::signed_note, group::test_member;

TEST(FindingSignatures, CountForEverySubsetOfUpToTenMembers) {
  // Signatures are made once; a subset puts lines together.
  for (std::size_t n = 2; n <= 10; ++n) {
    const group::Charter charter = group::charter_of(n);
    const Frozen frozen(sample_finding(charter));
    std::vector<std::string> lines;
    for (const group::CharterMember& member : charter.members) {
      const std::string note = signed_note(frozen.text, {member.keys.nick});
      lines.push_back(note.substr(frozen.text.size() + 1));
    }
    for (std::size_t subset = 0; subset < (std::size_t{1} << n); ++subset) {
      std::string note = frozen.text + "\n";
      std::vector<std::string> expected;
      for (std::size_t i = 0; i < n; ++i) {
        if ((subset >> i & 1) == 0) continue;
        note += lines[i];
        expected.push_back(charter.members[i].keys.nick);
      }
      const auto read = read_signed_finding(note, charter);
      ASSERT_EQ(read.has_value(), subset != 0);
      if (!read) continue;
      ASSERT_EQ(read->signers, expected);
      ASSERT_EQ(read->hash, finding_hash(frozen.text));
    }
  }
}

TEST(FindingSignatures, AreRefusedTwiceFromStrangersAndUnderAnotherText) {
  const group::Charter charter = group::charter_of(3);
  const Frozen frozen(sample_finding(charter));
  const std::string alone = signed_note(frozen.text, {"alpha"});
  const std::string line = alone.substr(frozen.text.size() + 1);
  EXPECT_REFUSED(read_signed_finding(alone + line, charter), Errc::signature, "more than once");
  EXPECT_REFUSED(read_signed_finding(signed_note(frozen.text, {"alpha", "delta"}), charter), Errc::signature,
                 "has no part in it");
  const Frozen other(sample_finding(charter));
  EXPECT_REFUSED(read_signed_finding(other.text + "\n" + line, charter), Errc::signature, "");
  // Another key under the name of a member.
  const std::string forged =
      log::sign_note(frozen.text, test_member("alpha").id().name, test_member("delta").card_seeds.id);
  EXPECT_REFUSED(read_signed_finding(forged, charter), Errc::signature, "has no part in it");
  EXPECT_REFUSED(read_signed_finding(signed_note("parley/finding/v1\n{}\n", {"alpha"}), charter), Errc::format, "");
  EXPECT_REFUSED(sign_finding("parley/finding/v1\n{}\n", test_member("alpha").id(), test_member("alpha").card_seeds.id),
                 Errc::format, "");
}

TEST(FindingQuorum, IsNeverMoreThanAreLeft) {
  group::Charter charter = group::charter_of(5);
  charter.finding_quorum = 4;
  EXPECT_EQ(finding_quorum(charter, {}), 4u);
  EXPECT_EQ(finding_quorum(charter, {"alpha"}), 4u);
  EXPECT_EQ(finding_quorum(charter, {"alpha", "bravo"}), 3u);
  EXPECT_EQ(finding_quorum(charter, {"alpha", "bravo", "charlie"}), 2u);
  EXPECT_EQ(finding_quorum(charter, {"alpha", "bravo", "charlie", "delta"}), 2u) << "one alone makes no joint finding";
  EXPECT_EQ(finding_quorum(charter, {"nobody"}), 4u) << "who was never a member does not count";
}

TEST(FindingQuorum, OfLogsIsThatOfTheRestWhereMembersHaveLeft) {
  const group::Charter charter = group::charter_of(5);
  const auto holds = [&](const Left& left, std::vector<std::string> holders) {
    return hold_together(charter, left, holders);
  };
  ASSERT_EQ(charter.log_quorum, 4u);
  EXPECT_TRUE(holds({}, {"alpha", "bravo", "charlie", "delta"}));
  EXPECT_FALSE(holds({}, {"alpha", "bravo", "charlie"}));
  EXPECT_TRUE(holds({"echo", "delta"}, {"alpha", "bravo", "charlie"}));
  EXPECT_FALSE(holds({"echo"}, {"alpha", "bravo"}));
  EXPECT_FALSE(holds({"echo", "delta"}, {"alpha", "bravo", "delta"})) << "who has left does not hold for the rest";
  EXPECT_TRUE(holds({"echo", "delta"}, {"alpha", "bravo", "delta", "echo"})) << "but what all held stays held";
}

Dissent sample_dissent(const Frozen& frozen) {
  return {finding_hash(frozen.text),
          group::kGroup,
          "charlie",
          kBegin + 200'000,
          {{"judgement", Likelihood::unlikely, "The tools are sold."}, {"e2", {}, "The build time can be forged."}}};
}

TEST(Dissents, AreTakenBackAsTheyWereSigned) {
  const group::Charter charter = group::charter_of(3);
  const Frozen frozen(sample_finding(charter));
  const auto& charlie = test_member("charlie");
  const auto signed_dissent = sign_dissent(sample_dissent(frozen), charlie.id(), charlie.card_seeds.id);
  ASSERT_HOLDS(signed_dissent);
  const auto read = read_dissent(signed_dissent->note, charter);
  ASSERT_HOLDS(read);
  EXPECT_EQ(read->dissent, sample_dissent(frozen));
  EXPECT_EQ(read->hash, signed_dissent->hash);
  EXPECT_HOLDS(check_dissent(read->dissent, frozen.finding));
}

TEST(Dissents, AreNotSignedLongerThanTheirReadersTakeWhoMeasureTheSignatureToo) {
  const group::Charter charter = group::charter_of(3);
  const Frozen frozen(sample_finding(charter));
  const auto& charlie = test_member("charlie");
  const auto note_of = [&](const Dissent& dissent) {
    return log::sign_note(dissent.text(), charlie.id().name, charlie.card_seeds.id);
  };
  Dissent dissent = sample_dissent(frozen);
  dissent.points.assign(17, {"e2", {}, std::string(3'700, 'x')});
  std::size_t room = kMaxDissentBytes - note_of(dissent).size();
  for (DissentPoint& point : dissent.points) {
    const std::size_t more = std::min(room, kMaxTextBytes - point.text.size());
    point.text += std::string(more, 'x');
    room -= more;
  }
  ASSERT_EQ(note_of(dissent).size(), kMaxDissentBytes);
  const auto longest = sign_dissent(dissent, charlie.id(), charlie.card_seeds.id);
  ASSERT_HOLDS(longest);
  EXPECT_HOLDS(read_dissent(longest->note, charter));
  dissent.points.back().text += 'x';
  EXPECT_LT(dissent.text().size(), kMaxDissentBytes) << "it is the signature that makes it longer";
  EXPECT_REFUSED(read_dissent(note_of(dissent), charter), Errc::limit, "longer than 65536 bytes");
  EXPECT_REFUSED(sign_dissent(dissent, charlie.id(), charlie.card_seeds.id), Errc::limit,
                 "The dissent has 65537 bytes with its signature; 65536 is the limit. Shorten its points.");
}

TEST(DissentShares, AreOfEachMemberByItselfAndTakeNothingForWhatDoesNotCount) {
  const Digest finding = digest_of("a finding");
  const auto of = [&](const std::string& nick, std::size_t bytes) {
    return SignedDissent{{finding, group::kGroup, nick, 0, {}}, std::string(bytes, 'x'), {}};
  };
  DissentShares shares;
  EXPECT_HOLDS(shares.take(of("alpha", kMaxDissentBytesOfOne - 10)));
  EXPECT_REFUSED(shares.take(of("alpha", 11)), Errc::limit, "the first 32 count, as far as they have 131072 bytes");
  EXPECT_HOLDS(shares.take(of("bravo", 11)));
  EXPECT_HOLDS(shares.take(of("alpha", 10))) << "a shorter one has room still";
  for (std::size_t i = 1; i < kMaxDissentsOfOne; ++i) EXPECT_HOLDS(shares.take(of("bravo", 1)));
  EXPECT_REFUSED(shares.take(of("bravo", 1)), Errc::limit, "the first 32 count");
}

TEST(Dissents, AreRefusedByAnybodyElseAndAboutNothing) {
  const group::Charter charter = group::charter_of(3);
  const Frozen frozen(sample_finding(charter));
  const auto& charlie = test_member("charlie");
  const Dissent sample = sample_dissent(frozen);
  EXPECT_REFUSED(read_dissent(signed_note(sample.text(), {"alpha"}), charter), Errc::signature, "");
  EXPECT_REFUSED(read_dissent(signed_note(sample.text(), {"charlie", "alpha"}), charter), Errc::signature, "");
  EXPECT_REFUSED(read_dissent(signed_note(sample.text(), {"charlie"}), group::charter_of(2)), Errc::signature,
                 "no member");
  const auto refused = [&](const std::function<void(Dissent&)>& change) {
    Dissent dissent = sample;
    change(dissent);
    return sign_dissent(dissent, charlie.id(), charlie.card_seeds.id);
  };
  EXPECT_REFUSED(refused([](Dissent& d) { d.points.clear(); }), Errc::format, "no point");
  EXPECT_REFUSED(refused([](Dissent& d) { d.points[0].text.clear(); }), Errc::format, "says nothing");
  EXPECT_REFUSED(refused([](Dissent& d) { d.points[0].about.clear(); }), Errc::format, "about nothing");
  EXPECT_REFUSED(refused([](Dissent& d) { d.points[1].likelihood = Likelihood::likely; }), Errc::format,
                 "only of the judgement");
  EXPECT_REFUSED(refused([](Dissent& d) { d.points.resize(33, d.points[0]); }), Errc::format, "points");
  Dissent elsewhere = sample;
  elsewhere.points[1].about = "e9";
  EXPECT_REFUSED(check_dissent(elsewhere, frozen.finding), Errc::format, "not in the finding");
  elsewhere = sample;
  elsewhere.group[0] = 'f';
  EXPECT_REFUSED(check_dissent(elsewhere, frozen.finding), Errc::format, "another group");
}

}  // namespace
}  // namespace parley::finding
