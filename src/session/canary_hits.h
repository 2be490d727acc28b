// Canaries in a session: which enter beside our items, and what is kept of one that turned out to be common: no match,
// but evidence about the peer (log.md 4.4).
#pragma once

#include <optional>
#include <vector>

#include "base/secret.h"
#include "group/canary_book.h"
#include "group/membership.h"
#include "session/alarm_sources.h"
#include "session/input.h"
#include "session/question.h"

namespace parley::session {

/// The set of `book` that an alarm could be raised with: it stood in our log, final, 24 hours ago. nullptr without one.
/// @param sources  sources_of() this membership
/// @param peer  nick of who would be accused, whose word is not needed where others have given theirs; empty: whoever
/// @error the vault's
Result<const group::CanaryBook::Committed*> canary_set_in_use(const group::CanaryBook& book,
                                                              const AlarmSources& sources,
                                                              const group::Membership& membership, UnixSeconds now,
                                                              const std::string& peer);

/// Those of our canaries that enter a session with `peer` (nick) about `question`, in an order that nobody else knows
/// and that stays the same for this peer. What it has hit, and what it may know of, is among them: a match that is gone
/// when it asks again would tell it that it was none. None where not both learn which indicators match: nothing would
/// show us a hit, or nothing could prove it. Of a question with a date as large a part as of our indicators, and once
/// one was among them it is again: what stays whatever the date would be a canary.
/// @param selection  of our indicators, with the question's types and date
/// @error the vault's
Result<std::vector<group::CommittedCanary>> canaries_for(vault::Vault& vault, const group::Membership& membership,
                                                         const Question& question, const vault::Selection& selection,
                                                         const std::string& peer, UnixSeconds now);

/// A canary of ours that the peer holds too, as it says.
struct CanaryHit {
  group::CommittedCanary canary;
  /// What opens it under our items_root, of a set of `item_count`.
  log::Salt item_salt{};
  std::uint64_t item_index = 0;
  std::vector<Digest> item_path = {};
  std::uint64_t item_count = 0;
  /// What shows it under the result root that both sign: K_t and a place among all tags. Not there where the peer left
  /// before it opened its share of the key.
  struct Tag {
    Digest item_key{};
    std::uint64_t index = 0;
    std::vector<Digest> path = {};
    std::uint64_t count = 0;
  };
  std::optional<Tag> tag = {};
  std::string theirs = {};  ///< PJ1 of the context that the peer opened for it, or ""
};

/// A canary at `position` of our input, which the protocol found common. Precondition: input.canary(position).
CanaryHit hit_at(const Input& input, std::size_t position, std::span<const group::CommittedCanary> canaries);

/// Where `indicator`, which is among them, stands in the tree of result_tree().
CanaryHit::Tag tag_under(const log::MerkleTree& tree, const Secret<32>& key, const indicator::Canonical& indicator);

/// Keeps the hits of a session, sealed, until the group ends.
Status keep_hits(vault::Vault& vault, const std::string& group, const std::string& session,
                 std::span<const CanaryHit> hits);
/// Before a session of `group` is opened to an auditor, who then sees which canaries entered: they say nothing any more
/// against these members (nicks: the other side, and the auditor if it is one). @error the vault's
Status note_canaries_opened(vault::Vault& vault, const std::string& group, std::span<const std::string> nicks);
/// Empty for a session without hits. @error Errc::format; the vault's
Result<std::vector<CanaryHit>> hits_of(vault::Vault& vault, const std::string& session);

}  // namespace parley::session
