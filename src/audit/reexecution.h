// The audit of one side of a session (psi.md 6.3): its program is run again on what it opened, and everything that it
// sent and signed is compared with what the program sends and finds. Offline: it takes the members' keys and the file.
#pragma once

#include <map>
#include <optional>

#include "audit/audit_file.h"
#include "base/progress.h"
#include "base/thread_pool.h"
#include "log/member_keys.h"

namespace parley::audit {

struct Report {
  std::string session, group, audited, peer;  ///< the members by nick
  std::vector<std::string> checked;           ///< what was found to fit, in order, as sentences
  /// The first thing that does not fit; nothing if there is none.
  std::optional<std::string> difference;
  /// The other side signed the same transcript. Where it did not, or its result is not in the file, the audited side
  /// alone vouches for what it received: it could have made up a run that fits.
  bool vouched = false;
  /// Which types entered by tags is what the charter says. False where the record names some and no charter was there
  /// to hold it against: a guess of any other type could pass as a tag.
  bool tags_by_charter = true;
  /// False where more entered by tags than the logs that the auditor has count, and none of them is its own: they may
  /// be behind.
  bool tags_by_counts = true;
  std::vector<std::string> proves, proves_not;  ///< sentences; proves nothing where there is a difference but that

  bool passes() const { return !difference; }
  /// Passes, by no word that is the audited side's alone.
  bool shown() const { return passes() && vouched && tags_by_charter && tags_by_counts; }
};

/// What the logs of a group count as admitted for one member in one epoch (admission/records.h), where the auditor
/// holds them: of each type the most that any helper's log says: who counts too little must not accuse anybody.
struct Admitted {
  Digest epoch{};
  std::map<indicator::Type, std::int64_t> most;
  /// The auditor's own log is among them, and whole: it helped with each, and nothing that it counted can be lacking.
  bool by_own_log = false;
};

/// What the auditor has beside the members' keys, each where it is there.
struct AuditorHolds {
  std::optional<Admitted> admitted = {};  ///< of the audited member, in the session's epoch
  std::string charter = {};               ///< a note; that of another version says nothing
};

/// The indicators that the audited member had committed to, in the order of its set and without padding; also those
/// that entered by tags. Precondition: audit() says that it passes.
std::vector<indicator::Canonical> committed_set(const Audited& audited);

/// @param members  of the group, as log::admit_members() takes them: all of it rests on these keys
/// @error Errc::signature, Errc::format, Errc::protocol if the entries are not those of one session in logs of these
/// members: then there is nothing to audit, whoever made the file so. Errc::cancelled
Result<Report> audit(const Audited& audited, std::span<const log::MemberKeys> members, const AuditorHolds& holds,
                     ThreadPool& pool, Progress& progress);

}  // namespace parley::audit
