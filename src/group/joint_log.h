// The joint log of one group at work: this member's replica of it (mirror/replica.h), used by all threads of a process,
// and a link that carries it. A step of a session is an entry: it is written, pushed, and then named by its hash, so
// that both ends know which entry the link is about.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>

#include "group/peer_clocks.h"
#include "group/work_budget.h"
#include "mirror/replica.h"
#include "vault/vault.h"
#include "wire/link.h"

namespace parley::group {

/// A replica with what it stands on.
struct OpenReplica {
  std::unique_ptr<mirror::Store> store;
  std::unique_ptr<mirror::Guard> guard;
  std::unique_ptr<mirror::Replica> replica;
};

/// The replica of a group over `vault`; its guard lies in `folder`. Without seeds it signs nothing any more.
/// @error as Replica::open and FileGuard::open
Result<OpenReplica> open_replica(vault::Vault& vault, const std::filesystem::path& folder, mirror::GroupView group,
                                 const std::optional<mirror::OwnSeeds>& seeds);

/// One group's replica, one caller at a time.
class JointLog {
 public:
  /// @param opening  body of the entry that begins our log. The skew of clocks is a charter's, unless it is set.
  JointLog(std::string group, std::string nick, log::Json opening, OpenReplica replica);
  virtual ~JointLog() = default;

  const std::string& group() const { return group_; }  ///< id
  const std::string& nick() const { return nick_; }    ///< ours in it

  /// What the other members' clocks show.
  PeerClocks& clocks() { return clocks_; }
  /// By our clock, as far as the others' let it be trusted (PeerClocks::bounded): for entries, windows and ends.
  /// Whether something is permitted now is for the clock alone.
  virtual UnixSeconds time() { return clocks_.bounded(wall_clock_now()); }
  /// What an entry states that is written now: time(), and never less than the entry before it. @error as
  /// Replica::entry
  Result<UnixSeconds> time_of_next();

  /// `work(replica)`, while nobody else has it. It must not wait for a peer.
  template <typename Work>
  auto with(Work&& work) {
    const std::lock_guard lock(mutex_);
    return work(*replica_.replica);
  }

  /// Writes to the vault what is to be durable with an entry.
  using Work = mirror::Work;
  /// Writes an entry, at the time of the clock. The log begins with a log.open of its own. Entries that several threads
  /// want written while one is being written are written together: whoever comes first does it, with everybody's work.
  /// @param work  may be empty
  /// @error as Replica::append
  virtual Result<mirror::EntryView> append(mirror::Draft draft, const Work& work = {});
  /// Replaces a key of ours, as Replica::rotate(), at the time of the clock; the log begins if it has not.
  Result<mirror::EntryView> rotate(const mirror::NewKey& next, const Secret<32>& id_seed, const Work& work);
  /// Waits until `holds(replica)`, which is looked at whenever this process has changed something of the log.
  /// @return whether it holds
  template <typename Holds>
  bool wait_for(Holds&& holds, Deadline deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, [&] { return holds(*replica_.replica); });
  }
  /// with() for what changes the log: whoever waits looks again.
  template <typename Change>
  auto change(Change&& work) {
    const Changing told{changed_};
    return with(std::forward<Change>(work));
  }

