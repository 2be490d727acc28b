// Accounts and caps in words (ledger_view.h).
#include "cli/ledger_view.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::cli {
namespace {

std::string effect_on(const group::Membership& membership, const group::Spent& spent,
                      const group::AllowedQuestion& allowed, const std::string& peer, std::uint64_t our_padded,
                      std::uint64_t their_padded) {
  const group::Caps caps = membership.caps(allowed);
  const std::int64_t theirs = their_padded != 0 ? static_cast<std::int64_t>(their_padded) : caps.items_per_session;
  return fmt::format(
      "after this {} {} {} of the {} that it may within 30 days on yours, all members together {} of {}; you {} of {} "
      "on its. Sessions with it within a day: {} of {}.",
      peer, their_padded != 0 ? "could have tested" : "could have tested up to",
      grouped(std::min(spent.probe_in_30d + theirs, caps.probe_items_30d)), grouped(caps.probe_items_30d),
      grouped(std::min(spent.probe_in_group_30d + theirs, caps.probe_items_group_30d)),
      grouped(caps.probe_items_group_30d), grouped(spent.probe_out_30d + static_cast<std::int64_t>(our_padded)),
      grouped(caps.probe_items_30d), grouped(spent.sessions_day + 1), grouped(caps.sessions_per_day));
}

}  // namespace

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

std::vector<Used> used_caps(const group::Membership& membership, const session::Accounting& accounting,
                            const std::string& peer, const group::AllowedQuestion& allowed) {
  const group::Spent spent =
      accounting.spent(peer, std::vector{allowed.type}, session::most_entered_under(membership, allowed.function))
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
                                           const session::Question& question, std::uint64_t our_padded,
                                           std::uint64_t their_padded) {
  TRY(const std::string nick, nick_of(at, peer));
  TRY(const auto accounting, accounting_of(at, membership));
  const auto spent =
      accounting->spent(nick, question.types, session::most_entered_under(membership, question.function));
  // Types to which it does the same stand on one line.
  std::vector<std::pair<std::string, std::string>> effects;
  for (const indicator::Type type : question.types) {
    const group::AllowedQuestion* allowed = membership.charter().question(type, question.function);
    if (allowed == nullptr) continue;
    const std::string effect = effect_on(membership, spent.at(type), *allowed, peer, our_padded, their_padded);
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

}  // namespace parley::cli
