// Dossiers out of members' vaults, published with and without dissent, with and without withheld texts.
#pragma once

#include <cstdlib>
#include <random>

#include "dossier/make.h"
#include "finding/three_members.h"

namespace parley::dossier {

using group::fails, group::holds;  // of EXPECT_HOLDS and its like

inline Result<std::string> dossier_by(finding::ThreeMembers& members, const std::string& nick, const finding::Case& of,
                                      const MakeOptions& options = {}) {
  const group::Membership membership = members.membership(nick);
  return make_dossier(members.group_[nick].vault(), membership, members.log(nick), members.group_[nick].card(), of,
                      options);
}

/// A finding that alpha froze, alpha and bravo signed and published, and that charlie dissents from, or not; and that
/// bravo then withdraws from, or not.
class Published : public finding::ThreeMembers {
 public:
  explicit Published(bool with_dissent, bool with_withdrawal = false) {
    hash_ = *draft("alpha", working_copy());
    exchange();
    EXPECT_HOLDS(sign("alpha", hash_));
    EXPECT_HOLDS(sign("bravo", hash_));
    if (with_dissent) {
      EXPECT_HOLDS(dissent("charlie", hash_,
                           {{"judgement", finding::Likelihood::unlikely, "The tools are sold."},
                            {"e2", {}, "The build time can be forged."}}));
    }
    exchange();
    EXPECT_HOLDS(publish("alpha", hash_));
    EXPECT_HOLDS(publish("bravo", hash_));
    exchange();
    if (!with_withdrawal) return;
    EXPECT_HOLDS(withdraw("bravo", hash_, "The sensor was wrong."));
    exchange();
    EXPECT_HOLDS(publish("alpha", hash_));
    exchange();
  }

  Result<std::string> make(const std::string& nick, const MakeOptions& options = {}) {
    return dossier_by(*this, nick, only_case(nick), options);
  }
  std::string text(const MakeOptions& options = {}) {
    const auto made = make("alpha", options);
    EXPECT_HOLDS(made);
    return made ? *made : std::string();
  }
  Anchor anchor() { return {.charter = membership("alpha").anchor()}; }
  std::string anchor_hex() { return to_hex(membership("alpha").anchor()); }
  const Digest& hash() const { return hash_; }

 private:
  Digest hash_{};
};

/// Bits of a dossier that are flipped, one after the other, to see that each is noticed. PARLEY_ALL_BITS=1: all of
/// them.
inline std::vector<std::size_t> bits_to_flip(const std::string& text, std::size_t count, std::mt19937_64& dice) {
  const bool all = std::getenv("PARLEY_ALL_BITS") != nullptr;
  std::vector<std::size_t> bits(all ? 8 * text.size() : count);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = all ? i : dice() % (8 * text.size());
  return bits;
}
inline constexpr std::size_t kFlipsOfEach = 5'000;
inline std::uint64_t seed_of_flips() {
  const char* given = std::getenv("PARLEY_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20261128;
}

/// Four of them, made once: with dissent and everything shown; without dissent, all withheld that can be; with dissent
/// and one text withheld; with dissent and a signature that was withdrawn.
struct Samples {
  Published dissented{true}, agreed{false}, withdrawn{true, true};
  std::vector<std::pair<std::string, Anchor>> dossiers = {
      {dissented.text(), dissented.anchor()},
      {agreed.text({.withhold = {"all"}, .with_bodies = {}}), agreed.anchor()},
      {dissented.text({.withhold = {"/evidence/0/summary"}, .with_bodies = {}}), dissented.anchor()},
      {withdrawn.text(), withdrawn.anchor()},
  };
};
inline Samples& samples() {
  static Samples made;
  return made;
}

}  // namespace parley::dossier
