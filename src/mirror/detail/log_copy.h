// What a replica has in memory of one log, and of one peer.
#pragma once

#include <map>
#include <set>

#include "log/frontier.h"
#include "log/member_keys.h"
#include "mirror/replica.h"

namespace parley::mirror::detail {

/// A log that is checked and put right from its first entry on.
struct Mending {
  log::LogState state;
  log::Frontier frontier;
};

struct LogCopy {
  std::size_t owner = 0;  ///< position in the members
  std::string origin;
  log::LogState state;
  log::Frontier frontier;
  /// Of state.size entries; nothing only if there are none. Its note carries all cosignatures that are known.
  std::optional<vault::LogCheckpoint> newest;
  std::vector<std::uint64_t> held;  ///< of each member: the largest tree that it signed or cosigned
  std::uint64_t final_size = 0;     ///< the largest tree of which one checkpoint has a quorum
  std::set<std::uint64_t> missing;  ///< entries whose bodies we ought to have and do not
  std::optional<Conviction> conviction;
  Usage usage;                     ///< of our quota for this log
  std::optional<Mending> mending;  ///< the stored rows are damaged
  /// They were so when they were loaded: rotations of the owner's keys may not be known here.
  bool keys_in_doubt = false;
  /// The note that was verified last, and what it says: most checkpoints that come are known to the last cosignature.
  std::string verified_note = {};
  log::CosignedCheckpoint verified = {};
  /// The largest checkpoint that was shown without the entries before it, as it is on the disk; size 0: none.
  vault::LogCheckpoint seen = {};

  std::uint64_t size() const { return state.size; }
};

struct Peer {
  bool greeted = false;                        ///< our heads are on the way
  bool told = false;                           ///< its heads have come
  std::vector<std::uint64_t> next;             ///< of each log: where the next push to it begins
  std::vector<std::uint64_t> until;            ///< of each log: how far it is to be served
  std::uint64_t cosignature_sent = 0;          ///< size of its log
  std::vector<std::set<std::uint64_t>> asked;  ///< of each log: missing bodies that it was asked for on this link
  std::vector<std::uint64_t> ask_from;         ///< of each log: the entry whose body is asked for next
  std::set<std::size_t> mending_asked;         ///< damaged logs that it was asked for on this link
  /// Of each log of another one: where its copy ended when entries were pushed to it since its last heads; where it
  /// ended still after that; and that it was tried again on this link.
  std::vector<std::optional<std::uint64_t>> pushed_from, in_vain;
  std::vector<bool> tried_again;

  explicit Peer(std::size_t log_count)
      : next(log_count),
        until(log_count),
        asked(log_count),
        ask_from(log_count),
        pushed_from(log_count),
        in_vain(log_count),
        tried_again(log_count) {}

  /// What its heads say of a log: it may take nothing of it for now, for want of room or of what the entries say.
  void told_of(std::size_t log, std::uint64_t size) {
    if (pushed_from[log]) in_vain[log] = size > *pushed_from[log] ? std::nullopt : std::optional(size);
    if (in_vain[log] && size > *in_vain[log]) in_vain[log].reset();
    pushed_from[log].reset();
    next[log] = size;
  }
};

/// The entries that one step adds to a copy; the copy takes them over once they are on the disk.
struct Growing {
  explicit Growing(const LogCopy& copy) : state(copy.state), frontier(copy.frontier) {
    growth.origin = copy.origin;
    growth.from = copy.size();
  }
  void add(std::string_view leaf, const log::Extension& extension) {
    growth.leaves.push_back({extension.leaf_hash, std::string(leaf)});
    frontier.append(extension.leaf_hash,
                    [&](const log::TreeNode&, const Digest& hash) { growth.nodes.push_back(hash); });
    state = extension.state;
    growth.seals = growth.seals || state.sealed;
  }
  /// @param leaf  hash of the entry that `body` came with
  void add(const Digest& leaf, const log::Body& body) {
    growth.bodies.push_back({leaf, body.salt, to_bytes(body.text)});
  }

  log::LogState state;
  log::Frontier frontier;
  vault::LogGrowth growth;
};

/// Whether the body of an entry is for this member: its author, or one of its audience.
bool may_read(const log::Entry& entry, std::string_view nick);

/// The note with the signature of the log's key alone.
std::string bare_note(std::string_view note, const log::VerifierKey& log);

/// The line of a signature as it stands in a note, and back.
std::string line_of(const log::NoteSignature& signature);
/// @error Errc::format
Result<log::NoteSignature> signature_of(std::string_view line);
/// `bare` with lines that line_of() gave. @error Errc::format
Result<std::string> note_with_lines(const std::string& bare, std::span<const vault::LogCosignature> lines);

}  // namespace parley::mirror::detail
