// The inside of a replica: its copies of the logs, what it knows of its peers, and the steps that change them. Each
// step checks first, then commits once, and only then changes what is in memory.
//   start.cpp: opening. own_log.cpp: appending. sending.cpp: what a peer lacks. heads.cpp: checkpoints of others.
//   mirrors.cpp: entries and bodies that arrive. faults.cpp: disagreement and proof. mending.cpp: checking and repair.
//   giving_up.cpp: an end of our own log that nobody else ever had. key_rotation.cpp: keys that are replaced.
#pragma once

#include "mirror/detail/log_copy.h"
#include "mirror/key_rotation.h"
#include "mirror/vault_store.h"

namespace parley::mirror {

/// Of a message: what its head, a checkpoint with all cosignatures and the lengths of its parts may take.
inline constexpr std::size_t kRoomForTheRest = 96 * 1024;
inline constexpr std::size_t kRoomForEntries = kMaxMessageBytes - kRoomForTheRest;
static_assert(kMaxCarriedBodyBytes + log::kMaxEntryBytes + sizeof(log::Salt) <= kRoomForEntries);
/// What an entry takes of that room.
inline std::size_t room_for(std::size_t note_bytes, const log::Body* body) {
  const std::size_t length_bytes = sizeof(std::uint32_t);
  return length_bytes + note_bytes + (body == nullptr ? 0 : length_bytes + sizeof(body->salt) + body->text.size());
}

namespace detail {
Status check_departed(const Departed& departed, std::size_t member_count);
}

struct Replica::Impl {
  GroupView group;
  struct Signing {
    crypto::SigningKey log;
    std::optional<crypto::SigningKey> node, cosign;  ///< none: replaced, and this disk has not the new one
  };
  std::optional<Signing> signing;  ///< none: our keys are destroyed
  std::vector<Secret<32>> seeds;   ///< of all our keys but `log` that are here, replaced ones too
  bool rotating = false;           ///< the entry that is being written is a rotation
  std::int64_t came_at = 0;        ///< when the message came that is being taken
  Store& store;
  Guard& guard;

  std::vector<detail::LogCopy> logs;  ///< one for each member, in their order
  std::vector<detail::Peer> peers;    ///< likewise; the own place is not used
  std::set<std::size_t> answered;     ///< peers that have said what they hold of our log
  std::uint64_t told_size = 0;        ///< the largest tree of ours that anybody has shown
  bool divergent = false;             ///< the store holds another history than the guard says was signed
  bool risk_accepted = false;
  /// A peer holds other entries of ours, under this, than the newest here, which never left.
  std::optional<log::Checkpoint> contested;
  std::uint64_t offered_size = 0;  ///< how far this process has sent our own log to anybody
  /// Cosignatures of others that are verified and not on the disk yet, by log: the next commit takes them along.
  /// Whoever made them gives them again if they are lost.
  std::map<std::size_t, std::vector<vault::LogCosignature>> deferred;
  std::set<std::size_t> seen_later;  ///< logs whose LogCopy::seen waits for the next commit likewise
  Effort effort;                     ///< of the last message that was taken
  std::string halted;                ///< why, if it is

  Impl(GroupView view, const std::optional<OwnSeeds>& own, Store& where, Guard& beside);

  // --- small things ----------------------------------------------------------------------------------------------
  /// Of a tree, its owner included.
  bool is_quorum(const std::set<std::size_t>& holders) const {
    const auto left = std::ranges::count_if(holders, [&](std::size_t i) { return group.departed.members.contains(i); });
    return holders.size() >= group.log_quorum ||
           (!group.departed.members.empty() &&
            holders.size() - static_cast<std::size_t>(left) >= group.departed.quorum_of_rest);
  }
  const log::MemberKeys& keys(std::size_t member) const { return group.members[member]; }
  const std::string& nick(std::size_t member) const { return group.members[member].nick; }
  detail::LogCopy& own() { return logs[group.self]; }
  const detail::LogCopy& own() const { return logs[group.self]; }
  /// @error Errc::not_found
  Result<std::size_t> member(std::string_view nick) const;
  State state() const;
  bool may_cosign() const;
  bool may_cosign(const detail::LogCopy& copy) const;
  /// Commits; a failure that is not the caller's own halts the replica.
  Status commit(Batch batch, const std::function<Status()>& work = {});
  Status flush();
  /// The checkpoint of a stored tree. A disk can show another row than the one that was asked for, which is none.
  Result<std::optional<vault::LogCheckpoint>> checkpoint_of(const detail::LogCopy& copy, std::uint64_t size);
  /// The same for what leaves: a damaged row is none, since whoever got it would refuse all that came with it.
  Result<std::optional<vault::LogCheckpoint>> sound_checkpoint_of(const detail::LogCopy& copy, std::uint64_t size);
  /// The cosignatures of a checkpoint: those on the disk and those that are on the way there.
  Result<std::vector<vault::LogCosignature>> lines_of(const detail::LogCopy& copy, std::uint64_t size);
  Result<Message> message(const Content& content) const { return write_message(group.id, content); }

