// Making a dossier of a published finding, from what one member's vault and logs hold.
#pragma once

#include <set>

#include "dossier/verify.h"
#include "group/member.h"

namespace parley::dossier {

struct MakeOptions {
  std::vector<std::string> withhold;  ///< paths of redactable texts that the reader does not get; "all" for each
  std::set<Digest> with_bodies;       ///< leaf hashes of evidence whose bodies are shown
  /// Leaf hashes of dissents and withdrawals that are not waited for. Only those that no quorum holds can be, since
  /// their author may keep from everybody what they say, or what else stands beside them; and those under a version of
  /// the charter that is not known, since their author may have made it up.
  std::set<Digest> without = {};
};

/// @return the file, which verifies with the group's first charter as its anchor
/// @error Errc::policy while too few signers have published it, no quorum holds their entries, or what a dissent or
/// withdrawal says is not here; Errc::not_found for a path or entry that is not there, or that this member does not
/// have
Result<std::string> make_dossier(vault::Vault& vault, const group::Membership& membership, group::JointLog& log,
                                 const group::Card& own_card, const finding::Case& of, const MakeOptions& options);

}  // namespace parley::dossier
