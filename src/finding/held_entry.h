// What a reader of a dossier can be shown of an entry about a finding: the entry, and a tree with it that a quorum
// holds.
#pragma once

#include "finding/casebook.h"

namespace parley::finding {

struct HeldEntry {
  std::string origin;  ///< of the log
  std::string note;    ///< the leaf
  log::Entry header;
  std::string checkpoint;  ///< of a tree with it, with the lines that count by `version` and no others
  const group::SignedCharter* version = nullptr;  ///< whose quorum holds the tree: the entry's own, or a later one
};

/// The entry by the newest tree that a quorum holds, by the entry's version of the charter or by a later one, which the
/// reader then gets as well; nothing while there is none. An author decides alone what stands in its log beside an
/// entry, and nobody who lacks any of that signs for a tree with it: so there may never be one.
/// @error Errc::not_found for an entry that is not here; the vault's
Result<std::optional<HeldEntry>> held_entry(vault::Vault& vault, const group::Membership& membership,
                                            group::JointLog& log, const Finding& finding, const Place& place);

}  // namespace parley::finding
