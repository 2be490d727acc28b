#include "group/joint_log.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "group/charter.h"
#include "log/entry.h"
#include "mirror/vault_store.h"

namespace parley::group {
namespace {

/// Of frames that are not of the log, while something of the log is waited for: a session has a few on the way.
constexpr std::size_t kMostWaiting = 16;
/// What is sent of a log before the peer is listened to. It fits into what the peer takes unread, so that of two that
/// bring each other their logs one always goes on.
constexpr std::size_t kHearEveryBytes = wire::kMaxUnreadBytes / 2;
static_assert(kHearEveryBytes + mirror::kMaxMessageBytes < wire::kMaxUnreadBytes);
/// Messages of the log that wait to be sent while the peer is still listened to: what two questions bring.
constexpr std::size_t kMostOutgoing = 2 * mirror::kMaxMessagesAtOnce;
constexpr std::string_view kGuardName = "log-head-";  // and the group's id
/// Of heads in one call. Each but the last two brings something that the one before did not, or the other side takes
/// nothing of what it is sent: who holds us to be convicted does not.
constexpr int kMostRounds = 16;
/// Entries that are written together: their works run one after the other while nobody else has the log.
constexpr std::size_t kMostTogether = 64;
constexpr auto kLookEvery = std::chrono::milliseconds(200);
constexpr auto kGapWait = std::chrono::milliseconds(50);
constexpr auto kOtherLinkWait = std::chrono::milliseconds(20);

bool cannot_ever_be_written(Errc code) {
  return code == Errc::exists || code == Errc::format || code == Errc::limit;
}

/// What a message of the peer's log was refused for. What it would be called elsewhere must not make it look like
/// something that went wrong here.
Error as_theirs(Error refused) {
  constexpr std::array kHere = {Errc::io, Errc::vault_damaged, Errc::vault_locked, Errc::internal, Errc::limit};
  if (std::ranges::find(kHere, refused.code) == kHere.end()) refused.code = Errc::protocol;
  return refused;
}

}  // namespace

Result<OpenReplica> open_replica(vault::Vault& vault, const std::filesystem::path& folder, mirror::GroupView group,
                                 const std::optional<mirror::OwnSeeds>& seeds) {
  OpenReplica open;
  TRY(mirror::FileGuard guard, mirror::FileGuard::open(folder / (std::string(kGuardName) + group.id)));
  open.guard = std::make_unique<mirror::FileGuard>(std::move(guard));
  open.store = std::make_unique<mirror::VaultStore>(vault, group.id, group.members, group.self);
  TRY(open.replica, mirror::Replica::open(std::move(group), seeds, *open.store, *open.guard));
  return open;
}

JointLog::JointLog(std::string group, std::string nick, log::Json opening, OpenReplica replica)
    : group_(std::move(group)),
      nick_(std::move(nick)),
      opening_(std::move(opening)),
      clocks_(Charter().clock_skew_seconds),
      replica_(std::move(replica)) {
  // A process that ended between the proof of a fault and the entry that tells of it has told nobody.
  for (const mirror::Conviction& conviction : replica_.replica->convictions())
    if (conviction.accused != nick_ && !replica_.replica->has_reported(conviction.accused).value_or(false))
      waiting_.push_back({just(mirror::Replica::fault_draft(conviction)), {}});
}

JointLog::Make JointLog::just(mirror::Draft draft) {
  return [draft = std::move(draft)](mirror::Replica&) { return std::optional(draft); };
}

Status JointLog::flush_into(mirror::Replica& replica) {
  if (replica.size(nick_) == 0) {
    TRY([[maybe_unused]] const mirror::EntryView opened,
        replica.append(mirror::draft_for_everyone(log::kLogOpen, opening_), time()));
  }
  while (!waiting_.empty()) {
    TRY(const std::optional<mirror::Draft> draft, waiting_.front().make(replica));
    if (draft) {
      const auto written = replica.append(*draft, time(), waiting_.front().work);
      if (!written && !cannot_ever_be_written(written.error().code)) return std::unexpected(written.error());
    }
    waiting_.pop_front();
  }
  return {};
}

/// The turn of one thread to write what all want; when it is over, whoever wanted something is told.
class JointLog::Turn {
 public:
  explicit Turn(JointLog& log) : log_(log) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    const std::lock_guard lock(log_.wanted_mutex_);
    for (Wanted* one : std::span(taken_).first(count_)) one->done = true;
    log_.writing_ = false;
    log_.written_.notify_all();
  }
  /// What has gathered while the log was in other hands.
  std::span<Wanted* const> take() {
    const std::lock_guard lock(log_.wanted_mutex_);
    for (; count_ < taken_.size() && !log_.wanted_.empty(); log_.wanted_.pop_front())
      taken_[count_++] = log_.wanted_.front();
    return std::span(taken_).first(count_);
  }

