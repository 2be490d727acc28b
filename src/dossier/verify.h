// Checking a dossier: each step by itself, in an order in which nothing is relied on before it was checked
// (log.md 6.3). No network, no clock, no vault.
#pragma once

#include <map>
#include <memory>

#include "dossier/dossier.h"

namespace parley::dossier {

/// Whom the reader trusts to begin with: without that a dossier only shows that some keys signed.
struct Anchor {
  std::optional<Digest> charter = {};  ///< hash of the charter's first version, or of a later one
  /// `id` keys of members that the reader knows. Each has to have joined the group of the dossier, and those who signed
  /// the finding have to be enough by themselves.
  std::vector<log::VerifierKey> id_keys = {};
  bool is_given() const { return charter.has_value() || !id_keys.empty(); }
};

enum class Outcome : std::uint8_t { holds, fails, not_given };

struct Step {
  std::string title;
  Outcome outcome = Outcome::holds;
  std::string detail;  ///< what was checked, or why it fails
};

/// An entry of a member's log whose place and author were checked.
struct ProvenEntry {
  std::string nick;
  std::uint64_t seq = 0;
  Digest leaf{};
  std::string type;
  UnixSeconds time = 0;             ///< by its author's clock
  std::optional<std::string> body;  ///< where it is shown
};

/// What a dossier says, once it holds.
struct Contents {
  Dossier dossier;
  std::vector<group::SignedCharter> charters;
  finding::Left left;
  std::map<std::string, std::string> names;  ///< by nick, of those whose cards are there
  const group::Charter* charter = nullptr;   ///< of `charters`, the one that the finding names
  finding::SignedFinding signed_finding;
  finding::Finding finding;  ///< with the texts that are shown
  std::vector<finding::SignedDissent> dissents;
  std::vector<finding::Withdrawn> withdrawals;  ///< ascending by hash
  std::vector<ProvenEntry> entries;             ///< in the order of the dossier
  std::vector<std::string> publishers, silent;  ///< nicks, ascending
  std::vector<std::string> redacted;            ///< paths that are not shown
  std::vector<finding::Remark> remarks;         ///< warnings of the rules of the trade
  std::size_t quorum = 0;

  /// Signers who have not withdrawn, as far as the dossier knows, ascending.
  std::vector<std::string> standing() const;
  /// Whether they are as many as must sign: as long as nobody has withdrawn, they are, since they were enough to begin
  /// with.
  bool stands() const;
};

struct Verdict {
  std::vector<Step> steps;  ///< up to the first that fails
  bool holds = false;
  bool anchored = false;
  std::unique_ptr<Contents> contents;           ///< where it holds
  std::vector<std::string> proves, proves_not;  ///< sentences
};

/// @param text  the file. Never fails as a call: what is wrong is a step of the verdict.
Verdict verify_dossier(std::string_view text, const Anchor& anchor);

/// The reader's anchor from a file: a charter's note, or lines that are `id` keys or cards; empty lines and lines that
/// begin with # do not count. @error Errc::format with the line, Errc::key_weak, Errc::limit
Result<Anchor> parse_anchor(std::string_view text);

}  // namespace parley::dossier
