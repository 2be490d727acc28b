// A member whose program writes what readers of a dossier refuse keeps nobody else from making one: what a reader would
// not take is left aside, and said.
#include "crypto/ristretto.h"
#include "dossier/both_verifiers.h"
#include "finding/changed_program.h"

namespace parley::dossier {
namespace {

/// The scalar of an Ed25519 key (RFC 8032, 5.1.5), modulo the group order.
crypto::Scalar scalar_of(const Secret<32>& seed) {
  const crypto::Digest512 hash = crypto::sha512(seed.expose());
  std::array<std::byte, crypto::kUniformBytes> wide{};
  std::copy_n(hash.begin(), 32, wide.begin());
  wide[0] &= std::byte{248};
  wide[31] = (wide[31] & std::byte{127}) | std::byte{64};
  return crypto::Scalar::from_uniform(wide);
}

/// A signature by a nonce of the signer's choice (RFC 8032, 5.1.6 says which one is usual): it verifies like that one.
Bytes signed_otherwise(std::string_view text, const Secret<32>& seed) {
  const Secret<32> nonce = random_secret<32>();
  Bytes signature, hashed;
  append(signature, crypto::public_key_of(nonce));
  append(hashed, signature);
  append(hashed, crypto::public_key_of(seed));
  append(hashed, as_bytes(text));
  const crypto::Scalar s = scalar_of(nonce) + crypto::Scalar::from_uniform(crypto::sha512(hashed)) * scalar_of(seed);
  append(signature, s.expose());
  return signature;
}

class SpoiltEntries : public BothVerifiers {
 protected:
  /// All but `spoiler` have an honest program; the finding is frozen by bravo, whose clock is ahead of the others'.
  void freeze() {
    at("bravo", log::kHeads, log::Json::Object{{"v", 1}}, wall_clock_now() + kAhead);
    members_.exchange();
    const auto hash = members_.draft("bravo", members_.working_copy());
    ASSERT_HOLDS(hash);
    hash_ = *hash;
    members_.exchange();
  }
  void sign_all() {
    for (const std::string& nick : members_.nicks_) EXPECT_HOLDS(members_.sign(nick, hash_));
    members_.exchange();
  }
  void publish(std::initializer_list<const char*> nicks) {
    for (const char* nick : nicks) EXPECT_HOLDS(members_.publish(nick, hash_));
    members_.exchange();
  }
  /// Writes into the log of `nick` as its changed program may, stating any time.
  void at(std::string_view nick, std::string_view type, log::Json body, UnixSeconds time) {
    finding::write_at(members_, nick, type, std::move(body), time);
  }
  /// What bravo's honest program refuses to freeze alpha's freezes, bravo's refuses to sign, and then all sign and
  /// publish: the maker judges as they should have.
  void expect_refused_by_all(finding::Finding finding, Errc code, const std::string& why) {
    EXPECT_REFUSED(members_.draft("bravo", finding), code, why);
    finding.created = wall_clock_now();
    const finding::DraftBody body = finding::frozen_by(members_, "alpha", finding);
    hash_ = finding::finding_hash(body.text);
    at("alpha", log::kFindingDraft, body.to_json(), finding.created);
    members_.exchange();
    EXPECT_REFUSED(members_.sign("bravo", hash_), code, why);
    for (const std::string& nick : members_.nicks_) {
      const auto note = finding::sign_finding(body.text, members_.group_[nick].id(), members_.group_[nick].id_seed());
      ASSERT_HOLDS(note);
      at(nick, log::kFindingSign, finding::NoteBody{hash_, *note}.to_json(), finding.created);
    }
    members_.exchange();
    publish({"alpha", "bravo", "charlie"});
    EXPECT_REFUSED(dossier_by(members_, "bravo", of("bravo")), code, why);
  }
  finding::Case of(std::string_view nick) {
    const finding::Casebook book = members_.book(nick);
    EXPECT_EQ(book.cases.size(), 1u);
    return book.cases.empty() ? finding::Case{} : book.cases.front();
  }
  /// What both verifiers say of the dossier that this member makes.
  Verdict made_by(const std::string& nick) {
    return taken_by_both(members_, nick, dossier_by(members_, nick, of(nick)));
  }