 private:
  JointLog& log_;
  std::array<Wanted*, kMostTogether> taken_{};
  std::size_t count_ = 0;
};

Result<mirror::EntryView> JointLog::append(mirror::Draft draft, const Work& work) {
  Wanted ours{{std::move(draft), work}, fail(Errc::internal, "An entry was not written.")};
  std::unique_lock lock(wanted_mutex_);
  wanted_.push_back(&ours);
  while (!ours.done) {
    written_.wait(lock, [&] { return ours.done || !writing_; });
    if (ours.done) break;
    writing_ = true;
    lock.unlock();
    {
      Turn turn(*this);
      change([&](mirror::Replica&) { write(turn.take()); });
    }
    lock.lock();
  }
  return std::move(ours.written);
}

void JointLog::write(std::span<Wanted* const> wanted) {
  mirror::Replica& replica = *replica_.replica;
  if (const Status flushed = flush_into(replica); !flushed) {
    for (Wanted* one : wanted) one->written = std::unexpected(flushed.error());
    return;
  }
  std::vector<mirror::Appending> entries;
  for (Wanted* one : wanted) entries.push_back(std::move(one->entry));
  auto results = replica.append_all(std::move(entries), time());
  for (std::size_t i = 0; i < results.size(); ++i) wanted[i]->written = std::move(results[i]);
}

Result<UnixSeconds> JointLog::time_of_next() {
  return with([&](mirror::Replica& replica) -> Result<UnixSeconds> {
    const std::uint64_t size = replica.size(nick_);
    if (size == 0) return time();
    TRY(const mirror::EntryView last, replica.entry(nick_, size - 1));
    return std::max(time(), last.entry.time);
  });
}

Result<mirror::EntryView> JointLog::rotate(const mirror::NewKey& next, const Secret<32>& id_seed, const Work& work) {
  return change([&](mirror::Replica& replica) -> Result<mirror::EntryView> {
    // What waits may wait for the very key: the rotation of one that is not here comes before it.
    if (Status flushed = flush_into(replica); !flushed && flushed.error().code != Errc::policy)
      return std::unexpected(std::move(flushed).error());
    return replica.rotate(next, id_seed, time(), work);
  });
}

void JointLog::append_later(mirror::Draft draft, Work work) {
  append_later(just(std::move(draft)), std::move(work));
}

void JointLog::append_later(Make make, Work work) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back({std::move(make), std::move(work)});
}

Result<mirror::Outcome> JointLog::take(std::string_view peer, const mirror::Message& message) {
  return change([&](mirror::Replica& replica) -> Result<mirror::Outcome> {
    TRY_STATUS(budget_.admit(peer, Monotonic::now()));
    auto outcome = replica.take(peer, message, time());
    budget_.charge(peer, replica.effort(), Monotonic::now());
    return outcome;
  });
}

Status JointLog::flush() {
  return change([&](mirror::Replica& replica) {
    return replica.state() == mirror::State::live ? flush_into(replica) : Status{};
  });
}

Status JointLog::tie_to_others(std::chrono::seconds least_since) {
  return with([&](mirror::Replica& replica) -> Status {
    if (replica.state() != mirror::State::live) return {};
    Tie now{.sizes = {}, .own_tree = own_tree_ ? own_tree_().size : 0, .at = Monotonic::now()};
    log::Json body = heads_body(replica);
    for (const log::Json& one : *body.object()->at("logs").array()) {
      const std::string& nick = *one.object()->at("nick").text();
      if (nick != nick_) now.sizes[nick] = *one.object()->at("size").integer();
    }
    const bool others_grew = !tie_ || tie_->sizes != now.sizes, own_grew = !tie_ || tie_->own_tree != now.own_tree;
    const auto since = tie_ ? now.at - tie_->at : Deadline::duration::max();
    const bool due = (others_grew && since >= least_since) ||
                     (own_grew && since >= std::min<Deadline::duration>(least_since, kOwnTreeAtLeastEvery));
    if (!due) return {};
    TRY_STATUS(flush_into(replica));
    TRY([[maybe_unused]] const mirror::EntryView tied,
        replica.append(mirror::draft_for_everyone(log::kHeads, std::move(body)), time()));
    tie_ = std::move(now);
    return {};
  });
}

