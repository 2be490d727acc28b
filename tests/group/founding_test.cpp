// A group from draft to amendment, each member at a vault of its own, papers handed over as files.
#include "group/founding.h"

#include "base/encoding.h"
#include "group/groups_of_vaults.h"
#include "group/invitation.h"
#include "group/paper_kinds.h"

namespace parley::group {
namespace {

TEST(Founding, IsInForceWithEverybodyOnceAllHaveSigned) {
  Group group({"alpha", "bravo", "charlie"});
  const auto first = group["alpha"].sign();
  ASSERT_HOLDS(first);
  EXPECT_FALSE(first->in_force);
  EXPECT_EQ(first->missing, (std::vector<std::string>{"bravo", "charlie"}));
  ASSERT_HOLDS(group["bravo"].take(first->charter.note));
  ASSERT_HOLDS(group["charlie"].take(first->charter.note));
  // Both sign the same text apart; alpha puts the signatures together.
  const auto second = group["bravo"].sign(), third = group["charlie"].sign();
  ASSERT_HOLDS(second);
  ASSERT_HOLDS(third);
  EXPECT_FALSE(second->in_force || third->in_force);
  ASSERT_HOLDS(group["alpha"].take(second->charter.note));
  EXPECT_EQ(group["alpha"].row().state, kForming);
  const auto whole = group["alpha"].take(third->charter.note);
  ASSERT_HOLDS(whole);
  EXPECT_TRUE(whole->signing->in_force);
  EXPECT_EQ(group["alpha"].row().state, kActive);
  ASSERT_HOLDS(group["bravo"].take(whole->signing->charter.note));
  EXPECT_EQ(group["bravo"].membership().signed_charter().hash, group["alpha"].membership().signed_charter().hash);
  EXPECT_EQ(group["alpha"].membership().charter().log_quorum, 3u);
  group["bravo"].test().reopen();
  EXPECT_HOLDS(Membership::load(group["bravo"].vault(), group["bravo"].row(), group["bravo"].id()));
}

TEST(Founding, MakesKeysThatTheCharterNames) {
  Group group({"alpha", "bravo"});
  group.found();
  const auto keys = load_group_keys(group["bravo"].test().folder(), group["bravo"].vault(), "parley.example",
                                    group["bravo"].row().id, "bravo");
  ASSERT_HOLDS(keys);
  EXPECT_EQ(keys->keys, group["alpha"].membership().charter().member("bravo")->keys);
}

TEST(Founding, HasNothingToSignBeforeAnybodyHasJoined) {
  Participant alpha("alpha");
  ASSERT_HOLDS(begin_group(alpha.desk(), "stadium", terms_of_draft(), alpha.id_seed(), kBegin));
  EXPECT_REFUSED(alpha.sign(), Errc::not_found, "Nobody has joined");
}

TEST(Founding, IsNotSignedTwice) {
  Group group({"alpha", "bravo"});
  ASSERT_HOLDS(group["alpha"].sign());
  EXPECT_REFUSED(group["alpha"].sign(), Errc::exists, "signed it already");
  EXPECT_REFUSED(group["bravo"].sign(), Errc::not_found, "no charter to sign yet");
}

TEST(Founding, IsRefusedByWhoJoinedOtherTerms) {
  Group group({"alpha", "bravo"});
  Participant& alpha = group["alpha"];
  // alpha's changed program: the same members, one cap raised.
  const Signing honest = *unsigned_paper(alpha.desk(), alpha.row(), "");
  Charter altered = honest.charter.charter;
  altered.questions[0].caps.items_per_session += 256;
  const std::string note = log::sign_note(charter_text(altered), alpha.id().name, alpha.id_seed());
  EXPECT_REFUSED(group["bravo"].take(note), Errc::format, "other terms");
  EXPECT_TRUE(papers_of_kind(group["bravo"].vault(), group["bravo"].row().id, kPaperCharter)->empty());
}

TEST(Founding, IsRefusedByWhoIsNotNamedByItsOwnKeys) {
  Group group({"alpha", "bravo"});
  Participant& alpha = group["alpha"];
  Charter altered = unsigned_paper(alpha.desk(), alpha.row(), "")->charter.charter;
  altered.members[1].keys.node =
      log::vkey_of(altered.members[1].keys.node.name, log::KeyType::ed25519, random_secret<32>());
  EXPECT_REFUSED(group["bravo"].take(log::sign_note(charter_text(altered), alpha.id().name, alpha.id_seed())),
                 Errc::signature, "keys that you made");
  altered = *group.draft().with({altered.members[0], test_member("charlie").in_group("parley.example", altered.group)});
  EXPECT_REFUSED(group["bravo"].take(log::sign_note(charter_text(altered), alpha.id().name, alpha.id_seed())),
                 Errc::signature, "does not name you");
}

TEST(Founding, GathersSignaturesOfOneTextOnly) {
  Group group({"alpha", "bravo", "charlie"});
  const auto with_three = group["alpha"].sign();
  ASSERT_HOLDS(with_three);
  ASSERT_HOLDS(group["bravo"].take(with_three->charter.note));
  Charter of_two = with_three->charter.charter;
  of_two.members.pop_back();
  of_two.log_quorum = 2;
  const std::string note = log::sign_note(charter_text(of_two), group["alpha"].id().name, group["alpha"].id_seed());
  EXPECT_REFUSED(group["bravo"].take(note), Errc::exists, "Another charter");
}

TEST(Joining, NeedsADrafterWhoIsPinned) {
  Participant alpha("alpha"), bravo("bravo");
  const Draft draft = *begin_group(alpha.desk(), "stadium", terms_of_draft(), alpha.id_seed(), kBegin);
  EXPECT_REFUSED(join_group(bravo.desk(), "stadium", draft.note, bravo.id_seed(), kBegin), Errc::signature,
                 "whom you know");
  EXPECT_TRUE(bravo.vault().groups()->empty());
  bravo.know(alpha);
  const auto first = join_group(bravo.desk(), "stadium", draft.note, bravo.id_seed(), kBegin);
  ASSERT_HOLDS(first);
  const auto again = join_group(bravo.desk(), "stadium", draft.note, bravo.id_seed(), kBegin);
  ASSERT_HOLDS(again);
  EXPECT_EQ(again->note, first->note) << "the same keys";
  EXPECT_REFUSED(alpha.take(first->note), Errc::signature, "have not pinned");
}

TEST(Joining, ByKeysThatNoCharterCouldNameIsRefusedBeforeItKeepsOthersFromSigning) {
  Group group({"alpha", "bravo"});
  Participant charlie("charlie");
  group["alpha"].know(charlie);
  const auto with_keys = [&](const log::MemberKeys& keys) {
    const auto package =
        make_key_package(group.draft().terms.group, group.draft().hash, charlie.card(), keys, charlie.id_seed());
    EXPECT_HOLDS(package);
    return group["alpha"].take(package->note);
  };
  const std::string& id = group.draft().terms.group;
  EXPECT_REFUSED(with_keys(test_member("charlie").in_group("other.example", id).keys), Errc::format,
                 "names that belong");
  log::MemberKeys stolen = test_member("charlie").in_group("parley.example", id).keys;
  const Charter charter = unsigned_paper(group["alpha"].desk(), group["alpha"].row(), "")->charter.charter;
  stolen.node.key = charter.member("bravo")->keys.node.key;
  EXPECT_REFUSED(with_keys(stolen), Errc::format, "second time");
  EXPECT_HOLDS(group["alpha"].sign());
}

TEST(Joining, UnderANameThatIsTakenOrNoneIsRefused) {
  Participant alpha("alpha"), bravo("bravo");
  bravo.know(alpha);
  const Draft first = *begin_group(alpha.desk(), "stadium", terms_of_draft(), alpha.id_seed(), kBegin);
  const Draft second = *begin_group(alpha.desk(), "arena", terms_of_draft(), alpha.id_seed(), kBegin);
  ASSERT_HOLDS(join_group(bravo.desk(), "joint", first.note, bravo.id_seed(), kBegin));
  EXPECT_REFUSED(join_group(bravo.desk(), "joint", second.note, bravo.id_seed(), kBegin), Errc::exists,
                 "another group");
  EXPECT_REFUSED(join_group(bravo.desk(), "No Name", second.note, bravo.id_seed(), kBegin), Errc::usage, "a-z");
  EXPECT_EQ(bravo.vault().groups()->size(), 1u);
}

TEST(Taking, PinsWhoAnswersAnInvitationAndLeavesThemUnconfirmed) {
  Participant alpha("alpha"), bravo("bravo");
  const Draft draft = *begin_group(alpha.desk(), "stadium", terms_of_draft(), alpha.id_seed(), kBegin);
  const auto invitation =
      invite(alpha.vault(), alpha.card(), draft.terms.group, draft.hash, "bravo", "a.example:1", kBegin);
  ASSERT_HOLDS(invitation);
  const auto answer = accept_invitation(bravo.vault(), bravo.card(), *invitation, "b.example:2", kBegin);
  ASSERT_HOLDS(answer);
  const auto taken = alpha.take(*answer + "\n");
  ASSERT_HOLDS(taken);
  EXPECT_EQ(taken->kind, Taken::Kind::answer);
  EXPECT_EQ(alpha.vault().peer("bravo")->card, bravo.card().note);
  EXPECT_EQ(alpha.vault().peer("bravo")->address, "b.example:2");
  EXPECT_EQ(alpha.vault().peer("bravo")->confirmed, 0);
  EXPECT_REFUSED(alpha.take(*answer), Errc::policy, "used already");
}

TEST(Taking, DoesNotUseUpAnInvitationWhoseNameStandsForAnotherCard) {
  Participant alpha("alpha"), bravo("bravo"), other("other");
  const Draft draft = *begin_group(alpha.desk(), "stadium", terms_of_draft(), alpha.id_seed(), kBegin);
  const auto invitation =
      invite(alpha.vault(), alpha.card(), draft.terms.group, draft.hash, "bravo", "a.example:1", kBegin);
  ASSERT_HOLDS(invitation);
  const auto answer = accept_invitation(bravo.vault(), bravo.card(), *invitation, "", kBegin);
  ASSERT_HOLDS(answer);
  const vault::Peer taken{.name = "bravo", .card = other.card().note, .address = "o:1", .added = kBegin};
  ASSERT_HOLDS(alpha.vault().add_peer(taken));
  EXPECT_REFUSED(alpha.take(*answer), Errc::exists, "with another card");
  ASSERT_HOLDS(alpha.vault().remove_peer("bravo"));
  EXPECT_HOLDS(alpha.take(*answer));
}

TEST(Taking, RefusesWhatIsOfNoGroupHereOrNoPaper) {
  Group group({"alpha", "bravo"});
  Participant charlie("charlie");
  EXPECT_REFUSED(charlie.take(group["alpha"].sign()->charter.note), Errc::not_found, "not known here");
  EXPECT_REFUSED(group["bravo"].take(group.draft().note), Errc::usage, "join by it");
  EXPECT_FALSE(group["bravo"].take("").has_value());
  EXPECT_FALSE(group["bravo"].take(charlie.card().note).has_value());
  EXPECT_REFUSED(group["bravo"].take(std::string(kMaxPaperBytes + 1, 'x')), Errc::limit, "at most");
}

TEST(Amending, TightensAtOnceWithTheQuorumAndLoosensWithAllOnly) {
  Group group({"alpha", "bravo", "charlie"});  // finding quorum: 2
  group.found();
  Charter tighter = group["alpha"].next();
  tighter.questions[0].caps.sessions_per_day = 1;
  const auto proposed = group["alpha"].amend(tighter);
  ASSERT_HOLDS(proposed);
  EXPECT_FALSE(proposed->in_force);
  ASSERT_HOLDS(group["bravo"].take(proposed->charter.note));
  const auto signed_by_two = group["bravo"].sign();
  ASSERT_HOLDS(signed_by_two);
  EXPECT_TRUE(signed_by_two->in_force);
  for (const char* nick : {"alpha", "charlie"}) {
    const auto taken = group[nick].take(signed_by_two->charter.note);
    ASSERT_HOLDS(taken);
    EXPECT_TRUE(taken->signing->in_force);
    EXPECT_EQ(group[nick].membership().charter().seq, 2);
  }
  Charter looser = group["alpha"].next();
  looser.not_after += kSecondsPerDay;
  const auto loosening = group["alpha"].amend(looser);
  ASSERT_HOLDS(loosening);
  ASSERT_HOLDS(group["bravo"].take(loosening->charter.note));
  const auto by_two = group["bravo"].sign();
  ASSERT_HOLDS(by_two);
  EXPECT_FALSE(by_two->in_force);
  EXPECT_EQ(by_two->missing, std::vector<std::string>{"charlie"});
  ASSERT_HOLDS(group["charlie"].take(by_two->charter.note));
  EXPECT_TRUE(group["charlie"].sign()->in_force);
  EXPECT_EQ(group["charlie"].membership().charter().seq, 3);
  EXPECT_EQ(group["bravo"].membership().charter().seq, 2) << "until it has the last signature";
}

TEST(Amending, KeepsOneOfTwoVersionsThatCompete) {
  Group group({"alpha", "bravo", "charlie", "delta"});
  group.found();
  Charter one = group["alpha"].next(), other = group["charlie"].next();
  one.not_after -= 1;
  other.not_after -= 2;
  ASSERT_HOLDS(group["bravo"].take(group["alpha"].amend(one)->charter.note));
  const std::string first = group["bravo"].sign()->charter.note;
  ASSERT_HOLDS(group["delta"].take(group["charlie"].amend(other)->charter.note));
  const std::string second = group["delta"].sign()->charter.note;
  ASSERT_HOLDS(group["alpha"].take(first));
  EXPECT_REFUSED(group["alpha"].take(second), Errc::format, "version 3 is due");
  EXPECT_EQ(group["alpha"].membership().charter().not_after, one.not_after);
  EXPECT_EQ(group["delta"].membership().charter().not_after, other.not_after)
      << "the two have different charters in force, so no question passes between them";
  QuestionFacts facts{.peer_id = group["delta"].id(),
                      .peer_card = group["alpha"].membership().charter().member("delta")->card,
                      .peer_confirmed = true,
                      .charter = group["delta"].membership().signed_charter().hash,
                      .types = {indicator::Type::ipv4}};
  EXPECT_REFUSED(group["alpha"].membership().check_question(facts, kBegin + 60), Errc::skew, "another version");
}

TEST(Amending, IsRefusedAfterTheEnd) {
  Group group({"alpha", "bravo"});
  group.found();
  Charter longer = group["alpha"].next();
  longer.not_after += kSecondsPerDay;
  const auto in_time = group["alpha"].amend(longer);
  ASSERT_HOLDS(in_time);
  EXPECT_REFUSED(group["alpha"].amend(longer, kEnd), Errc::policy, "not_after");
  EXPECT_REFUSED(group["bravo"].take(in_time->charter.note, kEnd), Errc::policy, "not_after");
}

TEST(Amending, BringsInAMemberWhoFollowedFromTheFirstVersion) {
  Group group({"alpha", "bravo"});
  group.found();
  Participant charlie("charlie");
  for (const char* nick : {"alpha", "bravo"}) {
    group[nick].know(charlie);
    charlie.know(group[nick]);
  }
  const std::string founding = group["alpha"].membership().signed_charter().note;
  const auto package = join_group(charlie.desk(), "stadium", founding, charlie.id_seed(), kBegin);
  ASSERT_HOLDS(package);
  EXPECT_REFUSED(charlie.membership().check(Act::question, kBegin + 60), Errc::policy, "not a member yet");
  EXPECT_TRUE(standing_of_pair(charlie.vault(), charlie.id(), group["alpha"].id(), kBegin + 60)->without_charter())
      << "who has not come in has agreed on nothing";
  ASSERT_HOLDS(group["alpha"].take(package->note));
  Charter next = group["alpha"].next();
  next.members.push_back(package->member);
  next.log_quorum = 3;
  std::string note = group["alpha"].amend(next)->charter.note;
  ASSERT_HOLDS(group["bravo"].take(note));
  note = group["bravo"].sign()->charter.note;
  EXPECT_EQ(group["bravo"].membership().charter().seq, 1) << "the new member's own signature is missing";
  ASSERT_HOLDS(charlie.take(note));
  const auto last = charlie.sign();
  ASSERT_HOLDS(last);
  EXPECT_TRUE(last->in_force);
  EXPECT_EQ(charlie.row().state, kActive);
  EXPECT_EQ(standing_of_pair(charlie.vault(), charlie.id(), group["alpha"].id(), kBegin + 60)->open.size(), 1u);
  ASSERT_HOLDS(group["alpha"].take(last->charter.note));
  EXPECT_EQ(group["alpha"].membership().charter().members.size(), 3u);
}

// Two of three change nothing again and again, so that no dossier had room for all versions.
TEST(Amending, IsRefusedWhenMadeAndWhenTakenWhereFewerThanAllWouldUseUpWhatOthersMayNeed) {
  Group group({"alpha", "bravo", "charlie"});  // finding quorum: 2
  group.found();
  Participant& alpha = group["alpha"];
  const auto by_alpha = [&](Charter charter, std::int64_t seq, const Digest& prev) {
    charter.seq = seq;
    charter.prev = prev;
    return log::sign_note(charter_text(charter), alpha.id().name, alpha.id_seed());
  };
  const Charter charter = alpha.next();
  Digest last = alpha.membership().signed_charter().hash;
  for (std::int64_t seq = 2; seq <= kVersionsOfAnyQuorum; ++seq) {
    const std::string note = by_alpha(charter, seq, last);
    last = charter_hash(log::parse_note(note)->text);
    for (const char* nick : {"alpha", "bravo"})
      ASSERT_HOLDS(group[nick].vault().add_charter(charter.group, {seq, last, note, kBegin}));
  }
  Charter tighter = alpha.next(), looser = alpha.next();
  tighter.not_after -= 1;
  looser.not_after += 1;
  EXPECT_REFUSED(alpha.amend(tighter), Errc::limit, "This would be version 193");
  EXPECT_REFUSED(group["bravo"].take(by_alpha(tighter, kVersionsOfAnyQuorum + 1, last)), Errc::limit,
                 "what all members sign");
  const auto proposed = alpha.amend(looser);
  ASSERT_HOLDS(proposed);
  EXPECT_HOLDS(group["bravo"].take(proposed->charter.note));
}

TEST(Amending, ComesIntoForceWhenWhoeverWasMissingLeaves) {
  Group group({"alpha", "bravo", "charlie"});
  group.found();
  Charter looser = group["alpha"].next();
  looser.not_after += kSecondsPerDay;
  ASSERT_HOLDS(group["bravo"].take(group["alpha"].amend(looser)->charter.note));
  const std::string by_two = group["bravo"].sign()->charter.note;
  EXPECT_EQ(group["bravo"].membership().charter().seq, 1);
  const auto leave = make_leave(group["charlie"].membership().charter(), *group["charlie"].membership().ourselves(), "",
                                kBegin + 60, group["charlie"].id_seed());
  ASSERT_HOLDS(leave);
  ASSERT_HOLDS(group["bravo"].take(leave->note));
  EXPECT_EQ(group["bravo"].membership().charter().seq, 2);
  EXPECT_TRUE(group["bravo"].membership().has_left("charlie"));
  ASSERT_HOLDS(group["alpha"].take(leave->note));
  ASSERT_HOLDS(group["alpha"].take(by_two));
  EXPECT_EQ(group["alpha"].membership().charter().seq, 2);
  group["alpha"].test().reopen();
  EXPECT_EQ(group["alpha"].membership().charter().seq, 2) << "and it verifies again from the vault";
}

// A clock that was ahead when a version came must not end the group under a later, shorter one.
TEST(Amending, UnderAClockThatIsAheadRemembersNoTimeThatHasNotCome) {
  Group group({"alpha", "bravo"});
  group.found();
  Participant& alpha = group["alpha"];
  const UnixSeconds now = kBegin + 2 * kSecondsPerDay;
  Charter shorter = alpha.next();
  shorter.not_after = kBegin + 30 * kSecondsPerDay;
  const auto proposed = group["bravo"].amend(shorter, now);
  ASSERT_HOLDS(proposed);
  ASSERT_HOLDS(alpha.take(proposed->charter.note, kBegin + 80 * kSecondsPerDay));
  const auto signing = alpha.sign("", kBegin + 80 * kSecondsPerDay);
  ASSERT_HOLDS(signing);
  ASSERT_TRUE(signing->in_force);
  EXPECT_LE(alpha.row().latest, now);
  EXPECT_EQ(alpha.membership().phase_at(now), Phase::open);
}

TEST(Signatures, AreMergedOnceEach) {
  const Charter charter = charter_of(3);
  const std::string ab = signed_charter(charter, {"alpha", "bravo"}),
                    cb = signed_charter(charter, {"charlie", "bravo"});
  const auto merged = read_founded(merge_signatures(ab, cb));
  ASSERT_HOLDS(merged);
  EXPECT_EQ(merge_signatures(ab, ab), ab);
}

}  // namespace
}  // namespace parley::group
