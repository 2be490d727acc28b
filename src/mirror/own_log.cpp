// The own log: entries that wait together, one checkpoint, one commit; read back; then the guard; and only then may
// anything be sent (log.md 2.7).
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "mirror/detail/impl.h"

namespace parley::mirror {
namespace {

using log::Json;

std::unexpected<Error> damaged_disk() {
  return fail(Errc::io,
              "What was written of our log does not read back as it was. The disk is not to be trusted; nothing was "
              "signed and sent.");
}

}  // namespace

Status Replica::Impl::may_append() const {
  const State now = state();
  if (now == State::live && !signing->node)
    return fail(Errc::policy,
                "The node key of this member has been replaced, and this disk has not the new one: rotate it again, "
                "with the reason lost.");
  if (now == State::live) return {};
  return fail(Errc::policy, fmt::format("Nothing can be written into our log now ({}).", name_of(now)));
}

/// Entries on their way into the own log, with one commit and one checkpoint.
struct Replica::Impl::Together {
  explicit Together(const detail::LogCopy& copy) : growing(copy) {}
  detail::Growing growing;
  std::vector<StepRow> steps;
  std::size_t room = 0;  ///< that they take in a push

  bool empty() const { return growing.growth.leaves.empty(); }
  /// A push to a member that lacks them ends at their checkpoint, so they fit into one.
  bool has_room_for(std::size_t bytes) const {
    return growing.growth.leaves.size() < kMaxPushLeaves && room + bytes <= kRoomForEntries;
  }
};

Result<EntryView> Replica::Impl::append(Appending one, std::int64_t now) {
  std::vector<Appending> all;
  all.push_back(std::move(one));
  return std::move(append_all(std::move(all), now).front());
}

std::vector<Result<EntryView>> Replica::Impl::append_all(std::vector<Appending> all, std::int64_t now) {
  std::vector<Result<EntryView>> results;
  while (results.size() < all.size()) {
    const std::size_t first = results.size();
    Together together(own());
    std::vector<std::size_t> written;  // of all
    while (results.size() < all.size()) {
      auto view = add_next(together, all[results.size()].draft, now);
      // What does not fit beside others begins the next commit.
      if (!view && view.error().code == Errc::limit && !together.empty()) break;
      if (view) written.push_back(results.size());
      results.push_back(std::move(view));
    }
    if (written.empty()) continue;
    const Status done = write(together, [&]() -> Status {
      for (const std::size_t i : written)
        if (all[i].work) TRY_STATUS(all[i].work(*results[i]));
      return {};
    });
    if (done) continue;
    if (!halted.empty() || results.size() - first == 1) {
      for (const std::size_t i : written) results[i] = std::unexpected(done.error());
      continue;
    }
    // The work of one of them undid all: each by itself, so that it undoes its own entry only.
    for (std::size_t i = first; i < results.size(); ++i) {
      if (results[i]) all[i].draft.body = *std::move(results[i]->body);
      results[i] = append(std::move(all[i]), now);
    }
  }
  return results;
}

Result<EntryView> Replica::Impl::add_next(Together& together, Draft& draft, std::int64_t now) {
  TRY_STATUS(may_append());
  detail::Growing& growing = together.growing;
  if (draft.type == log::kKeyRotate && !rotating)
    return fail(Errc::usage, "An entry that rotates a key is written by rotating it.");
  if (growing.state.sealed) return fail(Errc::policy, "Nothing can be written into our log now (sealed).");
  const detail::LogCopy& copy = own();
  if (draft.audience.size() > log::kMaxGroupMembers)
    return fail(Errc::limit, "An entry's audience is larger than the group.");
  std::ranges::sort(draft.audience);
  TRY(const log::Body body, log::make_body(draft.body));
  if (body.text.size() > kMaxCarriedBodyBytes)
    return fail(Errc::limit, fmt::format("The body of an entry has {} bytes; {} is the limit.", body.text.size(),
                                         kMaxCarriedBodyBytes));
  log::Entry entry{.author = nick(group.self),
                   .seq = growing.state.size,
                   .prev = growing.state.last,
                   .charter = group.charter,
                   .session = draft.session,
                   .refs = draft.refs,
                   .audience = draft.audience,
                   .body = body.commitment(),
                   .time = growing.state.time_of_next(now),
                   .type = draft.type};
  TRY(const std::string leaf, log::make_entry(entry, keys(group.self).node.name, *signing->node));
  TRY(const log::Extension extension, log::extend(growing.state, leaf, keys(group.self)));
  const std::size_t room = room_for(leaf.size(), &body);
  if (!together.has_room_for(room)) return fail(Errc::limit, "There is no room for more entries in one push.");
  if (const auto step = log::step_key(entry)) {
    TRY(std::optional<std::uint64_t> taken, store.step(copy.origin, *step));
    const auto here = std::ranges::find(together.steps, *step, &StepRow::step);
    if (here != together.steps.end()) taken = here->seq;
    if (taken)
      return fail(Errc::exists, fmt::format("Entry {} of our log has taken the step {} of this session already.",
                                            *taken, entry.type));
    together.steps.push_back({copy.origin, *step, entry.seq});
  }
  if (auto report = report_in(entry, draft.body)) together.steps.push_back(std::move(*report));
  if (rotating) {
    const std::size_t number = keys(group.self).rotated.size() - 1;
    together.steps.push_back({copy.origin, rotation_key(nick(group.self), number), entry.seq});
  }
  growing.add(leaf, extension);
  growing.add(extension.leaf_hash, body);
  together.room += room;
  return view_of(copy, extension.leaf_hash, entry, std::move(draft.body));
}

Status Replica::Impl::write(Together& together, const std::function<Status()>& work) {
  detail::LogCopy& copy = own();
  detail::Growing& growing = together.growing;
  const log::Checkpoint checkpoint{copy.origin, growing.frontier.size(), growing.frontier.root()};
  growing.growth.checkpoint =
      vault::LogCheckpoint{checkpoint.size, checkpoint.root, log::sign_checkpoint(checkpoint, signing->log)};
  TRY_STATUS(
      commit({.growth = {growing.growth}, .steps = std::move(together.steps), .faults = {}, .repairs = {}}, work));
  Status sound = read_back(growing);
  if (sound) sound = guard.advance({checkpoint.size, checkpoint.root});
  if (!sound) {
    halted = sound.error().text();
    return sound;
  }
  copy.state = growing.state;
  copy.frontier = std::move(growing.frontier);
  copy.newest = growing.growth.checkpoint;
  copy.held[group.self] = copy.size();
  return count_holders(copy, copy.size());
}

Status Replica::Impl::read_back(const detail::Growing& growing) {
  const vault::LogGrowth& growth = growing.growth;
  TRY(const auto rows, store.leaves(growth.origin, growth.from, growth.leaves.size()));
  if (rows.size() != growth.leaves.size()) return damaged_disk();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].note != growth.leaves[i].note || log::leaf_hash(as_bytes(rows[i].note)) != growth.leaves[i].hash)
      return damaged_disk();
  }
  StoredTree tree(store, growth.origin);
  TRY(const log::Frontier edge, log::Frontier::read(tree, growing.frontier.size()));
  if (edge != growing.frontier) return damaged_disk();
  if (!growth.checkpoint) return {};
  TRY(const auto checkpoint, store.checkpoint(growth.origin, growth.checkpoint->size));
  if (!checkpoint || checkpoint->root != edge.root() || checkpoint->note != growth.checkpoint->note)
    return damaged_disk();
  return {};
}

Json Replica::Impl::heads_body() const {
  Json::Array heads;
  for (const detail::LogCopy& copy : logs) {
    Json::Array cosigners;
    for (std::size_t i = 0; i < logs.size(); ++i)
      if (i != copy.owner && copy.size() > 0 && copy.held[i] >= copy.size()) cosigners.emplace_back(nick(i));
    heads.emplace_back(Json::Object{{"cosigners", std::move(cosigners)},
                                    {"nick", nick(copy.owner)},
                                    {"root", to_hex(copy.newest ? copy.newest->root : log::empty_root())},
                                    {"size", static_cast<std::int64_t>(copy.size())}});
  }
  return Json::Object{{"logs", std::move(heads)}, {"v", 1}};
}

Draft Replica::fault_draft(const Conviction& conviction) {
  return draft_for_everyone(log::kFault,
                            Json::Object{{"accused", conviction.accused}, {"fault", conviction.fault}, {"v", 1}});
}

}  // namespace parley::mirror