void JointLog::also_tie(std::function<OwnTree()> tree) {
  const std::lock_guard lock(mutex_);
  own_tree_ = std::move(tree);
}

log::Json JointLog::heads_body(const mirror::Replica& replica) const {
  log::Json body = replica.heads_body();
  if (!own_tree_) return body;
  OwnTree tree = own_tree_();
  log::Json::Object with_tree = *body.object();
  with_tree.emplace(std::move(tree.name), std::move(tree.head));
  return with_tree;
}

void JointLog::watch(Watcher watcher) {
  const std::lock_guard lock(mutex_);
  watcher_ = std::move(watcher);
}

void JointLog::tell(const mirror::Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  for (const mirror::Conviction& conviction : outcome.convictions)
    if (watcher_.convicted) watcher_.convicted(conviction);
  if (outcome.dropped > 0 && watcher_.dropped) watcher_.dropped(outcome.dropped);
}

Status JointLog::reopen(const std::function<Result<OpenReplica>()>& open) {
  const std::lock_guard lock(mutex_);
  TRY_STATUS(replica_.replica->flush());
  TRY(replica_, open());
  return {};
}

LogLink::LogLink(wire::Link& link, JointLog& log) : inner_(link), log_(log) {
  log_.clocks().heard(peer().nick, link.peer_time());
  log_.with([&](mirror::Replica& replica) { replica.connected(peer().nick); });
}

Status LogLink::push(Deadline deadline) {
  for (;;) {
    if (outgoing_.empty()) {
      std::uint64_t size = 0;
      TRY(std::vector<mirror::Message> messages, log_.with([&](mirror::Replica& replica) {
        size = replica.size(log_.nick());
        return replica.to_send(peer().nick);
      }));
      if (messages.empty()) return {};
      for (mirror::Message& message : messages) {
        if (message.type == mirror::MessageType::push) pushed_here_ = size;
        moved_ |= message.type != mirror::MessageType::heads && message.type != mirror::MessageType::get;
        outgoing_.push_back(std::move(message));
      }
    }
    const mirror::Message message = std::move(outgoing_.front());
    outgoing_.pop_front();
    TRY_STATUS(inner_.send_until(static_cast<wire::FrameType>(message.type), message.payload, deadline));
    sent_unheard_ += message.payload.size();
    if (sent_unheard_ >= kHearEveryBytes) TRY_STATUS(hear_meanwhile());
  }
}

// Two sides that bring each other long logs would fill each other's queues and wait for ever, if neither listened
// before it had said all. What the peer asks for may wait: it must not make us gather replies without end.
Status LogLink::hear_meanwhile() {
  sent_unheard_ = 0;
  while (outgoing_.size() < kMostOutgoing && waiting_.size() < kMostWaiting) {
    TRY(const bool something, inner_.wait_readable(Monotonic::now()));
    if (!something) return {};
    TRY(wire::Frame frame, inner_.receive(Monotonic::now()));
    if (const auto type = mirror::message_type(static_cast<std::uint8_t>(frame.type)))
      TRY_STATUS(hear(*type, std::move(frame.payload)));
    else
      waiting_.push_back(std::move(frame));
  }
  return {};
}

Status LogLink::hear(mirror::MessageType type, Bytes payload) {
  const mirror::Message heard{type, std::move(payload)};
  auto outcome = log_.take(peer().nick, heard);
  if (outcome && type == mirror::MessageType::push && await_gap(outcome->replies))
    outcome = log_.take(peer().nick, heard);
  if (!outcome) return std::unexpected(as_theirs(std::move(outcome).error()).at(peer().name));
  const bool is_answered = !outcome->replies.empty();
  for (mirror::Message& message : outcome->replies) outgoing_.push_back(std::move(message));
  // Whoever learns of a fault tells the others by an entry of its own.
  for (const mirror::Conviction& conviction : outcome->convictions)
    log_.append_later(mirror::Replica::fault_draft(conviction));
  log_.tell(*outcome);
  // That something of ours cannot be written now is no fault of the peer's.
  if (auto flushed = log_.flush(); !flushed && flushed.error().code == Errc::io) return flushed;
  if (type == mirror::MessageType::heads) heads_heard_ = true;
  // A question moves something if it can be answered: what nobody has is asked for on every link.
  moved_ |= type == mirror::MessageType::get ? is_answered : type != mirror::MessageType::heads;
  return {};
}