  static constexpr UnixSeconds kAhead = 300;
  finding::ThreeMembers members_;
  Digest hash_{};
  const UnixSeconds too_late_ = members_.membership("alpha").charter().grace_ends() + 100'000;
};

TEST_F(SpoiltEntries, ThatRepeatADraftWithMoreSignatureLinesHarmNobody) {
  freeze();
  const finding::Case honest = of("charlie");
  const auto strangers = [](std::string& note) {
    const std::string signed_note = log::sign_note("another text\n", "parley.local/m/zulu/log", random_secret<32>());
    note += signed_note.substr(signed_note.rfind("\n\n") + 2);
  };
  const auto own_twice = [](std::string& note) { note += note.substr(note.rfind("\xe2\x80\x94 ")); };
  for (const std::function<void(std::string&)>& spoil :
       std::vector<std::function<void(std::string&)>>{strangers, own_twice}) {
    finding::DraftBody copy{honest.text, honest.openings, honest.checkpoints};
    std::ranges::for_each(copy.checkpoints, spoil);
    at("alpha", log::kFindingDraft, copy.to_json(), 1);
  }
  members_.exchange();
  EXPECT_EQ(of("charlie").checkpoints, honest.checkpoints);
  sign_all();
  publish({"bravo", "charlie"});
  for (const std::string& nick : members_.nicks_) {
    EXPECT_EQ(of(nick).draft.nick, "alpha") << "the copy is the first by the members' clocks";
    EXPECT_TRUE(made_by(nick).holds) << nick;
  }
}

TEST_F(SpoiltEntries, ThatRepeatADraftWithFewerSignatureLinesTakeNoneAway) {
  freeze();
  const finding::Case honest = of("bravo");
  finding::DraftBody copy{honest.text, honest.openings, honest.checkpoints};
  for (std::string& note : copy.checkpoints) {
    log::Note fewer = *log::parse_note(note);
    std::erase_if(fewer.signatures, [](const log::NoteSignature& one) {
      return one.name.find("charlie") != std::string::npos && one.name.ends_with("/mirror");
    });
    note = log::write_note(fewer);
  }
  ASSERT_NE(copy.checkpoints, honest.checkpoints);
  at("alpha", log::kFindingDraft, copy.to_json(), 1);
  members_.exchange();
  const auto expect_whole = [&] {
    EXPECT_TRUE(members_.book("bravo").oddities.empty());
    EXPECT_EQ(of("bravo").draft.nick, "alpha") << "the copy is the first by the members' clocks";
    EXPECT_EQ(of("bravo").checkpoints, honest.checkpoints) << "with what is kept here of the very trees";
  };
  expect_whole();
  // Also where fewer are enough, because one has left.
  const group::Charter charter = members_.membership("bravo").charter();
  finding::Participant& charlie = members_.group_["charlie"];
  const auto leave = group::make_leave(charter, *charter.member("charlie"), "", wall_clock_now(), charlie.id_seed());
  ASSERT_HOLDS(leave);
  EXPECT_HOLDS(members_.group_["bravo"].take(leave->note, finding::ThreeMembers::kNow));
  ASSERT_EQ(members_.membership("bravo").left().size(), 1u);
  expect_whole();
}

TEST_F(SpoiltEntries, ByWhoPublishesAfterTheCharterHasEndedAreLeftAsideAndSaid) {
  freeze();
  sign_all();
  publish({"bravo", "charlie"});
  at("alpha", log::kFindingPublish, finding::PublishBody{hash_, {"alpha"}, {}}.to_json(), too_late_);
  members_.exchange();
  const finding::Case seen = of("charlie");
  EXPECT_EQ(seen.publishers(), (std::vector<std::string>{"bravo", "charlie"}));
  ASSERT_EQ(seen.set_aside.size(), 1u);
  EXPECT_EQ(seen.set_aside[0].place.nick, "alpha");
  EXPECT_NE(seen.set_aside[0].why.find("outside the time"), std::string::npos);
  const Verdict verdict = made_by("charlie");
  ASSERT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.contents->publishers, seen.publishers());
}

TEST_F(SpoiltEntries, ByWhoWithdrawsAfterTheCharterHasEndedAreShownAndCountForNothing) {
  freeze();
  sign_all();
  publish({"bravo", "charlie"});
  const auto withdrawal = finding::sign_withdrawal(
      {hash_, members_.membership("alpha").charter().group, "alpha", finding::kBegin, "To spoil it."},
      members_.group_["alpha"].id(), members_.group_["alpha"].id_seed());
  ASSERT_HOLDS(withdrawal);
  at("alpha", log::kFindingWithdraw, finding::NoteBody{hash_, withdrawal->note}.to_json(), too_late_);
  members_.exchange();
  const finding::Casebook book = members_.book("charlie");
  ASSERT_EQ(book.oddities.size(), 1u);
  EXPECT_EQ(book.oddities[0].place.nick, "alpha");
  ASSERT_EQ(book.cases.at(0).set_aside.size(), 1u);
  EXPECT_TRUE(book.cases.at(0).withdrawals.empty());
  EXPECT_TRUE(made_by("charlie").holds);
  // Its words need not be waited for either.
  EXPECT_HOLDS(members_.group_["bravo"].vault().erase_entry_body(book.oddities[0].place.leaf));
  EXPECT_TRUE(of("bravo").unread.empty());
  EXPECT_TRUE(made_by("bravo").holds);
}

TEST_F(SpoiltEntries, DoNotTakeTheFirstWithdrawalsPlace) {
  // An honest withdrawal within the time counts, though another one that does not was written about the finding.
  freeze();
  sign_all();
  publish({"bravo", "charlie"});
  EXPECT_HOLDS(members_.withdraw("alpha", hash_, "The sensor was wrong."));
  members_.exchange();
  const Verdict verdict = made_by("bravo");
  ASSERT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.contents->withdrawals.size(), 1u);
  EXPECT_TRUE(of("bravo").set_aside.empty());
}

