// One member's replica of one group's logs: its own log, which it writes, and its mirrors of all others', which it
// checks, keeps and cosigns (log.md 2.6 and 2.7). No thread, no socket, no clock: messages and the time come as
// arguments, what is to be sent is returned. Whoever calls it serialises the calls and carries the messages.
//
// A link to a peer comes up: connected(peer). Then, and after every append() and take(): send what to_send(peer) gives,
// of every peer that is connected, until it gives nothing. Every message that arrives: take().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "log/fault.h"
#include "log/frontier.h"
#include "log/quorum.h"
#include "mirror/check.h"
#include "mirror/message.h"
#include "mirror/quota.h"
#include "mirror/store.h"

namespace parley::mirror {

/// The seeds of this member in this group.
struct OwnSeeds {
  Secret<32> node;    ///< signs entries
  Secret<32> log;     ///< signs checkpoints of the own log
  Secret<32> cosign;  ///< cosigns others'
  /// Of keys that have taken the place of these or of each other, in any order: which one is in use the log says.
  std::vector<Secret<32>> rotated = {};
};

/// A key of ours that is to take the place of another one.
struct NewKey {
  log::KeyRole role{};
  log::RotationReason reason{};
  std::int64_t since = 0;  ///< as Rotation::since
  Secret<32> seed;
  // Of `tls` only, which the log does not know until it is rotated.
  ByteArray<32> first_tls{};               ///< the public key that the member's card names
  std::optional<Secret<32>> old_tls = {};  ///< of the key in use, if it is here
};

/// Those members of the charter who have left. A tree is final as well when enough of the others hold it.
struct Departed {
  std::set<std::size_t> members = {};  ///< positions
  std::size_t quorum_of_rest = 0;  ///< at least log::log_quorum() of the others; of no meaning while nobody has left
  bool operator==(const Departed&) const = default;
};

/// The group as the charter in force has it.
struct GroupView {
  std::string id;  ///< 32 hexadecimal digits
  /// As log::admit_members() takes them, with their id keys: without those no rotation of a key is taken. What was
  /// rotated is read from the logs.
  std::vector<log::MemberKeys> members;
  std::size_t self = 0;        ///< position in members
  std::size_t log_quorum = 0;  ///< 0: log::log_quorum(members.size())
  Departed departed = {};
  Digest charter{};  ///< hash of the charter in force
  /// How many peers must have said what they hold of the own log before it is written (log.md D10). 0: so many that
  /// one of them holds whatever was final.
  std::size_t answers_needed = 0;
  Quota quota = {};  ///< of each log but our own
};

enum class State : std::uint8_t {
  asking,     ///< not enough peers have said what they hold of our log: nothing is appended, nothing cosigned
  amnesia,    ///< the store is behind the guard, a peer, or itself: nothing is appended or cosigned until it has caught
              ///< up
  live,       ///< all is well
  sealed,     ///< our log is sealed; others' are mirrored and cosigned on
  retired,    ///< our keys are destroyed: logs are shown, taken and kept, and nothing is signed any more
  convicted,  ///< a fault of our own is proven: nothing is appended
  halted,     ///< a write failed, and what is on the disk is not known: the process must end
};
std::string_view name_of(State state);

/// An entry to be written.
struct Draft {
  std::string type;                   ///< of log::kEntryTypes
  std::string session;                ///< 32 hexadecimal digits, or empty
  std::vector<Digest> refs;           ///< leaf hashes of entries of others
  std::vector<std::string> audience;  ///< nicks, any order; or log::kEveryone alone; or nobody
  log::Json body = log::Json::Object{};
};

/// An entry of no session, for all members to read.
inline Draft draft_for_everyone(std::string_view type, log::Json body) {
  return {.type = std::string(type),
          .session = {},
          .refs = {},
          .audience = {std::string(log::kEveryone)},
          .body = std::move(body)};
}

/// An entry as a log has it, with its body if this member may read it and has it.
struct EntryView {
  std::string log;  ///< nick
  Digest leaf_hash{};
  log::Entry entry;
  std::optional<log::Json> body;
};

/// A fault that was verified here.
struct Conviction {
  std::string accused;  ///< nick
  std::string fault;    ///< as log::write_fault() gives it
  std::string reason;   ///< one sentence
};

/// What a message did.
struct Outcome {
  std::vector<Message> replies;         ///< for the sender of the message
  std::vector<EntryView> entries;       ///< new ones, each once; if we are in the audience, once the body is there
  std::vector<Conviction> convictions;  ///< new ones; whoever runs the replica appends fault_draft() of each
  /// Entries of our own log that nobody else ever had, and that gave way to others of ours that the sender holds.
  std::uint64_t dropped = 0;
};

/// Writes to the same store what is to be durable with an entry. Where several entries are written together and one of
/// them cannot be, the others are written anew, and their work is done anew with the entry that it then is.
using Work = std::function<Status(const EntryView&)>;

/// One of several entries that are written together.
struct Appending {
  Draft draft;
  Work work;  ///< may be empty
};

/// What a message of a peer made us do. Whoever carries messages bounds what a peer may make us do for nothing.
struct Effort {
  std::uint64_t checked = 0;  ///< signatures; kEntriesPerCheck entries compared with those on the disk count as one
  std::uint64_t brought = 0;  ///< those of them that stand on entries, bodies and cosignatures that we did not have
  /// What was done for nothing, and at least one: a message is read, parsed and answered whatever it says.
  std::uint64_t wasted() const { return checked > brought ? checked - brought : 1; }
};
/// An entry that is read from the disk, opened and hashed costs about a sixteenth of an Ed25519 verification.
inline constexpr std::uint64_t kEntriesPerCheck = 16;

class Replica {
 public:
  /// Loads the logs and checks their edges against their newest checkpoints, and the guard against the own log. A log
  /// that does not pass is damaged(): it is neither extended nor cosigned until a peer's entries have repaired it.
  /// @param seeds         none once they have been destroyed
  /// @param store, guard  outlive the replica
  /// @error Errc::io and whatever else the store says; Errc::format, Errc::key_weak for the members
  static Result<std::unique_ptr<Replica>> open(GroupView group, const std::optional<OwnSeeds>& seeds, Store& store,
                                               Guard& guard);
  ~Replica();