  // --- start.cpp
  Status load();
  Status load_copy(detail::LogCopy& copy);
  Status read_copy(detail::LogCopy& copy);
  Status load_seen(detail::LogCopy& copy);
  Status check_edge(detail::LogCopy& copy, const vault::LogHead& head);
  Status load_newest(detail::LogCopy& copy, const vault::LogCheckpoint& row);
  Status load_holders(detail::LogCopy& copy);
  Status find_missing(detail::LogCopy& copy);
  Status check_guard();
  /// The copy as it is on the disk.
  Status load_again(detail::LogCopy& copy);
  void damage(detail::LogCopy& copy) { copy.mending.emplace(); }

  // --- own_log.cpp
  struct Together;
  Result<EntryView> append(Appending one, std::int64_t now);
  std::vector<Result<EntryView>> append_all(std::vector<Appending> all, std::int64_t now);
  Status may_append() const;
  /// The next entry behind those of `together`. @error Errc::limit with nothing of it if there is no room for it
  Result<EntryView> add_next(Together& together, Draft& draft, std::int64_t now);
  /// Commit, read back, guard.
  Status write(Together& together, const std::function<Status()>& work);
  /// What stands on the disk of the newest entries, recomputed, is what `growing` says.
  Status read_back(const detail::Growing& growing);
  log::Json heads_body() const;

  // --- sending.cpp
  Result<std::vector<Message>> to_send(std::size_t peer);
  /// To the owner of a log, before them, what we have seen of it and do not hold.
  Status send_heads(std::size_t peer, bool answer, std::vector<Message>& out);
  Result<std::optional<std::string>> head_note(detail::LogCopy& copy);
  Status send_log(std::size_t peer, detail::LogCopy& copy, std::uint64_t until, std::vector<Message>& out);
  Status push_until(std::size_t peer, detail::LogCopy& copy, std::uint64_t until, std::vector<Message>& out);
  Status send_cosignature(std::size_t peer, std::vector<Message>& out);
  Status send_questions(std::size_t peer, std::vector<Message>& out);
  Status ask_for_bodies(std::size_t peer, const detail::LogCopy& copy, std::vector<Message>& out);
  /// The note of a checkpoint that a push of `copy` can end at; nothing where there is none.
  Result<std::optional<std::string>> note_at(detail::LogCopy& copy, std::uint64_t size);
  /// Entries up to the next checkpoint, with no bodies but those of rotations: the peer asks for the others one by one.
  Result<std::uint64_t> make_bare_push(std::size_t peer, detail::LogCopy& copy, std::span<const vault::LogLeaf> rows,
                                       Push& push);
  /// Entries of a log from where the peer's copy ends, as many as fit. @return the size it then has
  Result<std::uint64_t> make_push(std::size_t peer, detail::LogCopy& copy, std::uint64_t until, Push& push);
  Result<std::optional<log::Body>> body_for(std::size_t reader, const vault::LogLeaf& row, const log::Entry& entry);
  Result<Outcome> take_get(std::size_t peer, const Get& get);

  // --- heads.cpp
  Result<Outcome> take_heads(std::size_t peer, const Heads& heads);
  Result<Outcome> take_cosig(std::size_t peer, const Cosig& cosig);
  /// As log::read_cosigned, with the keys of the group. A signature that stands word for word on the newest checkpoint
  /// that we hold is not verified again, so that what all know by now costs nothing however often it is said.
  Result<log::CosignedCheckpoint> read_cosigned(std::size_t owner, std::string_view note);
  /// What a verified checkpoint of a log tells: of cosignatures that are new, or of a fault.
  Status learn(detail::LogCopy& copy, const log::CosignedCheckpoint& read, std::string_view note, Outcome& outcome);
  Status add_cosignatures(detail::LogCopy& copy, const log::CosignedCheckpoint& read, std::string_view note);
  /// @error Errc::not_found if the copy is smaller
  Result<Digest> root_at(detail::LogCopy& copy, std::uint64_t size);
  Status count_holders(detail::LogCopy& copy, std::uint64_t size);
  /// Our cosignature on the newest checkpoint, as a row.
  vault::LogCosignature cosignature_on(const log::Checkpoint& checkpoint, std::int64_t now) const;
  /// Cosigns what may be cosigned by now.
  Status cosign_pending(std::int64_t now);
  Result<std::optional<Message>> cosig_message(detail::LogCopy& copy, std::uint64_t size);

