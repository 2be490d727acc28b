// Sessions that a crash or a stop left in the middle: how they are closed, in the vault and in the log.
#include <algorithm>
#include <array>

#include "log/merkle.h"
#include "session/consent.h"
#include "session/secrets.h"
#include "session/session.h"
#include "session/states.h"

namespace parley::session {

Result<std::size_t> close_interrupted(vault::Vault& vault) {
  TRY(const std::vector<vault::SessionRow> rows, vault.sessions({.states = kUnderWayStates}));
  std::size_t closed = 0;
  for (vault::SessionRow row : rows) {
    Outcome outcome;
    outcome.failed_phase = row.state;
    outcome.may_have_disclosed = row.state == kRunning;
    outcome.failure = outcome.may_have_disclosed
                          ? "This node stopped while the session ran. What the other side may have learned counts as "
                            "learned; the session "
                            "is not resumed, since a second run would give it a second try."
                          : "This node stopped before anything was computed. Nothing was disclosed but the question.";
    row.state = kAborted;
    row.updated = wall_clock_now();
    row.outcome = write_outcome(outcome);
    TRY_STATUS(vault.save_session(row, {}));
    TRY_STATUS(vault.put_secret(salts_name(row.id), {}));
    TRY_STATUS(vault.put_secret(seed_name(row.id), {}));
    TRY_STATUS(vault.put_secret(commitments_name(row.id), {}));
    ++closed;
  }
  constexpr std::array kInReveal{kRevealing};
  TRY(const std::vector<vault::SessionRow> revealing, vault.sessions({.states = kInReveal}));
  for (const vault::SessionRow& row : revealing) TRY_STATUS(end_consents_of_interrupted(vault, row.id));
  return closed;
}

namespace {

/// What our log lacks of a session that this vault has as broken off. A disk that was put back has an older row than
/// the log that came back to it: the log is right, and the row says what it does not know of the session any more.
Result<std::optional<mirror::Draft>> missing_abort(vault::Vault& vault, mirror::Replica& replica,
                                                   const std::string& nick, vault::SessionRow row,
                                                   const Digest& our_first_step) {
  const auto said = replica.entry(nick, our_first_step);
  if (!said && said.error().code == Errc::not_found) return std::nullopt;  // it never left, and was given up
  if (!said) return std::unexpected(said.error());
  TRY(Outcome outcome, read_outcome(row.outcome));
  TRY(const bool ran, replica.has_taken(row.id, kRun));
  if (ran && !outcome.may_have_disclosed) {
    outcome.may_have_disclosed = true;
    outcome.failed_phase = kRunning;
    outcome.failure =
        "This disk is an older one than the session: our log, which came back from other members, says that it ran, "
        "and "
        "what came of it is not here any more. What the other side may have learned counts as learned.";
    row.outcome = write_outcome(outcome);
    TRY_STATUS(vault.save_session(row, {}));
  }
  for (const std::string_view end : {kResult, kClose, kAbort}) {
    TRY(const bool ended, replica.has_taken(row.id, end));
    if (ended) return std::nullopt;
  }
  const Abort abort{.phase = outcome.failed_phase,
                    .code = std::string(name_of(row.state == kRefused ? Errc::refused : Errc::cancelled)),
                    .may_have_disclosed = outcome.may_have_disclosed};
  return mirror::Draft{.type = std::string(kAbort),
                       .session = row.id,
                       .refs = {},
                       .audience = said->entry.audience,
                       .body = abort.to_json()};
}

}  // namespace

Status log_aborts(vault::Vault& vault, group::JointLog& log) {
  constexpr std::array kEnded{kAborted, kExpired, kRefused};
  TRY(const std::vector<vault::SessionRow> rows, vault.sessions({.group = log.group(), .states = kEnded}));
  for (const vault::SessionRow& row : rows) {
    if (row.state == kRefused && !row.asked_by_us) continue;  // the refusal is the end
    TRY(const std::vector<vault::SessionStep> steps, vault.session_steps(row.id));
    const auto ours = [&](const vault::SessionStep& step) { return step.author == log.nick(); };
    const auto first = std::ranges::find_if(steps, ours);
    if (first == steps.end() ||
        std::ranges::any_of(steps, [&](const auto& step) { return ours(step) && step.type == kAbort; }))
      continue;
    const auto first_entry = leaf_hash_of(*first);
    if (!first_entry) continue;
    log.append_later([&vault, row, nick = log.nick(), step = *first_entry](
                         mirror::Replica& replica) { return missing_abort(vault, replica, nick, row, step); },
                     [&vault, id = row.id](const mirror::EntryView& step) -> Status {
                       TRY(const vault::SessionRow now, vault.session(id));
                       return vault.save_session(now, std::vector{stored_step(step)});
                     });
  }
  return log.flush();
}

}  // namespace parley::session
