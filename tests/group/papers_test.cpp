// Drafts, key packages, leaves and keys of one group.
#include "group/papers.h"

#include "group/charters.h"
#include "group/invitation.h"

namespace parley::group {
namespace {

Card card_of(const TestMember& member) {
  return *read_card(member.card_note());
}

Charter terms() {
  Charter terms = charter_of(2);
  terms.members.clear();
  terms.log_quorum = 0;
  terms.finding_quorum = 0;
  return terms;
}

Draft draft() {
  return *make_draft(terms(), card_of(test_member("alpha")), test_member("alpha").card_seeds.id);
}

KeyPackage package_of(std::string_view nick) {
  const TestMember& member = test_member(nick);
  return *make_key_package(kGroup, draft().hash, card_of(member), member.in_group().keys, member.card_seeds.id);
}

TEST(Draft, IsReadByWhoKnowsItsDrafterAndByNobodyElse) {
  const Draft made = draft();
  const std::vector known = {test_member("bravo").id(), test_member("alpha").id()};
  const auto read = read_draft(made.note, known);
  ASSERT_HOLDS(read);
  EXPECT_EQ(read->terms, made.terms);
  EXPECT_EQ(read->hash, made.hash);
  EXPECT_REFUSED(read_draft(made.note, std::span(known).first(1)), Errc::signature, "no part");
}

TEST(Draft, IsRefusedWithTermsThatNoCharterCouldHave) {
  const std::pair<std::string_view, std::function<void(Charter&)>> cases[] = {
      {"400 days", [](Charter& c) { c.not_after = c.not_before + 401 * kSecondsPerDay; }},
      {"question", [](Charter& c) { c.questions.clear(); }},
      {"only its members", [](Charter& c) { c.finding_quorum = 1; }},
      {"only its members", [](Charter& c) { c.seq = 2; }},
  };
  for (const auto& [says, change] : cases) {
    Charter changed = terms();
    change(changed);
    EXPECT_REFUSED(make_draft(changed, card_of(test_member("alpha")), test_member("alpha").card_seeds.id), Errc::format,
                   says);
  }
}

TEST(Draft, BecomesTheCharterOfItsMembers) {
  const auto charter =
      draft().with({package_of("charlie").member, package_of("alpha").member, package_of("bravo").member});
  ASSERT_HOLDS(charter);
  EXPECT_EQ(nicks_of(*charter), (std::vector<std::string>{"alpha", "bravo", "charlie"}));
  EXPECT_EQ(charter->finding_quorum, 3u);
  EXPECT_EQ(charter->log_quorum, 3u);
  EXPECT_TRUE(draft().is_kept_by(*charter));
  EXPECT_FALSE(draft().with({package_of("alpha").member}).has_value());
  EXPECT_FALSE(draft().with({package_of("alpha").member, package_of("alpha").member}).has_value());
}

TEST(Draft, IsNotKeptByACharterThatSaysAnythingElse) {
  const Charter good = *draft().with({package_of("alpha").member, package_of("bravo").member});
  const std::pair<const char*, std::function<void(Charter&)>> cases[] = {
      {"the end", [](Charter& c) { c.not_after += 1; }},
      {"a cap", [](Charter& c) { c.questions[0].caps.items_per_session += 1; }},
      {"the purpose", [](Charter& c) { c.purpose += "."; }},
      {"a mark", [](Charter& c) { c.max_tlp = indicator::Tlp::red; }},
      {"a protocol", [](Charter& c) { c.protocols = {"fast"}; }},
      {"the version", [](Charter& c) { c.seq = 2; }},
  };
  for (const auto& [what, change] : cases) {
    Charter changed = good;
    change(changed);
    EXPECT_FALSE(draft().is_kept_by(changed)) << what;
  }
  Charter lower = *draft().with({package_of("alpha").member, package_of("bravo").member, package_of("charlie").member});
  lower.finding_quorum = 2;
  EXPECT_FALSE(draft().is_kept_by(lower)) << "all were to sign findings";
}

TEST(KeyPackage, IsReadWithTheMemberThatItMakes) {
  const KeyPackage package = package_of("bravo");
  const auto read = read_key_package(package.note);
  ASSERT_HOLDS(read);
  EXPECT_EQ(read->member, test_member("bravo").in_group());
  EXPECT_EQ(read->group, kGroup);
  EXPECT_EQ(read->terms, draft().hash);
}

TEST(KeyPackage, IsRefusedUnlessTheCardsOwnerSignedIt) {
  const TestMember& bravo = test_member("bravo");
  const TestMember& alpha = test_member("alpha");
  const auto by_alpha =
      make_key_package(kGroup, draft().hash, card_of(bravo), bravo.in_group().keys, alpha.card_seeds.id);
  EXPECT_REFUSED(by_alpha, Errc::signature, "");
  std::string altered = package_of("bravo").note;
  altered.replace(altered.find("\"group\":\"7d"), 11, "\"group\":\"7e");
  EXPECT_FALSE(read_key_package(altered).has_value());
}

TEST(Leave, IsSignedByTheMemberWhoLeaves) {
  const Charter charter = charter_of(3);
  const auto leave = make_leave(charter, charter.members[1], "budget", kBegin + 5, test_member("bravo").card_seeds.id);
  ASSERT_HOLDS(leave);
  const auto read = read_leave(leave->note, charter);
  ASSERT_HOLDS(read);
  EXPECT_EQ(read->nick, "bravo");
  EXPECT_EQ(read->reason, "budget");
  EXPECT_EQ(read->charter, charter_hash(charter));
  EXPECT_REFUSED(make_leave(charter, charter.members[1], "", kBegin, test_member("alpha").card_seeds.id),
                 Errc::signature, "");
  EXPECT_REFUSED(make_leave(charter, charter.members[1], "a\x1b[2J", kBegin, test_member("bravo").card_seeds.id),
                 Errc::usage, "readable");
  Charter without = charter;
  without.members.erase(without.members.begin() + 1);
  EXPECT_REFUSED(read_leave(leave->note, without), Errc::signature, "nobody");
  Charter other = charter;
  other.group = std::string(32, 'a');
  EXPECT_REFUSED(read_leave(leave->note, other), Errc::format, "another group");
}

TEST(PaperHead, SaysKindAndGroupOfEachPaperAndOfNothingElse) {
  const Charter charter = charter_of(2);
  const auto leave = make_leave(charter, charter.members[1], "", kBegin, test_member("bravo").card_seeds.id);
  for (const auto& [note, kind] :
       std::vector<std::pair<std::string, std::string_view>>{{draft().note, kDraftKind},
                                                             {package_of("bravo").note, kKeyPackageKind},
                                                             {signed_charter(charter, {"alpha"}), kCharterKind},
                                                             {leave->note, kLeaveKind}}) {
    const auto head = read_paper_head(note);
    ASSERT_HOLDS(head);
    EXPECT_EQ(head->kind, kind);
    EXPECT_EQ(head->group, kGroup);
  }
  EXPECT_FALSE(read_paper_head(test_member("alpha").card_note()).has_value());
  EXPECT_FALSE(read_paper_head("").has_value());
  EXPECT_FALSE(read_paper_head(signed_note("parley/leave/v1\n{\"group\":5}\n", {"alpha"})).has_value());
  EXPECT_FALSE(read_paper_head(signed_note("parley/leave/v1\n{}\n", {"alpha"})).has_value());
}

}  // namespace
}  // namespace parley::group