TEST_F(SpoiltEntries, OfEvidenceThatNoDossierCanShowAreRefusedBeforeAnybodySigns) {
  at("alpha", log::kHeads, log::Json::Object{{"v", 1}}, too_late_);
  members_.exchange();
  const std::uint64_t last = members_.log("bravo").with([&](mirror::Replica& replica) {
    std::uint64_t size = 0;
    while (replica.entry("alpha", size)) ++size;
    return size - 1;
  });
  finding::Finding finding = members_.working_copy();
  finding.evidence[0].refs = {members_.leaf("alpha", last)};
  EXPECT_REFUSED(members_.draft("bravo", finding), Errc::signature, "outside the time");
}

// Such a version may come into force, and then the entry may be from outside its time, or by no member of it; or it
// may never be known to anybody.
TEST_F(SpoiltEntries, OfEvidenceByAVersionThatIsNotInForceAreRefusedByDrafterSignerAndMakerAlike) {
  const Digest gathering = finding::digest_of("an amendment that still gathers signatures");
  const Digest in_force = members_.membership("alpha").signed_charter().hash;
  const auto write_by = [&](const Digest& charter) {
    members_.log("alpha").with([&](mirror::Replica& replica) { replica.set_charter(charter); });
    at("alpha", log::kHeads, log::Json::Object{{"v", 1}}, finding::ThreeMembers::kNow);
    members_.log("alpha").with([&](mirror::Replica& replica) { replica.set_charter(in_force); });
  };
  write_by(gathering);
  members_.exchange();
  const Digest leaf = members_.log("alpha").with(
      [&](mirror::Replica& replica) { return replica.entry("alpha", replica.size("alpha") - 1)->leaf_hash; });
  finding::Finding finding = members_.working_copy();
  finding.evidence[0].refs = {leaf};
  expect_refused_by_all(finding, Errc::policy, "names a version of the charter that was not in force");
}

// Its author wrote it an hour ahead, by its clock: a finding that was made before cannot rest on it.
TEST_F(SpoiltEntries, OfEvidenceThatWasNotThereYetAreRefusedByDrafterSignerAndMakerAlike) {
  const UnixSeconds later = wall_clock_now() + 3'600;
  at("charlie", log::kHeads, log::Json::Object{{"v", 1}}, later);
  members_.exchange();
  finding::Finding finding = members_.working_copy();
  finding.evidence[0].refs = {members_.log("alpha").with(
      [&](mirror::Replica& replica) { return replica.entry("charlie", replica.size("charlie") - 1)->leaf_hash; })};
  expect_refused_by_all(finding, Errc::policy,
                        fmt::format("entry 2 of charlie, which is of {}, and the finding states that it was made at ",
                                    to_rfc3339(later)));
}

