// Whose a nick is in a group: a member's log is known by it, and what was written for a nick is handed to whoever bears
// it.
#pragma once

#include "group/charter.h"

namespace parley::group {

/// Whether each nick that a version has given away is borne by nobody else in `next`: it comes back with the `id` and
/// the keys of the group that the last version to name it has. Asked by who makes or takes an amendment, and by who
/// verifies a dossier.
/// @param versions  all that were in force, in order @error Errc::format
Status check_nicks(std::span<const SignedCharter> versions, const Charter& next);

}  // namespace parley::group
