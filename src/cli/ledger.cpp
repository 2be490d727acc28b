// parley ledger: who could have tested how much of ours, who learned what, and what is left.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/group_command.h"
#include "cli/json.h"
#include "cli/ledger_view.h"

namespace parley::cli {
namespace {

constexpr std::size_t kShownDigits = 8;

using ledger::Account;
using ledger::Range;
using ledger::Window;

struct LedgerArguments {
  std::string group;
  std::string peer;
  std::string type;
  bool as_json = false;
};

/// One group's ledger with what is needed to read it.
struct Page {
  const group::Membership& membership;
  session::Accounting& accounting;
  std::map<indicator::Type, std::uint64_t> ours;  ///< how many of each type may enter sessions of this group

  std::uint64_t our_set(indicator::Type type) const {
    const auto found = ours.find(type);
    return found == ours.end() ? 0 : found->second;
  }
};

/// What it says of one member.
struct MemberPage {
  MemberPage(const Page& of, std::string who) : page(of), peer(std::move(who)) {
    page.accounting.with([&](const ledger::Ledger& ledger) {
      for (const Window window : ledger::kAllWindows) accounts[window] = ledger.accounts_by_type(&peer, window);
      disputes = ledger.disputes(&peer);
      forgotten = ledger.forgotten(peer);
    });
  }
  const Account& account(indicator::Type type, Window window) const {
    const auto place = std::ranges::find(indicator::kAllTypes, type) - indicator::kAllTypes.begin();
    return accounts.at(window)[static_cast<std::size_t>(place)];
  }