  // --- mirrors.cpp
  struct Arrival;
  Result<Outcome> take_push(std::size_t peer, const Push& push, const Bytes& payload, std::int64_t now);
  /// A checkpoint has come whose entries are not here: should its owner forget it, we are who can tell. It is written
  /// with the next commit, if it is still larger than our copy then.
  void remember_seen(detail::LogCopy& copy, const log::Checkpoint& checkpoint, std::string_view note);
  Status compare_known(Arrival& arrival);
  Status add_missing_body(Arrival& arrival, std::uint64_t seq, std::string_view leaf);
  Status not_known(Arrival& arrival, const vault::LogLeaf& row, std::uint64_t seq, std::string_view leaf);
  Status check_new(Arrival& arrival);
  Status not_continued(Arrival& arrival, std::string_view leaf, Error why);
  Status check_step(Arrival& arrival, const log::Extension& extension, std::string_view leaf);
  Status check_body(Arrival& arrival, const log::Extension& extension);
  Status keep(Arrival& arrival, std::int64_t now);
  /// Our own log has grown by what a peer held of it: the guard follows.
  Status adopted(const detail::Growing& growing);
  Result<std::string> leaf_at(const Arrival& arrival, std::uint64_t seq);
  Result<Outcome> take_body(const EntryBody& body, std::int64_t now);
  /// Of bodies; takes_more() of entries.
  Status has_room(const detail::LogCopy& copy, std::int64_t now) const;
  Status takes_more(const detail::LogCopy& copy, std::int64_t now) const;
  /// A body that was missing is here.
  void has_come(detail::LogCopy& copy, std::uint64_t seq);
  /// What the usage of a log is once `growth` is there.
  UsageRow used_by(const detail::LogCopy& copy, const vault::LogGrowth& growth, std::int64_t now) const;
  EntryView view_of(const detail::LogCopy& copy, const Digest& leaf_hash, const log::Entry& entry,
                    std::optional<log::Json> body) const;
  Result<EntryView> read_view(detail::LogCopy& copy, std::uint64_t seq);

  // --- giving_up.cpp
  /// How many entries of a log others are shown: of our own, before we have heard enough of them, what somebody else
  /// holds already.
  std::uint64_t showable(const detail::LogCopy& copy) const;
  /// The same of a log that may be damaged: up to its first damaged entry.
  Result<std::uint64_t> sound_and_showable(const detail::LogCopy& copy);
  /// Whether no entry of our own log from `from` on can be held by anybody else, as far as this disk and this process
  /// know.
  Result<bool> never_left(std::uint64_t from);
  /// A peer's checkpoint is of another end of our own log than ours, which never left: its entries are asked for.
  /// @return whether it is so
  Result<bool> contest(const log::Checkpoint& checkpoint, Outcome& outcome);
  /// Whether `leaf`, signed by us, belongs where we hold another entry that never left.
  /// @param body  of `leaf`, nullptr if it did not come: a rotation is read with it
  Result<bool> replaces_ours(std::uint64_t seq, std::string_view leaf, const log::Body* body);
  /// Takes the entries of our own log from `from` on back.
  Status give_up(std::uint64_t from);
  Status put_guard_back(const log::Checkpoint& kept);