  State state() const;
  /// Why the state is not live: a sentence for the operator.
  std::string reason() const;
  /// Goes live without the peers' word, at the risk of signing a second history (log.md 2.7, "--i-accept-fork-risk").
  /// The caller has written down who took the risk. @error Errc::policy where that cannot help
  Status accept_fork_risk();
  /// The charter in force from now on.
  void set_charter(const Digest& charter);
  /// @error Errc::policy for a quorum that does not hold a log together; what the store says
  Status set_departed(const Departed& departed);
  /// What is taken of others' logs from now on.
  void set_quota(const Quota& quota);

  // --- the own log -----------------------------------------------------------------------------------------------
  /// Writes the next entry of the own log, with its body and a checkpoint, in one commit with what `work` writes to the
  /// same store. When it returns, all is durable, was read back, and the guard has moved: only now to_send() gives it.
  /// @param now   Unix seconds; an entry is never earlier than the one before it
  /// @param work  may be empty; sees the entry that is being written. Its error undoes everything and is returned
  /// @error Errc::policy if the state is not live; Errc::format, Errc::limit for the draft; Errc::io: halted
  Result<EntryView> append(Draft draft, std::int64_t now, const Work& work = {});
  /// The same for several at once, in one commit and with one checkpoint, behind the last of them. One that is refused,
  /// by the rules or by its own work, is as if it had not been there.
  /// @return for each what append() would
  std::vector<Result<EntryView>> append_all(std::vector<Appending> all, std::int64_t now);
  /// The last entry of the own log (log.md 1.6). Nothing follows it. @error as append
  Result<EntryView> seal(std::int64_t now, std::string_view type = log::kLogSeal);
  /// Writes that another key of ours takes the place of the one in use (log.md 1.6). From that entry on the old key is
  /// not used, and nobody takes what it signs.
  /// @param work  as in append(): the new seed has to be durable with the entry
  /// @error as append(); Errc::usage for another id key, Errc::not_found where the old key has to sign and is not here
  Result<EntryView> rotate(const NewKey& next, const Secret<32>& id_seed, std::int64_t now, const Work& work = {});
  /// Whether the seed of the key in use is here. A disk that was put back can lack one that was rotated since: the key
  /// is lost then, and is to be rotated again. @param role  node or cosign
  bool has_key(log::KeyRole role) const;
  /// The keys of a member, with all rotations in what we hold of its log. @error Errc::not_found
  Result<log::MemberKeys> keys_of(std::string_view nick) const;
  /// A replaced key, and the id key of whoever has replaced it.
  struct Replaced {
    log::VerifierKey id;
    log::Rotation rotation;
  };
  /// All rotations of a role in what we hold of the logs.
  std::vector<Replaced> replaced(log::KeyRole role) const;
  /// The body of a `heads` entry: the newest checkpoints of all members that we hold, and who cosigned them.
  log::Json heads_body() const;
  static Draft fault_draft(const Conviction& conviction);

