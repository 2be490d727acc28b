// The next version of a charter, and whose signatures put it in force (log.md 1.5, "Who may change what"): loosening
// needs all, tightening a finding's quorum, an expulsion all but the expelled.
#pragma once

#include <set>

#include "group/charter.h"

namespace parley::group {

enum class Effect : std::uint8_t {
  tightens,  ///< no member can learn more, or for longer, than before
  loosens,   ///< anything else, and anything that is not plainly a tightening
};

struct Change {
  std::string clause;  ///< its name in the charter: "questions: ipv4 count: max_sessions_day"
  Effect effect = Effect::loosens;
  std::string sentence;  ///< "max_sessions_day of ipv4 count: 4 -> 8"
};

/// Whose signatures an amendment needs.
struct Needs {
  std::vector<std::string> counted;  ///< nicks of current members whose signatures count
  std::size_t of_counted = 0;        ///< how many of them
  std::vector<std::string> all_of;   ///< and each of these: members who come in
  std::string why;                   ///< "all 4 members, because it loosens", for a person

  /// Nobody who counts can be outvoted.
  bool of_all() const { return of_counted == counted.size(); }
  /// Who has not signed, as long as signatures are due; where a quorum is, any of them can fill it. Empty when
  /// `signers` are enough.
  std::vector<std::string> missing(std::span<const std::string> signers) const;
};

struct Assessment {
  std::vector<Change> changes;
  std::vector<std::string> added, expelled, gone;  ///< nicks; gone: those who had left, and are taken off the list
  Needs needs;
};

/// The quorum of a group whose members have become `members_after`, as demanding as it was beyond the smallest safe one
/// (log.md 1.6). Precondition: 2 <= members_after <= members_before <= 16.
std::size_t log_quorum_after(std::size_t quorum_before, std::size_t members_before, std::size_t members_after);
std::size_t finding_quorum_after(std::size_t quorum_before, std::size_t members_after);
/// Whether a tree that these members hold is final: as many as the charter's quorum of logs says, or, without those who
/// are absent, as many of the others as those need.
bool hold_together(const Charter& charter, const std::set<std::string, std::less<>>& absent,
                   std::span<const std::string> holders);

/// What `after` changes of `before`, and what that needs.
/// @param left  nicks of members who have withdrawn
/// @error Errc::format when no signatures could put it in force: it does not follow `before`, changes what never
/// changes, changes nothing, expels more than one, expels one of two, or expels and changes something else
Result<Assessment> assess(const Charter& before, const Charter& after, const std::set<std::string, std::less<>>& left);

/// An amendment with whoever has signed it so far.
struct Amendment {
  SignedCharter next;
  Assessment assessment;
  std::vector<std::string> missing() const { return assessment.needs.missing(next.signers); }
  bool in_force() const { return missing().empty(); }
};

/// Signatures are by members of either version, each once. What somebody signs of whom a leave is here does not count.
/// @error as read_founding() and assess()
Result<Amendment> read_amendment(const SignedCharter& before, std::string_view note,
                                 const std::set<std::string, std::less<>>& left);

/// The same for who was not there, and does not know what came first: whoever signed it, and is in it, had not left
/// before it, whatever version its leave names. So what was in force for a member that knew of some leaves is in force
/// for who knows of more. Nobody gains by it: with that leave kept back it would count as well.
/// @error as read_amendment()
Result<Amendment> read_amendment_afterwards(const SignedCharter& before, std::string_view note,
                                            const std::set<std::string, std::less<>>& left);

/// Whether there is a version left for it: the last ones are kept for what all members agree on, or all but the one who
/// is expelled, so that a finding's quorum cannot use up what the others may need. Asked by who makes or takes it; a
/// version that is in force is judged by its signatures alone. @error Errc::limit
Status check_room(const Amendment& amendment);

/// An amendment that this vault took before: it follows, and its signatures are good. Whether they were enough is not
/// judged again, since who had left then is not known now. @error as read_amendment()
Result<SignedCharter> read_taken_amendment(const SignedCharter& before, std::string_view note);

}  // namespace parley::group
