// A finding's way through three members' logs: frozen by one, signed by two, dissented from by the third, published.
#include "finding/changed_program.h"
#include "finding/detail/records.h"
#include "group/rotation.h"

namespace parley::finding {
namespace {

class Findings : public testing::Test, protected ThreeMembers {};
class FindingsOfFour : public testing::Test, protected ThreeMembers {
 protected:
  FindingsOfFour() : ThreeMembers({"alpha", "bravo", "charlie", "delta"}) {}
};

TEST_F(Findings, GoFromADraftToAPublicationThroughTheLogsAlone) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  EXPECT_EQ(only_case("charlie").finding.evidence[0].summary.text, working_copy().evidence[0].summary.text)
      << "every member sees what outsiders may not";
  ASSERT_HOLDS(sign("alpha", *hash));
  ASSERT_HOLDS(sign("bravo", *hash));
  ASSERT_HOLDS(dissent("charlie", *hash, {{"judgement", Likelihood::unlikely, "The tools are sold."}}));
  exchange();
  ASSERT_HOLDS(publish("alpha", *hash));
  ASSERT_HOLDS(publish("bravo", *hash));
  exchange();
  for (const std::string& nick : nicks_) {
    const Case of = only_case(nick);
    EXPECT_EQ(of.signers, (std::vector<std::string>{"alpha", "bravo"})) << nick;
    EXPECT_EQ(of.publishers(), of.signers) << nick;
    ASSERT_EQ(of.dissents.size(), 1u) << nick;
    EXPECT_TRUE(of.has_dissent_of("charlie"));
    for (const Publication& publication : of.publications)
      EXPECT_EQ(publication.body.dissents, std::vector{of.dissents[0].hash}) << nick;
    EXPECT_HOLDS(read_signed_finding(of.note, membership(nick).charter()));
  }
}

TEST_F(Findings, ArePublishedNamingTheWithdrawalsThatAQuorumHoldsAndNoOthers) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  for (const std::string& nick : nicks_) ASSERT_HOLDS(sign(nick, *hash));
  exchange();
  ASSERT_HOLDS(withdraw("charlie", *hash, "The sensor was wrong."));
  while (hand_over("charlie", "alpha")) {
  }
  ASSERT_EQ(only_case("alpha").withdrawals.size(), 1u);
  ASSERT_HOLDS(publish("alpha", *hash));
  EXPECT_TRUE(only_case("alpha").publications.at(0).body.withdrawals.empty()) << "bravo does not hold it";
  EXPECT_REFUSED(publish("alpha", *hash), Errc::exists, "nothing has come in since");
  exchange();
  ASSERT_HOLDS(publish("alpha", *hash));
  const Case of = only_case("alpha");
  EXPECT_EQ(of.publications.at(1).body.withdrawals, std::vector{of.withdrawals.at(0).signed_withdrawal.hash});
}

TEST_F(Findings, AreNotFrozenWhenTheyBreakARule) {
  Finding finding = working_copy();
  finding.hypotheses[2].kind = "other";
  EXPECT_REFUSED(draft("alpha", finding), Errc::policy, "deception-missing");
  EXPECT_TRUE(book("alpha").cases.empty());
}

TEST_F(Findings, AreNotFrozenOnAnEntryThatNoQuorumHolds) {
  const auto fresh = log("alpha").append({.type = std::string(log::kHeads),
                                          .session = {},
                                          .refs = {},
                                          .audience = {},
                                          .body = log::Json::Object{{"v", 1}}});
  ASSERT_HOLDS(fresh);
  Finding finding = working_copy();
  finding.evidence[1].refs = {fresh->leaf_hash};
  EXPECT_REFUSED(draft("alpha", finding), Errc::policy, "no quorum held");
  finding.evidence[1].refs = {digest_of("nowhere")};
  EXPECT_REFUSED(draft("alpha", finding), Errc::not_found, "no log");
  exchange();
  finding.evidence[1].refs = {fresh->leaf_hash};
  EXPECT_HOLDS(draft("alpha", finding));
}

