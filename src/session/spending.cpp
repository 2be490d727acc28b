#include "session/spending.h"

#include <array>

#include "session/states.h"

namespace parley::session {
namespace {

constexpr UnixSeconds kDay = 86'400;
constexpr UnixSeconds kMonth = 30 * kDay;

/// In which a session may have run: the vault is asked for no others, of which a peer can make many.
constexpr std::array<std::string_view, 6> kMayHaveRun{kRunning, kHasResult, kRevealing, kClosed, kDisputed, kAborted};

/// From its run step on, a session may have disclosed what its sides entered.
bool has_run(const vault::SessionRow& row, const Outcome& outcome) {
  return row.state == kRunning || row.state == kHasResult || row.state == kRevealing || row.state == kClosed ||
         row.state == kDisputed || outcome.may_have_disclosed;
}

void add(group::Spent& spent, const vault::SessionRow& row, const Terms& terms, const Outcome& outcome,
         bool with_this_peer, UnixSeconds now) {
  const auto theirs = static_cast<std::int64_t>(terms.their_padded);
  spent.probe_in_group_30d += theirs;
  if (!with_this_peer) return;
  spent.probe_in_30d += theirs;
  spent.probe_out_30d += static_cast<std::int64_t>(terms.our_padded);
  if (row.created > now - kDay) ++spent.sessions_day;
  // A session without a known count may have shown all that either side entered.
  const bool we_learn = row.asked_by_us ? terms.question.asker_learns() : terms.question.responder_learns();
  const bool they_learn = row.asked_by_us ? terms.question.responder_learns() : terms.question.asker_learns();
  const std::int64_t most = std::min(theirs, static_cast<std::int64_t>(terms.our_padded));
  const std::int64_t learned = outcome.count >= 0 ? outcome.count : most;
  if (we_learn) spent.matches_out_30d += std::max<std::int64_t>(outcome.count, 0);
  if (they_learn) spent.matches_in_30d += learned;
}

}  // namespace

Result<std::map<indicator::Type, group::Spent>> spent_in(std::span<const vault::SessionRow> rows,
                                                         std::string_view group, std::string_view peer,
                                                         UnixSeconds now) {
  std::map<indicator::Type, group::Spent> spent;
  for (const vault::SessionRow& row : rows) {
    if (row.group != group || row.created <= now - kMonth) continue;
    TRY(const Outcome outcome, read_outcome(row.outcome));
    if (!has_run(row, outcome)) continue;
    TRY(const Terms terms, read_terms(row.terms));
    for (const indicator::Type type : terms.question.types)
      add(spent[type], row, terms, outcome, row.peer == peer, now);
  }
  return spent;
}

Result<std::map<indicator::Type, group::Spent>> spent_with(vault::Vault& vault, std::string_view group,
                                                           std::string_view peer, UnixSeconds now) {
  TRY(const std::vector<vault::SessionRow> rows,
      vault.sessions({.group = group, .states = kMayHaveRun, .created_after = now - kMonth}));
  return spent_in(rows, group, peer, now);
}

}  // namespace parley::session
