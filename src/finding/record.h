// What the joint log holds of findings: the bodies of finding.draft, finding.sign, finding.dissent, finding.publish and
// finding.withdraw (log.md 2.4). All of them go to every member.
#pragma once

#include "finding/signing.h"
#include "log/checkpoint.h"
#include "log/entry.h"

namespace parley::finding {

/// Freezes a finding: from here on its hash is its name.
struct DraftBody {
  std::string text;                      ///< finding_text()
  std::vector<Opening> openings;         ///< of all that is redactable
  std::vector<std::string> checkpoints;  ///< notes of the cut, in its order, each with a quorum's cosignatures

  log::Json to_json() const;
  /// @error Errc::format, Errc::limit
  static Result<DraftBody> from_json(const log::Json& body);
};

/// One member's signature, dissent or withdrawal.
struct NoteBody {
  Digest finding{};
  std::string note;

  log::Json to_json() const;
  static Result<NoteBody> from_json(const log::Json& body);
};

/// A signer says that the finding goes out: with which signatures, which dissent, and who has withdrawn.
struct PublishBody {
  Digest finding{};
  std::vector<std::string> signers;      ///< nicks, ascending
  std::vector<Digest> dissents;          ///< hashes of all that its author knows, ascending
  std::vector<Digest> withdrawals = {};  ///< of all that it knows and that a quorum holds, ascending

  log::Json to_json() const;
  static Result<PublishBody> from_json(const log::Json& body);
};

/// Whether an entry is one that a dossier can show: by a member of `charter`, and from within the time of it. Makers
/// and verifiers of dossiers hold every entry to this, beside its signature.
/// @param charter  the version that the entry names, or the finding's where that is not known
/// @error Errc::signature
Status check_within(const group::Charter& charter, const log::Entry& entry, std::string_view nick);

/// From when a finding is dated until its entry is written: its signatures are checked in between.
inline constexpr UnixSeconds kMostToFreezeSeconds = 60;
/// Whether a finding was made when the entry that freezes it was written, as far as the charter lets clocks differ and
/// freezing takes: its drafter must not date it otherwise than the entry, which stands between others of its log.
/// @param frozen   the time of that entry
/// @param charter  the finding's
/// @error Errc::policy
Status check_frozen_when_made(const Finding& finding, UnixSeconds frozen, const group::Charter& charter);

/// Whether what the finding rests on was there when it was made, as far as the charter lets clocks differ: what did not
/// exist nobody can have judged. Members and verifiers of dossiers hold all evidence to this.
/// @param entry    of the log of `nick`, which the evidence names
/// @param charter  the finding's
/// @error Errc::policy
Status check_was_there(const log::Entry& entry, std::string_view nick, const Finding& finding,
                       const group::Charter& charter);

}  // namespace parley::finding