TEST_F(Findings, AreSignedOnceAndNotByWhoDissents) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  ASSERT_HOLDS(sign("bravo", *hash));
  EXPECT_REFUSED(sign("bravo", *hash), Errc::exists, "already");
  ASSERT_HOLDS(dissent("charlie", *hash, {{"e1", {}, "It was a sinkhole."}}));
  EXPECT_REFUSED(sign("charlie", *hash), Errc::policy, "You dissent");
  EXPECT_REFUSED(dissent("alpha", *hash, {{"e9", {}, "Not in it."}}), Errc::format, "not in the finding");
  EXPECT_REFUSED(dissent("alpha", *hash, {}), Errc::format, "no point");
}

TEST_F(Findings, AreDissentedAndWithdrawnFromInWordsThatCanBeSeen) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  ASSERT_HOLDS(sign("bravo", *hash));
  EXPECT_REFUSED(dissent("charlie", *hash, {{"e1", {}, "It was\u202e a sinkhole."}}), Errc::format, "\\u{202e}");
  EXPECT_REFUSED(withdraw("bravo", *hash, "A test.\ra\u2028b"), Errc::format, "cannot be seen");
  EXPECT_HOLDS(dissent("charlie", *hash, {{"e1", {}, "It was a sinkhole.\nWe ran it."}}));
}

TEST_F(Findings, ArePublishedBySignersOnceTheQuorumHasSigned) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  ASSERT_HOLDS(sign("alpha", *hash));
  EXPECT_REFUSED(publish("alpha", *hash), Errc::policy, "1 of 2");
  ASSERT_HOLDS(sign("bravo", *hash));
  exchange();
  EXPECT_REFUSED(publish("charlie", *hash), Errc::policy, "Only who has signed");
  ASSERT_HOLDS(publish("alpha", *hash));
  EXPECT_REFUSED(publish("alpha", *hash), Errc::exists, "nothing has come in");
  // A dissent that comes in later is published as well.
  ASSERT_HOLDS(dissent("charlie", *hash, {{"e1", {}, "It was a sinkhole."}}));
  exchange();
  EXPECT_HOLDS(publish("alpha", *hash));
}

TEST_F(Findings, StateTheTimeOfTheEntryThatFreezesThem) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  EXPECT_NEAR(static_cast<double>(only_case("alpha").finding.created), static_cast<double>(only_case("alpha").drafted),
              static_cast<double>(kMostToFreezeSeconds));
  // Also where the clock has been ahead: a log does not go back.
  const UnixSeconds ahead = wall_clock_now() + 500;
  write_at(*this, "alpha", log::kHeads, log::Json::Object{{"v", 1}}, ahead);
  ASSERT_HOLDS(draft("alpha", working_copy()));
  const Casebook book = this->book("alpha");
  ASSERT_EQ(book.cases.size(), 2u);
  EXPECT_EQ(book.cases[1].finding.created, ahead);
  EXPECT_EQ(book.cases[1].drafted, ahead);
}

// Charlie's program dates what it freezes as it likes.
TEST_F(Findings, ThatAreDatedOtherwiseThanTheirEntryAreNobodysToSign) {
  const UnixSeconds skew = membership("charlie").charter().clock_skew_seconds + kMostToFreezeSeconds;
  UnixSeconds frozen = wall_clock_now() + 10;
  for (const UnixSeconds off : {-skew, skew, -skew - 1, skew + 1, -30 * group::kSecondsPerDay, 5 * skew}) {
    Finding finding = working_copy();
    finding.created = ++frozen + off;
    const DraftBody body = frozen_by(*this, "charlie", finding);
    write_at(*this, "charlie", log::kFindingDraft, body.to_json(), frozen);
    exchange();
    const Casebook book = this->book("bravo");
    const bool is_within = off >= -skew && off <= skew;
    EXPECT_EQ(book.find(to_hex(finding_hash(body.text))).has_value(), is_within) << off;
    if (is_within) continue;
    ASSERT_FALSE(book.oddities.empty()) << off;
    const std::string& why = book.oddities.back().why;
    EXPECT_NE(why.find(to_rfc3339(finding.created)), std::string::npos) << why;
    EXPECT_NE(why.find(to_rfc3339(frozen)), std::string::npos) << why;
    EXPECT_NE(why.find("Ask its drafter to freeze it anew"), std::string::npos) << why;
  }
}

