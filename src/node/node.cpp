// The daemon's main loop: accept, find out who it is, answer, serve on.
#include "node/node.h"

#include <fmt/format.h>

#include <condition_variable>
#include <list>
#include <thread>

#include "admission/helper.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "node/doorman.h"
#include "node/listener.h"
#include "node/replication.h"
#include "session/reveal.h"
#include "session/states.h"
#include "wire/link.h"

namespace parley::node {
namespace {

constexpr auto kFirstStepLimit = std::chrono::seconds(30);  // log.md 3.1: idle limit

std::string in_short(const std::string& session) {
  return session.substr(0, 8);
}

}  // namespace

struct Node::State {
  State(vault::Vault& its_vault, const group::Member& its_member, group::Groups& its_groups,
        operators::OperatorLog& its_operator_log, NodeOptions its_options, Journal& its_journal)
      : vault(its_vault),
        member(its_member),
        groups(its_groups),
        operator_log(its_operator_log),
        options(std::move(its_options)),
        journal(its_journal) {}

  vault::Vault& vault;
  const group::Member& member;
  group::Groups& groups;
  operators::OperatorLog& operator_log;
  NodeOptions options;
  Journal& journal;

  Inbox inbox;
  session::UnderWay under_way;
  session::Ledgers ledgers;
  Doorman doorman;
  std::optional<Replication> replication;
  std::optional<Listener> listener;
  std::thread acceptor;

  std::mutex mutex;
  std::condition_variable idle;
  struct Served {
    std::string peer;
    Progress* progress;
    wire::Link* link;
  };
  std::list<Served> served;  // to be cancelled when the node stops, closed when the peer has replaced its key
  std::size_t threads_running = 0;
  bool stopping = false;

