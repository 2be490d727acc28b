// How much of a cap is used up: by what a helper's log counts for an owner, and by what it is about to (psi.md 6.6).
#pragma once

#include "admission/epoch.h"

namespace parley::admission {

/// What `helper` has counted for `owner` of a type and holds against the cap of now: all of the epoch. For a member
/// that was off the charter and came back it is all of the period, whatever the epoch: by leaving and coming back
/// nobody has its count begin anew.
/// @error the vault's
Result<std::int64_t> counted(vault::Vault& vault, const group::Membership& membership, const Digest& epoch,
                             std::string_view helper, std::string_view owner, indicator::Type type, UnixSeconds now);

}  // namespace parley::admission
