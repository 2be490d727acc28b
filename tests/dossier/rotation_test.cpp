// Dossiers of groups in which keys were replaced: they carry what shows it, and both verifiers check by it.
#include <random>

#include "base/encoding.h"
#include "dossier/second_verifier.h"
#include "dossier/synthetic.h"
#include "support/keys_that_look_alike.h"

namespace parley::dossier {
namespace {

class RotatedDossier : public SecondVerifier {
 protected:
  const SyntheticGroup group_{group::charter_of(3), 3, true};
  const std::vector<std::string> all_ = group::nicks_of(group_.charter());
  const std::string text_ = group_.dossier(all_, all_);

  /// What both verifiers say of a dossier, which must be the same.
  bool holds(const std::string& text, std::string* why = nullptr) {
    const Verdict verdict = verify_dossier(text, group_.anchor());
    if (why != nullptr && !verdict.steps.empty()) *why = verdict.steps.back().detail;
    const auto second = run(fmt::format("{} --charter {}", file("d.parley", text), to_hex(*group_.anchor().charter)));
    EXPECT_EQ(second.size(), 1u);
    EXPECT_EQ(outcome(second.front()) == "verified", verdict.holds)
        << second.front() << (verdict.steps.empty() ? "" : verdict.steps.back().detail);
    return verdict.holds;
  }
};

TEST_F(RotatedDossier, IsVerifiedWithTheKeysOfEachPlace) {
  std::string why;
  EXPECT_TRUE(holds(text_, &why)) << why;
  EXPECT_EQ(parse_dossier(text_)->rotations.size(), 2u);
}

TEST_F(RotatedDossier, IsRefusedWhenARotationIsMissingSwappedTwiceOrForNothing) {
  const Dossier genuine = *parse_dossier(text_);
  std::vector<std::string> files;
  const auto altered = [&](const char* what, const std::function<void(std::vector<ShownRotation>&)>& change) {
    Dossier dossier = genuine;
    change(dossier.rotations);
    const std::string text = write_dossier(dossier);
    EXPECT_FALSE(verify_dossier(text, group_.anchor()).holds) << what;
    files.push_back(file(fmt::format("{}.parley", files.size()), text));
  };
  altered("none", [](auto& rotations) { rotations.clear(); });
  altered("only bravo's", [](auto& rotations) { rotations.erase(rotations.begin()); });
  altered("only alpha's", [](auto& rotations) { rotations.pop_back(); });
  altered("in another order", [](auto& rotations) { std::swap(rotations[0], rotations[1]); });
  altered("one twice", [](auto& rotations) { rotations.push_back(rotations[1]); });
  altered("under another name", [](auto& rotations) { rotations[1].nick = "charlie"; });
  altered("with the other's body", [](auto& rotations) { rotations[0].body = rotations[1].body; });
  altered("with another salt", [](auto& rotations) { rotations[0].body.salt[0] ^= std::byte{1}; });
  for (const log::KeyRole role : {log::KeyRole::node, log::KeyRole::cosign, log::KeyRole::tls}) {
    SyntheticLog other(group_.charter(), "charlie");
    other.append(log::kLogOpen, log::Json::Object{{"v", 1}});
    const ShownRotation more = other.rotate(role, random_secret<32>());
    altered("one that nothing is checked with", [&](auto& rotations) { rotations.push_back(more); });
  }
  const auto lines = run_all(files, fmt::format("--charter {}", to_hex(*group_.anchor().charter)));
  ASSERT_EQ(lines.size(), files.size());
  for (const std::string& line : lines) EXPECT_EQ(outcome(line), "refused") << line;
}

TEST_F(RotatedDossier, IsRefusedWithACosignatureByAnOldKeyBeyondWhatItsOwnerHeld) {
  // Charlie's publication, cosigned by the thief of bravo's old key in bravo's place.
  const Dossier genuine = *parse_dossier(text_);
  Dossier dossier = genuine;
  ShownEntry& last = dossier.entries.back();
  ASSERT_EQ(last.nick, "charlie");
  log::TlogProof proof = *log::parse_tlog_proof(last.proof);
  log::Note note = *log::parse_note(proof.checkpoint);
  const group::TestMember& bravo = group::test_member("bravo");
  const std::string name = bravo.in_group().keys.cosign.name;
  std::erase_if(note.signatures, [&](const log::NoteSignature& one) { return one.name == name; });
  const log::Checkpoint tree = *log::parse_checkpoint(note.text);
  proof.checkpoint = *log::add_cosignature(log::write_note(note), log::cosign(tree, name, bravo.cosign, group::kBegin),
                                           bravo.in_group().keys.cosign);
  last.proof = log::write_tlog_proof(proof);
  std::string why;
  EXPECT_FALSE(holds(write_dossier(dossier), &why));
  EXPECT_NE(why.find("beyond where that was replaced"), std::string::npos) << why;
}

TEST_F(RotatedDossier, IsVerifiedThoughAnOwnersOldKeyLooksLikeTheOneThatReplacedIt) {
  const std::array<Secret<32>, 2> alike = node_keys_that_look_alike();
  const SyntheticGroup made(group::charter_of(3), 3, true, alike);
  const std::string text = made.dossier(all_, all_);
  ASSERT_EQ(parse_dossier(text)->rotations.size(), 4u);
  const Verdict verdict = verify_dossier(text, made.anchor());
  EXPECT_TRUE(verdict.holds) << verdict.steps.back().detail;
  const auto second = run(fmt::format("{} --charter {}", file("d.parley", text), to_hex(*made.anchor().charter)));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(outcome(second[0]), "verified") << second[0];
}

TEST_F(RotatedDossier, IsRefusedWhereACosignKeyLooksLikeTheOneThatReplacedIt) {
  const std::array<Secret<32>, 2> alike = cosign_keys_that_look_alike();
  const auto verdicts = [&](std::span<const Secret<32>> cosigns) {
    const SyntheticGroup made(group::charter_of(3), 3, true, {}, cosigns);
    const std::string text = made.dossier(all_, all_);
    const Verdict verdict = verify_dossier(text, made.anchor());
    const auto second = run(fmt::format("{} --charter {}", file("d.parley", text), to_hex(*made.anchor().charter)));
    return std::pair(verdict.holds ? "" : verdict.steps.back().detail, second.at(0));
  };
  const auto [held, verified] = verdicts(std::span(alike).first(1));
  EXPECT_EQ(held, "");
  EXPECT_EQ(outcome(verified), "verified") << verified;
  const auto [why, refused] = verdicts(alike);
  EXPECT_NE(why.find("looks like one"), std::string::npos) << why;
  EXPECT_NE(refused.find("looks like one"), std::string::npos) << refused;
}

TEST_F(RotatedDossier, IsRefusedAfterAnyFlipOfABit) {
  std::mt19937_64 dice(20261129);
  for (int i = 0; i < 300; ++i) {
    std::string altered = text_;
    const std::size_t bit = dice() % (8 * altered.size());
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(verify_dossier(altered, group_.anchor()).holds) << bit;
  }
  const auto lines =
      run(fmt::format("{} --charter {} --flips 60", file("f.parley", text_), to_hex(*group_.anchor().charter)));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[1].find("60 flips, 0 accepted"), std::string::npos) << lines[1];
}

}  // namespace
}  // namespace parley::dossier
