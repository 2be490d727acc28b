// The own log: one entry, one checkpoint, one commit; read back; then the guard; and only then may anything be sent
// (log.md 2.7).
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
  if (now == State::live) return {};
  return fail(Errc::policy, fmt::format("Nothing can be written into our log now ({}).", name_of(now)));
}

Result<EntryView> Replica::Impl::append(Draft draft, std::int64_t now,
                                        const std::function<Status(const EntryView&)>& work) {
  TRY_STATUS(may_append());
  detail::LogCopy& copy = own();
  if (draft.audience.size() > log::kMaxGroupMembers)
    return fail(Errc::limit, "An entry's audience is larger than the group.");
  std::ranges::sort(draft.audience);
  TRY(const log::Body body, log::make_body(draft.body));
  if (body.text.size() > kMaxCarriedBodyBytes)
    return fail(Errc::limit, fmt::format("The body of an entry has {} bytes; {} is the limit.", body.text.size(),
                                         kMaxCarriedBodyBytes));
  log::Entry entry{.author = nick(group.self),
                   .seq = copy.size(),
                   .prev = copy.state.last,
                   .charter = group.charter,
                   .session = std::move(draft.session),
                   .refs = std::move(draft.refs),
                   .audience = std::move(draft.audience),
                   .body = body.commitment(),
                   .time = copy.state.time_of_next(now),
                   .type = std::move(draft.type)};
  TRY(const std::string leaf, log::make_entry(entry, keys(group.self).node.name, signing->node));
  TRY(const log::Extension extension, log::extend(copy.state, leaf, group.members, group.self));

  detail::Growing growing(copy);
  growing.add(leaf, extension);
  growing.add(body);
  const log::Checkpoint checkpoint{copy.origin, growing.frontier.size(), growing.frontier.root()};
  const std::string note = log::sign_checkpoint(checkpoint, signing->log);
  growing.growth.checkpoint = vault::LogCheckpoint{checkpoint.size, checkpoint.root, note};
  Batch batch{.growth = {growing.growth}, .steps = {}, .faults = {}, .repairs = {}};
  if (const auto step = log::step_key(entry)) {
    TRY(const std::optional<std::uint64_t> taken, store.step(copy.origin, *step));
    if (taken)
      return fail(Errc::exists, fmt::format("Entry {} of our log has taken the step {} of this session already.",
                                            *taken, entry.type));
    batch.steps.push_back({copy.origin, *step, entry.seq});
  }

  if (auto report = report_in(entry, draft.body)) batch.steps.push_back(std::move(*report));

  EntryView view = view_of(copy, extension.leaf_hash, entry, std::move(draft.body));
  TRY_STATUS(commit(batch, [&]() -> Status { return work ? work(view) : Status{}; }));
  Status sound = read_back(growing);
  if (sound) sound = guard.advance({checkpoint.size, checkpoint.root});
  if (!sound) {
    halted = sound.error().text();
    return std::unexpected(std::move(sound).error());
  }
  copy.state = growing.state;
  copy.frontier = std::move(growing.frontier);
  copy.newest = growing.growth.checkpoint;
  copy.held[group.self] = copy.size();
  TRY_STATUS(count_holders(copy, copy.size()));
  return view;
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
