// What a replica offers, and what it knows at any moment (replica.h).
#include "mirror/replica.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "mirror/detail/impl.h"

namespace parley::mirror {
namespace {

constexpr std::string_view kProcessMustEnd =
    "A write to the disk failed, so what is on it is not known; nothing is signed until the process has been started "
    "again";

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::asking:
      return "asking";
    case State::amnesia:
      return "amnesia";
    case State::live:
      return "live";
    case State::sealed:
      return "sealed";
    case State::retired:
      return "retired";
    case State::convicted:
      return "convicted";
    case State::halted:
      return "halted";
  }
  return {};
}

Result<std::size_t> Replica::Impl::member(std::string_view nick) const {
  const auto found = std::ranges::find(group.members, nick, &log::MemberKeys::nick);
  if (found != group.members.end()) return static_cast<std::size_t>(found - group.members.begin());
  return fail(Errc::not_found, fmt::format("{} is no member of this group.", visible(nick)));
}

State Replica::Impl::state() const {
  if (!halted.empty()) return State::halted;
  if (own().conviction) return State::convicted;
  if (!signing) return State::retired;
  if (own().mending || divergent || contested || own().size() < told_size || own().size() < guard.head().size)
    return State::amnesia;
  if (!risk_accepted && answered.size() < group.answers_needed) return State::asking;
  return own().state.sealed ? State::sealed : State::live;
}

bool Replica::Impl::may_cosign() const {
  const State now = state();
  return (now == State::live || now == State::sealed) && signing->cosign;
}

bool Replica::Impl::may_cosign(const detail::LogCopy& copy) const {
  return may_cosign() && copy.owner != group.self && !copy.conviction && !copy.mending && copy.missing.empty();
}

Status Replica::Impl::commit(Batch batch, const std::function<Status()>& work) {
  for (const auto& [owner, lines] : deferred) {
    auto growth = std::ranges::find(batch.growth, logs[owner].origin, &vault::LogGrowth::origin);
    if (growth == batch.growth.end()) growth = batch.growth.insert(growth, detail::Growing(logs[owner]).growth);
    growth->cosignatures.insert(growth->cosignatures.end(), lines.begin(), lines.end());
  }
  for (const std::size_t owner : seen_later) {
    const auto grows = std::ranges::find(batch.growth, logs[owner].origin, &vault::LogGrowth::origin);
    const std::uint64_t size = grows == batch.growth.end() ? logs[owner].size() : grows->from + grows->leaves.size();
    if (logs[owner].seen.size > size) batch.seen.push_back({logs[owner].origin, logs[owner].seen.note});
  }
  bool refused_by_work = false;
  Status done = store.commit(batch, [&]() -> Status {
    Status status = work ? work() : Status{};
    refused_by_work = !status;
    return status;
  });
  if (!done && !refused_by_work) {
    halted = fmt::format("{}: {}", kProcessMustEnd, done.error().text());
    return fail(Errc::io, halted);
  }
  if (done) {
    deferred.clear();
    seen_later.clear();
  }
  return done;
}

Status Replica::Impl::flush() {
  std::erase_if(seen_later, [&](std::size_t owner) { return logs[owner].seen.size <= logs[owner].size(); });
  return deferred.empty() && seen_later.empty() ? Status{} : commit({});
}

Result<std::optional<vault::LogCheckpoint>> Replica::Impl::checkpoint_of(const detail::LogCopy& copy,
                                                                         std::uint64_t size) {
  auto row = store.checkpoint(copy.origin, size);
  if (row && *row && (*row)->size != size) return std::nullopt;
  return row;
}

Result<std::optional<vault::LogCheckpoint>> Replica::Impl::sound_checkpoint_of(const detail::LogCopy& copy,
                                                                               std::uint64_t size) {
  TRY(auto row, checkpoint_of(copy, size));
  if (!row) return std::nullopt;
  const auto read = log::read_checkpoint(row->note, keys(copy.owner).log);
  if (!read || read->size != size || read->root != row->root) return std::nullopt;
  return row;
}

