// What a file costs whoever verifies it: little, where it is a stranger's or full of what no dossier needs.
#include "base/encoding.h"
#include "dossier/counted_work.h"
#include "dossier/second_verifier.h"
#include "dossier/synthetic.h"

namespace parley::dossier {
namespace {

struct Cost {
  bool holds = false;
  Work work;
  std::string why;
};

class DossierWork : public SecondVerifier {
 protected:
  static Cost of_first(const std::string& text, const Digest& charter) {
    (void)take_work();
    const Verdict verdict = verify_dossier(text, {.charter = charter, .id_keys = {}});
    return {verdict.holds, take_work(), verdict.steps.back().detail};
  }
  Cost of_second(const std::string& text, const Digest& charter) {
    const auto lines = run_python(fmt::format("{0}/tests/dossier/count_work.py {0}/tools/verify_dossier.py {1} {2}",
                                              PARLEY_SOURCE, file("d.parley", text), to_hex(charter)));
    Cost cost;
    if (lines.size() != 1) return cost;
    std::istringstream said(lines[0]);
    std::string outcome;
    said >> outcome >> cost.work.signatures >> cost.work.keys;
    std::getline(said, cost.why);
    cost.holds = outcome == "verified";
    return cost;
  }

  const group::Charter charter_ = group::charter_of(5);
  const SyntheticGroup made_{charter_, 3};
  const std::vector<std::string> signers_ = {"alpha", "bravo", "charlie"};
  const std::string genuine_ = made_.dossier(signers_, signers_);
};

/// The version after `before`, with one cap a little lower.
group::Charter tightened(const group::Charter& before) {
  group::Charter next = before;
  next.seq = before.seq + 1;
  next.prev = group::charter_hash(before);
  next.questions[0].caps.probe_items_30d -= 1;
  return next;
}

TEST_F(DossierWork, IsNothingWhereTheCharterThatTheReaderTrustsIsNotInTheFile) {
  for (const Cost& cost : {of_first(genuine_, Digest{}), of_second(genuine_, Digest{})}) {
    EXPECT_FALSE(cost.holds);
    EXPECT_EQ(cost.work.signatures, 0u) << cost.why;
    EXPECT_EQ(cost.work.keys, 0u) << cost.why;
  }
}

TEST_F(DossierWork, IsNothingWhereTheTrustedCharterStandsBehindVersionsThatItDoesNotName) {
  const group::Charter second = tightened(charter_);
  Dossier dossier = *parse_dossier(genuine_);
  group::Charter strangers = charter_;
  strangers.name = "Operation Arena";
  dossier.charters = {group::signed_charter(strangers, signers_), group::signed_charter(second, signers_)};
  const std::string text = write_dossier(dossier);
  for (const Cost& cost : {of_first(text, group::charter_hash(second)), of_second(text, group::charter_hash(second))}) {
    EXPECT_FALSE(cost.holds);
    EXPECT_EQ(cost.work.signatures, 0u) << cost.why;
    EXPECT_EQ(cost.work.keys, 0u) << cost.why;
  }
}

TEST_F(DossierWork, GrowsByNothingWithEntriesThatNoDossierNeeds) {
  const Digest charter = group::charter_hash(charter_);
  const Cost first_genuine = of_first(genuine_, charter), second_genuine = of_second(genuine_, charter);
  EXPECT_TRUE(first_genuine.holds) << first_genuine.why;
  EXPECT_TRUE(second_genuine.holds) << second_genuine.why;
  for (const std::string_view type : {log::kHeads, log::kFindingPublish, log::kFindingWithdraw}) {
    // Of a member that has not signed; then of one that has, and has published already.
    for (const std::string nick : {"echo", "charlie"}) {
      SyntheticLog log(charter_, nick);
      log.append(log::kLogOpen, log::Json::Object{{"v", 1}});
      Dossier dossier = *parse_dossier(genuine_);
      for (int i = 0; i < 40; ++i) log.append(type, log::Json::Object{{"v", 1}});
      const std::uint64_t seq_after_genuine = 5;
      for (std::uint64_t seq = seq_after_genuine; seq < log.size(); ++seq)
        dossier.entries.push_back(log.shown(seq, seq + 1, log.checkpoint(seq + 1), false));
      const std::string text = write_dossier(dossier);
      const Cost first = of_first(text, charter), second = of_second(text, charter);
      EXPECT_FALSE(first.holds);
      EXPECT_FALSE(second.holds);
      EXPECT_LE(first.work.signatures, first_genuine.work.signatures) << first.why;
      EXPECT_LE(second.work.signatures, second_genuine.work.signatures) << second.why;
    }
  }
}

TEST_F(DossierWork, OnACheckpointIsDoneOnceHoweverManyVersionsOfTheCharterAreAskedAboutIt) {
  constexpr std::size_t kVersions = 30;
  Dossier dossier = *parse_dossier(genuine_);
  // The publication's tree, of whose cosignatures one is false.
  log::TlogProof proof = *log::parse_tlog_proof(dossier.entries.back().proof);
  log::Note note = *log::parse_note(proof.checkpoint);
  note.signatures.back().signature.back() ^= std::byte{1};
  proof.checkpoint = log::write_note(note);
  dossier.entries.back().proof = log::write_tlog_proof(proof);
  const Digest anchor = group::charter_hash(charter_);
  const std::string few = write_dossier(dossier);
  group::Charter last = charter_;
  for (std::size_t i = 0; i < kVersions; ++i) {
    last = tightened(last);
    dossier.charters.push_back(group::signed_charter(last, signers_));
  }
  const std::string many = write_dossier(dossier);
  const std::size_t charters = kVersions * signers_.size();
  const Cost first = of_first(many, anchor), second = of_second(many, anchor);
  EXPECT_NE(first.why.find("does not verify"), std::string::npos) << first.why;
  EXPECT_NE(second.why.find("does not verify"), std::string::npos) << second.why;
  EXPECT_EQ(first.work.signatures, of_first(few, anchor).work.signatures + charters);
  EXPECT_EQ(second.work.signatures, of_second(few, anchor).work.signatures + charters);
}

}  // namespace
}  // namespace parley::dossier
