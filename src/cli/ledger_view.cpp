// Accounts and caps in words (ledger_view.h).
#include "cli/ledger_view.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::cli {
namespace {

std::string effect_on(const group::Membership& membership, const group::Spent& spent,
                      const group::AllowedQuestion& allowed, const std::string& peer, const session::Question& question,
                      session::Side our_side, std::uint64_t our_padded, std::uint64_t their_padded) {
  const group::Caps caps = membership.caps(allowed);
  const std::int64_t theirs = their_padded != 0 ? static_cast<std::int64_t>(their_padded) : caps.items_per_session;
  // No more can match than the smaller set has.
  const std::int64_t matches = std::min(theirs, static_cast<std::int64_t>(our_padded));
  const bool we_asked = our_side == session::Side::asker;
  const bool it_learns = we_asked ? question.responder_learns() : question.asker_learns();
  const bool we_learn = we_asked ? question.asker_learns() : question.responder_learns();
  const auto learned = [&](bool learns, std::int64_t before) { return grouped(before + (learns ? matches : 0)); };
  return fmt::format(
      "after this {} {} {} of the {} that it may within 30 days on yours, all members together {} of {}; you {} of {} "
      "on its. Matches learned within 30 days: it up to {}, you up to {}, of {}. Sessions with it within a day: {} "
      "of {}.",
      peer, their_padded != 0 ? "could have tested" : "could have tested up to",
      grouped(std::min(spent.probe_in_30d + theirs, caps.probe_items_30d)), grouped(caps.probe_items_30d),
      grouped(std::min(spent.probe_in_group_30d + theirs, caps.probe_items_group_30d)),
      grouped(caps.probe_items_group_30d), grouped(spent.probe_out_30d + static_cast<std::int64_t>(our_padded)),
      grouped(caps.probe_items_30d), learned(it_learns, spent.matches_in_30d), learned(we_learn, spent.matches_out_30d),
      grouped(caps.matches_revealed_30d), grouped(spent.sessions_day + 1), grouped(caps.sessions_per_day));
}

}  // namespace

std::string in_numbers(const ledger::Range& range) {
  return range.known == range.worst ? grouped(range.known)
                                    : fmt::format("{} to {}", grouped(range.known), grouped(range.worst));
}

std::string grouped(std::int64_t number) {
  std::string text = fmt::format("{}", number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t place = text.size(); place > first + 3; place -= 3) text.insert(place - 3, ",");
  return text;
}

Result<std::shared_ptr<session::Accounting>> accounting_of(Workplace& at, const group::Membership& membership) {
  const group::SignedCharter* version = membership.newest_naming_us();
  if (version == nullptr)
    return fail(Errc::policy, "You were never a member of this group, so it has no ledger of yours.");
  const group::CharterMember* us = version->charter.member_by_id(membership.own_id());
  TRY(auto accounting, at.ledgers.up_to_date(at.vault, membership.group().id, us->keys.nick));
  accounting->see(wall_clock_now());
  return accounting;
}

Result<std::string> nick_of(Workplace& at, const std::string& peer) {
  TRY(const vault::Peer pinned, at.vault.peer(peer));
  TRY(const group::Card card, group::read_card(pinned.card));
  return card.nick;
}

std::vector<Used> used_caps(const group::Membership& membership, session::Accounting& accounting,
                            const std::string& peer, const group::AllowedQuestion& allowed) {
  const group::Spent spent = accounting
                                 .spent(wall_clock_now(), peer, std::vector{allowed.type},
                                        session::most_entered_under(membership, allowed.function))
                                 .at(allowed.type);
  const group::Caps caps = membership.caps(allowed);
  const auto& [items, sessions, probes, probes_group, matches, fields] = group::kNamedCaps;
  const auto used = [&](const group::NamedCap& cap, std::string what, std::int64_t value) {
    return Used{.cap = cap, .what = std::move(what), .used = value, .most = caps.*cap.value};
  };
  return {used(sessions, "sessions with it within 24 h", spent.sessions_day),
          used(probes, "that it tests on yours within 30 days", spent.probe_in_30d),
          used(probes, "that you test on its within 30 days", spent.probe_out_30d),
          used(probes_group, "that all members test on yours within 30 days", spent.probe_in_group_30d),
          used(matches, "matches that it learns within 30 days", spent.matches_in_30d),
          used(matches, "matches that you learn within 30 days", spent.matches_out_30d)};
}

Result<std::vector<std::string>> effect_of(Workplace& at, const group::Membership& membership, const std::string& peer,
                                           const session::Question& question, session::Side our_side,
                                           std::uint64_t our_padded, std::uint64_t their_padded) {
  TRY(const std::string nick, nick_of(at, peer));
  TRY(const auto accounting, accounting_of(at, membership));
  const auto spent = accounting->spent(wall_clock_now(), nick, question.types,
                                       session::most_entered_under(membership, question.function));
  // Types to which it does the same stand on one line.
  std::vector<std::pair<std::string, std::string>> effects;
  for (const indicator::Type type : question.types) {
    const group::AllowedQuestion* allowed = membership.charter().question(type, question.function);
    if (allowed == nullptr) continue;
    const std::string effect =
        effect_on(membership, spent.at(type), *allowed, peer, question, our_side, our_padded, their_padded);
    const auto same = std::ranges::find(effects, effect, &std::pair<std::string, std::string>::second);
    if (same == effects.end())
      effects.emplace_back(indicator::name_of(type), effect);
    else
      same->first += fmt::format(", {}", indicator::name_of(type));
  }
  std::vector<std::string> lines;
  for (const auto& [types, effect] : effects) lines.push_back(fmt::format("{}: {}", types, effect));
  return lines;
}

Result<std::string> effect_of_reveal(Workplace& at, const group::Membership& membership, const std::string& peer,
                                     std::uint64_t values, std::uint64_t unreturned) {
  TRY(const std::string nick, nick_of(at, peer));
  TRY(const auto accounting, accounting_of(at, membership));
  const ledger::Account account = accounting->with(
      [&](const ledger::Ledger& ledger) { return ledger.account(&nick, std::nullopt, ledger::Window::operation); });
  const auto more = static_cast<std::int64_t>(values);
  const auto alone = static_cast<std::int64_t>(std::min(values, unreturned));
  return fmt::format(
      "By the ledger you have opened {} field(s) to {} so far, and it {} to you. By this you open up to {} more, and "
      "get at least one for each{}.",
      in_numbers(account.field_in), peer, in_numbers(account.field_out), grouped(more),
      alone > 0 ? fmt::format(", but for {}", grouped(alone)) : std::string());
}

}  // namespace parley::cli