Result<std::vector<vault::LogCosignature>> Replica::Impl::lines_of(const detail::LogCopy& copy, std::uint64_t size) {
  TRY(auto lines, store.cosignatures(copy.origin, size));
  std::erase_if(lines, [&](const vault::LogCosignature& line) { return line.size != size || !counts(line); });
  const auto found = deferred.find(copy.owner);
  if (found == deferred.end()) return lines;
  for (const vault::LogCosignature& line : found->second) {
    if (line.size != size) continue;
    std::erase_if(lines, [&](const vault::LogCosignature& other) { return other.cosigner == line.cosigner; });
    lines.push_back(line);
  }
  return lines;
}

Replica::Replica(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Replica::~Replica() = default;

Status detail::check_departed(const Departed& departed, std::size_t member_count) {
  if (departed.members.empty()) return {};
  const std::size_t rest = member_count - std::min(member_count, departed.members.size());
  if (rest > 0 && *departed.members.rbegin() < member_count && departed.quorum_of_rest <= rest &&
      departed.quorum_of_rest >= log::log_quorum(rest))
    return {};
  return fail(Errc::policy, fmt::format("A quorum of {} of the {} members who are left does not hold a log together.",
                                        departed.quorum_of_rest, rest));
}

Status Replica::set_departed(const Departed& departed) {
  if (impl_->group.departed == departed) return {};
  TRY_STATUS(detail::check_departed(departed, impl_->group.members.size()));
  impl_->group.departed = departed;
  for (detail::LogCopy& copy : impl_->logs) TRY_STATUS(impl_->count_holders(copy, copy.size()));
  return {};
}

State Replica::state() const {
  return impl_->state();
}

std::string Replica::reason() const {
  const auto& own = impl_->own();
  switch (impl_->state()) {
    case State::live:
      return {};
    case State::sealed:
      return fmt::format("This member has sealed its log at {} entries.", own.size());
    case State::retired:
      return "The keys of this member in this group are destroyed.";
    case State::halted:
      return impl_->halted + ".";
    case State::convicted:
      return own.conviction->reason;
    case State::asking:
      return fmt::format(
          "{} of {} members have said what they hold of our log. Until then nothing is signed: what is "
          "on this disk may be an older state.",
          impl_->answered.size(), impl_->group.answers_needed);
    case State::amnesia:
      break;
  }
  if (own.mending) return "What is stored of our own log is damaged; it waits for a member's copy of it.";
  if (impl_->divergent)
    return "What is stored of our own log is not what the record beside the vault says was signed. Nothing is signed "
           "with these keys any more; the group has to admit new ones.";
  if (impl_->contested)
    return "A member holds other newest entries of our own log than this disk, where nobody else has them: this disk "
           "is "
           "an older state. It waits for that member's copy.";
  return fmt::format(
      "We hold {} entries of our own log and have signed {}: this disk is an older state. It waits for "
      "a member's copy of what it lacks.",
      own.size(), std::max(impl_->told_size, impl_->guard.head().size));
}

Status Replica::accept_fork_risk() {
  Impl& impl = *impl_;
  const State state = impl.state();
  if (state != State::asking && state != State::amnesia) return fail(Errc::policy, "There is no risk to be taken.");
  if (impl.own().mending || impl.divergent || impl.contested) return fail(Errc::policy, reason());
  if (impl.guard.head().size > impl.own().size()) {
    const Digest root = impl.own().newest ? impl.own().newest->root : Digest{};
    if (Status done = impl.guard.restart({impl.own().size(), root}); !done) {
      impl.halted = done.error().text();
      return done;
    }
  }
  impl.told_size = 0;
  impl.risk_accepted = true;
  return {};
}

void Replica::set_charter(const Digest& charter) {
  impl_->group.charter = charter;
}

void Replica::set_quota(const Quota& quota) {
  impl_->group.quota = quota;
}

Result<EntryView> Replica::append(Draft draft, std::int64_t now, const Work& work) {
  return impl_->append({std::move(draft), work}, now);
}

std::vector<Result<EntryView>> Replica::append_all(std::vector<Appending> all, std::int64_t now) {
  return impl_->append_all(std::move(all), now);
}

Result<EntryView> Replica::seal(std::int64_t now, std::string_view type) {
  const auto known = log::entry_type(type);
  if (!known || !known->seals) return fail(Errc::usage, "This type of entry seals nothing.");
  return impl_->append({draft_for_everyone(type, log::Json::Object{{"v", 1}}), {}}, now);
}

Result<EntryView> Replica::rotate(const NewKey& next, const Secret<32>& id_seed, std::int64_t now, const Work& work) {
  return impl_->rotate(next, id_seed, now, work);
}

bool Replica::has_key(log::KeyRole role) const {
  return impl_->signing && (role == log::KeyRole::node ? impl_->signing->node : impl_->signing->cosign).has_value();
}

Result<log::MemberKeys> Replica::keys_of(std::string_view nick) const {
  TRY(const std::size_t member, impl_->member(nick));
  return impl_->keys(member);
}

std::vector<Replica::Replaced> Replica::replaced(log::KeyRole role) const {
  std::vector<Replaced> all;
  for (const log::MemberKeys& member : impl_->group.members)
    for (const log::PlacedRotation& placed : member.rotated)
      if (placed.rotation.role == role) all.push_back({member.id, placed.rotation});
  return all;
}

log::Json Replica::heads_body() const {
  return impl_->heads_body();
}

void Replica::connected(std::string_view peer) {
  const auto found = impl_->member(peer);
  if (!found) return;
  begin_round(peer);
  detail::Peer& to = impl_->peers[*found];
  for (auto& asked : to.asked) asked.clear();
  to.tried_again.assign(to.tried_again.size(), false);
}

void Replica::begin_round(std::string_view peer) {
  const auto found = impl_->member(peer);
  if (!found) return;
  detail::Peer fresh(impl_->logs.size());
  detail::Peer& before = impl_->peers[*found];
  fresh.asked = std::move(before.asked);
  fresh.ask_from = std::move(before.ask_from);
  fresh.pushed_from = std::move(before.pushed_from);
  fresh.in_vain = std::move(before.in_vain);
  fresh.tried_again = std::move(before.tried_again);
  before = std::move(fresh);
}

void Replica::forget_unheld(std::string_view peer) {
  const auto found = impl_->member(peer);
  if (found) impl_->peers[*found].next[impl_->group.self] = impl_->own().held[*found];
}

Result<std::vector<Message>> Replica::to_send(std::string_view peer) {
  TRY(const std::size_t member, impl_->member(peer));
  if (member == impl_->group.self) return fail(Errc::usage, "Nothing is sent to oneself.");
  if (!impl_->halted.empty()) return fail(Errc::io, reason());
  return impl_->to_send(member);
}

Result<Outcome> Replica::take(std::string_view peer, const Message& message, std::int64_t now) {
  Impl& impl = *impl_;
  TRY(const std::size_t member, impl.member(peer));
  if (member == impl.group.self) return fail(Errc::usage, "Nothing is taken from oneself.");
  if (!impl.halted.empty()) return fail(Errc::io, reason());
  impl.effort = {};
  impl.came_at = now;
  TRY(const Content content, parse_message(impl.group.id, message));
  Result<Outcome> outcome = fail(Errc::internal, "A message of a kind that nobody takes.");
  if (const auto* heads = std::get_if<Heads>(&content)) outcome = impl.take_heads(member, *heads);
  if (const auto* push = std::get_if<Push>(&content)) outcome = impl.take_push(member, *push, message.payload, now);
  if (const auto* cosig = std::get_if<Cosig>(&content)) outcome = impl.take_cosig(member, *cosig);
  if (const auto* get = std::get_if<Get>(&content)) outcome = impl.take_get(member, *get);
  if (const auto* body = std::get_if<EntryBody>(&content)) outcome = impl.take_body(*body, now);
  if (const auto* proof = std::get_if<Proof>(&content)) outcome = impl.take_proof(*proof, message.payload);
  if (!outcome) return outcome;
  TRY_STATUS(impl.cosign_pending(now));
  return outcome;
}

const Effort& Replica::effort() const {
  return impl_->effort;
}

Status Replica::flush() {
  if (!impl_->halted.empty()) return fail(Errc::io, reason());
  return impl_->flush();
}

std::uint64_t Replica::size(std::string_view log) const {
  const auto member = impl_->member(log);
  return member ? impl_->logs[*member].size() : 0;
}

Result<EntryView> Replica::entry(std::string_view log, std::uint64_t seq) {
  TRY(const std::size_t member, impl_->member(log));
  return impl_->read_view(impl_->logs[member], seq);
}

Result<EntryView> Replica::entry(std::string_view log, const Digest& leaf_hash) {
  TRY(const std::size_t member, impl_->member(log));
  TRY(const std::optional<std::uint64_t> seq, impl_->store.index(impl_->logs[member].origin, leaf_hash));
  if (!seq) return fail(Errc::not_found, fmt::format("The log of {} has no such entry here.", log));
  TRY(EntryView found, impl_->read_view(impl_->logs[member], *seq));
  if (found.leaf_hash == leaf_hash) return found;
  return fail(Errc::vault_damaged, fmt::format("The index of the log of {} names another entry than the one that was "
                                               "looked for: parley log fsck says what else is damaged.",
                                               log));
}

Result<std::string> Replica::checkpoint(std::string_view log) {
  TRY(const std::size_t member, impl_->member(log));
  const auto& newest = impl_->logs[member].newest;
  if (!newest) return fail(Errc::not_found, fmt::format("Nothing is held of the log of {} yet.", log));
  return newest->note;
}

Result<std::string> Replica::final_checkpoint(std::string_view log, std::uint64_t size) {
  TRY(const std::size_t member, impl_->member(log));
  const auto& copy = impl_->logs[member];
  const auto missing = [&] {
    return fail(Errc::not_found,
                fmt::format("No checkpoint of the log of {} with {} entries has a quorum yet.", log, size));
  };
  if (copy.final_size < size || copy.final_size == 0) return missing();
  TRY(const auto row, impl_->checkpoint_of(copy, copy.final_size));
  if (!row) return missing();
  TRY(const auto lines, impl_->lines_of(copy, copy.final_size));
  return detail::note_with_lines(row->note, lines);
}

bool Replica::held_by(std::string_view nick, std::string_view log, std::uint64_t size) const {
  const auto holder = impl_->member(nick);
  const auto owner = impl_->member(log);
  return holder && owner && impl_->logs[*owner].held[*holder] >= size;
}

bool Replica::is_final(std::string_view log, std::uint64_t size) const {
  const auto owner = impl_->member(log);
  return owner && impl_->logs[*owner].final_size >= size;
}

std::vector<std::string> Replica::holders(std::string_view log, std::uint64_t size) const {
  std::vector<std::string> nicks;
  for (const log::MemberKeys& member : impl_->group.members)
    if (held_by(member.nick, log, size)) nicks.push_back(member.nick);
  return nicks;
}

Result<bool> Replica::has_taken(std::string_view session, std::string_view type) {
  const Impl& impl = *impl_;
  TRY(const auto seq,
      impl.store.step(impl.own().origin, {impl.nick(impl.group.self), std::string(session), std::string(type)}));
  return seq.has_value();
}

Status Replica::trusted(std::string_view nick) const {
  TRY(const std::size_t member, impl_->member(nick));
  const auto& conviction = impl_->logs[member].conviction;
  if (conviction) return fail(Errc::policy, conviction->reason);
  return {};
}

Result<bool> Replica::has_reported(std::string_view accused) {
  TRY(const auto seq, impl_->store.step(impl_->own().origin, impl_->report_key(accused)));
  return seq.has_value();
}

std::vector<Conviction> Replica::convictions() const {
  std::vector<Conviction> all;
  for (const auto& copy : impl_->logs)
    if (copy.conviction) all.push_back(*copy.conviction);
  return all;
}

Status Replica::takes_more(std::string_view log, std::int64_t now) const {
  TRY(const std::size_t member, impl_->member(log));
  return impl_->takes_more(impl_->logs[member], now);
}

std::vector<std::uint64_t> Replica::missing_bodies(std::string_view log) const {
  const auto member = impl_->member(log);
  if (!member) return {};
  const auto& missing = impl_->logs[*member].missing;
  return {missing.begin(), missing.end()};
}

bool Replica::damaged(std::string_view log) const {
  const auto member = impl_->member(log);
  return member && impl_->logs[*member].mending.has_value();
}

Result<std::vector<Defect>> Replica::fsck() {
  return impl_->fsck();
}

}  // namespace parley::mirror