  void accept_loop();
  void serve(Incoming incoming);
  void talk(wire::Link& link, Progress& progress, JournalProgress& named);
  Status talk_in_group(wire::Link& link, Progress& progress, JournalProgress& named);
  Status serve_member(group::LogLink& log_link, const group::Membership& membership, group::JointLog& log,
                      Progress& progress, JournalProgress& named);
  // Counts and answers what an owner wants to have admitted (psi.md 6.6).
  Status help_to_admit(group::LogLink& link, const group::Membership& membership, group::JointLog& log,
                       Progress& progress);
  void answer_question(const session::Party& us, group::LogLink& link, const session::ReceivedStep& proposal,
                       JournalProgress& named);
  void answer_reveal(const session::Party& us, group::LogLink& link, const session::ReceivedStep& consent,
                     JournalProgress& named);
  void close_links(const std::string& peer);
  void end(const operators::OperatorLog::Begun& begun, std::string_view outcome);
  /// @param begun  the record of an acceptance by rule
  std::optional<session::Decision> judge(const session::Offer& offer,
                                         std::optional<operators::OperatorLog::Begun>& begun);
  std::optional<session::Decision> decide(const session::Offer& offer, std::optional<Inbox::Entry>& entry,
                                          Deadline deadline);
};

void Node::State::close_links(const std::string& peer) {
  const std::lock_guard lock(mutex);
  for (const Served& one : served)
    if (one.peer == peer)
      one.link->close({Errc::peer_gone, "It has replaced the key that this connection was opened with.", {}});
}

void Node::State::accept_loop() {
  while (auto incoming = listener->next()) {
    if (const auto why = doorman.refuse_arrival(incoming->host)) {
      if (!why->empty()) journal.line(fmt::format("refused {}: {}", incoming->address, *why));
      continue;
    }
    const std::lock_guard lock(mutex);
    ++threads_running;
    // Detached, but counted: the destructor waits for all.
    std::thread([this, moved = std::make_shared<Incoming>(*std::move(incoming))] {
      serve(std::move(*moved));
      doorman.connection_closed();
      const std::lock_guard done(mutex);
      --threads_running;
      idle.notify_all();
    }).detach();
  }
}

void Node::State::serve(Incoming incoming) {
  const auto identity = group::identity_now(vault, member);
  auto link = identity ? wire::accept(std::move(incoming.connection), *identity,
                                      [this](const ByteArray<32>& key) { return groups.peer_by_key(key); })
                       : std::unexpected(identity.error());
  const std::string peer = link ? (*link)->peer().name : std::string();
  const bool admitted = link && doorman.admit_peer(peer);
  doorman.handshake_done(incoming.host, !link);
  if (!link) {
    journal.line(fmt::format("refused {}: {}", incoming.address, link.error().text()));
    return;
  }
  if (!admitted) {
    journal.line(fmt::format("refused {}: it has {} connections already, or came {} times within a minute", peer,
                             kMaxLinksPerPeer, kMaxLinksPerPeerPerMinute));
    return;
  }
  JournalProgress progress(journal, peer);
  std::list<Served>::iterator place;
  {
    const std::lock_guard lock(mutex);
    place = served.insert(served.end(), Served{peer, &progress, link->get()});
    if (stopping) progress.cancel();
  }
  try {
    // A key that was replaced while its link came in was found by nobody who closes links: this one was not served yet.
    const auto still = groups.peer_by_key((*link)->peer().tls_key);
    if (still && still->name == peer)
      talk(**link, progress, progress);
    else
      journal.line(fmt::format("refused {}: its tls key was replaced while it came in", peer));
  } catch (const std::exception& error) {  // no memory, or a broken invariant: it ends this session and not the node
    journal.line(fmt::format("{}: ended by a failure inside this node ({})", peer, visible(error.what())));
  }
  progress.set_wake({});
  {
    const std::lock_guard lock(mutex);
    served.erase(place);
  }
  doorman.peer_left(peer);
}

void Node::State::talk(wire::Link& link, Progress& progress, JournalProgress& named) {
  const auto talked = talk_in_group(link, progress, named);
  progress.set_wake({});
  if (!talked) journal.line(fmt::format("{}: {}", link.peer().name, talked.error().text()));
}

// Its first frame says in which group the peer speaks.
Status Node::State::talk_in_group(wire::Link& link, Progress& progress, JournalProgress& named) {
  progress.set_wake([&link] { link.shut_down(); });
  TRY(wire::Frame frame, link.receive(deadline_in(kFirstStepLimit)));
  const auto type = mirror::message_type(static_cast<std::uint8_t>(frame.type));
  if (!type) return fail(Errc::protocol, "It began with something that is not of a group's log.");
  TRY(const std::string group, mirror::group_of({*type, frame.payload}));
  TRY(const group::Membership membership, groups.membership(group));
  const group::CharterMember* member_of_group = membership.charter().member(link.peer().nick);
  TRY(const vault::Peer peer, vault.peer(link.peer().name));
  if (member_of_group == nullptr || member_of_group->card != crypto::sha256(as_bytes(peer.card)))
    return fail(Errc::policy, fmt::format("It is no member of the group {} by the card that is pinned here.",
                                          membership.group().name));
  TRY(const auto log, groups.log(group));
  group::LogLink log_link(link, *log);
  TRY_STATUS(log_link.accept(std::move(frame)));
  const Status served_well = serve_member(log_link, membership, *log, progress, named);
  replication->note_rotations(membership.group().id);
  return served_well;
}

// What it called for: an intersection, a reveal, help with admission, or only the logs.
Status Node::State::serve_member(group::LogLink& log_link, const group::Membership& membership, group::JointLog& log,
                                 Progress& progress, JournalProgress& named) {
  const auto begins_with = log_link.next_type(deadline_in(kFirstStepLimit));
  if (begins_with && *begins_with == wire::FrameType::admission)
    return help_to_admit(log_link, membership, log, progress);
  session::StepLink steps(log_link);
  const auto first = steps.receive_any(deadline_in(kFirstStepLimit));
  progress.set_wake({});
  if (!first) {
    // Who calls for the logs only, leaves when they are in step.
    if (first.error().code == Errc::peer_gone) return {};
    return std::unexpected(first.error());
  }
  TRY_STATUS(hear_enough(groups.desk(), member, membership, log, progress));
  ThreadPool pool(options.threads);
  const session::Party us{.vault = vault,
                          .member = member,
                          .membership = membership,
                          .membership_now = [&] { return groups.membership(membership.group().id); },
                          .under_way = under_way,
                          .ledgers = ledgers,
                          .pool = pool,
                          .progress = progress};
  if (first->type == session::kPropose)
    answer_question(us, log_link, *first, named);
  else if (first->type == session::kRevealConsent)
    answer_reveal(us, log_link, *first, named);
  else
    return fail(Errc::protocol,
                fmt::format("It began with the step \"{}\", which begins nothing.", visible(first->type)));
  replication->wake();
  return {};
}

Status Node::State::help_to_admit(group::LogLink& link, const group::Membership& membership, group::JointLog& log,
                                  Progress& progress) {
  TRY_STATUS(hear_enough(groups.desk(), member, membership, log, progress));
  progress.set_wake([&link] { link.shut_down(); });
  ThreadPool pool(options.threads);
  const group::Desk desk = groups.desk();
  const admission::Party us{.desk = desk, .membership = membership, .log = log, .pool = pool, .progress = progress};
  const std::string id = membership.group().id;
  TRY(const std::uint64_t helped, admission::help(us, [&] { return groups.membership(id); }, link));
  if (helped > 0)
    journal.line(
        fmt::format("{} was helped to admit {} indicators; which, nobody here sees", link.peer().name, helped));
  return {};
}

void Node::State::answer_question(const session::Party& us, group::LogLink& link, const session::ReceivedStep& proposal,
                                  JournalProgress& named) {
  const std::string& peer = link.peer().name;
  const std::string& id = proposal.session;
  named.set_about(fmt::format("session {} with {}", in_short(id), peer));
  std::optional<Inbox::Entry> entry;
  std::optional<operators::OperatorLog::Begun> begun;
  const auto answered = session::answer(
      us, link, proposal, options.limits,
      [&](const session::Offer& offer, Deadline deadline) { return decide(offer, entry, deadline); },
      [&](const session::Offer& offer) { return judge(offer, begun); });
  if (begun) end(*begun, answered ? "done" : "failed");
  if (!answered)
    journal.line(fmt::format("session {} with {}: {}", in_short(id), peer, answered.error().text()));
  else if (const auto row = vault.session(id)) {
    journal.line(
        fmt::format("session {} with {}: {}. parley show {} has it.", in_short(id), peer, row->state, in_short(id)));
    const auto outcome = session::read_outcome(row->outcome);
    if (outcome && outcome->canaries > 0)
      journal.line(fmt::format("session {} with {}: CANARY HIT, {} of ours. parley canary alarm {} says what it means.",
                               in_short(id), peer, outcome->canaries, in_short(id)));
  }
}

void Node::State::answer_reveal(const session::Party& us, group::LogLink& link, const session::ReceivedStep& offer,
                                JournalProgress& named) {
  const std::string& peer = link.peer().name;
  const std::string id = visible(in_short(offer.session));
  named.set_about(fmt::format("reveal in session {} with {}", id, peer));
  std::optional<operators::OperatorLog::Begun> begun;
  // What the node opens under a consent or standing rule is on record first, and so is a call for which it opens
  // nothing.
  const auto outcome = session::answer_reveal(us, link, offer, [&]() -> Status {
    TRY(begun, operator_log.begin_by_node(operators::Act::reveal, "answer a call to reveal",
                                          operator_log.subjects().of("session", offer.session)));
    return {};
  });
  if (begun) end(*begun, !outcome ? "failed" : outcome->waiting ? "no consent" : "done");
  if (!outcome)
    journal.line(fmt::format("reveal in session {} with {}: {}", id, peer, outcome.error().text()));
  else if (outcome->waiting)
    journal.line(fmt::format(
        "{} would reveal context in session {}; nothing is opened until you agree: parley reveal {}", peer, id, id));
  else
    journal.line(
        fmt::format("reveal in session {} with {}: opened {}, received {} ({} fields of the {} that were "
                    "offered, against {} of {})",
                    id, peer, outcome->opened, outcome->received, outcome->numbers.we_open, outcome->numbers.we_offer,
                    outcome->numbers.they_open, outcome->numbers.they_offer));
}

void Node::State::end(const operators::OperatorLog::Begun& begun, std::string_view outcome) {
  if (const Status ended = operator_log.end(begun, outcome); !ended)
    journal.line("the operator log: " + ended.error().text());
}

std::optional<session::Decision> Node::State::judge(const session::Offer& offer,
                                                    std::optional<operators::OperatorLog::Begun>& begun) {
  AcceptRules::Judgement judged = options.rules.judge(offer);
  if (judged.verdict == Verdict::accept && !begun) {
    const auto recorded = operator_log.begin_by_node(operators::Act::session, "accept by " + judged.by,
                                                     operator_log.subjects().of("session", offer.session));
    if (recorded) begun = *recorded;
    if (!recorded) {
      journal.line(fmt::format("session {}: {}", in_short(offer.session), recorded.error().text()));
      judged = {.verdict = Verdict::decline, .label = {}, .by = "want of a record"};
    }
  }
  session::Question in_log = offer.question;
  in_log.label.clear();  // the other side's words stay in the vault: this log is no secret
  journal.line(fmt::format("session {}: {} asks in {} {} (its set: at most {}; could test {}){}",
                           in_short(offer.session), offer.peer, offer.group, session::in_words(in_log),
                           offer.their_padded, offer.their_tests,
                           judged.verdict == Verdict::accept    ? ": accepted by " + judged.by
                           : judged.verdict == Verdict::decline ? ": declined by " + judged.by
                                                                : ""));
  if (judged.verdict == Verdict::ask) return std::nullopt;
  return session::Decision{
      .accept = judged.verdict == Verdict::accept, .why = {}, .label = judged.label, .most_tests = judged.max_padded};
}

std::optional<session::Decision> Node::State::decide(const session::Offer& offer, std::optional<Inbox::Entry>& entry,
                                                     Deadline deadline) {
  if (!entry) {
    entry.emplace(inbox, offer);
    journal.line(fmt::format("session {}: {} of ours would enter. Decide with parley accept {} or parley decline {}",
                             in_short(offer.session), offer.ours.count, in_short(offer.session),
                             in_short(offer.session)));
  }
  return entry->wait(deadline);
}

Node::Node(vault::Vault& vault, const group::Member& member, group::Groups& groups,
           operators::OperatorLog& operator_log, NodeOptions options, Journal& journal)
    : state_(std::make_unique<State>(vault, member, groups, operator_log, std::move(options), journal)) {}

Node::~Node() {
  if (state_->listener) state_->listener->stop();
  if (state_->acceptor.joinable()) state_->acceptor.join();
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  for (const State::Served& one : state_->served) one.progress->cancel();
  state_->idle.wait(lock, [&] { return state_->threads_running == 0; });
  state_->replication.reset();
}

Result<std::string> Node::start() {
  TRY(Listener listener, Listener::open(state_->options.listen));
  state_->listener.emplace(std::move(listener));
  state_->replication.emplace(state_->groups, state_->member, state_->under_way, state_->journal,
                              [state = state_.get()](const std::string& peer) { state->close_links(peer); });
  state_->acceptor = std::thread([state = state_.get()] { state->accept_loop(); });
  return state_->listener->address();
}

Inbox& Node::inbox() {
  return state_->inbox;
}

session::Ledgers& Node::ledgers() {
  return state_->ledgers;
}

void Node::call_on_members() {
  state_->replication->wake();
}

session::UnderWay& Node::under_way() {
  return state_->under_way;
}

}  // namespace parley::node
