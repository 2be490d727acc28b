// The checks of a dossier, one a step; what an earlier step has read and checked, the later ones rely on.
#pragma once

#include "dossier/verify.h"

namespace parley::dossier::detail {

/// A checkpoint of a member's log that a quorum holds.
struct HeldTree {
  std::string nick;
  log::Checkpoint checkpoint;
};

struct CheckedEntry {
  Digest leaf{};
  log::Entry entry;
  log::Checkpoint tree;
  std::optional<log::Json> body;
};

/// The rotations of `keys` that a reader of this checkpoint needs: those of a cosign key that signed it, before or
/// after it was replaced, and those before them.
std::vector<log::PlacedRotation> rotations_cosigned_with(const log::MemberKeys& keys, const log::Note& checkpoint);

inline std::unexpected<Error> wrong(std::string why, std::string where = {}) {
  return fail(Errc::signature, std::move(why), std::move(where));
}

class Verifier {
 public:
  Verifier(std::string_view text, const Anchor& anchor) : text_(text), anchor_(anchor) {}

  Verdict run();

 private:
  Dossier& dossier() { return contents_->dossier; }
  Result<std::string> form();
  Result<std::string> charters();
  Result<std::string> anchor();
  Result<std::string> members();
  Result<std::string> signatures();
  Result<std::string> basis();
  Result<std::string> entries();
  Result<std::string> openings();
  Result<std::string> rules();
  Result<std::string> publication();
  Result<std::string> stix();
  Result<std::string> nothing_else();

  Status read_leaves(std::size_t version);
  /// Whose keys were replaced by which entries: all that follows is checked with the keys of its place.
  Status read_rotations();
  /// The members of a version, with what has replaced their keys.
  std::vector<log::MemberKeys> keys_of(const group::Charter& charter) const;
  /// Marks what a checkpoint and an entry needed of the rotations.
  void note_cosigned(const log::Note& checkpoint);
  void note_signed(const std::string& nick, std::uint64_t seq);
  Result<log::Checkpoint> held_tree(const std::string& note, const std::string& nick, const group::Charter& charter);
  Result<log::Checkpoint> tree_of(const std::string& note, const std::string& nick,
                                  const group::SignedCharter* version);
  Result<CheckedEntry> check_entry(const ShownEntry& shown);
  /// What publications name.
  struct Due {
    std::set<Digest> dissents, withdrawals;
  };
  /// Whether the finding refers to it. Then it is not about this finding, whatever its type: its hash stands in the
  /// text whose hash entries about the finding name.
  bool is_evidence(const CheckedEntry& entry) const;
  Status check_publication(const CheckedEntry& entry, Due& due);
  Status check_dissents(const std::set<Digest>& due);
  Status check_withdrawal(const CheckedEntry& entry);
  Status check_withdrawals(const std::set<Digest>& due);
  const group::SignedCharter* version_of(const Digest& hash) const;
  void say_what_it_proves();

  std::string_view text_;
  const Anchor& anchor_;
  Verdict verdict_;
  std::unique_ptr<Contents> contents_ = std::make_unique<Contents>();
  std::map<std::pair<std::string, std::string>, HeldTree> trees_;  // by note and version's hash: each verified once
  std::vector<CheckedEntry> checked_;
  std::map<std::string, log::MemberKeys, std::less<>> rotated_;  // of those who replaced a key
  std::set<std::pair<std::string, std::uint64_t>> needed_;       // rotations that something was checked with
  std::size_t newest_version_ = 0;                               // of those that something names
};

}  // namespace parley::dossier::detail
