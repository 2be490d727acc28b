// How much of a cap is used up, as a helper counts it and as an owner knows it beforehand (psi.md 6.6).
#pragma once

#include "admission/epoch.h"

namespace parley::admission {

/// What `helper` has counted for `owner` of a type and holds against the cap of now: all of the epoch. For a member
/// that was off the charter and came back it is all of the period, whatever the epoch: by leaving and coming back
/// nobody has its count begin anew.
/// @error the vault's
Result<std::int64_t> counted(vault::Vault& vault, const group::Membership& membership, const Digest& epoch,
                             std::string_view helper, std::string_view owner, indicator::Type type, UnixSeconds now);

/// Whether this member of the epoch has answered a batch.
bool has_answered(const vault::AdmissionBatch& batch, std::string_view nick);

/// How many of a type have been admitted for us or are on their way, by whoever counts most: ourselves, or a helper
/// whose counts we do not remember. @error the vault's
Result<std::int64_t> used(vault::Vault& vault, const group::Membership& membership, const Epoch& epoch,
                          std::string_view our_nick, indicator::Type type);

/// So many batches of an owner that are not full go to the others at once within 24 hours, and from then on one in so
/// long: a feed that brings a few indicators at a time would have them all busy for the rest of the day
/// (kMostBatchesPerDay), and with them what else waits.
inline constexpr std::int64_t kSmallBatchesAtOnce = 32;
inline constexpr UnixSeconds kNextSmallBatch = 45 * 60;
/// Whether one that is not full is to wait now, by the helper that has counted most of ours. @error the vault's
Result<bool> small_ones_wait(vault::Vault& vault, const group::Membership& membership, const Epoch& epoch,
                             std::string_view our_nick, UnixSeconds now);

}  // namespace parley::admission