// Entries that follow others which are not here yet: those are on the way by another link to this peer, as a rule, and
// asking for them would bring them twice.
bool LogLink::await_gap(const std::vector<mirror::Message>& replies) {
  if (replies.size() != 1 || replies.front().type != mirror::MessageType::get) return false;
  const auto asked = mirror::parse_message(log_.group(), replies.front());
  const auto* get = asked ? std::get_if<mirror::Get>(&*asked) : nullptr;
  if (get == nullptr || get->what != mirror::Get::What::entries) return false;
  return log_.wait_for([&](mirror::Replica& replica) { return replica.size(get->log) > get->from; },
                       deadline_in(kGapWait));
}

Status LogLink::take(mirror::MessageType type, Bytes payload, Deadline deadline) {
  const auto ours = [&] { return log_.with([&](mirror::Replica& replica) { return replica.size(log_.nick()); }); };
  const std::uint64_t before = ours();
  TRY_STATUS(hear(type, std::move(payload)));
  // Whoever waited for this cosignature goes on to other things: entries that others wrote meanwhile are better pushed
  // by a link on which somebody waits for theirs. What a fault made us write is nobody else's to push.
  const bool spoke = ours() > before;
  if (type == mirror::MessageType::cosig && outgoing_.empty() && !spoke) return {};
  auto pushed = push(deadline);
  if (pushed || pushed.error().code != Errc::peer_gone) return pushed;
  // What the peer sent before it hung up is still to be read.
  outgoing_.clear();
  return {};
}

Status LogLink::read_one(Deadline deadline) {
  // A peer that always has one more frame must not keep us for ever.
  if (Monotonic::now() >= deadline)
    return fail(Errc::peer_gone, "The other side did not come to its next step in time.", peer().name);
  TRY(wire::Frame frame, inner_.receive(deadline));
  if (const auto type = mirror::message_type(static_cast<std::uint8_t>(frame.type)))
    return take(*type, std::move(frame.payload), deadline);
  if (waiting_.size() >= kMostWaiting)
    return fail(Errc::protocol, "The other side sends one frame after the other where its log is waited for.",
                peer().name);
  waiting_.push_back(std::move(frame));
  return {};
}

Status LogLink::read_or_look(Deadline deadline) {
  TRY(const bool something, inner_.wait_readable(std::min(deadline, deadline_in(kLookEvery))));
  if (something || Monotonic::now() >= deadline) return read_one(deadline);
  return {};
}

Status LogLink::accept(wire::Frame frame) {
  const auto type = mirror::message_type(static_cast<std::uint8_t>(frame.type));
  if (!type) return fail(Errc::protocol, "A frame arrived that is not of a joint log.", peer().name);
  return take(*type, std::move(frame.payload), deadline_in(kPushLimit));
}

Status LogLink::exchange_heads(Deadline deadline) {
  if (!heads_heard_) {
    TRY(const std::vector<mirror::Message> questions,
        log_.with([&](mirror::Replica& replica) { return replica.ask_for_heads(peer().nick); }));
    for (const mirror::Message& question : questions)
      TRY_STATUS(inner_.send(static_cast<wire::FrameType>(question.type), question.payload));
  }
  TRY_STATUS(push(deadline));
  while (!heads_heard_) TRY_STATUS(read_one(deadline));
  return {};
}

// Heads answer heads, so what the peer pushes after the first of them belongs to the round before. Two rounds in which
// nothing moved, one after the other: what was on the way when the first began has come by the end of the second.
Status LogLink::synchronise(Deadline deadline) {
  int rounds = 0;
  for (int quiet_rounds = 0; quiet_rounds < 2 && rounds < kMostRounds; ++rounds) {
    moved_ = heads_heard_ = false;
    log_.with([&](mirror::Replica& replica) { replica.begin_round(peer().nick); });
    TRY_STATUS(exchange_heads(deadline));
    quiet_rounds = moved_ ? 0 : quiet_rounds + 1;
  }
  return keep();
}

Status LogLink::send_step(const mirror::EntryView& step) {
  const Deadline deadline = deadline_in(kPushLimit);
  TRY_STATUS(push(deadline));
  return inner_.send_until(wire::FrameType::step, step.leaf_hash, deadline);
}

