// Questions of a member that came to nothing. Each leaves a row in our vault and an entry in our log, and asking costs
// the member nothing; so there are limits on how many it may ask, and the rows are forgotten again. The logs keep their
// entries.
#pragma once

#include "group/joint_log.h"
#include "vault/vault.h"

namespace parley::session {

/// Of one member of a group, that wait for an answer here. A node serves four links of a member (node/doorman.h).
inline constexpr std::int64_t kMostUndecided = 4;
/// Of one member of a group in 24 hours, that were refused, expired or broken off. Somebody who asks once a minute for
/// a whole day, and is never answered, is beyond it.
inline constexpr std::int64_t kMostUnansweredPerDay = 1'000;
/// How many of them the vault keeps, the newest; and for how long.
inline constexpr std::int64_t kMostUnansweredKept = 1'000;
inline constexpr UnixSeconds kUnansweredKeptSeconds = 30 * 86'400;

struct Asker {
  std::string peer;  ///< our name for it
  std::string nick;  ///< in the group
};

/// Whether one more question of `asker` is looked at; forgets rows of older ones that are too many or too old. A
/// session that may have disclosed something is never forgotten.
/// @param proposal  leaf hash of its entry
/// @error Errc::limit with a sentence: nothing of the question is kept or answered; Errc::protocol for one that is as
/// old as what was forgotten
Status admit_proposal(vault::Vault& vault, group::JointLog& log, const Asker& asker, const Digest& proposal,
                      UnixSeconds now);

}  // namespace parley::session