// Its log has run ahead, so that finding and entry agree.
TEST_F(Findings, ThatHaveNotBeenMadeYetAreNobodysToSign) {
  const UnixSeconds skew = membership("charlie").charter().clock_skew_seconds;
  for (const auto& [off, is_signed] : {std::pair{skew - 60, true}, std::pair{skew + 60, false}}) {
    Finding finding = working_copy();
    finding.created = wall_clock_now() + off;
    const DraftBody body = frozen_by(*this, "charlie", finding);
    write_at(*this, "charlie", log::kFindingDraft, body.to_json(), finding.created);
    exchange();
    const Status done = sign("bravo", finding_hash(body.text));
    if (is_signed) {
      EXPECT_HOLDS(done);
    } else {
      EXPECT_REFUSED(done, Errc::policy, "Nobody signs what has not been yet");
    }
  }
}

TEST_F(Findings, ThatReplaceOthersAreDatedByTheirOwnEntry) {
  const auto older = draft("alpha", working_copy());
  ASSERT_HOLDS(older);
  Finding revision = only_case("alpha").finding;
  for (const Placed& placed : redactable_texts(revision)) placed.text->commitment = {};
  revision.supersedes = *older;
  ++revision.revision;
  const UnixSeconds ahead = wall_clock_now() + 500;
  write_at(*this, "alpha", log::kHeads, log::Json::Object{{"v", 1}}, ahead);
  const auto newer = draft("alpha", revision);
  ASSERT_HOLDS(newer);
  const Casebook book = this->book("alpha");
  const auto found = book.find(to_hex(*newer));
  ASSERT_HOLDS(found);
  EXPECT_EQ((*found)->finding.created, ahead) << "and not by that of the one that it replaces";
}

/// A finding of alpha's that alpha and bravo have signed, and that charlie dissents from, as all know.
Result<Digest> signed_by_two_with_charlies_dissent(ThreeMembers& members) {
  TRY(const Digest hash, members.draft("alpha", members.working_copy()));
  members.exchange();
  for (const char* nick : {"alpha", "bravo"}) TRY_STATUS(members.sign(nick, hash));
  TRY_STATUS(members.dissent("charlie", hash, {{"e1", {}, "It was a sinkhole."}}));
  members.exchange();
  return hash;
}

/// How many entries of a type the log of `nick` has, as alpha knows it.
std::size_t count_of(ThreeMembers& members, const std::string& nick, std::string_view type) {
  return members.log("alpha").with([&](mirror::Replica& replica) {
    std::size_t count = 0;
    for (std::uint64_t seq = 0; seq < replica.size(nick); ++seq) count += replica.entry(nick, seq)->entry.type == type;
    return count;
  });
}

TEST_F(Findings, ArePublishedWithTheDissentsThatThePublicationNamesEachOnceInItsAuthorsLog) {
  const auto hash = signed_by_two_with_charlies_dissent(*this);
  ASSERT_HOLDS(hash);
  for (const char* nick : {"alpha", "bravo"}) ASSERT_HOLDS(publish(nick, *hash));
  ASSERT_HOLDS(dissent("charlie", *hash, {{"e2", {}, "The build time can be forged."}}));
  ASSERT_HOLDS(dissent("alpha", *hash, {{"e2", {}, "I think so too."}}));
  exchange();
  for (const char* nick : {"alpha", "bravo"}) ASSERT_HOLDS(publish(nick, *hash));
  exchange();
  EXPECT_EQ(count_of(*this, "alpha", log::kFindingDissent), 3u) << "charlie's two and its own";
  EXPECT_EQ(count_of(*this, "bravo", log::kFindingDissent), 3u);
  EXPECT_EQ(count_of(*this, "charlie", log::kFindingDissent), 2u);
  for (const std::string& nick : nicks_) {
    const Case of = only_case(nick);
    EXPECT_EQ(of.dissents.size(), 3u) << nick;
    EXPECT_EQ(of.publications.size(), 4u) << nick;
  }
}

