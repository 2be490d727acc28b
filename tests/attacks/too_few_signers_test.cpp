// Fewer members than the charter asks for, who want a finding to look like the group's. Alpha has its own keys, its own
// vault, and everything that the logs show; two signatures of three are due.
#include "dossier/samples.h"

namespace parley::attacks {
namespace {

using dossier::Dossier, dossier::verify_dossier;
using finding::fails, finding::holds;
using group::test_member;

/// Alpha has frozen and signed it; bravo and charlie have not spoken.
class TooFewSigners : public testing::Test {
 protected:
  TooFewSigners() {
    hash_ = *members_.draft("alpha", members_.working_copy());
    members_.exchange();
    EXPECT_HOLDS(members_.sign("alpha", hash_));
    members_.exchange();
  }

  group::Charter charter() { return members_.membership("alpha").charter(); }
  /// Writes what alpha's honest program would not.
  void write(std::string_view type, log::Json body) {
    EXPECT_HOLDS(members_.log("alpha").append({.type = std::string(type),
                                               .session = {},
                                               .refs = {},
                                               .audience = {std::string(log::kEveryone)},
                                               .body = std::move(body)}));
    members_.exchange();
  }
  /// The signature line of a note with one.
  static std::string line_of(const std::string& note) { return note.substr(note.rfind("\n\n") + 2); }
  const Secret<32>& some_seed() { return test_member("delta").card_seeds.id; }

  /// A dossier of the same group that both alpha and bravo have signed and published, to take parts from.
  dossier::Published& genuine() { return dossier::samples().agreed; }

  finding::ThreeMembers members_;
  Digest hash_{};
};

TEST_F(TooFewSigners, CannotPublish) {
  EXPECT_REFUSED(members_.publish("alpha", hash_), Errc::policy, "1 of 2 signatures");
}

TEST_F(TooFewSigners, ThatPublishByAChangedProgramAreStillTooFewForTheOthers) {
  write(log::kFindingPublish, finding::PublishBody{hash_, {"alpha", "bravo"}, {}}.to_json());
  const finding::Case seen = members_.only_case("charlie");
  EXPECT_EQ(seen.signers, std::vector<std::string>{"alpha"});
  EXPECT_EQ(seen.publishers(), std::vector<std::string>{"alpha"});
  const group::Membership membership = members_.membership("charlie");
  EXPECT_REFUSED(dossier::make_dossier(members_.group_["charlie"].vault(), membership, members_.log("charlie"),
                                       members_.group_["charlie"].card(), seen, {}),
                 Errc::policy, "");
}

TEST_F(TooFewSigners, CannotSignInAnothersNameInTheirOwnLog) {
  const finding::Case own = members_.only_case("alpha");
  const std::string forged = log::sign_note(own.text, charter().member("bravo")->id.name, some_seed());
  write(log::kFindingSign, finding::NoteBody{hash_, forged}.to_json());
  write(log::kFindingSign, finding::NoteBody{hash_, own.note + line_of(forged)}.to_json());
  const finding::Casebook book = members_.book("charlie");
  EXPECT_EQ(book.cases.at(0).signers, std::vector<std::string>{"alpha"});
  EXPECT_EQ(book.oddities.size(), 2u) << "both entries are shown as what they are";
}

/// What the signatures of a dossier can be forged into, all of its other parts being genuine.
TEST_F(TooFewSigners, MakeNoDossierThatVerifies) {
  const Dossier dossier = *dossier::parse_dossier(dossier::samples().dossiers[1].first);
  const dossier::Anchor& anchor = dossier::samples().dossiers[1].second;
  const group::Charter charter = genuine().membership("alpha").charter();
  const std::string text = dossier.finding.substr(0, dossier.finding.rfind("\n\n") + 1);
  const std::string lines = line_of(dossier.finding);
  const std::string alphas = lines.substr(0, lines.find('\n') + 1), bravos = lines.substr(lines.find('\n') + 1);
  const auto signed_as = [&](std::string_view name, const Secret<32>& seed) {
    return line_of(log::sign_note(text, name, seed));
  };
  auto& alpha = genuine().group_["alpha"];
  std::string other = text;
  other.replace(other.find("\"likely\""), 8, "\"very-likely\"");

  struct Forgery {
    std::string_view what;
    std::string note;
  };
  const std::vector<Forgery> forgeries = {
      {"nobody's", text + "\n"},
      {"one alone", text + "\n" + alphas},
      {"the other alone", text + "\n" + bravos},
      {"one twice", text + "\n" + alphas + alphas},
      {"one again, newly made", text + "\n" + alphas + signed_as(charter.member("alpha")->id.name, alpha.id_seed())},
      {"another key under bravo's name",
       text + "\n" + alphas + signed_as(charter.member("bravo")->id.name, some_seed())},
      {"alpha's key under bravo's name",
       text + "\n" + alphas + signed_as(charter.member("bravo")->id.name, alpha.id_seed())},
      {"a stranger's beside the one", text + "\n" + alphas + signed_as("parley.local/m/delta/id", some_seed())},
      {"a stranger's beside both", text + "\n" + alphas + bravos + signed_as("parley.local/m/delta/id", some_seed())},
      {"both under another text", other + "\n" + alphas + bravos},
      {"bravo's of another finding",
       text + "\n" + alphas + line_of(dossier::samples().dissented.only_case("bravo").note)},
  };
  for (const Forgery& forgery : forgeries) {
    Dossier altered = dossier;
    altered.finding = forgery.note;
    const dossier::Verdict verdict = verify_dossier(dossier::write_dossier(altered), anchor);
    EXPECT_FALSE(verdict.holds) << forgery.what;
    EXPECT_EQ(verdict.steps.back().title, "signatures") << forgery.what << ": " << verdict.steps.back().detail;
  }
}

TEST_F(TooFewSigners, CannotMakeThemselvesEnoughByACharterOfTheirOwn) {
  Dossier dossier = *dossier::parse_dossier(dossier::samples().dossiers[1].first);
  const dossier::Anchor& anchor = dossier::samples().dossiers[1].second;
  group::Charter next = genuine().membership("alpha").charter();
  next.prev = group::charter_hash(next);
  ++next.seq;
  std::erase_if(next.members, [](const group::CharterMember& member) { return member.keys.nick == "charlie"; });
  next.log_quorum = next.finding_quorum = 2;
  auto& alpha = genuine().group_["alpha"];
  dossier.charters.push_back(log::sign_note(group::charter_text(next), alpha.id().name, alpha.id_seed()));
  const dossier::Verdict verdict = verify_dossier(dossier::write_dossier(dossier), anchor);
  EXPECT_FALSE(verdict.holds);
  EXPECT_EQ(verdict.steps.back().title, "charter") << verdict.steps.back().detail;
}

}  // namespace
}  // namespace parley::attacks