  const Page& page;
  std::string peer;
  std::map<Window, std::array<Account, indicator::kAllTypes.size()>> accounts;
  std::vector<ledger::Dispute> disputes;
  std::uint64_t forgotten = 0;  ///< sessions that only it names, and that are not counted as asked
};

/// Members whom the ledger knows, and those who may still ask. @error Errc::not_found for --peer
Result<std::vector<std::string>> peers_of(const Page& page, const std::string& wanted) {
  std::set<std::string> nicks;
  for (const std::string& nick : page.accounting.with([](const ledger::Ledger& ledger) { return ledger.peers(); }))
    nicks.insert(nick);
  for (const group::CharterMember* member : page.membership.current_members())
    if (member->id != page.membership.own_id()) nicks.insert(member->keys.nick);
  if (wanted.empty()) return std::vector<std::string>(nicks.begin(), nicks.end());
  if (!nicks.contains(wanted))
    return fail(Errc::not_found, fmt::format("No session with \"{}\" stands in the ledger of {}.", visible(wanted),
                                             page.membership.group().name));
  return std::vector{wanted};
}

// --- in words -------------------------------------------------------------------------------------------------------

std::string times(std::int64_t hundredths) {
  return fmt::format("{}.{:02}", grouped(hundredths / 100), hundredths % 100);
}

// What we learned, without canaries of our own.
Range matches_learned(const Account& account) {
  return {account.match_out.known - account.canaries_out, account.match_out.worst - account.canaries_out};
}

std::string window_in_words(const Account& account, const std::string& peer, Window window) {
  std::string text = fmt::format(
      "    {}: {} ran; it could have tested {} on yours{}, you {} on its; matches learned: it {}, "
      "you {}; fields opened: to it {}, to you {}\n",
      ledger::name_of(window), grouped(account.ran), grouped(account.probe_in),
      account.tests_in > account.probe_in ? fmt::format(" ({} if its program is changed)", grouped(account.tests_in))
                                          : std::string(),
      grouped(account.probe_out), in_numbers(account.match_in), in_numbers(matches_learned(account)),
      in_numbers(account.field_in), in_numbers(account.field_out));
  if (account.canaries_out > 0)
    text += fmt::format(
        "      not among these matches: {} canary hit(s); the signed counts have them, parley canary "
        "status says more\n",
        grouped(account.canaries_out));
  if (account.incomplete > 0)
    text += fmt::format(
        "      of {} of these a part is not here, yours or that of {}: each counts as the largest that the "
        "charter allows\n",
        grouped(account.incomplete), visible(peer));
  return text;
}

std::string caps_in_words(const MemberPage& member, indicator::Type type) {
  const Page& page = member.page;
  std::string text;
  for (const group::Function function : group::kAllFunctions) {
    const group::AllowedQuestion* allowed = page.membership.charter().question(type, function);
    if (allowed == nullptr) continue;
    text += fmt::format("    left for {}:\n", group::name_of(function));
    for (const Used& used : used_caps(page.membership, page.accounting, member.peer, *allowed))
      text += fmt::format("      {} of {} {}\n", grouped(used.left()), grouped(used.most), used.what);
  }
  return text;
}

// What does not depend on how many of the type are ours.
std::string account_in_words(const MemberPage& member, indicator::Type type) {
  const Page& page = member.page;
  const std::string peer = visible(member.peer);
  const Account& whole = member.account(type, Window::operation);
  std::string text;
  if (const group::AllowedQuestion* allowed = page.membership.charter().question(type, group::Function::intersection))
    text += fmt::format("    {} could have tested {} within 30 days, of the {} that the charter and you let it\n", peer,
                        grouped(member.account(type, Window::month).probe_in),
                        grouped(page.membership.caps(*allowed).probe_items_30d));
  for (const Window window : ledger::kAllWindows)
    text += window_in_words(member.account(type, window), member.peer, window);
  const ledger::Balance balance = ledger::balance_of(whole);
  if (balance.percent)
    text += fmt::format("    balance of what was opened: {:+} (it got {}, you got {}; +100: only you learned)\n",
                        *balance.percent, grouped(balance.in), grouped(balance.out));
  if (whole.abort_after_learn > 0)
    text += fmt::format("    {} ended {} session(s) when it may have learned, without a result\n", peer,
                        grouped(whole.abort_after_learn));
  if (whole.unopenable > 0)
    text +=
        fmt::format("    {} matches that it signed or fields that it owed did not come\n", grouped(whole.unopenable));
  if (whole.reveals_stopped > 0)
    text += fmt::format("    {} stopped {} reveal(s) in the middle; nobody was ahead by more than a field\n", peer,
                        grouped(whole.reveals_stopped));
  return text + caps_in_words(member, type);
}

// How often its guesses could have gone through what is ours of the type.
std::string exposure_in_words(const MemberPage& member, indicator::Type type) {
  const std::uint64_t ours = member.page.our_set(type);
  const auto exposure = ledger::exposure_hundredths(member.account(type, Window::operation), ours);
  return exposure ? fmt::format("    you hold {} {} for the group: it could have gone through them {} times over\n",
                                grouped(static_cast<std::int64_t>(ours)), indicator::name_of(type), times(*exposure))
                  : std::string();
}

/// Types of which the same is to be said, which is so after sessions over several.
struct Alike {
  std::vector<std::string_view> types;
  Account whole;
  std::string account, exposure;
};

std::vector<Alike> types_in_words(const MemberPage& member, const std::optional<indicator::Type>& wanted) {
  std::vector<Alike> parts;
  for (const indicator::Type type : indicator::kAllTypes) {
    const Account& whole = member.account(type, Window::operation);
    if (wanted ? *wanted != type : whole == Account{}) continue;
    const std::string account = account_in_words(member, type);
    const auto same =
        std::ranges::find_if(parts, [&](const Alike& part) { return part.account == account && part.whole == whole; });
    if (same == parts.end()) {
      parts.emplace_back(std::vector{indicator::name_of(type)}, whole, account, exposure_in_words(member, type));
    } else {
      same->types.push_back(indicator::name_of(type));
      same->exposure += exposure_in_words(member, type);
    }
  }
  return parts;
}

void print_peer(Console& console, const MemberPage& member, const std::optional<indicator::Type>& wanted) {
  console.print(fmt::format("{}\n", visible(member.peer)));
  const std::vector<Alike> parts = types_in_words(member, wanted);
  for (const Alike& part : parts) {
    console.print(fmt::format("  {}: it asked {}, you asked {}{}\n{}{}", fmt::join(part.types, ", "),
                              grouped(part.whole.asked_by), grouped(part.whole.asked_of),
                              part.types.size() > 1 ? ". So for each of these types:" : "", part.account,
                              part.exposure));
  }
  if (parts.empty()) console.print("  nothing was asked by it or of it\n");
  for (const ledger::Dispute& dispute : member.disputes)
    console.print(fmt::format("  DISPUTED {} ({}): yours \"{}\", its \"{}\"\n",
                              to_hex(dispute.session).substr(0, kShownDigits), ledger::name_of(dispute.what),
                              visible(dispute.ours), visible(dispute.theirs)));
}

// --- JSON -----------------------------------------------------------------------------------------------------------

OrderedJson json_of(const Range& range) {
  return {{"known", range.known}, {"worst", range.worst}};
}

OrderedJson json_of(const Account& account) {
  return {{"asked_by", account.asked_by},
          {"asked_of", account.asked_of},
          {"ran", account.ran},
          {"probe_in", account.probe_in},
          {"probe_out", account.probe_out},
          {"tests_in", account.tests_in},
          {"tests_out", account.tests_out},
          {"match_in", json_of(account.match_in)},
          {"match_out", json_of(matches_learned(account))},
          {"canaries_out", account.canaries_out},
          {"field_in", json_of(account.field_in)},
          {"field_out", json_of(account.field_out)},
          {"weight_in", json_of(account.weight_in)},
          {"weight_out", json_of(account.weight_out)},
          {"abort_after_learn", account.abort_after_learn},
          {"unopenable", account.unopenable},
          {"reveals_stopped", account.reveals_stopped},
          {"disputed", account.disputed},
          {"incomplete", account.incomplete}};
}

OrderedJson caps_json(const MemberPage& member, indicator::Type type) {
  const Page& page = member.page;
  OrderedJson caps = OrderedJson::object();
  for (const group::Function function : group::kAllFunctions) {
    const group::AllowedQuestion* allowed = page.membership.charter().question(type, function);
    if (allowed == nullptr) continue;
    OrderedJson list = OrderedJson::array();
    for (const Used& used : used_caps(page.membership, page.accounting, member.peer, *allowed))
      list.push_back({{"cap", used.cap.name},
                      {"counts", used.what},
                      {"used", used.used},
                      {"most", used.most},
                      {"left", used.left()}});
    caps[std::string(group::name_of(function))] = std::move(list);
  }
  return caps;
}

OrderedJson type_json(const MemberPage& member, indicator::Type type) {
  const Page& page = member.page;
  const Account& whole = member.account(type, Window::operation);
  const ledger::Balance balance = ledger::balance_of(whole);
  const auto exposure = ledger::exposure_hundredths(whole, page.our_set(type));
  return {{"type", indicator::name_of(type)},
          {"day", json_of(member.account(type, Window::day))},
          {"month", json_of(member.account(type, Window::month))},
          {"operation", json_of(whole)},
          {"balance",
           {{"in", balance.in},
            {"out", balance.out},
            {"percent", balance.percent ? OrderedJson(*balance.percent) : OrderedJson()}}},
          {"our_set", page.our_set(type)},
          {"exposure_hundredths", exposure ? OrderedJson(*exposure) : OrderedJson()},
          {"caps", caps_json(member, type)}};
}

OrderedJson peer_json(const MemberPage& member, const std::optional<indicator::Type>& wanted) {
  OrderedJson types = OrderedJson::array(), disputes = OrderedJson::array();
  for (const indicator::Type type : indicator::kAllTypes)
    if (wanted ? *wanted == type : member.account(type, Window::operation) != Account{})
      types.push_back(type_json(member, type));
  for (const ledger::Dispute& dispute : member.disputes)
    disputes.push_back({{"session", to_hex(dispute.session)},
                        {"what", ledger::name_of(dispute.what)},
                        {"ours", dispute.ours},
                        {"theirs", dispute.theirs}});
  return {{"peer", member.peer}, {"types", types}, {"disputes", disputes}};
}

// --------------------------------------------------------------------------------------------------------------------

Result<OrderedJson> show_group(Workplace& at, const LedgerArguments& arguments, const vault::GroupRow& row) {
  TRY(const group::Membership membership, at.groups.membership(row.id));
  TRY(const auto accounting, accounting_of(at, membership));
  TRY_STATUS(accounting->note_canaries(at.vault));
  TRY(auto ours, at.vault.count(membership.admitted()));
  const Page page{membership, *accounting, std::move(ours)};
  TRY(const std::string wanted, nick_meant(at.vault, membership.charter(), arguments.peer));
  TRY(const std::vector<std::string> peers, peers_of(page, wanted));
  std::optional<indicator::Type> type;
  if (!arguments.type.empty()) type = indicator::type_named(arguments.type);
  OrderedJson members = OrderedJson::array();
  if (!arguments.as_json) at.console.print(fmt::format("In the group {}:\n", membership.group().name));
  for (const std::string& peer : peers) {
    const MemberPage member(page, peer);
    if (arguments.as_json)
      members.push_back(peer_json(member, type));
    else
      print_peer(at.console, member, type);
    if (member.forgotten > 0)
      at.console.say(
          fmt::format("Its log names {} more sessions that yours does not know of. They charge nothing and "
                      "are not counted as asked.",
                      member.forgotten));
  }
  return OrderedJson{{"group", row.name}, {"id", row.id}, {"members", members}};
}

Status show(Workplace& at, const LedgerArguments& arguments) {
  std::vector<vault::GroupRow> rows;
  if (arguments.group.empty()) {
    TRY(rows, at.vault.groups());
  } else {
    TRY(vault::GroupRow row, at.vault.group(arguments.group));
    rows.push_back(std::move(row));
  }
  OrderedJson groups = OrderedJson::array();
  for (const vault::GroupRow& row : rows) {
    TRY(const auto charters, at.vault.charters(row.id));
    if (charters.empty()) continue;
    TRY(OrderedJson shown, show_group(at, arguments, row));
    groups.push_back(std::move(shown));
  }
  if (arguments.as_json) at.console.print(to_line(groups));
  if (!arguments.as_json && groups.empty())
    at.console.say("No charter is in force here yet, so nobody could ask anything and nothing was disclosed.");
  if (!arguments.as_json && !groups.empty())
    at.console.say(
        "All of this follows from the logs of both sides, yours and theirs. What a session charged stays charged, "
        "however it ended; where the outcome is not known, all that could have matched counts. A session about several "
        "types counts in full for each of them, since the logs do not say of which type a match or a field was. What a "
        "member entered nothing proves: the sizes are what it signed.");
  return {};
}

}  // namespace

void add_ledger(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand(
      "ledger", "Print who could have tested how much of yours, who learned what, and what the charter leaves");
  const auto arguments = std::make_shared<LedgerArguments>();
  command->add_option("GROUP", arguments->group, "Only this group, as group list prints it");
  command->add_option("--peer", arguments->peer, "Only this member, by its name in the group or here");
  command->add_option("--type", arguments->type, "Only this type of indicator")->check(type_name_validator());
  command->add_flag("--json", arguments->as_json, "Print a JSON array");
  command->callback([&chosen, arguments] {
    chosen.at_work = [arguments](Workplace& at) {
      const Status shown = show(at, *arguments);
      return shown ? 0 : at.console.refuse(shown.error());
    };
  });
}

}  // namespace parley::cli