// A node goes on taking the others' logs while its operator makes up its mind.
TEST_F(Findings, AreNotPublishedWithoutWhatCameInAfterTheyWereRead) {
  const auto hash = signed_by_two_with_charlies_dissent(*this);
  ASSERT_HOLDS(hash);
  const auto publish_as_read = [&](const Case& read) {
    const group::Membership membership = this->membership("bravo");
    return Analyst(group_["bravo"].vault(), membership, log("bravo")).publish(read, kNow);
  };
  const Case one_dissent = only_case("bravo");
  ASSERT_HOLDS(dissent("charlie", *hash, {{"e2", {}, "The build time can be forged."}}));
  exchange();
  EXPECT_REFUSED(publish_as_read(one_dissent), Errc::policy, "A dissent of charlie came in");
  const Case both_signed = only_case("bravo");
  ASSERT_HOLDS(withdraw("alpha", *hash, "Our sensor was wrong."));
  exchange();
  EXPECT_REFUSED(publish_as_read(both_signed), Errc::policy, "A withdrawal of alpha came in");
  EXPECT_EQ(count_of(*this, "bravo", log::kFindingPublish), 0u);
  EXPECT_HOLDS(publish_as_read(only_case("bravo")));
}

// Whoever lacks charlie's log, or is shown another one, has charlie's words by those who name them.
TEST_F(Findings, HaveTheDissentsThatTheirPublishersHandOnThoughTheirAuthorsWordsAreNotHere) {
  const auto hash = signed_by_two_with_charlies_dissent(*this);
  ASSERT_HOLDS(hash);
  ASSERT_HOLDS(publish("bravo", *hash));
  exchange();
  const mirror::EntryView said = log("alpha").with(
      [&](mirror::Replica& replica) { return *replica.entry("charlie", replica.size("charlie") - 1); });
  ASSERT_EQ(said.entry.type, log::kFindingDissent);
  EXPECT_HOLDS(group_["alpha"].vault().erase_entry_body(said.leaf_hash));
  const Casebook book = this->book("alpha");
  ASSERT_EQ(book.cases.at(0).dissents.size(), 1u);
  EXPECT_EQ(book.cases.at(0).dissents[0].dissent.nick, "charlie");
  EXPECT_EQ(book.cases.at(0).publishers(), std::vector<std::string>{"bravo"});
}

// Its publisher has done what it should: nothing that it publishes again would help.
TEST_F(Findings, SayWhatWordsArePublishedAndNotHere) {
  const auto hash = signed_by_two_with_charlies_dissent(*this);
  ASSERT_HOLDS(hash);
  ASSERT_HOLDS(publish("bravo", *hash));
  exchange();
  const mirror::EntryView handed_on =
      log("alpha").with([&](mirror::Replica& replica) { return *replica.entry("bravo", replica.size("bravo") - 2); });
  ASSERT_EQ(handed_on.entry.type, log::kFindingDissent);
  EXPECT_HOLDS(group_["alpha"].vault().erase_entry_body(handed_on.leaf_hash));
  const Casebook book = this->book("alpha");
  const Case& of = book.cases.at(0);
  ASSERT_EQ(of.set_aside.size(), 1u);
  EXPECT_NE(of.set_aside[0].why.find("parley finding list --call"), std::string::npos) << of.set_aside[0].why;
  EXPECT_EQ(of.set_aside[0].why.find("publishes again"), std::string::npos) << of.set_aside[0].why;
}

TEST_F(Findings, AreNotPublishedByWhoNamesADissentAndDoesNotHandItOnBefore) {
  const auto hash = signed_by_two_with_charlies_dissent(*this);
  ASSERT_HOLDS(hash);
  const SignedDissent said = only_case("bravo").dissents.at(0);
  const auto write = [&](std::string_view type, log::Json body) {
    write_at(*this, "bravo", type, std::move(body), wall_clock_now());
  };
  const auto expect_set_aside = [&] {
    exchange();
    for (const std::string& nick : nicks_) {
      const Casebook book = this->book(nick);
      const Case& of = book.cases.at(0);
      EXPECT_TRUE(of.publishers().empty()) << nick;
      ASSERT_EQ(of.set_aside.size(), 1u) << nick;
      EXPECT_NE(of.set_aside[0].why.find("bravo publishes again"), std::string::npos) << of.set_aside[0].why;
    }
  };
  const PublishBody named{*hash, {"alpha", "bravo"}, {said.hash}};
  write(log::kFindingPublish, named.to_json());
  expect_set_aside();
  write(log::kFindingDissent, NoteBody{*hash, said.note}.to_json());
  expect_set_aside();
  write(log::kFindingPublish, named.to_json());
  exchange();
  for (const std::string& nick : nicks_)
    EXPECT_EQ(book(nick).cases.at(0).publishers(), std::vector<std::string>{"bravo"}) << nick;
}

