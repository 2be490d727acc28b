// A member that accuses another of what it did not do: real proofs that were altered, shown of another group, or under
// another's name. None is valid, for nobody. PARLEY_FORGED_FAULTS says how many are tried (1000 unless it is set).
#include "base/text.h"
#include "cheating_owner.h"
#include "log/fault.h"

namespace parley::attacks {
namespace {

using log::Fault;
using mirror::Dice;

class ForgedFault : public CheatingOwner {
 protected:
  ForgedFault() {
    const log::TestMember& alpha = group_[kAlpha].keys;
    Branch one(alpha);
    one.append(log::kLogOpen);
    one.append(log::kHeads);
    Branch other = one;
    one.append(log::kSessionCommit, log::session_name('a'));
    other.append(log::kCanarySet);
    other.append(log::kHeads);
    keep(log::fault_of_checkpoints(one.checkpoint(3), other.checkpoint(3), alpha.keys));
    keep(log::fault_of_entries(one.leaves[2], other.leaves[2], alpha.keys));
    log::MerkleTree tree(other.hashes);
    const auto prefix = log::fault_of_prefix(one.checkpoint(3), other.checkpoint(4), tree, alpha.keys);
    EXPECT_OK(prefix);
    if (prefix) keep(*prefix);
    Branch twice = one;
    twice.append(log::kSessionCommit, log::session_name('a'), {"*"});
    keep(log::fault_of_entries(twice.leaves[2], twice.leaves[3], alpha.keys));
    Branch sealed = one;
    sealed.append(log::kLogSeal);
    sealed.append(sealed.next(log::kHeads));
    keep(log::fault_of_entries(sealed.leaves[3], sealed.leaves[4], alpha.keys));
    keep(log::fault_of_seal(sealed.leaves[3], sealed.checkpoint(5), alpha.keys));
    Branch early = one;
    log::Entry antedated = early.next(log::kHeads);
    antedated.time -= 1000;
    early.append(antedated);
    keep(log::fault_of_entries(early.leaves[2], early.leaves[3], alpha.keys));
    for (const Fault& fault : real_) EXPECT_OK(log::verify_fault(log::write_fault(fault), group_.keys));
    EXPECT_GE(real_.size(), 7u);
    honest_.append(log::kLogOpen);
    for (int i = 0; i < 5; ++i) honest_.append(log::kHeads);
    honest_.append(log::kSessionCommit, log::session_name('b'));
  }
  void keep(std::optional<Fault> fault) {
    ASSERT_TRUE(fault.has_value());
    real_.push_back(std::move(*fault));
  }
  /// One real fault, altered in one of the ways that a liar has.
  std::string forge(Dice& dice) {
    const Fault& real = real_[dice.below(real_.size())];
    std::string text = log::write_fault(real);
    Fault fault = real;
    switch (dice.below(6)) {
      case 0:
        text[dice.below(text.size())] ^= static_cast<char>(1 << dice.below(8));
        return text;
      case 1:
        text.erase(dice.below(text.size()), 1 + dice.below(40));
        return text;
      case 2:  // of somebody else
        fault.accused = dice.one_in(2) ? "bravo" : "carol";
        return log::write_fault(fault);
      case 3:  // what bravo really signed, in the place of what the proof needs
        fault.accused = "bravo";
        for (std::string& checkpoint : fault.checkpoints) checkpoint = honest_.checkpoint(1 + dice.below(7));
        for (std::string& entry : fault.entries) entry = honest_.leaves[dice.below(7)];
        return log::write_fault(fault);
      case 4:  // one thing twice
        for (std::string& checkpoint : fault.checkpoints) checkpoint = fault.checkpoints.front();
        for (std::string& entry : fault.entries) entry = fault.entries.front();
        return log::write_fault(fault);
      default: {  // with a signature of bravo's under what alpha signed
        auto* parts = fault.entries.empty() ? &fault.checkpoints : &fault.entries;
        std::string& part = parts->at(dice.below(parts->size()));
        const std::string other = fault.entries.empty() ? honest_.checkpoint(3) : honest_.leaves[2];
        part = part.substr(0, part.find("\n\n") + 2) + other.substr(other.find("\n\n") + 2);
        fault.accused = dice.one_in(2) ? "alpha" : "bravo";
        return log::write_fault(fault);
      }
    }
  }

  std::vector<Fault> real_;
  Branch honest_{group_[kBravo].keys};
};

TEST_F(ForgedFault, IsValidForNobody) {
  const char* wanted = std::getenv("PARLEY_FORGED_FAULTS");
  const std::size_t count = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1000;
  const std::uint64_t seed = vault::test_seed();
  SCOPED_TRACE(testing::Message() << "PARLEY_TEST_SEED=" << seed);
  Dice dice(seed);
  for (std::size_t i = 0; i < count && !HasFailure(); ++i) {
    const std::string forged = forge(dice);
    if (std::ranges::any_of(real_, [&](const Fault& fault) { return log::write_fault(fault) == forged; })) continue;
    EXPECT_FALSE(log::verify_fault(forged, group_.keys).has_value()) << forged;
    if (i % 50 != 0) continue;
    EXPECT_EQ(verify_fault(forged).code, 1);
  }
}

TEST_F(ForgedFault, OfOneGroupSaysNothingInAnother) {
  const LogGroup another{"alpha", "bravo", "carol"};
  for (const Fault& fault : real_) EXPECT_FALSE(log::verify_fault(log::write_fault(fault), another.keys).has_value());
}

TEST_F(ForgedFault, InALogIsAnEntryLikeAnyOtherAndConvictsNobody) {
  const std::uint64_t seed = vault::test_seed();
  SCOPED_TRACE(testing::Message() << "PARLEY_TEST_SEED=" << seed);
  Dice dice(seed);
  Branch liar(group_[kAlpha].keys);
  liar.append(log::kLogOpen);
  for (int i = 0; i < 40; ++i) {
    const std::string accused = dice.one_in(2) ? "bravo" : "carol";
    std::string forged = forge(dice);
    if (!is_valid_utf8(forged)) continue;  // bytes that no entry can carry
    liar.append(log::kFault, {}, {"*"}, mirror::Replica::fault_draft({accused, forged, ""}).body);
  }
  ASSERT_GT(liar.leaves.size(), 10u);
  say(kBravo, pushes(liar, kBravo, 0, false));
  EXPECT_OK(meet(*bravo_, kCarol, *carol_).first);
  for (const std::size_t i : {kBravo, kCarol}) {
    EXPECT_TRUE(peer(i).convictions().empty());
    EXPECT_EQ(peer(i).size("alpha"), liar.leaves.size());
    EXPECT_EQ(signed_for(i), liar.leaves.size());
  }
}

}  // namespace
}  // namespace parley::attacks
