// How a group ends on one member's side (log.md 1.5, 1.6): an operation by its clock, a membership by withdrawal. What
// is destroyed is destroyed at once; the log's last entry is written by whoever keeps the log.
#pragma once

#include <functional>

#include "group/founding.h"
#include "log/pjson.h"

namespace parley::group {

/// The last entries of this member's log in one group, to be appended by whoever keeps it. The log's keys are destroyed
/// afterwards.
struct SealDue {
  std::string group;  ///< id
  std::string origin;
  Digest charter{};  ///< in force
  /// Types and bodies, in this order: member.leave and log.seal, or group.seal (log.md 2.4).
  std::vector<std::pair<std::string_view, log::Json>> entries;
};
/// How far the end of our log has come.
enum class Sealed : std::uint8_t {
  here,     ///< signed; not all others have signed that they hold it, or not all have ended theirs
  settled,  ///< every other member's log has ended as well, and all have signed that they hold each other's
};
/// Appends them, unless they stand there already, and has the last checkpoint signed. Called again until it has come as
/// far as it can.
using SealLog = std::function<Result<Sealed>(const SealDue& due)>;

/// For so long after a group's end our keys are kept where others have not ended their logs: what we sign then is that
/// we hold their ends.
inline constexpr UnixSeconds kSettlingSeconds = 7 * 86'400;

/// What came to its end, for people.
struct Ending {
  enum class What : std::uint8_t {
    sessions,
    log,  ///< sealed; keys are kept until the others' logs have ended too, kSettlingSeconds at most
    group
  };
  What what = What::sessions;
  std::string group;  ///< our name for it
  std::string id = {};
  std::int64_t secrets = 0;           ///< how many secrets of sessions were destroyed
  std::optional<Error> failure = {};  ///< the log could not be sealed; keys stay until it can
};

/// Ends what is over at `now`: where a charter has ended, all secrets of its sessions are destroyed, so that no match
/// of it is ever opened any more; where its days of grace are over as well (or this member was expelled, or everybody
/// else has left), the log is sealed, and once that is settled the group's keys are destroyed. Also forgets invitations
/// that have expired. One group's failure does not keep another open. Doing it again does nothing, but says
/// Ending::What::log again.
/// @param time_of  what `now` is for a group, by its id; empty: the same for all
/// @error the vault's
Result<std::vector<Ending>> end_what_is_over(const Desk& desk, UnixSeconds now, const SealLog& seal,
                                             const std::function<UnixSeconds(const std::string&)>& time_of = {});

/// The same for one group at once, whatever its clock says, and without waiting for the others.
/// @error Errc::policy when it is not
Result<Ending> close_group(const Desk& desk, const vault::GroupRow& group, UnixSeconds now, const SealLog& seal);

/// What a withdrawal is, sentence by sentence, before it is done.
std::vector<std::string> meaning_of_withdrawal(const vault::GroupRow& group, const Membership* membership);

struct Withdrawal {
  std::optional<Leave> leave;  ///< for the others; nothing if no charter bears our signature
  std::int64_t secrets = 0;
  std::optional<Error> failure = {};  ///< as Ending::failure
};
/// Leaves the group, alone and at once: from here on nothing of ours leaves under its charter. Makes the leave that the
/// others are to get, destroys the secrets of its sessions, seals the log, destroys the group's keys, and forgets the
/// keys of pairs that share no other group with us. @error Errc::policy when there is nothing to leave
Result<Withdrawal> withdraw(const Desk& desk, vault::GroupRow group, std::string_view reason, const Secret<32>& id_seed,
                            UnixSeconds now, const SealLog& seal);

}  // namespace parley::group