  /// Writes an entry in front of the next one, when the log may be written. One that cannot be written for what it is
  /// (a step that the log has already, a body that is too long) is dropped: it must not keep others out.
  void append_later(mirror::Draft draft, Work work = {});
  /// Looks at the log when it may be written, and says what is to be written; nothing if nothing is any more.
  using Make = std::function<Result<std::optional<mirror::Draft>>(mirror::Replica&)>;
  /// The same where only the log of then can tell: before, a disk that was put back does not know what it lacks.
  void append_later(Make make, Work work = {});
  /// Writes what waits, if the log may be written. @error as Replica::append
  Status flush();
  /// A message of a peer, as Replica::take(), at the time of the clock, if what `peer` wasted of our work before allows
  /// it. @error Errc::limit; and as Replica::take()
  Result<mirror::Outcome> take(std::string_view peer, const mirror::Message& message);
  /// Ties our log to the others' by a `heads` entry (log.md 2.4), if one of theirs, or what also_tie() gives, has grown
  /// since the last: what they had written is then older than whatever follows it here, which nothing else shows of
  /// entries that do not refer to each other. Does nothing while the log may not be written.
  /// @param least_since  the last one by this process; of what also_tie() gives kOwnTreeAtLeastEvery where that is less
  /// @error as Replica::append
  Status tie_to_others(std::chrono::seconds least_since = {});
  /// What this member ties to its log beside the others' logs: another tree of its own.
  struct OwnTree {
    std::string name;        ///< member of the body of a `heads` entry; none that log.md 2.4 has
    std::uint64_t size = 0;  ///< as long as it is the same, there is nothing new to tie
    log::Json head = false;  ///< what is written of it
  };
  /// From now on `heads` entries of ours have the tree that this gives. Called with the log held: it takes no log.
  void also_tie(std::function<OwnTree()> tree);
  /// The body of a `heads` entry as it is now. @param replica  of this log
  log::Json heads_body(const mirror::Replica& replica) const;
  /// What whoever keeps the process running has to know of the log, as it happens.
  struct Watcher {
    std::function<void(const mirror::Conviction&)> convicted = {};  ///< a fault was proven
    /// So many entries of ours, that nobody else had, gave way to others of ours (mirror::Outcome::dropped).
    std::function<void(std::uint64_t)> dropped = {};
  };
  /// Calls `watcher` from now on, in the thread that took the message.
  void watch(Watcher watcher);
  void tell(const mirror::Outcome& outcome);
  /// Goes on with another replica of the same log, for members that have changed; nobody writes while it is opened.
  /// @error what `open` says: the replica before is used on
  Status reopen(const std::function<Result<OpenReplica>()>& open);

 private:
  struct Waiting {
    Make make;
    Work work;
  };
  struct Changing {
    std::condition_variable& changed;
    ~Changing() { changed.notify_all(); }
  };
  /// An entry that a thread wants written, on that thread's stack.
  struct Wanted {
    mirror::Appending entry;
    Result<mirror::EntryView> written;
    bool done = false;
  };
  class Turn;
  void write(std::span<Wanted* const> wanted);
  Status flush_into(mirror::Replica& replica);
  static Make just(mirror::Draft draft);

  struct Tie {
    std::map<std::string, std::int64_t> sizes;  ///< of the others' logs, by nick
    std::uint64_t own_tree = 0;                 ///< size of what also_tie() gave
    Deadline at{};
  };
  std::string group_, nick_;
  log::Json opening_;
  std::mutex wanted_mutex_;  ///< never waited for with mutex_ held
  std::deque<Wanted*> wanted_;
  std::condition_variable written_;
  bool writing_ = false;  ///< somebody writes what is wanted
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  Watcher watcher_;
  WorkBudget budget_;
  PeerClocks clocks_;
  OpenReplica replica_;
  std::optional<Tie> tie_;  // by this process
  std::function<OwnTree()> own_tree_;
};

/// log.md 2.4: "at least every 10 min of activity".
inline constexpr std::chrono::minutes kOwnTreeAtLeastEvery{10};

/// How long a peer has to take what we bring it of the logs, where nobody waits for something else meanwhile: 10^6
/// entries over 15 Mbit/s. What was not taken by then is brought on the next link.
inline constexpr std::chrono::minutes kPushLimit{5};

/// A link that carries a group's joint log beside what else is sent on it. Frames of the log are taken as they come;
/// whoever receives sees the others only.
class LogLink final : public wire::Link {
 public:
  /// @param link, log  outlive this. The peer is `link.peer().nick` in the group.
  LogLink(wire::Link& link, JointLog& log);