  // --- key_rotation.cpp
  /// Rotations on their way: unless their entries are kept, the owner's keys are what they were.
  struct KeysBefore {
    log::MemberKeys& keys;
    std::size_t known = keys.rotated.size();
    bool replaced = false;
    ~KeysBefore() {
      if (!replaced) keys.rotated.erase(keys.rotated.begin() + static_cast<std::ptrdiff_t>(known), keys.rotated.end());
    }
  };
  /// If `leaf`, entry `seq` of its log, rotates a key, `keys` are those from then on. @return whether it does
  Result<bool> admit(log::MemberKeys& keys, std::uint64_t seq, std::string_view leaf, const log::Body* body);
  /// If this next entry of a log rotates a key, the owner's keys are those from then on.
  /// @param body  nullptr if it did not come. @param steps  gets the row by which it is found again
  Status take_rotation(std::size_t owner, std::uint64_t seq, std::string_view leaf, const log::Body* body,
                       std::vector<StepRow>& steps);
  /// What was verified by the keys as they were.
  void forget_verified();
  /// Whether a cosignature that is kept here is by a key of its member. It was verified by the key of its place when it
  /// came; where that key was replaced since, what its owner had signed to hold stays signed.
  bool counts(const vault::LogCosignature& line) const;
  /// The line of a note that a cosigner who counts on it signed. Of several that claim to be by it, one that verifies.
  const log::NoteSignature* line_by(std::size_t cosigner, const detail::LogCopy& copy,
                                    const log::Checkpoint& checkpoint, const log::Note& note);
  /// The key of its place that made a cosignature.
  std::optional<log::VerifierKey> cosign_key(std::size_t cosigner, const detail::LogCopy& copy, std::uint64_t size,
                                             const log::NoteSignature& signature) const;
  /// Of our seeds those of the keys that are in use.
  void choose_keys();
  Result<std::uint64_t> cosigned_on_disk(const detail::LogCopy& copy) const;
  Result<std::vector<log::Cutoff>> cosigned_so_far() const;
  Result<std::pair<log::VerifierKey, const Secret<32>*>> key_in_use(const NewKey& next) const;
  Result<EntryView> rotate(const NewKey& next, const Secret<32>& id_seed, std::int64_t now, const Work& work);
  Result<EntryView> append_rotation(log::Rotation rotation, const std::string& statement, const Secret<32>& seed,
                                    std::int64_t now, const Work& work);

  // --- faults.cpp
  struct Judged {
    FaultRow row;
    Conviction conviction;
    std::size_t accused = 0;
  };
  /// A fault that verifies and is the first of its accused. Nothing otherwise, nor where it rests on entries while the
  /// keys of the accused are in doubt here.
  std::optional<Judged> judge(std::string_view text, ByteView branch);
  /// A row that this disk has kept.
  std::optional<Judged> judge_kept(const FaultRow& row);
  std::optional<Judged> judged(const Result<log::Verdict>& verdict, std::string_view text, ByteView branch) const;
  /// The same of what the body of a `fault` entry carries.
  std::optional<Judged> judge_entry(const log::Json& body);
  /// That our log tells of a fault of `accused` is kept like a step of a session, which is taken once.
  log::StepKey report_key(std::string_view accused) const {
    return {nick(group.self), std::string(accused), std::string(log::kFault)};
  }
  /// The row for an entry of our own log, if it tells of a fault.
  std::optional<StepRow> report_in(const log::Entry& entry, const log::Json& body) const;
  /// log::fault_of_entries(), counted.
  std::optional<log::Fault> fault_of_entries(std::string_view note, std::string_view other, std::size_t owner);
  /// In memory, once the row is on the disk.
  void convicted(Judged judged, Outcome& outcome);
  /// Verifies and keeps a fault; false if it is none, or not the first.
  Result<bool> convict(const log::Fault& fault, ByteView branch, Outcome& outcome);
  /// A checkpoint that does not go with our copy: a fault if we can show it, else the question that will.
  /// @return whether one of both came of it
  Result<bool> disagree(detail::LogCopy& copy, const log::CosignedCheckpoint& read, std::string_view note,
                        ByteView branch, Outcome& outcome);
  Result<Outcome> take_proof(const Proof& proof, const Bytes& payload);

  // --- mending.cpp
  struct Repair;
  Status add_to(Repair& repair, const detail::LogCopy& copy, std::string_view leaf, const log::Body* body);
  /// Writes what was repaired; once nothing is damaged any more, the copy is loaded again.
  Status keep(Repair&& repair, detail::LogCopy& copy);
  Result<bool> ends_as_signed(const detail::LogCopy& copy, log::Frontier before, std::string_view leaf);
  Result<bool> contradicts_stored(const detail::LogCopy& copy, const log::CosignedCheckpoint& read,
                                  std::string_view note, ByteView branch, Outcome& outcome);
  Result<Outcome> keep_beginning(Repair&& repair, detail::LogCopy& copy, const std::string* ours);
  Result<std::optional<vault::LogCheckpoint>> own_checkpoint_before(detail::LogCopy& copy, log::Frontier frontier,
                                                                    const Push& push, const log::Checkpoint& larger);
  Status mend_alone(detail::LogCopy& copy);
  Result<Outcome> take_mending(detail::LogCopy& copy, const Push& push, const log::CosignedCheckpoint& read,
                               const Bytes& payload);
  /// The copy's rows are whole again: it is loaded as at the start.
  Status mended(detail::LogCopy& copy);
  /// Cosignatures on the other logs that only now count, by a key that the log of `owner` has brought.
  Status count_again(std::size_t owner);
  Result<std::vector<Defect>> fsck();
};

}  // namespace parley::mirror