TEST_F(Findings, AreDissentedFromByWhoSignedTheDissentWhoeverHandsItOn) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  const auto in_charlies_name =
      sign_dissent({*hash, membership("bravo").charter().group, "charlie", kNow, {{"e1", {}, "It was a sinkhole."}}},
                   *group::own_id_key(group_["bravo"].card()), group_["bravo"].id_seed());
  ASSERT_HOLDS(in_charlies_name);
  write_at(*this, "bravo", log::kFindingDissent, NoteBody{*hash, in_charlies_name->note}.to_json(), wall_clock_now());
  exchange();
  const Casebook book = this->book("alpha");
  EXPECT_TRUE(book.cases.at(0).dissents.empty());
  EXPECT_EQ(book.oddities.size(), 1u);
}

// Or each reader would have another case.
TEST_F(Findings, TakeNoWordThatNotAllCanRead) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  ASSERT_HOLDS(sign("bravo", *hash));
  ASSERT_HOLDS(log("bravo").append({.type = std::string(log::kFindingDraft),
                                    .session = {},
                                    .refs = {},
                                    .audience = {"alpha"},
                                    .body = log::Json::Object{{"v", 1}}}));
  exchange();
  for (const std::string nick : {"alpha", "bravo", "charlie"}) {
    const Casebook seen = book(nick);
    EXPECT_EQ(seen.cases.size(), 1u);
    ASSERT_EQ(seen.oddities.size(), 1u) << nick;
    EXPECT_EQ(seen.oddities.front().why, "it is not for everybody in the group") << nick;
  }
}

TEST_F(Findings, StopAfterTheDaysOfGrace) {
  const group::Membership membership = this->membership("alpha");
  Analyst analyst(group_["alpha"].vault(), membership, log("alpha"));
  EXPECT_HOLDS(membership.check(group::Act::finding, group::kEnd + group::kSecondsPerDay));
  EXPECT_REFUSED(analyst.draft(working_copy(), group::kEnd + 31 * group::kSecondsPerDay), Errc::policy, "");
}

TEST_F(Findings, OfAHostileMemberStopNobodyElses) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  const Case of = only_case("bravo");
  const auto write = [&](std::string_view type, log::Json body) {
    EXPECT_HOLDS(log("bravo").append({.type = std::string(type),
                                      .session = {},
                                      .refs = {},
                                      .audience = {std::string(log::kEveryone)},
                                      .body = std::move(body)}));
  };
  const auto charlies =
      sign_finding(of.text, *group::own_id_key(group_["charlie"].card()), group_["charlie"].id_seed());
  ASSERT_HOLDS(charlies);
  const auto not_members = log::sign_note(of.text, "parley.local/m/zulu/id", random_secret<32>());
  DraftBody stripped{of.text, {}, of.checkpoints}, without_cut{of.text, of.openings, {}};
  DraftBody other_cut{of.text, of.openings, of.checkpoints};
  std::swap(other_cut.checkpoints[0], other_cut.checkpoints[1]);
  // To look for who holds a tree takes work, once for each log that a draft names.
  Finding doubled = of.finding;
  doubled.cut.push_back(doubled.cut.back());
  DraftBody twice{{}, freeze(doubled), of.checkpoints};
  twice.text = finding_text(doubled);
  twice.checkpoints.push_back(twice.checkpoints.back());
  write(log::kFindingDraft, twice.to_json());
  write(log::kFindingDraft, log::Json::Object{{"v", 1}});
  write(log::kFindingDraft, stripped.to_json());
  write(log::kFindingDraft, without_cut.to_json());
  write(log::kFindingDraft, other_cut.to_json());
  write(log::kFindingSign, log::Json::Object{{"v", 1}});
  write(log::kFindingSign, NoteBody{*hash, *charlies}.to_json());
  write(log::kFindingSign, NoteBody{*hash, not_members}.to_json());
  write(log::kFindingSign, NoteBody{digest_of("unknown"), *charlies}.to_json());
  write(log::kFindingDissent, NoteBody{*hash, *charlies}.to_json());
  write(log::kFindingPublish, PublishBody{digest_of("unknown"), {}, {}}.to_json());
  exchange();
  const Casebook book = this->book("alpha");
  EXPECT_EQ(book.oddities.size(), 11u);
  EXPECT_TRUE(std::ranges::any_of(
      book.oddities, [](const Oddity& one) { return one.why.find("does not name each log once") != one.why.npos; }));
  ASSERT_EQ(book.cases.size(), 1u);
  EXPECT_TRUE(book.cases[0].signers.empty());
  EXPECT_TRUE(book.cases[0].dissents.empty());
  ASSERT_HOLDS(sign("alpha", *hash));
}