  JointLog& log() const { return log_; }

  /// Sends all that the peer may have and lacks. One that does not take it by `deadline` is gone.
  Status push(Deadline deadline);
  /// Takes a frame of the log that somebody else has read from the link. @error Errc::protocol, Errc::limit
  Status accept(wire::Frame frame);
  /// Tells the peer what this side holds, and hears what the peer holds, unless that was done on this link.
  /// @error Errc::peer_gone; Errc::protocol
  Status exchange_heads(Deadline deadline);
  /// Goes on until neither side has anything that the other lacks. @error Errc::peer_gone; Errc::protocol
  Status synchronise(Deadline deadline);

  /// The type of the frame that receive() would return next, once there is one. @error as receive()
  Result<wire::FrameType> next_type(Deadline deadline);

  /// Pushes an entry of ours, and names it as our next step.
  Status send_step(const mirror::EntryView& step);
  /// Waits for the peer's next step: an entry of its log that has been checked and is durable here, with its body. What
  /// has come without its body, from a member that may not read it, is asked of the peer.
  /// @error Errc::peer_gone, also for one that is not shown or whose body is kept back; Errc::protocol for one that is
  /// not for us; Errc::limit if nothing more of its log is taken
  Result<mirror::EntryView> receive_step(Deadline deadline);
  /// Waits until the peer has signed that it holds this entry of ours. Its signature becomes durable with the next
  /// commit, or by keep(): until then the peer would have to give it again. @error Errc::peer_gone
  Status await_held(const mirror::EntryView& step, Deadline deadline);
  /// What others have signed and was not written yet becomes durable. @error as Replica::flush
  Status keep();

  const wire::PinnedPeer& peer() const override { return inner_.peer(); }
  const Digest& exporter() const override { return inner_.exporter(); }
  UnixSeconds peer_time() const override { return inner_.peer_time(); }
  Status send(wire::FrameType type, ByteView payload) override { return inner_.send(type, payload); }
  Status send_until(wire::FrameType type, ByteView payload, Deadline deadline) override {
    return inner_.send_until(type, payload, deadline);
  }
  Result<wire::Frame> receive(Deadline deadline) override;
  Result<bool> wait_readable(Deadline deadline) override;
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }
  std::uint64_t bytes_received() const override { return inner_.bytes_received(); }
  std::chrono::microseconds round_trip() const override { return inner_.round_trip(); }
  void let_run_ahead(std::size_t bytes) override { inner_.let_run_ahead(bytes); }
  void close(Error why) override { inner_.close(std::move(why)); }

 private:
  // Reads one frame: takes it if it is of the log, else puts it behind those that wait.
  Status read_one(Deadline deadline);
  // The same, but not for long: what is waited for may come by another link.
  Status read_or_look(Deadline deadline);
  /// @return whether what the answer to a push would ask for has come meanwhile
  bool await_gap(const std::vector<mirror::Message>& replies);
  Status take(mirror::MessageType type, Bytes payload, Deadline deadline);
  // The same without sending what comes of it.
  Status hear(mirror::MessageType type, Bytes payload);
  Status hear_meanwhile();
  Result<mirror::EntryView> find_step(const Digest& leaf_hash, Deadline deadline);
  Status ask_peer(const mirror::Get& what, Deadline deadline);

  wire::Link& inner_;
  JointLog& log_;
  std::deque<wire::Frame> waiting_;
  std::deque<mirror::Message> outgoing_;  // what comes before anything else that the peer lacks
  std::size_t sent_unheard_ = 0;          // bytes, since the peer was last heard
  bool heads_heard_ = false;
  std::uint64_t pushed_here_ = 0;  // entries of our log up to here went by this link, if not by another before
  bool moved_ = false;             // something of the log was sent or taken since synchronise() looked
};

}  // namespace parley::group
