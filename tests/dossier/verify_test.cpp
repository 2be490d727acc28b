// What a dossier proves, to whom, and what is refused.
#include "dossier/verify.h"

#include "dossier/samples.h"
#include "dossier/synthetic.h"
#include "finding/changed_program.h"
#include "log/tlog_proof.h"

namespace parley::dossier {
namespace {

std::string failed_step(const Verdict& verdict) {
  if (verdict.holds) return "none";
  return verdict.steps.empty() ? "no step" : verdict.steps.back().title;
}

TEST(Dossier, VerifiesForWhoeverTrustsTheCharter) {
  for (const auto& [text, anchor] : samples().dossiers) {
    const Verdict verdict = verify_dossier(text, anchor);
    ASSERT_TRUE(verdict.holds) << verdict.steps.back().title << ": " << verdict.steps.back().detail;
    EXPECT_TRUE(verdict.anchored);
    EXPECT_EQ(verdict.steps.size(), 12u);
    EXPECT_EQ(verdict.contents->signed_finding.signers, (std::vector<std::string>{"alpha", "bravo"}));
    EXPECT_FALSE(verdict.proves.empty());
    EXPECT_FALSE(verdict.proves_not.empty());
    EXPECT_EQ(write_dossier(*parse_dossier(text)), text);
  }
}

TEST(Dossier, IsTheSameFromWhicheverMemberMakesIt) {
  const auto alphas = samples().dissented.make("alpha"), charlies = samples().dissented.make("charlie");
  ASSERT_HOLDS(alphas);
  ASSERT_HOLDS(charlies);
  const Verdict verdict = verify_dossier(*charlies, samples().dissented.anchor());
  ASSERT_TRUE(verdict.holds) << verdict.steps.back().detail;
  EXPECT_EQ(parse_dossier(*alphas)->stix, parse_dossier(*charlies)->stix);
}

TEST(Dossier, SaysThatItIsNotAnchored) {
  const Verdict verdict = verify_dossier(samples().dossiers[0].first, {});
  EXPECT_TRUE(verdict.holds);
  EXPECT_FALSE(verdict.anchored);
  EXPECT_NE(verdict.steps[1].detail.find("UNANCHORED"), std::string::npos);
}

TEST(Dossier, IsRefusedUnderAnotherCharter) {
  const Verdict verdict = verify_dossier(samples().dossiers[0].first, samples().agreed.anchor());
  EXPECT_FALSE(verdict.holds);
  EXPECT_EQ(failed_step(verdict), "anchor");
}

TEST(Dossier, IsAnchoredByTheKeysOfEnoughSignersWhomTheReaderKnows) {
  Published& published = samples().dissented;
  const std::string& text = samples().dossiers[0].first;
  const group::Charter charter = published.membership("alpha").charter();
  const auto id = [&](std::string_view nick) { return charter.member(nick)->id; };
  EXPECT_TRUE(verify_dossier(text, {.charter = {}, .id_keys = {id("alpha"), id("bravo")}}).holds);
  EXPECT_EQ(failed_step(verify_dossier(text, {.charter = {}, .id_keys = {id("alpha"), id("charlie")}})), "signatures");
  EXPECT_EQ(failed_step(verify_dossier(text, {.charter = {}, .id_keys = {id("alpha")}})), "signatures");
  const std::string keys = "# whom I know\n" + id("alpha").text() + "\n\n" + id("bravo").text() + "\n";
  const auto anchor = parse_anchor(keys);
  ASSERT_HOLDS(anchor);
  EXPECT_TRUE(verify_dossier(text, *anchor).holds);
  EXPECT_REFUSED(parse_anchor("# nobody\n"), Errc::format, "nobody");
  EXPECT_REFUSED(parse_anchor("alpha\n"), Errc::format, "line 1");
  const auto by_charter = parse_anchor(parse_dossier(text)->charters[0]);
  ASSERT_HOLDS(by_charter);
  EXPECT_TRUE(verify_dossier(text, *by_charter).anchored);
}

/// Some of those whom a reader knows, of a group in which they are too few, found a smaller one of the same name.
TEST(Dossier, IsNotAnchoredByKeysOfWhichSomeNeverJoinedItsGroup) {
  const auto keys_of = [](const std::vector<std::string>& nicks) {
    Anchor anchor;
    for (const std::string& nick : nicks) anchor.id_keys.push_back(group::test_member(nick).id());
    return anchor;
  };
  const Anchor five = keys_of({"alpha", "bravo", "charlie", "delta", "echo"});
  const SyntheticGroup two(group::charter_of(2), 1);
  const Verdict founded = verify_dossier(two.dossier({"alpha", "bravo"}, {"alpha", "bravo"}), five);
  EXPECT_TRUE(founded.holds);
  EXPECT_FALSE(founded.anchored);
  EXPECT_EQ(founded.steps[1].outcome, Outcome::not_given);
  EXPECT_NE(
      founded.steps[1].detail.find("UNANCHORED: 3 of the 5 keys that you trust never joined this group "
                                   "(parley.local/m/charlie/id, parley.local/m/delta/id, parley.local/m/echo/id)"),
      std::string::npos)
      << founded.steps[1].detail;
  group::Charter charter = group::charter_of(5);
  charter.finding_quorum = 4;
  const SyntheticGroup whole(charter, 1);
  const std::vector<std::string> four = {"alpha", "bravo", "charlie", "delta"};
  const std::string text = whole.dossier(four, four);
  EXPECT_TRUE(verify_dossier(text, five).anchored);
  EXPECT_TRUE(verify_dossier(text, keys_of(four)).anchored) << "a reader need not know all";
  EXPECT_FALSE(verify_dossier(text, keys_of({"alpha", "bravo", "charlie"})).holds) << "nor may they be too few";
  const Verdict stranger = verify_dossier(text, keys_of({"alpha", "bravo", "charlie", "delta", "foxtrot"}));
  EXPECT_TRUE(stranger.holds);
  EXPECT_FALSE(stranger.anchored);
}

TEST(Dossier, ShowsWhatIsWithheldAsWithheld) {
  const Verdict verdict = verify_dossier(samples().dossiers[1].first, samples().dossiers[1].second);
  ASSERT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.contents->redacted,
            (std::vector<std::string>{"/evidence/0/summary", "/key_assumptions/0/text", "/origins/0/text"}));
  EXPECT_EQ(samples().dossiers[1].first.find("command server"), std::string::npos) << "the bundle does not tell either";
  EXPECT_NE(samples().dossiers[0].first.find("command server"), std::string::npos);
  EXPECT_REFUSED(samples().agreed.make("alpha", {.withhold = {"/title"}, .with_bodies = {}}), Errc::not_found,
                 "/title");
}

TEST(Dossier, ShowsTheBodyOfEvidenceWhereItsMakerWantsThat) {
  Published& published = samples().agreed;
  const Digest ref = published.only_case("alpha").finding.evidence[0].refs[0];
  const std::string text = published.text({.withhold = {}, .with_bodies = {ref}});
  EXPECT_TRUE(verify_dossier(text, published.anchor()).holds);
  EXPECT_REFUSED(published.make("alpha", {.withhold = {}, .with_bodies = {Digest{}}}), Errc::not_found, "no evidence");
}

TEST(Dossier, IsNotMadeBeforeEnoughHavePublished) {
  finding::ThreeMembers members;
  const Digest hash = *members.draft("alpha", members.working_copy());
  const auto make = [&] { return dossier_by(members, "alpha", members.only_case("alpha")); };
  EXPECT_REFUSED(make(), Errc::policy, "Nobody has signed");
  members.exchange();
  EXPECT_HOLDS(members.sign("alpha", hash));
  EXPECT_HOLDS(members.sign("bravo", hash));
  members.exchange();
  EXPECT_HOLDS(members.publish("alpha", hash));
  members.exchange();
  EXPECT_REFUSED(make(), Errc::policy, "1 of 2 signers");
  EXPECT_HOLDS(members.publish("bravo", hash));
  EXPECT_REFUSED(make(), Errc::policy, "1 of 2 signers");
  members.exchange();
  EXPECT_HOLDS(make());
}

TEST(Dossier, IsNotMadeOnTreesThatAReaderWouldNotTakeForHeldAndSaysWhoseSignaturesHeWouldMiss) {
  Published published(false);
  EXPECT_HOLDS(published.make("alpha"));
  published.take_back("charlie");
  EXPECT_REFUSED(published.make("alpha"), Errc::policy, "No signature that counts is here of charlie.");
}

TEST(Dossier, IsNotMadeOfAFindingThatBreaksTheRulesThoughEnoughHaveSignedIt) {
  // Alpha and bravo run programs that freeze and sign what has no likelihood.
  finding::ThreeMembers members;
  finding::Finding finding = members.working_copy();
  finding.created = wall_clock_now();
  finding.judgement.likelihood.reset();
  const finding::DraftBody draft = finding::frozen_by(members, "alpha", std::move(finding));
  const Digest hash = finding::finding_hash(draft.text);
  const auto write = [&](std::string_view nick, std::string_view type, log::Json body) {
    EXPECT_HOLDS(members.log(nick).append({.type = std::string(type),
                                           .session = {},
                                           .refs = {},
                                           .audience = {std::string(log::kEveryone)},
                                           .body = std::move(body)}));
  };
  write("alpha", log::kFindingDraft, draft.to_json());
  for (const std::string_view nick : {"alpha", "bravo"}) {
    auto& member = members.group_[std::string(nick)];
    const auto note = finding::sign_finding(draft.text, member.id(), member.id_seed());
    ASSERT_HOLDS(note);
    write(nick, log::kFindingSign, finding::NoteBody{hash, *note}.to_json());
    write(nick, log::kFindingPublish, finding::PublishBody{hash, {"alpha", "bravo"}, {}}.to_json());
  }
  members.exchange();
  const finding::Case of = members.only_case("charlie");
  ASSERT_EQ(of.publishers().size(), 2u);
  EXPECT_REFUSED(dossier_by(members, "charlie", of), Errc::policy, "likelihood");
}

/// Each hostile change of a dossier whose parts are all genuine, and the step at which it fails.
TEST(Dossier, IsRefusedWithGenuinePartsLeftOutPutInOrMixed) {
  struct Change {
    std::string_view what, step;
    std::function<void(Dossier&)> change;
  };
  const Dossier other = *parse_dossier(samples().dossiers[1].first);
  const std::vector<Change> changes = {
      {"no charter", "anchor", [](Dossier& d) { d.charters.clear(); }},
      {"the charter twice", "charter", [](Dossier& d) { d.charters.push_back(d.charters[0]); }},
      {"another group's charter", "anchor", [&](Dossier& d) { d.charters = other.charters; }},
      {"a card twice", "members", [](Dossier& d) { d.cards.push_back(d.cards[0]); }},
      {"another group's card", "members", [&](Dossier& d) { d.cards[0] = other.cards[0]; }},
      {"another finding", "signatures", [&](Dossier& d) { d.finding = other.finding; }},
      {"one signature of two", "signatures", [](Dossier& d) { d.finding.resize(d.finding.rfind("\xe2\x80\x94 ")); }},
      {"a signature twice", "signatures",
       [](Dossier& d) { d.finding += d.finding.substr(d.finding.rfind("\xe2\x80\x94 ")); }},
      {"no checkpoint", "basis", [](Dossier& d) { d.checkpoints.clear(); }},
      {"checkpoints swapped", "basis", [](Dossier& d) { std::swap(d.checkpoints[0], d.checkpoints[1]); }},
      {"a cosignature left out", "basis",
       [](Dossier& d) { d.checkpoints[0].resize(d.checkpoints[0].rfind("\xe2\x80\x94 ")); }},
      {"a later checkpoint", "basis",
       [](Dossier& d) { d.checkpoints[0] = log::parse_tlog_proof(d.entries.back().proof)->checkpoint; }},
      {"an entry left out", "entries", [](Dossier& d) { d.entries.erase(d.entries.begin()); }},
      {"an entry twice", "entries", [](Dossier& d) { d.entries.insert(d.entries.begin(), d.entries[0]); }},
      {"entries swapped", "entries", [](Dossier& d) { std::swap(d.entries[0], d.entries[1]); }},
      {"proofs swapped", "entries", [](Dossier& d) { std::swap(d.entries[0].proof, d.entries[1].proof); }},
      {"another group's entry", "entries", [&](Dossier& d) { d.entries[0] = other.entries[0]; }},
      {"a proof with an extra", "entries",
       [](Dossier& d) {
         auto proof = *log::parse_tlog_proof(d.entries[0].proof);
         proof.extra = to_bytes("smuggled");
         d.entries[0].proof = log::write_tlog_proof(proof);
       }},
      {"a body of another entry", "entries",
       [](Dossier& d) {
         for (ShownEntry& entry : d.entries)
           if (!entry.body) entry.body = log::Body{{}, "{}"};
       }},
      {"an opening of another finding", "openings", [&](Dossier& d) { d.openings[0].salt[0] ^= std::byte{1}; }},
      {"what was published is not shown", "publication",
       [](Dossier& d) {
         for (ShownEntry& entry : d.entries) entry.body.reset();
       }},
      {"the dissent left out", "publication", [](Dossier& d) { d.dissents.clear(); }},
      {"the dissent twice", "publication", [](Dossier& d) { d.dissents.push_back(d.dissents[0]); }},
      {"no STIX", "stix", [](Dossier& d) { d.stix.clear(); }},
      {"another STIX", "stix", [&](Dossier& d) { d.stix = other.stix; }},
      {"a STIX that says more", "stix",
       [](Dossier& d) { d.stix.replace(d.stix.find("Likelihood: likely"), 18, "Likelihood: almost certain"); }},
      {"a text that is not shown, in the STIX of one that is", "stix",
       [](Dossier& d) { d.openings.erase(d.openings.begin()); }},
  };
  const Dossier genuine = *parse_dossier(samples().dossiers[0].first);
  for (const Change& change : changes) {
    Dossier altered = genuine;
    change.change(altered);
    const Verdict verdict = verify_dossier(write_dossier(altered), samples().dossiers[0].second);
    EXPECT_FALSE(verdict.holds) << change.what;
    EXPECT_EQ(failed_step(verdict), change.step) << change.what << ": " << verdict.steps.back().detail;
  }
}

TEST(Dossier, CannotLeaveOutADissentThatOneOfItsPublishersKnew) {
  // Alpha published before charlie's dissent came; bravo after it. Both orders of leaving out fail.
  finding::ThreeMembers members;
  const Digest hash = *members.draft("alpha", members.working_copy());
  members.exchange();
  EXPECT_HOLDS(members.sign("alpha", hash));
  EXPECT_HOLDS(members.sign("bravo", hash));
  members.exchange();
  EXPECT_HOLDS(members.publish("alpha", hash));
  EXPECT_HOLDS(members.dissent("charlie", hash, {{"e1", {}, "It was a sinkhole."}}));
  members.exchange();
  EXPECT_HOLDS(members.publish("bravo", hash));
  members.exchange();
  const auto text = dossier_by(members, "alpha", members.only_case("alpha"));
  ASSERT_HOLDS(text);
  Dossier dossier = *parse_dossier(*text);
  ASSERT_EQ(dossier.dissents.size(), 1u);
  dossier.dissents.clear();
  EXPECT_EQ(failed_step(verify_dossier(write_dossier(dossier), {})), "publication");
  std::erase_if(dossier.entries, [](const ShownEntry& entry) { return entry.nick == "bravo" && entry.body; });
  EXPECT_EQ(failed_step(verify_dossier(write_dossier(dossier), {})), "publication") << "too few publishers are left";
}

TEST(Dossier, IsRefusedWithAnyBitFlipped) {
  const std::uint64_t seed = seed_of_flips();
  std::mt19937_64 dice(seed);
  for (const auto& [text, anchor] : samples().dossiers) {
    std::string altered = text;
    for (const std::size_t bit : bits_to_flip(text, kFlipsOfEach, dice)) {
      altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << bit % 8));
      ASSERT_FALSE(verify_dossier(altered, anchor).holds) << "bit " << bit << ", seed " << seed;
      altered[bit / 8] = text[bit / 8];
    }
  }
}

}  // namespace
}  // namespace parley::dossier
