// Which consents of a member to a reveal are answered: each once, whatever was restarted meanwhile, and so many in a
// day. Each answer is an entry of our log, and another consent costs the member one of its own.
#pragma once

#include "session/step.h"
#include "session/unanswered.h"

namespace parley::session {

/// Of one member of a group in 24 hours: one a minute for two thirds of a day.
inline constexpr std::int64_t kMostAnsweredRevealsPerDay = 1'000;

/// Whether `consent` of `asker` is answered, and from then on that it is. Precondition: its session is one with
/// `asker`.
/// @error Errc::protocol for one that is no newer than one that was answered; Errc::limit with a sentence
Status admit_reveal(vault::Vault& vault, const std::string& group, const Asker& asker, const ReceivedStep& consent,
                    UnixSeconds now);

}  // namespace parley::session