TEST_F(SpoiltEntries, OrOthersAreNoEvidenceBeyondWhatADossierCanShow) {
  finding::Finding finding = members_.working_copy();
  finding::Evidence more = finding.evidence[1];
  finding::Row row = finding.matrix[1];
  for (std::size_t i = 0; i <= finding::kMaxRefs / finding::kMaxRefsOfEvidence; ++i) {
    more.id = row.evidence = fmt::format("e{}", finding.evidence.size() + 1);
    more.commitment = finding::digest_of(more.id);
    more.refs.clear();
    for (std::size_t j = 0; j < finding::kMaxRefsOfEvidence; ++j)
      more.refs.push_back(finding::digest_of(fmt::format("{} {}", i, j)));
    finding.evidence.push_back(more);
    finding.matrix.push_back(row);
  }
  EXPECT_REFUSED(members_.draft("bravo", finding), Errc::limit, "rests on more than 2048 entries");
}

TEST_F(SpoiltEntries, WithTwoSignaturesByOneKeyCountOnce) {
  freeze();
  sign_all();
  const finding::Case before = of("bravo");
  log::Note note = *log::parse_note(
      *finding::sign_finding(before.text, members_.group_["alpha"].id(), members_.group_["alpha"].id_seed()));
  note.signatures.at(0).signature = signed_otherwise(note.text, members_.group_["alpha"].id_seed());
  EXPECT_HOLDS(log::verify_note(note, members_.group_["alpha"].id()));
  at("alpha", log::kFindingSign, finding::NoteBody{hash_, log::write_note(note)}.to_json(), 1);
  members_.exchange();
  EXPECT_EQ(of("bravo").note, before.note);
}

struct Dated {
  UnixSeconds made = 0, entry = 0;
  bool holds = false;
};

TEST(DateOfAFinding, IsThatOfItsEntryAndNoEarlierThanItsEvidenceByWhatClocksMayDiffer) {
  group::Charter charter = group::charter_of(3);
  charter.clock_skew_seconds = 600;
  finding::Finding finding = finding::sample_finding(charter);
  log::Entry entry;
  entry.seq = 7;
  const UnixSeconds made = finding.created;
  for (const Dated& row : {Dated{made, made, true},
                           {made, made + 660, true},
                           {made, made - 660, true},
                           {made, made + 661, false},
                           {made, made - 661, false},
                           {0, made, false},
                           {kLatestTime, made, false},
                           {made, log::kMaxInteger, false}}) {
    finding.created = row.made;
    const Status frozen = finding::check_frozen_when_made(finding, row.entry, charter);
    EXPECT_EQ(frozen.has_value(), row.holds) << row.made << " in an entry of " << row.entry;
    if (!row.holds) {
      EXPECT_REFUSED(frozen, Errc::policy,
                     "at most 600 s apart, and freezing takes at most 60 s. Ask its drafter to freeze it anew");
      EXPECT_REFUSED(frozen, Errc::policy, to_rfc3339(row.made));
      EXPECT_REFUSED(frozen, Errc::policy, to_rfc3339(std::min(row.entry, kLatestTime)));
    }
  }
  for (const Dated& row : {Dated{made, made, true},
                           {made, made + 600, true},
                           {made, 0, true},
                           {kLatestTime, made, true},
                           {made, made + 601, false},
                           {made, log::kMaxInteger, false}}) {
    finding.created = row.made;
    entry.time = row.entry;
    const Status there = finding::check_was_there(entry, "bravo", finding, charter);
    EXPECT_EQ(there.has_value(), row.holds) << row.made << " on evidence of " << row.entry;
    if (!row.holds) {
      EXPECT_REFUSED(there, Errc::policy, "names entry 7 of bravo");
    }
  }
}

TEST(WithinTheCharter, IsAnEntryByAMemberAndInItsTime) {
  const group::Charter charter = group::charter_of(3);
  const UnixSeconds skew = charter.clock_skew_seconds;
  const auto check = [&](std::string_view nick, UnixSeconds time) {
    log::Entry entry;
    entry.time = time;
    return finding::check_within(charter, entry, nick);
  };
  EXPECT_HOLDS(check("alpha", charter.not_before - skew));
  EXPECT_HOLDS(check("alpha", charter.grace_ends() + skew));
  EXPECT_REFUSED(check("alpha", charter.not_before - skew - 1), Errc::signature, "outside the time");
  EXPECT_REFUSED(check("alpha", charter.grace_ends() + skew + 1), Errc::signature, "outside the time");
  EXPECT_REFUSED(check("zulu", charter.not_before), Errc::signature, "zulu is no member");
}

}  // namespace
}  // namespace parley::dossier
