// The trees that a finding rests on: who holds them, by what a draft shows and by what is kept here.
#pragma once

#include "finding/finding.h"
#include "finding/signing.h"
#include "group/membership.h"
#include "mirror/holdings.h"

namespace parley::finding {

/// Each checkpoint is of the cut's log, size and root, and a quorum of the charter holds it, by the notes alone: what a
/// reader of a dossier can check.
/// @error Errc::signature; Errc::policy for a quorum that is not there, with whose lines are missing
Status check_cut(const Finding& finding, std::span<const std::string> checkpoints, const group::Charter& charter,
                 std::span<const log::MemberKeys> keys, const Left& left);

/// A draft in the log of `author`, with the notes that it came with.
struct DraftedCut {
  const Finding& finding;
  std::vector<std::string>& checkpoints;
  const group::Charter& charter;
  std::span<const log::MemberKeys> keys;  ///< of that charter
  std::string author_origin;
  std::uint64_t seq = 0;
};

/// Judges drafts in this vault. The hash of a finding covers which trees these are, and not their signature lines:
/// whoever repeats a draft may have added some or left some out, and a rotation may have come since by which one does
/// not count any more for what comes now.
class CutJudge {
 public:
  /// Both outlive this. @error the vault's
  static Result<CutJudge> make(vault::Vault& vault, const group::Membership& membership);

  /// The same check, with what is kept here: whoever has once signed to hold a tree, or a later one of that log, holds
  /// it whatever its rotations say now, and so does whoever's line stood in the draft before it cosigned the draft with
  /// the same key. The notes are then the ones with all lines that a reader of a dossier would count, and no others.
  /// @error as check_cut(); the vault's
  Status judge(const DraftedCut& drafted);

 private:
  CutJudge(vault::Vault& vault, const group::Membership& membership, std::vector<log::MemberKeys> all_keys)
      : vault_(vault), membership_(membership), holdings_(vault, std::move(all_keys)) {}
  Result<std::string> completed(const std::string& note, std::span<const log::MemberKeys> keys, std::size_t owner);
  /// Members whom the note does not show are looked for until there are enough.
  Result<std::vector<std::string>> with_kept_holders(std::vector<std::string> by_note, const DraftedCut& drafted,
                                                     std::size_t i, const std::string& as_drafted,
                                                     const log::MemberKeys& owner);

  vault::Vault& vault_;
  const group::Membership& membership_;
  mirror::Holdings holdings_;
};

}  // namespace parley::finding
