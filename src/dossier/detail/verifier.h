// The checks of a dossier, one a step; what an earlier step has read and checked, the later ones rely on.
#pragma once

#include "dossier/verify.h"

namespace parley::dossier::detail {

/// A checkpoint note whose lines several versions of the charter may be asked about: each is computed once for each
/// key.
class CheckpointNote {
 public:
  /// @error Errc::format, Errc::limit
  static Result<CheckpointNote> read(std::string_view text);

  const log::Note& note() const { return note_; }
  const log::Checkpoint& tree() const { return tree_; }
  /// Whether the line is a signature, or a cosignature, by this key.
  bool is_by(std::size_t line, const log::VerifierKey& key);

 private:
  log::Note note_;
  log::Checkpoint tree_;
  std::map<std::pair<std::size_t, ByteArray<32>>, bool> known_;
};

struct CheckedEntry {
  Digest leaf{};
  log::Entry entry;
  const ShownEntry* shown = nullptr;
  bool is_evidence = false;  ///< the finding refers to it, so it is not about this finding, whatever its type
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
  Result<std::string> anchor();
  Result<std::string> charters();
  Result<std::string> members();
  Result<std::string> signatures();
  Result<std::string> basis();
  Result<std::string> entries();
  Result<std::string> openings();
  Result<std::string> rules();
  Result<std::string> publication();
  Result<std::string> stix();
  Result<std::string> nothing_else();

  Status read_leaves();
  /// Whose keys were replaced by which entries: all that follows is checked with the keys of its place.
  Status read_rotations();
  /// The keys of a member of a version, with what has replaced them.
  const log::MemberKeys& keys_of(const group::CharterMember& member) const;
  /// Marks what a checkpoint and an entry needed of the rotations.
  void note_cosigned(const log::Note& checkpoint);
  void note_signed(const std::string& nick, std::uint64_t seq);
  /// Whose line it is by a version, as far as it says: a member, and the keys of its that it may be by.
  struct Claim {
    std::string nick;
    std::vector<log::VerifierKey> keys;
  };
  std::optional<Claim> claim_of(const log::NoteSignature& line, const group::CharterMember& owner,
                                const group::Charter& charter, std::uint64_t tree_size) const;
  Status check_held(CheckpointNote& checkpoint, const std::string& nick, const group::Charter& charter);
  Result<log::Checkpoint> tree_of(const std::string& note, const std::string& nick,
                                  const group::SignedCharter* version);
  Status check_needed(std::span<const log::Entry> claimed);
  Result<log::Checkpoint> tree_of_evidence(const std::string& note, const std::string& nick) const;
  Result<CheckedEntry> check_entry(const ShownEntry& shown, const log::Entry& claimed);
  /// What publications name.
  struct Due {
    std::set<Digest> dissents, withdrawals;
  };
  Status check_publication(const CheckedEntry& entry, Due& due);
  Status check_dissents(const std::set<Digest>& due);
  Status check_withdrawal(const CheckedEntry& entry);
  Status check_withdrawals(const std::set<Digest>& due);
  const group::SignedCharter* version_of(const Digest& hash) const;
  void note_named(const group::SignedCharter* version);
  void say_what_it_proves();

  std::string_view text_;
  const Anchor& anchor_;
  Verdict verdict_;
  std::unique_ptr<Contents> contents_ = std::make_unique<Contents>();
  std::set<Digest> refs_;  // of the evidence
  std::vector<CheckedEntry> checked_;
  std::map<std::string, log::MemberKeys, std::less<>> rotated_;  // of those who replaced a key
  std::set<std::pair<std::string, std::uint64_t>> needed_;       // rotations that something was checked with
  std::size_t newest_version_ = 0;                               // of those that something names
};

}  // namespace parley::dossier::detail