  // --- peers -----------------------------------------------------------------------------------------------------
  /// A link to `peer` is up: nothing that was sent before counts as having arrived.
  void connected(std::string_view peer);
  /// Both sides say anew what they hold, on the same link: as connected(), but what `peer` was asked for and did not
  /// give it is not asked for again.
  void begin_round(std::string_view peer);
  /// Our heads, asking for the peer's, for one of several links to it: what to_send() gives goes by whichever comes
  /// first.
  Result<std::vector<Message>> ask_for_heads(std::string_view peer);
  /// What `peer` has not cosigned of our log counts as not sent to it.
  void forget_unheld(std::string_view peer);
  /// The next messages that bring `peer` up to date with what it may have and lacks: our heads on a new link, our own
  /// log from where it is known to end, questions for bodies that are missing here (of each log kMostAsked at a time),
  /// other logs if its heads have shown that it lacks them, cosignatures on its log.
  /// Bodies go to their audience only. At most kMaxMessagesAtOnce; nothing when it is up to date.
  Result<std::vector<Message>> to_send(std::string_view peer);
  /// Checks a message of `peer` and keeps what is new. What it returns is durable, and so is what was cosigned; only
  /// cosignatures of others may wait for the next commit.
  /// @error whatever is wrong with it: nothing has changed then. Errc::io: halted
  Result<Outcome> take(std::string_view peer, const Message& message, std::int64_t now);

  /// What the last take() cost, whether it succeeded or not.
  const Effort& effort() const;

  /// Writes the cosignatures of others that have not been written yet. They wait for the next commit, since whoever
  /// made them gives them again: to be called now and then, and at the end. @error Errc::io: halted
  Status flush();

  // --- what is known ---------------------------------------------------------------------------------------------
  /// Entries of a log that we hold.
  std::uint64_t size(std::string_view log) const;
  /// The entry, with its body if we may read it and have it. @error Errc::not_found; Errc::vault_damaged for a row that
  /// is not it
  Result<EntryView> entry(std::string_view log, std::uint64_t seq);
  /// The entry with this leaf hash. @error as above
  Result<EntryView> entry(std::string_view log, const Digest& leaf_hash);
  /// The newest checkpoint note of a log with all cosignatures that we know. @error Errc::not_found
  Result<std::string> checkpoint(std::string_view log);
  /// The newest checkpoint note with a quorum, of a tree of at least `size` entries. @error Errc::not_found
  Result<std::string> final_checkpoint(std::string_view log, std::uint64_t size);

  /// `nick` has cosigned (or owns) a tree of `log` of at least `size` entries. Of a log of ours or of others.
  bool held_by(std::string_view nick, std::string_view log, std::uint64_t size) const;
  /// One checkpoint of `log` with at least `size` entries has a quorum.
  bool is_final(std::string_view log, std::uint64_t size) const;
  /// All of whom held_by() is true, in the order of the members.
  std::vector<std::string> holders(std::string_view log, std::uint64_t size) const;

  /// Whether our own log has an entry of this type of a session, of those that are written once in it.
  Result<bool> has_taken(std::string_view session, std::string_view type);
  /// Whether the log of `nick` is to be relied on. @error Errc::policy with the reason: a proven fault
  Status trusted(std::string_view nick) const;
  std::vector<Conviction> convictions() const;
  /// Whether our own log tells of a fault of `accused`. Reads one row, however long the log is.
  Result<bool> has_reported(std::string_view accused);
  /// Whether entries of this log that are new are taken now. While they are not, its owner is heard on: faults are
  /// found, what others hold of our log is told, and bodies that are missing are taken.
  /// @error Errc::limit with the reason; Errc::io
  Status takes_more(std::string_view log, std::int64_t now) const;
  /// Entries of which we are in the audience and whose bodies we do not have: as long as there are any, we do not
  /// cosign this log. They are asked for on every link; what nobody has any more is lost. Of our own log
  /// those of entries that others gave back: it goes on without them.
  std::vector<std::uint64_t> missing_bodies(std::string_view log) const;
  /// The rows of this log are damaged, and wait for a peer's copy.
  bool damaged(std::string_view log) const;

  /// check_log() of all logs. Empty if all is as it should be; logs that do not hold together are damaged() from now
  /// on.
  /// @error what the store says
  Result<std::vector<Defect>> fsck();

 private:
  struct Impl;
  explicit Replica(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Of one call of to_send().
inline constexpr std::size_t kMaxMessagesAtOnce = 16;
/// Bodies of one log that a peer was asked for on a link and has not given. Each that comes makes room for another;
/// what nobody has keeps a link from no more than these, and the next link goes on with the next ones.
inline constexpr std::size_t kMostAsked = 64;

}  // namespace parley::mirror
