// How many members make sure that a log has one history (log.md 2.6). Counted is who holds the tree: its owner and
// those who cosigned it.
#pragma once

#include "log/checkpoint.h"
#include "log/member_keys.h"

namespace parley::log {

/// The smallest quorum k of n members with which a split view needs more than a third of them to lie: k = n for n <= 3,
/// else floor(2n/3) + 1. 2k > n + f for every f <= (n - 1) / 3, and k <= n - f. Precondition: 1 <= member_count <= 16.
std::size_t log_quorum(std::size_t member_count);

/// How far a tree of one member's log has got, as one checkpoint note shows.
struct Standing {
  Checkpoint checkpoint;
  std::vector<std::size_t> holders;  ///< positions in the members, ascending, the owner included
  std::vector<std::uint64_t> times;  ///< what each holder's cosignature states; 0 for the owner
  std::size_t member_count = 0;
  std::size_t quorum = 0;

  /// `member` stored it and said so: enough for a step of a session between two.
  bool held_by(std::size_t member) const;
  /// A quorum holds it.
  bool is_final() const { return holders.size() >= quorum; }
  /// All hold it: no second history while one of them is honest.
  bool is_unanimous() const { return holders.size() == member_count; }
};

/// A checkpoint of members[owner]'s log and who cosigned it: Cosigner::key is the position of a member, each once. What
/// a key signed beyond where its owner had replaced it does not count.
/// @param verified, false_line  as for read_cosigned() @error as read_cosigned()
Result<CosignedCheckpoint> read_cosigned_by(const Note& note, std::span<const MemberKeys> members, std::size_t owner,
                                            std::span<const NoteSignature> verified = {},
                                            FalseLine false_line = FalseLine::fails_the_note);

/// The same checkpoint with one signature of its log and, of each other member whose cosignature counts, one of that:
/// without lines that are nobody's, doubled, the owner's own, or by a key beyond where it was replaced. Whoever hands a
/// note on has added to it what he likes, and a strict reader refuses it then.
/// @error as read_cosigned_by()
Result<std::string> only_what_counts(std::string_view note, std::span<const MemberKeys> members, std::size_t owner);

/// Reads the standing of a checkpoint of members[owner]'s log.
/// @param members  as admit_members() takes them; those who left are not in it
/// @param quorum   of the charter, at least log_quorum(members.size())
/// @error Errc::signature, Errc::format, Errc::limit
Result<Standing> read_standing(std::string_view note, std::span<const MemberKeys> members, std::size_t owner,
                               std::size_t quorum);

}  // namespace parley::log
