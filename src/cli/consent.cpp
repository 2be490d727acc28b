// parley consent add, list, remove, withdraw: consent to reveals in advance, with an end, and taking one back.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/consent_command.h"
#include "cli/group_command.h"
#include "cli/session_view.h"

namespace parley::cli {
namespace {

struct RuleArguments {
  std::string group, peer, tlp_max = "amber", pap_max = "amber", until, by;
  std::vector<std::string> fields, types;
  std::uint64_t ratio = session::Consent{}.ratio;
  bool yes = false;
};

// What a rule covers, whoever gave it.
std::string terms_in_words(const session::StandingConsent& rule) {
  std::string types;
  for (const indicator::Type type : rule.consent.types)
    types += fmt::format("{}{}", types.empty() ? "" : ",", indicator::name_of(type));
  return fmt::format("to {}: {} of {}, up to TLP:{} and PAP:{}, {} field(s) for each of its own, until {}",
                     visible(rule.peer), fmt::join(rule.consent.fields, ","), types.empty() ? "all types" : types,
                     indicator::name_of(rule.consent.tlp_max), indicator::name_of(rule.consent.pap_max),
                     rule.consent.ratio, to_rfc3339(rule.until));
}

std::string in_words(const session::StandingConsent& rule) {
  return fmt::format("{} {} (by {} on {})", wall_clock_now() < rule.until ? "open" : "OVER", terms_in_words(rule),
                     visible(rule.consent.by), to_rfc3339(rule.consent.given));
}

// What a second person confirms.
std::string words_for_second(const std::string& group, const session::StandingConsent& rule) {
  return fmt::format("Open in every session of the group {}, {}, as {}", group, terms_in_words(rule),
                     visible(rule.consent.by));
}

Result<session::StandingConsent> rule_from(Workplace& at, const RuleArguments& arguments,
                                           const group::Membership& membership) {
  TRY(const std::string peer, nick_meant(at.vault, membership.charter(), arguments.peer));
  if (membership.charter().member(peer) == nullptr)
    return fail(Errc::not_found, fmt::format("{} is no member of {}.", visible(peer), membership.group().name));
  session::StandingConsent rule{.peer = peer, .until = 0, .consent = {}};
  TRY(rule.until, time_option("--until", arguments.until));
  if (rule.until <= wall_clock_now()) return fail(Errc::usage, "--until names a time that is over.");
  if (rule.until > membership.charter().not_after)
    return fail(Errc::policy, "--until is after the end of the operation; nothing is revealed after that.");
  session::Consent& consent = rule.consent;
  consent.given = wall_clock_now();
  consent.ratio = arguments.ratio;
  TRY(consent.by, operator_named(at, arguments.by));
  TRY(consent.tlp_max, tlp_option(arguments.tlp_max));
  if (consent.tlp_max == indicator::Tlp::red) return fail(Errc::mark, "TLP:RED never leaves.");
  TRY(consent.pap_max, pap_option(arguments.pap_max));
  if (!arguments.types.empty()) {
    TRY(consent.types, types_from(arguments.types));
  }
  for (const std::string& field : arguments.fields)
    if (!session::is_mark(field)) consent.fields.push_back(field);
  std::ranges::sort(consent.fields);
  const auto repeated = std::ranges::unique(consent.fields);
  consent.fields.erase(repeated.begin(), repeated.end());
  if (consent.fields.empty()) return fail(Errc::usage, "--fields names nothing to open; marks travel by themselves.");
  return rule;
}

Status add(Workplace& at, const RuleArguments& arguments) {
  TRY(const vault::GroupRow row, at.vault.group(arguments.group));
  TRY(const group::Membership membership, at.groups.membership(row.id));
  TRY(const session::StandingConsent rule, rule_from(at, arguments, membership));
  at.console.say("Your node will open, in every session with a result, whenever the other side opens its own:");
  at.console.say("  " + in_words(rule));
  TRY_STATUS(ask_yes(at, arguments.yes, "Consent to that?"));
  TRY_STATUS(at.operator_log.ask_second(operators::Rule::standing_rule, words_for_second(row.name, rule), at.person));
  TRY_STATUS(session::add_standing_consent(at.vault, row.id, rule));
  at.console.say("It stands. parley consent remove ends it at once.");
  return {};
}

Status list(Workplace& at, const std::string& group, bool as_json) {
  TRY(const vault::GroupRow row, at.vault.group(group));
  TRY(const session::StandingConsents standing, session::standing_consents(at.vault, row.id));
  const auto& rules = standing.rules;
  if (standing.unreadable > 0)
    at.console.say(fmt::format(
        "Stored by an earlier version of parley and not readable any more: {} of the standing consents. Nothing is "
        "opened by them. Add them again with parley consent add, if they are to hold.",
        standing.unreadable));
  OrderedJson array = OrderedJson::array();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const session::Consent& consent = rules[i].consent;
    if (!as_json) {
      at.console.print(fmt::format("{}\t{}\n", i + 1, in_words(rules[i])));
      continue;
    }
    OrderedJson types = OrderedJson::array();
    for (const indicator::Type type : consent.types) types.push_back(indicator::name_of(type));
    array.push_back({{"number", i + 1},
                     {"peer", rules[i].peer},
                     {"fields", consent.fields},
                     {"types", types},
                     {"tlp_max", indicator::name_of(consent.tlp_max)},
                     {"pap_max", indicator::name_of(consent.pap_max)},
                     {"ratio", consent.ratio},
                     {"until", to_rfc3339(rules[i].until)},
                     {"by", consent.by}});
  }
  if (as_json) at.console.print(to_line(array));
  if (!as_json && rules.empty())
    at.console.say("No standing consent: each reveal of this group asks for one of its own.");
  return {};
}

Status remove(Workplace& at, const std::string& group, std::size_t number) {
  TRY(const vault::GroupRow row, at.vault.group(group));
  TRY_STATUS(session::remove_standing_consent(at.vault, row.id, number));
  at.console.say("It ends now. What was opened by it stays open.");
  return {};
}

Status withdraw(Workplace& at, const std::string& session) {
  TRY(const std::string id, session_that_ran(at.vault, session));
  TRY_STATUS(session::take_back_consent(at.vault, id));
  at.console.say(
      "Nothing of this session is opened by that consent any more, nor by a standing one. What was opened already "
      "stays "
      "open.");
  return {};
}

}  // namespace