// Charlie's program fills its log: what others wrote is read as before, and what is left out is said.
TEST_F(Findings, AreReadThoughAMemberFillsItsLogWithDrafts) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  const Case honest = only_case("charlie");
  const std::uint64_t enough = detail::kShares[0].body_bytes / mirror::kMaxCarriedBodyBytes + 2;
  for (std::uint64_t i = 0; i < enough; ++i)
    ASSERT_HOLDS(log("charlie").append(mirror::draft_for_everyone(
        log::kFindingDraft,
        log::Json::Object{{"v", 1}, {"x", std::string(mirror::kMaxCarriedBodyBytes - 4096, 'x')}})));
  const DraftBody late{honest.text, honest.openings, honest.checkpoints};
  ASSERT_HOLDS(log("charlie").append(mirror::draft_for_everyone(log::kFindingDraft, late.to_json())));
  const Casebook book = this->book("charlie");
  ASSERT_EQ(book.cases.size(), 1u);
  EXPECT_EQ(book.cases[0].draft.nick, "alpha");
  ASSERT_EQ(book.left_out.size(), 1u);
  EXPECT_EQ(book.left_out[0].nick, "charlie");
  EXPECT_EQ(book.left_out[0].entries + book.oddities.size(), enough + 1) << "each entry is told or counted";
  EXPECT_GE(book.left_out[0].entries, 2u);
  EXPECT_NE(book.left_out[0].why.find("32 MiB"), std::string::npos);
}

TEST_F(Findings, AreReadThoughAMemberWritesMoreEntriesThanAreJudged) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  const std::uint64_t share = detail::kShares[0].entries;
  for (std::uint64_t i = 0; i < share + 7; ++i)
    ASSERT_HOLDS(log("charlie").append(
        mirror::draft_for_everyone(log::kFindingDraft, log::Json::Object{{"v", static_cast<std::int64_t>(i)}})));
  const Casebook book = this->book("charlie");
  EXPECT_EQ(book.cases.size(), 1u);
  EXPECT_EQ(book.oddities.size(), detail::kMaxOdditiesOfOne);
  ASSERT_EQ(book.left_out.size(), 2u);
  EXPECT_EQ(book.left_out[0].entries, share - detail::kMaxOdditiesOfOne) << "read, and not told one by one";
  EXPECT_EQ(book.left_out[1].entries, 7u) << "not read";
  for (const LeftOut& left_out : book.left_out) EXPECT_EQ(left_out.nick, "charlie");
}

TEST_F(Findings, WaitForNoMoreUnreadEntriesOfAMemberThanItMayDissent) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  for (int i = 0; i < 70; ++i) {
    const auto written = log("charlie").append(
        mirror::draft_for_everyone(log::kFindingDissent, log::Json::Object{{"v", static_cast<std::int64_t>(i)}}));
    ASSERT_HOLDS(written);
    EXPECT_HOLDS(group_["charlie"].vault().erase_entry_body(written->leaf_hash));
  }
  const Casebook book = this->book("charlie");
  ASSERT_EQ(book.cases.size(), 1u);
  EXPECT_EQ(book.cases[0].unread.size(), 64u);
  EXPECT_EQ(book.oddities.size(), 64u);
  ASSERT_EQ(book.left_out.size(), 1u);
  EXPECT_EQ(book.left_out[0].entries, 6u);
}

