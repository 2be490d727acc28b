// Having indicators admitted to a group from the command line: one call on each member, or as many as a question needs.
#pragma once

#include <span>

#include "admission/overview.h"
#include "cli/command.h"

namespace parley::cli {

/// Calls on every other member once for help with what waits, and says who is away or in trouble.
/// @param said  what was said last, which is not said again
/// @return how it stands then. @error Errc::cancelled; the vault's
Result<admission::Overview> admit_once(Workplace& at, const group::Membership& membership, std::string& said);

/// How it stands now. @error the vault's
Result<admission::Overview> overview_of(Workplace& at, const group::Membership& membership);

/// Whether everything that the charter allows has its tag.
bool is_done(const admission::Overview& overview);

/// Waits for the next try. @return false once the command was stopped
bool wait_a_little(Progress& progress, std::chrono::milliseconds how_long);

/// Has what a question is about admitted before it is asked, for some seconds at most and only as long as everybody is
/// there: what has no tag then does not enter. @error as admit_once
Status admit_before(Workplace& at, const group::Membership& membership, std::span<const indicator::Type> types);

/// What the logs say that a member has had admitted.
struct AdmittedOf {
  std::vector<std::string> lines;  ///< how many, of each type that needs a tag
  bool may_match = false;          ///< of a type that needs none, or of one of which it has had some
};
/// @param peer  our name for it. @error Errc::not_found; the vault's
Result<AdmittedOf> admitted_of(Workplace& at, const group::Membership& membership, const std::string& peer,
                               std::span<const indicator::Type> types);

/// On the screens before a question is sent or accepted: how `peer` could cheat, and how one would notice.
std::string how_one_notices(const group::Charter& charter, const session::Question& question, const std::string& peer,
                            bool we_ask);

}  // namespace parley::cli