void add_consent(Command& program, Chosen& chosen) {
  Command* family =
      program.add_subcommand("consent", "Agree to reveals in advance, until a date, or take a consent back");
  family->require_subcommand(1);
  std::vector<std::string> paths(session::kFieldsByValue.begin(), session::kFieldsByValue.end());

  const auto adding = std::make_shared<RuleArguments>();
  Command* add_command = family->add_subcommand("add", "Agree to every reveal with one member, until a date");
  add_command->add_option("GROUP", adding->group, "The group, as group list prints it")->required();
  add_command->add_option("--peer", adding->peer, "The member, by its name in the group or here")->required();
  add_command->add_option("--fields", adding->fields, "What to open, separated by commas")
      ->delimiter(',')
      ->required()
      ->check(is_member(paths));
  add_command->add_option("--types", adding->types, "Of these types of indicators only, separated by commas")
      ->delimiter(',')
      ->check(type_name_validator());
  add_command->add_option("--tlp-max", adding->tlp_max, "The strictest TLP mark that may leave")->capture_default_str();
  add_command->add_option("--pap-max", adding->pap_max, "The strictest PAP mark that may leave")->capture_default_str();
  add_command
      ->add_option("--ratio", adding->ratio, "Fields that you open at most for each one that the other side opens")
      ->check(in_range(std::uint64_t{1}, session::kMostRatio))
      ->capture_default_str();
  add_command->add_option("--until", adding->until, "When it ends: a date, or a time")->required();
  add_command->add_option(
      "--operator", adding->by,
      "Who consents, by a name that the other side may know; your user name unless you say otherwise");
  add_command->add_flag("--yes", adding->yes, "Do not ask");
  add_command->callback(at_work(chosen, [adding](Workplace& at) { return add(at, *adding); }));

  const auto listing = std::make_shared<std::pair<std::string, bool>>();
  Command* list_command = family->add_subcommand("list", "Print what stands");
  list_command->add_option("GROUP", listing->first, "The group, as group list prints it")->required();
  list_command->add_flag("--json", listing->second, "Print a JSON array");
  list_command->callback(
      at_work(chosen, [listing](Workplace& at) { return list(at, listing->first, listing->second); }));

  const auto removing = std::make_shared<std::pair<std::string, std::size_t>>();
  Command* remove_command = family->add_subcommand("remove", "End a standing consent");
  remove_command->add_option("GROUP", removing->first, "The group, as group list prints it")->required();
  remove_command->add_option("NUMBER", removing->second, "Its number, as consent list prints it")->required();
  remove_command->callback(
      at_work(chosen, [removing](Workplace& at) { return remove(at, removing->first, removing->second); }));

  const auto withdrawing = std::make_shared<std::string>("last");
  Command* withdraw_command =
      family->add_subcommand("withdraw", "Take back the consent to one session's reveal that has not been used yet");
  withdraw_command->add_option("SESSION", *withdrawing, "Its id, the first digits of it, or last")
      ->capture_default_str();
  withdraw_command->callback(at_work(chosen, [withdrawing](Workplace& at) { return withdraw(at, *withdrawing); }));
}

}  // namespace parley::cli