// Charlie says by a rotation that it has held nothing of what the finding rests on.
TEST_F(Findings, StayThoughAMemberTakesItsWordBack) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  ASSERT_HOLDS(sign("bravo", *hash));
  exchange();
  take_back("charlie");
  for (const std::string nick : {"alpha", "bravo"}) {
    const Case of = only_case(nick);
    EXPECT_EQ(of.signers, std::vector<std::string>{"bravo"}) << nick;
    const auto membership = this->membership(nick);
    const auto keys = group::member_keys(group_[nick].vault(), membership.charter());
    ASSERT_HOLDS(keys);
    EXPECT_REFUSED(check_cut(of.finding, of.checkpoints, membership.charter(), *keys, membership.left()), Errc::policy,
                   "No signature that counts is here of charlie.");
    const auto cutoffs = group::short_cutoffs(group_[nick].vault(), membership);
    ASSERT_HOLDS(cutoffs);
    ASSERT_FALSE(cutoffs->empty());
    for (const group::ShortCutoff& cutoff : *cutoffs) {
      EXPECT_EQ(cutoff.nick, "charlie");
      EXPECT_EQ(cutoff.stated, 0u);
    }
  }
  EXPECT_HOLDS(sign("alpha", *hash)) << "and can be signed as before";
}

TEST_F(FindingsOfFour, StayThoughAMemberTakesItsWordBack) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  exchange();
  ASSERT_HOLDS(sign("bravo", *hash));
  exchange();
  take_back("charlie");
  take_back("delta");
  for (const std::string nick : {"alpha", "bravo"})
    EXPECT_EQ(only_case(nick).signers, std::vector<std::string>{"bravo"}) << nick;
}

// Delta's copy of bravo's log went past the tree of the draft, so that charlie's word on that tree reaches it in the
// draft alone; but charlie has cosigned the log in which the draft stands.
TEST_F(FindingsOfFour, StayWhereALineIsKeptInADraftThatItsAuthorHasCosigned) {
  const auto grow = [&](const std::string& nick) {
    ASSERT_HOLDS(log(nick).append({.type = std::string(log::kHeads),
                                   .session = {},
                                   .refs = {},
                                   .audience = {std::string(log::kEveryone)},
                                   .body = log::Json::Object{{"v", 1}}}));
  };
  // Twice: what others have cosigned of entries comes with the heads of the next link.
  const auto tell = [&](const std::string& from, const std::string& to) {
    for (int link = 0; link < 2; ++link) {
      log(from).with([&](mirror::Replica& replica) { replica.connected(to); });
      hand_over(from, to);
    }
  };
  grow("bravo");
  tell("bravo", "charlie");
  tell("bravo", "alpha");
  grow("bravo");
  tell("bravo", "delta");
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  tell("alpha", "charlie");
  tell("alpha", "delta");
  const auto of_bravo = [&](const std::string& nick) {
    return log(nick).with([&](mirror::Replica& replica) { return replica.size("bravo"); });
  };
  const std::vector<Cut> cut = only_case("delta").finding.cut;
  const auto bravos = std::ranges::find(cut, "bravo", &Cut::nick);
  ASSERT_EQ(bravos->size, of_bravo("charlie"));
  ASSERT_EQ(of_bravo("delta"), bravos->size + 1);
  take_back("charlie");
  only_case("delta");
}

TEST_F(Findings, DoNotComeToStandByAKeyThatWasReplacedBefore) {
  take_back("charlie");
  const auto hash = draft("alpha", working_copy());
  // What charlie signed before counts here; a finding is frozen on what readers count.
  EXPECT_REFUSED(hash, Errc::policy, "charlie");
}

TEST_F(Findings, AreNamedByFourDigitsOrMore) {
  const auto hash = draft("alpha", working_copy());
  ASSERT_HOLDS(hash);
  const Casebook book = this->book("alpha");
  EXPECT_HOLDS(book.find(to_hex(*hash).substr(0, 4)));
  EXPECT_REFUSED(book.find(to_hex(*hash).substr(0, 3)), Errc::usage, "four digits");
  EXPECT_REFUSED(book.find("zzzz"), Errc::not_found, "parley finding list");
}

}  // namespace
}  // namespace parley::finding
