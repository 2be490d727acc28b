// How a session is shown.
#include "cli/session_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/ledger_view.h"
#include "indicator/warning_list.h"
#include "psi/intersect/protocol.h"
#include "session/audit_keeping.h"
#include "session/reveal.h"
#include "session/reveal_record.h"
#include "session/states.h"

namespace parley::cli {
namespace {

struct Shown {
  vault::SessionRow row;
  session::Terms terms;
  session::Outcome outcome;
  std::vector<vault::SessionMatch> matches;
  std::vector<std::vector<std::string>> warnings;  // of each match
  std::set<indicator::Canonical> unshown;          // matches that count as none
  bool bad_opening = false;                        // evidence of one is kept
  std::vector<ledger::OpeningsSaid> differing;     // where the two logs do not say the same of a reveal
  std::vector<ledger::Dispute> answered_twice;     // steps of its reveals
};

/// What the two logs say of the reveals of the session, where that cannot be all there is. @error as accounting_of()
Status load_differences(Workplace& at, Shown& shown) {
  TRY(const auto steps, at.vault.session_steps(shown.row.id));
  if (std::ranges::find(steps, session::kRevealOffer, &vault::SessionStep::type) == steps.end()) return {};
  TRY(const group::Membership membership, at.groups.membership(shown.row.group));
  TRY(const auto accounting, accounting_of(at, membership));
  TRY(const ledger::SessionId id, session::session_id_from(shown.row.id));
  accounting->with([&](const ledger::Ledger& ledger) {
    shown.differing = ledger.openings_that_differ(id);
    for (ledger::Dispute& dispute : ledger.disputes_of(id))
      if (dispute.what == ledger::Difference::answers) shown.answered_twice.push_back(std::move(dispute));
  });
  return {};
}

Result<Shown> load(vault::Vault& vault, const std::string& session) {
  Shown shown;
  TRY(shown.row, vault.session(session));
  TRY(shown.terms, session::read_terms(shown.row.terms));
  TRY(shown.outcome, session::read_outcome(shown.row.outcome));
  TRY(shown.matches, vault.session_matches(shown.row.id));
  std::ranges::sort(shown.matches, {}, [](const vault::SessionMatch& match) {
    return std::pair(match.indicator.type(), match.indicator.value());
  });
  TRY(const auto unshown, session::unshown_matches(vault, shown.row.id));
  for (const vault::SessionMatch& match : shown.matches)
    if (unshown.contains(match.indicator)) shown.unshown.insert(match.indicator);  // without canaries
  TRY(const auto fault, session::bad_opening_in(vault, shown.row.id));
  shown.bad_opening = fault && !fault->empty();
  if (!shown.matches.empty()) {
    TRY(const indicator::WarningLists lists, vault.warning_lists());
    for (const vault::SessionMatch& match : shown.matches) shown.warnings.push_back(lists.marks(match.indicator));
  }
  return shown;
}

// With hashes of one file counted once; that is what "in common" means to a person. What the other side did not show to
// be its own is not in common.
std::int64_t shown_count(const Shown& shown) {
  const session::Outcome& outcome = shown.outcome;
  if (shown.unshown.empty()) return outcome.file_count >= 0 ? outcome.file_count : outcome.count;
  std::set<std::int64_t> files;
  std::int64_t others = 0;
  for (const vault::SessionMatch& match : shown.matches) {
    if (shown.unshown.contains(match.indicator)) continue;
    if (match.file == 0)
      ++others;
    else
      files.insert(match.file);
  }
  return others + static_cast<std::int64_t>(files.size());
}

std::int64_t shown_values(const Shown& shown) {
  return shown.outcome.count - static_cast<std::int64_t>(shown.unshown.size());
}

void say_what_was_not_shown(Console& console, const Shown& shown) {
  const std::string id = shown.row.id.substr(0, 8);
  if (!shown.unshown.empty())
    console.print(
        fmt::format("  NOT SHOWN: {} matches that {} signed and did not open under what it had committed to; "
                    "they do not count\n",
                    shown.unshown.size(), visible(shown.row.peer)));
  if (shown.bad_opening)
    console.print(
        fmt::format("  BAD OPENING: {} opened what it had not committed to, and signed for it. parley session "
                    "fault {} FILE writes the evidence\n",
                    visible(shown.row.peer), id));
}

void print_openings_that_differ(Console& console, const Shown& shown) {
  const std::string peer = visible(shown.row.peer);
  for (const ledger::OpeningsSaid& said : shown.differing) {
    if (!said.is_readable()) {
      console.print(
          fmt::format("  CLOSING UNREADABLE: by your log you opened {} fields to {} in a reveal; the entry with which "
                      "it ended that "
                      "reveal cannot be read\n",
                      said.opened, peer));
      console.say(fmt::format(
          "    No honest program writes such an entry: that of {} is changed. What you opened counts as it is. Open "
          "nothing more to it until that is cleared up.",
          peer));
      continue;
    }
    console.print(said.by_us
                      ? fmt::format("  OPENINGS DIFFER: by your log you opened {} fields to {} in a reveal, by its "
                                    "log it received {}; the ledger counts {}\n",
                                    said.opened, peer, said.received, std::max(said.opened, said.received))
                      : fmt::format("  OPENINGS DIFFER: by your log you received {} fields of {} in a reveal, by "
                                    "its log it opened {}; the ledger counts {} or more\n",
                                    said.received, peer, said.opened, std::max(said.opened, said.received)));
    if (!said.cannot_both_be())
      console.say(
          "    The exchange broke off, so what was sent last may have been lost on the way. Count it as opened.");
    else
      console.say(fmt::format(
          "    Both numbers are signed, and no two honest programs write them: one is changed, or runs on an older "
          "disk. {}, and open nothing more to it until that is cleared up.",
          said.by_us
              ? fmt::format("What you opened is above, as \"opened\" of parley show --json; ask {} to name what it "
                            "holds",
                            peer)
              : fmt::format("What you received was checked against what {} had committed to, and stands above as "
                            "\"theirs\"; show it that",
                            peer)));
  }
}

void print_answered_twice(Console& console, const Shown& shown) {
  const std::string peer = visible(shown.row.peer);
  for (const ledger::Dispute& dispute : shown.answered_twice)
    console.print(
        fmt::format("  ANSWERED TWICE: to one step of yours in a reveal the log of {} has {}\n", peer, dispute.theirs));
  if (!shown.answered_twice.empty())
    console.say(
        fmt::format("    No honest program writes such an entry: that of {} is changed. What you opened counts as it "
                    "is. Open nothing more to it until that is cleared up.",
                    peer));
}

void say_failure(Console& console, const Shown& shown) {
  if (shown.outcome.failed_phase.empty()) return;
  console.say(fmt::format("  {}", visible(shown.outcome.failure)));
  if (shown.row.state == session::kAborted)
    console.say(shown.outcome.may_have_disclosed
                    ? "  The other side may have learned the answer before it stopped: count it as disclosed."
                    : "  Nothing about your material was disclosed.");
}

void print_matches(Console& console, const Shown& shown) {
  for (std::size_t i = 0; i < shown.matches.size(); ++i) {
    const vault::SessionMatch& match = shown.matches[i];
    std::string line =
        fmt::format("  {}\t{}", indicator::name_of(match.indicator.type()), visible(match.indicator.value()));
    if (match.file != 0) line += fmt::format("\t(file {})", match.file);
    if (shown.unshown.contains(match.indicator)) line += "\t[NO MATCH: not shown by the other side]";
    for (const std::string& list : shown.warnings[i]) line += fmt::format("\t[on warning list: {}]", visible(list));
    console.print(line + "\n");
    if (const std::string mine = context_in_words(from_stored(match.mine)); !mine.empty())
      console.print("      ours:   " + mine + "\n");
    if (const std::string theirs = context_in_words(from_stored(match.theirs)); !theirs.empty())
      console.print("      theirs: " + theirs + "\n");
  }
}

/// Whether the session can be run again before an auditor, and until when.
Status say_audit(Workplace& at, const Shown& shown) {
  if (shown.outcome.transcript.empty()) return {};
  TRY(const auto kept, session::kept_record(at.vault, shown.row.id));
  if (kept) {
    at.console.print(fmt::format("  can be audited until {} ({} bytes are kept for that)\n", to_rfc3339(kept->until),
                                 kept->file.size));
    return {};
  }
  TRY(const std::string why, session::why_not_kept(at.vault, shown.row.id));
  at.console.print(fmt::format("  cannot be audited{}{}\n", why.empty() ? "" : ": ", visible(why)));
  return {};
}

/// How many indicators the other side could have tested, if its program deviated.
std::uint64_t their_tests(const Shown& shown) {
  const auto protocol = psi::protocol_named(shown.outcome.protocol);
  const psi::Role ours = session::role_of(shown.row.asked_by_us ? session::Side::asker : session::Side::responder,
                                          shown.terms.question.direction);
  return protocol ? session::their_tests(**protocol, ours, shown.terms.their_padded) : shown.terms.their_padded;
}

void say_what_it_means(Console& console, const Shown& shown) {
  const session::Question& question = shown.terms.question;
  const std::string_view peer = shown.row.peer;
  if (question.function == session::Function::count)
    console.say(
        "A count between two members is a count by good faith: the node of a side that learns could have seen which "
        "ones, if its operator changed it.");
  if (shown.outcome.learned)
    console.say(
        fmt::format("What is in common is certain only as far as {} entered what it truly holds: a guess of its own "
                    "that hits looks like a match.",
                    peer));
  if (shown.outcome.canaries > 0)
    console.say(
        fmt::format("{} entered values that nobody honest should hold: it guesses, or it has them by theft or "
                    "accident. parley canary alarm {} says how likely either is, and what an alarm would show.",
                    peer, shown.row.id.substr(0, 8)));
  if (!shown.outcome.agreed)
    console.say(fmt::format(
        "{} has not confirmed the same result under its signature. Do not build on it before that is cleared up.",
        peer));
  const bool they_learned = shown.row.asked_by_us ? question.responder_learns() : question.asker_learns();
  console.say(fmt::format(
      "{} learned {}, that your set has at most {} indicators, and nothing about those that did not match.", peer,
      they_learned ? (question.function == session::Function::count ? "how many both hold"
                                                                    : "which of its own indicators you hold too")
                   : "no match",
      shown.terms.our_padded));
  if (const std::uint64_t tests = their_tests(shown); tests > shown.terms.their_padded)
    console.say(
        fmt::format("It said that it enters at most {} indicators; a changed program could have tested up to {}.",
                    shown.terms.their_padded, tests));
  const auto marked = std::ranges::count_if(shown.warnings, [](const auto& lists) { return !lists.empty(); });
  if (marked > 0)
    console.say(
        fmt::format("{} of the matches stand on warning lists: shared or public infrastructure, which many unrelated "
                    "parties use. That is no attribution.",
                    marked));
}

}  // namespace

Result<std::string> session_named(vault::Vault& vault, const std::string& text) {
  if (text == "last") {
    TRY(const auto rows, vault.sessions());
    if (rows.empty()) return fail(Errc::not_found, "There are no sessions yet. parley ask PEER makes one.");
    return rows.front().id;
  }
  TRY(const vault::SessionRow row, vault.session(text));
  return row.id;
}

Result<std::string> session_that_ran(vault::Vault& vault, const std::string& text) {
  if (text != "last") return session_named(vault, text);
  TRY(const auto rows, vault.sessions());
  for (const vault::SessionRow& row : rows) {
    TRY(const session::Outcome outcome, session::read_outcome(row.outcome));
    if (!outcome.transcript.empty()) return row.id;
  }
  return fail(Errc::not_found, "No session has come to a result yet; parley session list prints how far each came.");
}

Result<std::int64_t> count_in_common(vault::Vault& vault, const std::string& session) {
  TRY(const auto unshown, session::unshown_matches(vault, session));
  if (unshown.empty()) {  // as good as always, and there may be many sessions
    TRY(const vault::SessionRow row, vault.session(session));
    TRY(const session::Outcome outcome, session::read_outcome(row.outcome));
    return outcome.file_count >= 0 ? outcome.file_count : outcome.count;
  }
  TRY(const Shown shown, load(vault, session));
  return shown_count(shown);
}

Result<OrderedJson> session_json(Workplace& at, const std::string& session) {
  TRY(Shown shown, load(at.vault, session));
  TRY_STATUS(load_differences(at, shown));
  const session::Question& question = shown.terms.question;
  OrderedJson matches = OrderedJson::array();
  for (std::size_t i = 0; i < shown.matches.size(); ++i) {
    const vault::SessionMatch& match = shown.matches[i];
    matches.push_back({{"type", indicator::name_of(match.indicator.type())},
                       {"value", match.indicator.value()},
                       {"file", match.file == 0 ? OrderedJson() : OrderedJson(match.file)},
                       {"warnings", shown.warnings[i]},
                       {"shown", !shown.unshown.contains(match.indicator)},
                       {"mine", from_stored(match.mine)},
                       {"theirs", from_stored(match.theirs)},
                       {"opened", from_stored(match.opened)}});
  }
  OrderedJson differing = OrderedJson::array();
  for (const ledger::OpeningsSaid& said : shown.differing)
    differing.push_back({{"opened_by", said.by_us ? "us" : "peer"},
                         {"opened", said.opened},
                         {"received", said.is_readable() ? OrderedJson(said.received) : OrderedJson()},
                         {"broken_off", said.broken_off},
                         {"disputed", said.cannot_both_be()}});
  OrderedJson answered_twice = OrderedJson::array();
  for (const ledger::Dispute& dispute : shown.answered_twice) answered_twice.push_back(dispute.theirs);
  const session::Outcome& outcome = shown.outcome;
  TRY(const auto kept, session::kept_record(at.vault, shown.row.id));
  return OrderedJson{
      {"session", shown.row.id},
      {"peer", shown.row.peer},
      {"question", session::name_of(question.function)},
      {"direction", session::name_of(question.direction)},
      {"types", names_of(question.types)},
      {"label", question.label},
      {"since", question.since ? OrderedJson(to_rfc3339(*question.since)) : OrderedJson()},
      {"asked_by", shown.row.asked_by_us ? "us" : "peer"},
      {"state", shown.row.state},
      {"agreed", outcome.agreed},
      {"protocol", outcome.protocol},
      {"count", outcome.learned ? OrderedJson(shown_count(shown)) : OrderedJson()},
      {"values", outcome.learned ? OrderedJson(shown_values(shown)) : OrderedJson()},
      {"unshown_matches", shown.unshown.size()},
      {"bad_opening", shown.bad_opening},
      {"openings_that_differ", differing},
      {"answered_twice", answered_twice},
      {"canary_hits", outcome.canaries},
      {"matches", matches},
      {"seconds", static_cast<double>(outcome.milliseconds) / 1000.0},
      {"bytes_sent", outcome.bytes_sent},
      {"bytes_received", outcome.bytes_received},
      {"our_set", by_type(shown.terms.ours_by_type)},
      {"not_compared", by_type(shown.terms.without_tag)},
      {"no_match_possible", names_of(shown.terms.none_of_theirs)},
      {"our_size_as_seen", shown.terms.our_padded},
      {"their_size_at_most", shown.terms.their_padded == 0 ? OrderedJson() : OrderedJson(shown.terms.their_padded)},
      {"their_tests_at_most", outcome.protocol.empty() ? OrderedJson() : OrderedJson(their_tests(shown))},
      {"failure", outcome.failed_phase.empty() ? OrderedJson() : OrderedJson(outcome.failure)},
      {"may_have_disclosed", outcome.may_have_disclosed},
      {"audit_until", kept ? OrderedJson(to_rfc3339(kept->until)) : OrderedJson()},
      {"asked", to_rfc3339(shown.row.created)}};
}

Status print_session(Workplace& at, const std::string& session) {
  TRY(Shown shown, load(at.vault, session));
  TRY_STATUS(load_differences(at, shown));
  const session::Outcome& outcome = shown.outcome;
  Console& console = at.console;
  console.print(fmt::format("session {} with {}: {}\n", shown.row.id, shown.row.peer, shown.row.state));
  console.print(fmt::format("  {} asked on {}: {}\n", shown.row.asked_by_us ? "this side" : shown.row.peer,
                            to_rfc3339(shown.row.created), session::in_words(shown.terms.question)));
  if (outcome.learned) {
    const std::int64_t count = shown_count(shown), values = shown_values(shown);
    console.print(fmt::format("  in common: {}{}\n", count,
                              outcome.file_count >= 0 && count != values
                                  ? fmt::format(" ({} values; hashes of one file count once)", values)
                                  : ""));
  } else if (!outcome.protocol.empty() && outcome.failed_phase.empty()) {
    console.print("  this side did not learn the answer, as agreed\n");
  }
  if (!outcome.protocol.empty() && !shown.terms.without_tag.empty())
    console.print(fmt::format("  NOT COMPARED: {} of yours, which had no tag yet; whether they match is not known\n",
                              in_words(shown.terms.without_tag)));
  if (!outcome.protocol.empty() && !shown.terms.none_of_theirs.empty())
    console.print(fmt::format("  NO MATCH WAS POSSIBLE among {}: {} had had none admitted in that epoch\n",
                              fmt::join(names_of(shown.terms.none_of_theirs), ", "), visible(shown.row.peer)));
  print_matches(console, shown);
  if (outcome.canaries > 0)
    console.print(fmt::format("  CANARY: {} of your canaries stand in the set of {}; they are not among the {} above\n",
                              outcome.canaries, shown.row.peer, shown_count(shown)));
  if (!outcome.protocol.empty() && outcome.milliseconds > 0)
    console.print(fmt::format("  {:.2f} s, {} bytes sent, {} bytes received, protocol {}{}\n",
                              static_cast<double>(outcome.milliseconds) / 1000.0, outcome.bytes_sent,
                              outcome.bytes_received, outcome.protocol,
                              outcome.protocol_reason.empty() ? "" : " (" + outcome.protocol_reason + ")"));
  say_what_was_not_shown(console, shown);
  print_openings_that_differ(console, shown);
  print_answered_twice(console, shown);
  TRY_STATUS(say_audit(at, shown));
  say_failure(console, shown);
  if (!outcome.transcript.empty()) say_what_it_means(console, shown);
  return {};
}

std::optional<std::string> without_tag_in_words(const session::Enters& enters) {
  if (enters.without_tag.empty()) return std::nullopt;
  return fmt::format(
      "{} do not enter: by the charter such indicators need a tag that every member helped to make, and these have "
      "none "
      "in this epoch. parley admit status says what they wait for.",
      in_words(enters.without_tag));
}

}  // namespace parley::cli