Result<mirror::EntryView> LogLink::receive_step(Deadline deadline) {
  TRY(const wire::Frame frame, receive(deadline));
  if (frame.type == wire::FrameType::bye)
    return fail(Errc::peer_gone, "The other side ended the connection.", peer().name);
  Digest leaf_hash{};
  if (frame.type != wire::FrameType::step || frame.payload.size() != leaf_hash.size())
    return fail(Errc::protocol, "A frame arrived that names no step of a session.", peer().name);
  std::ranges::copy(frame.payload, leaf_hash.begin());
  return find_step(leaf_hash, deadline);
}

// Another link to the same peer may have been given the entry first: then it is on the way there. Or a third member
// gave it to us, without what it says.
Result<mirror::EntryView> LogLink::find_step(const Digest& leaf_hash, Deadline deadline) {
  bool asked_for_entry = false, asked_for_body = false;
  Status heard;
  for (;;) {
    auto found = log_.with([&](mirror::Replica& replica) { return replica.entry(peer().nick, leaf_hash); });
    if (found && found->body) return found;
    if (!found && found.error().code != Errc::not_found) return found;
    if (found && std::ranges::find(found->entry.audience, log_.nick()) == found->entry.audience.end())
      return fail(Errc::protocol, "A step was named that is not for us.", peer().name);
    // Whoever has seen our cosignature by the other link may have ended this one: that was looked for above once more.
    if (!heard) return std::unexpected(heard.error());
    TRY_STATUS(log_.with([&](mirror::Replica& replica) { return replica.takes_more(peer().nick, log_.time()); }));
    heard = [&]() -> Status {
      if (found && !std::exchange(asked_for_body, true)) {
        TRY_STATUS(ask_peer({mirror::Get::What::body, peer().nick, found->entry.seq, 1}, deadline));
      } else if (!found && !std::exchange(asked_for_entry, true)) {
        const std::uint64_t held = log_.with([&](mirror::Replica& replica) { return replica.size(peer().nick); });
        TRY_STATUS(ask_peer({mirror::Get::What::entries, peer().nick, held, mirror::kMaxPushLeaves}, deadline));
      }
      return read_or_look(deadline);
    }();
    if (!heard && heard.error().code != Errc::peer_gone) return std::unexpected(heard.error());
  }
}

Status LogLink::ask_peer(const mirror::Get& what, Deadline deadline) {
  TRY(const mirror::Message question, mirror::write_message(log_.group(), what));
  return inner_.send_until(static_cast<wire::FrameType>(question.type), question.payload, deadline);
}

// The cosignature comes by the link that carried the entry: this one, or another to the same peer. Who has that other
// link may be busy with other things, or the link may have ended: then the entry goes once more, by this one.
Status LogLink::await_held(const mirror::EntryView& step, Deadline deadline) {
  const auto held = [&](mirror::Replica& replica) {
    return replica.held_by(peer().nick, log_.nick(), step.entry.seq + 1);
  };
  while (!log_.with(held)) {
    if (step.entry.seq >= pushed_here_) {
      if (log_.wait_for(held, std::min(deadline, deadline_in(kOtherLinkWait)))) break;
      log_.with([&](mirror::Replica& replica) { replica.forget_unheld(peer().nick); });
      TRY_STATUS(push(deadline));
    }
    TRY_STATUS(read_or_look(deadline));
  }
  return {};
}

Status LogLink::keep() {
  return log_.with([](mirror::Replica& replica) { return replica.flush(); });
}

Result<wire::FrameType> LogLink::next_type(Deadline deadline) {
  while (waiting_.empty()) TRY_STATUS(read_one(deadline));
  return waiting_.front().type;
}

Result<wire::Frame> LogLink::receive(Deadline deadline) {
  while (waiting_.empty()) TRY_STATUS(read_one(deadline));
  wire::Frame frame = std::move(waiting_.front());
  waiting_.pop_front();
  return frame;
}

Result<bool> LogLink::wait_readable(Deadline deadline) {
  while (waiting_.empty()) {
    TRY(const bool something, inner_.wait_readable(deadline));
    if (!something) return false;
    TRY_STATUS(read_one(deadline_in(kPushLimit)));  // it is there
    if (waiting_.empty() && Monotonic::now() >= deadline) return false;
  }
  return true;
}

}  // namespace parley::group
