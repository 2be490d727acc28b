// parley policy two-person: which acts of this member need two of its operators.
#include <fmt/format.h>

#include "cli/group_command.h"

namespace parley::cli {
namespace {

struct TwoPersonArguments {
  std::string rule;
  std::string state;
  bool as_json = false;
};

std::string in_words(operators::Rule rule) {
  switch (rule) {
    case operators::Rule::reveal:
      return "opening context of matches to another member, also in advance";
    case operators::Rule::standing_rule:
      return "consenting to reveals in advance";
    case operators::Rule::audit_export:
      return "opening a session to an auditor";
  }
  return {};
}

Status print_rules(Workplace& at, bool as_json) {
  const operators::Roster roster = at.operator_log.roster();
  OrderedJson object;
  for (const operators::Rule rule : operators::kAllRules) {
    const bool on = roster.needs_two(rule);
    if (as_json)
      object[std::string(name_of(rule))] = on;
    else
      at.console.print(fmt::format("{}\t{}\t{}\n", name_of(rule), on ? "two persons" : "one person", in_words(rule)));
  }
  if (as_json) at.console.print(to_line(object));
  return {};
}

Status two_person(Workplace& at, const TwoPersonArguments& arguments) {
  if (arguments.rule.empty()) return print_rules(at, arguments.as_json);
  if (arguments.state.empty()) return fail(Errc::usage, "Say whether it is to be on or off.");
  const operators::Rule rule = *operators::rule_named(arguments.rule);
  const bool on = arguments.state == "on";
  TRY_STATUS(at.operator_log.set_rule(rule, on, at.person));
  at.console.say(fmt::format("From now on this needs {}: {}.", on ? "two persons" : "one person only", in_words(rule)));
  if (on)
    at.console.say(
        "Turning it off needs two as well, and so does registering or removing an operator meanwhile. What one person "
        "agreed to before stands: look at parley consent list.");
  return {};
}

}  // namespace

void add_policy(Command& program, Chosen& chosen) {
  Command* family = program.add_subcommand("policy", "What this member asks of its own operators, beyond the charters");
  family->require_subcommand(1);
  const auto arguments = std::make_shared<TwoPersonArguments>();
  Command* command = family->add_subcommand(
      "two-person", "Print, or set, what one operator may do only once another has confirmed it");
  command->add_option("WHAT", arguments->rule, "reveal, standing-rule or audit-export")
      ->check(is_member({"reveal", "standing-rule", "audit-export"}));
  command->add_option("STATE", arguments->state, "on or off")->check(is_member({"on", "off"}));
  command->add_flag("--json", arguments->as_json, "Print one JSON object");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return two_person(at, *arguments); }));
}

}  // namespace parley::cli
