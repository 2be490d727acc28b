// The side that helps (psi.md 6.6): charges a batch, durably, before it computes anything, has the count and the hash
// of its answers in its own log before they leave, and helps with no more than the charter and its own policy allow.
#pragma once

#include "admission/epoch.h"
#include "admission/message.h"

namespace parley::admission {

/// Batches of one owner that are counted within 24 hours: enough for a million indicators, and no more entries in our
/// log than a busy day has.
inline constexpr std::int64_t kMostBatchesPerDay = 64;
/// How often a counted batch is answered again, for each day since it was: after crashes and lost links. What it costs
/// us is not charged.
inline constexpr std::int64_t kMostRepeats = 32;

/// Helps the peer of `link` until it leaves. Its first request is the link's next frame.
/// @param membership_now  a pause, a leave or an amendment meanwhile counts
/// @return with how many indicators it was helped, those of batches that were counted before among them
/// @error Errc::protocol, and what the log and the vault say
Result<std::uint64_t> help(const Party& us, const std::function<Result<group::Membership>()>& membership_now,
                           group::LogLink& link);

}  // namespace parley::admission
