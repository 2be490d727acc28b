// parley reveal: opens chosen context of the matches, against what the other side opens.
#include "session/reveal.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "cli/consent_command.h"
#include "cli/group_command.h"
#include "cli/json.h"
#include "cli/ledger_view.h"
#include "cli/party.h"
#include "cli/session_view.h"

namespace parley::cli {
namespace {

struct RevealArguments {
  std::string session = "last";
  std::vector<std::string> fields = {"first_seen", "malware"};
  std::string tlp_max = "amber";
  std::string pap_max = "amber";
  std::vector<std::string> only;
  std::string by;
  std::uint64_t unreturned = 0;
  bool yes = false;
  bool as_json = false;
};

Result<session::Consent> consent_from(Workplace& at, const RevealArguments& arguments) {
  session::Consent consent{
      .fields = arguments.fields, .tlp_max = {}, .given = wall_clock_now(), .unreturned = arguments.unreturned};
  TRY(consent.by, operator_named(at, arguments.by));
  TRY(consent.pap_max, pap_option(arguments.pap_max));
  std::erase_if(consent.fields, [](const std::string& field) {
    return std::ranges::find(session::kMarkPaths, field) != session::kMarkPaths.end();
  });
  std::ranges::sort(consent.fields);
  const auto repeated = std::ranges::unique(consent.fields);
  consent.fields.erase(repeated.begin(), repeated.end());
  if (consent.fields.empty())
    return fail(Errc::usage, "--fields names nothing to open; TLP and PAP marks travel along by themselves.");
  const auto tlp = indicator::tlp_named(arguments.tlp_max);
  if (!tlp)
    return fail(Errc::usage, "\"" + arguments.tlp_max +
                                 "\" is no TLP 2.0 mark; the marks are clear, green, amber and amber+strict.");
  if (*tlp == indicator::Tlp::red)
    return fail(Errc::mark, "TLP:RED never leaves: it is for the people it was told to, and no session changes that.");
  consent.tlp_max = *tlp;
  return consent;
}

// Those of the matches that the operator named.
Status narrow(vault::Vault& vault, const std::string& session, const std::vector<std::string>& only,
              session::Consent& consent) {
  if (only.empty()) return {};
  TRY(const auto matches, vault.session_matches(session));
  for (const std::string& wanted : only) {
    const auto match = std::ranges::find_if(
        matches, [&](const vault::SessionMatch& each) { return each.indicator.value() == wanted; });
    if (match == matches.end())
      return fail(Errc::not_found,
                  fmt::format("\"{}\" is no match of this session; parley show prints them.", visible(wanted)));
    consent.items.push_back(match->indicator);
  }
  return {};
}

// All that may go out, value by value.
void list_values(Console& console, const session::ConsentPreview& shown) {
  for (const session::PreviewedMatch& match : shown.matches)
    console.say(fmt::format("  {}\t{}\n      {}", indicator::name_of(match.indicator.type()),
                            visible(match.indicator.value()), context_in_words(from_stored(match.context))));
}

Status show_before(Workplace& at, const RevealArguments& arguments, const std::string& peer,
                   const session::Consent& consent, const session::ConsentPreview& shown,
                   const group::Membership& membership) {
  const session::RevealPreview& preview = shown.numbers;
  at.console.say(fmt::format("Opening to {}: {} of {} matches, the fields {} with their TLP and PAP marks.", peer,
                             preview.openings, preview.matches, fmt::join(consent.fields, ", ")));
  list_values(at.console, shown);
  at.console.say(fmt::format("  {} values in all, these and no others, one at a time.", preview.values));
  if (preview.held_back_cap > 0)
    at.console.say(
        fmt::format("  {} more are beyond as many as the charter and you let be opened on one match, and stay.",
                    preview.held_back_cap));
  if (preview.held_back_red > 0)
    at.console.say(fmt::format("  {} are TLP:RED and never leave.", preview.held_back_red));
  if (preview.held_back_tlp > 0)
    at.console.say(fmt::format("  {} are marked stricter than TLP:{} and stay.", preview.held_back_tlp,
                               indicator::name_of(std::min(consent.tlp_max, membership.max_tlp()))));
  if (preview.opened_before > 0 && preview.opened_before == preview.values)
    at.console.say(fmt::format("  ALL OF THAT WAS OPENED BEFORE: unless {} has lost it, nothing goes out.", peer));
  else if (preview.opened_before > 0)
    at.console.say(fmt::format("  {} fields were opened before: they go out again only if {} has lost them.",
                               preview.opened_before, peer));
  if (preview.held_back_pap > 0)
    at.console.say(fmt::format("  {} are marked stricter than PAP:{} and stay.", preview.held_back_pap,
                               indicator::name_of(consent.pap_max)));
  if (preview.held_back_since > 0)
    at.console.say(
        fmt::format("  {} have been marked stricter since the session and stay: what goes out would carry the mark of "
                    "then. Ask again first.",
                    preview.held_back_since));
  at.console.say(
      "  Neither side sees what the other offers before both are bound to their offers; then both open one field at a "
      "time in turn, the least");
  at.console.say(
      "  telling first, and whoever owes by the ledger begins. Each opening is checked against what its owner "
      "committed to before the match was");
  at.console.say(fmt::format(
      "  known. {} sees that {} agreed. Until it is used you can take this back: parley consent withdraw. What is open "
      "stays open.",
      peer, visible(consent.by)));
  at.console.say(consent.unreturned == 0
                     ? std::string("  You open as many fields as it opens, and no more.")
                     : fmt::format("  YOU OPEN UP TO {} FIELD(S) FOR WHICH NOTHING COMES BACK.", consent.unreturned));
  if (preview.openings == 0)
    return fail(Errc::mark, "Nothing of the matches can be opened with these fields and marks. Nothing was sent.");
  TRY(const std::string effect,
      effect_of_reveal(at, membership, peer, preview.values - preview.opened_before, consent.unreturned));
  at.console.say("  " + effect);
  return ask_yes(at, arguments.yes, "Open them?");
}

std::string in_words(const session::RevealNumbers& numbers, const std::string& peer) {
  return fmt::format("You offer {} field(s) and open {}; {} offers {} and opens {}.", numbers.we_offer, numbers.we_open,
                     visible(peer), numbers.they_offer, numbers.they_open);
}

// Both are bound to their offers, and nothing has been opened.
Status ask_about_numbers(Workplace& at, const RevealArguments& arguments, const std::string& id,
                         const std::string& peer, const session::RevealNumbers& numbers) {
  if (auto* bar = dynamic_cast<ProgressBar*>(&at.progress)) bar->clear();
  at.console.say(in_words(numbers, peer));
  if (numbers.we_open > numbers.they_open)
    at.console.say(fmt::format("That is {} more than you get.", numbers.we_open - numbers.they_open));
  if (arguments.yes || at.console.confirm("Open them?")) return {};
  TRY_STATUS(session::take_back_consent(at.vault, id));
  return fail(
      Errc::cancelled,
      "Nothing was opened, and your consent is taken back; a standing one does not hold for this session any more.");
}

void say_what_stays(Console& console, const std::string& id, const std::string& peer,
                    const session::RevealNumbers& numbers) {
  if (numbers.we_open == numbers.we_offer) return;
  console.say(
      fmt::format("{} field(s) stay with you: {} returns nothing for them. parley reveal {} --unreturned {} would "
                  "open them all the same.",
                  numbers.we_offer - numbers.we_open, visible(peer), id.substr(0, 8),
                  numbers.we_offer - std::min(numbers.we_offer, numbers.they_open)));
}

// What a second person confirms: all that the consent covers.
std::string words_for_second(const std::string& session, const std::string& peer, const session::Consent& consent) {
  std::string items;
  for (const indicator::Canonical& item : consent.items) items += (items.empty() ? "" : ", ") + item.value();
  return fmt::format(
      "Open to {}, of the session {}: the fields {} of {}, up to TLP:{} and PAP:{}, {} fields beyond those that it "
      "returns, as {}",
      peer, session, fmt::join(consent.fields, ", "), items.empty() ? "all matches" : "the matches " + items,
      indicator::name_of(consent.tlp_max), indicator::name_of(consent.pap_max), consent.unreturned, consent.by);
}

Result<session::RevealOutcome> reveal(Workplace& at, const RevealArguments& arguments, const std::string& id) {
  TRY(session::Consent consent, consent_from(at, arguments));
  TRY_STATUS(narrow(at.vault, id, arguments.only, consent));
  TRY(const vault::SessionRow row, at.vault.session(id));
  TRY(const group::Membership membership, at.groups.membership(row.group));
  TRY_STATUS(membership.check(group::Act::reveal, wall_clock_now()));
  TRY(const auto log, at.groups.log(row.group));
  TRY(const auto shown, session::preview(at.vault, id, consent, session::let_out_by(membership)));
  TRY_STATUS(show_before(at, arguments, row.peer, consent, shown, membership));
  TRY_STATUS(at.operator_log.ask_second(operators::Rule::reveal, words_for_second(id, row.peer, consent), at.person));
  TRY_STATUS(session::give_consent(at.vault, id, consent));
  TRY(const vault::Peer peer, at.vault.peer(row.peer));
  TRY(const wire::PinnedPeer pin, group::pinned_now(at.vault, peer, *log));
  TRY(const wire::LocalIdentity identity, group::identity_towards(at.vault, at.member, *log, pin.nick));
  at.progress.phase("calling " + peer.name, 0);
  auto link = wire::connect(peer.address, identity, pin);
  if (!link) {
    Error error = std::move(link).error().at(peer.name);
    error.message += " Your consent is kept: it counts as soon as either side reaches the other.";
    return std::unexpected(std::move(error));
  }
  group::LogLink log_link(**link, *log);
  TRY_STATUS(log->tie_to_others());
  ThreadPool pool(at.threads);
  const session::Party us = party_at(at, membership, pool);
  return session::reveal(us, log_link, id, [&](const session::RevealNumbers& numbers) {
    return ask_about_numbers(at, arguments, id, peer.name, numbers);
  });
}

int reveal_and_show(Workplace& at, const RevealArguments& arguments) {
  const auto id = session_that_ran(at.vault, arguments.session);
  if (!id) return at.console.refuse(id.error());
  const auto outcome = reveal(at, arguments, *id);
  if (auto* bar = dynamic_cast<ProgressBar*>(&at.progress)) bar->clear();
  if (!outcome) return at.console.refuse(outcome.error());
  if (arguments.as_json) {
    at.console.print(to_line({{"session", *id},
                              {"waiting", outcome->waiting},
                              {"opened", outcome->opened},
                              {"received", outcome->received},
                              {"fields_offered", outcome->numbers.we_offer},
                              {"fields_opened", outcome->numbers.we_open},
                              {"fields_received", outcome->numbers.they_open},
                              {"sealed", outcome->sealed}}));
    return 0;
  }
  if (outcome->waiting) {
    at.console.say(
        "The other side has not agreed yet. Nothing was opened; your consent is kept, and the openings happen when it "
        "runs parley reveal too.");
    return 0;
  }
  at.console.say(
      fmt::format("Opened {} field(s) on {} match(es), received {} on {}; every opening fits what its owner had "
                  "committed to before the session.",
                  outcome->numbers.we_open, outcome->opened, outcome->numbers.they_open, outcome->received));
  const auto row = at.vault.session(*id);
  if (row) say_what_stays(at.console, *id, row->peer, outcome->numbers);
  const Status printed = print_session(at, *id);
  return printed ? 0 : at.console.refuse(printed.error());
}

}  // namespace

Result<std::string> operator_named(Workplace& at, const std::string& name) {
  std::string by = name;
  if (by.empty() && !at.operator_log.roster().operators().empty()) {
    TRY(by, at.person.name());
  }
  if (const passwd* user = by.empty() ? ::getpwuid(::getuid()) : nullptr) by = user->pw_name;
  by = visible(by);
  if (by.empty() || by.size() > session::kMaxOperatorBytes)
    return fail(Errc::usage, "--operator takes a name of 1 to 64 bytes: the consent is that person's.");
  return by;
}

Result<indicator::Pap> pap_option(const std::string& text) {
  const auto pap = indicator::pap_named(text);
  if (!pap) return fail(Errc::usage, "\"" + text + "\" is no PAP mark; the marks are clear, green, amber and red.");
  if (*pap == indicator::Pap::red)
    return fail(Errc::mark,
                "PAP:RED stays: what the other side may do with it is nothing that shows, and no node can hold it to "
                "that.");
  return *pap;
}

void add_reveal(Command& program, Chosen& chosen) {
  Command* command =
      program.add_subcommand("reveal", "Open context of the matches to the other side, against what it opens");
  const auto arguments = std::make_shared<RevealArguments>();
  std::vector<std::string> paths(session::kFieldPaths.begin(), session::kFieldPaths.end());
  command->add_option("SESSION", arguments->session, "Its id, the first digits of it, or last")->capture_default_str();
  command->add_option("--fields", arguments->fields, "What to open, separated by commas")
      ->delimiter(',')
      ->check(is_member(paths))
      ->capture_default_str();
  command
      ->add_option("--tlp-max", arguments->tlp_max,
                   "The strictest TLP mark that may leave: clear, green, amber, amber+strict")
      ->capture_default_str();
  command->add_option("--pap-max", arguments->pap_max, "The strictest PAP mark that may leave: clear, green, amber")
      ->capture_default_str();
  command->add_option("--only", arguments->only, "Of these matches only, separated by commas")->delimiter(',');
  command
      ->add_option("--unreturned", arguments->unreturned,
                   "Fields that you open beyond as many as the other side opens, for nothing in return")
      ->check(in_range(std::uint64_t{0}, session::kMostRevealFields))
      ->capture_default_str();
  command->add_option("--operator", arguments->by,
                      "Who consents, by a name that the other side may know; your user name unless you say otherwise");
  command->add_flag("--yes", arguments->yes, "Do not ask before opening");
  command->add_flag("--json", arguments->as_json, "Print one JSON object");
  command->callback([&chosen, arguments] {
    chosen.at_work = [arguments](Workplace& at) { return reveal_and_show(at, *arguments); };
  });
}

}  // namespace parley::cli
