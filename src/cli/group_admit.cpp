// parley group admit: which of the vault's material is for a group. Nothing is until a rule says so.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/group_command.h"

namespace parley::cli {
namespace {

struct AdmitArguments {
  std::string name, label, source, max_tlp;
  std::vector<std::string> types;
  std::size_t remove = 0;
  bool all = false;
};

std::string rule_in_words(const vault::MaterialRule& rule) {
  std::string words;
  const auto add = [&](const std::string& part) { words += (words.empty() ? "" : "; ") + part; };
  std::vector<std::string_view> types;
  for (const indicator::Type type : rule.types) types.push_back(indicator::name_of(type));
  if (!types.empty()) add(fmt::format("{}", fmt::join(types, ", ")));
  if (!rule.label.empty()) add("labelled " + visible(rule.label));
  if (!rule.source.empty()) add("from " + visible(rule.source));
  if (rule.tlp_max) add(fmt::format("marked up to TLP:{}", indicator::name_of(*rule.tlp_max)));
  return words.empty() ? "everything" : words;
}

Result<std::optional<vault::MaterialRule>> new_rule(const AdmitArguments& arguments) {
  vault::MaterialRule rule{.label = arguments.label, .source = arguments.source};
  if (!arguments.types.empty()) {
    TRY(rule.types, types_from(arguments.types));
  }
  if (!arguments.max_tlp.empty()) {
    TRY(rule.tlp_max, tlp_option(arguments.max_tlp));
  }
  // A rule without a condition lets everything in: only who says so gets it.
  if (rule == vault::MaterialRule{} && !arguments.all) return std::nullopt;
  return rule;
}

Status print_admitted(Workplace& at, const vault::GroupRow& group, const std::vector<vault::MaterialRule>& rules) {
  for (std::size_t i = 0; i < rules.size(); ++i)
    at.console.print(fmt::format("{}\t{}\n", i + 1, rule_in_words(rules[i])));
  vault::Selection selection;
  selection.group = group.id;
  if (const auto membership = membership_of(at, group)) selection = membership->admitted();
  TRY(const auto counts, at.vault.count(selection));
  std::uint64_t total = 0;
  for (const auto& [type, count] : counts) total += count;
  at.console.say(
      fmt::format("{} of your indicators may enter sessions of {}, with what the admitted sources say of them. "
                  "What no rule admits, no question of this group can touch.",
                  total, group.name));
  return {};
}

/// Of a type that the charter protects more begins than a rule in the own vault.
void say_what_admission_tells(Workplace& at, const vault::GroupRow& group) {
  const auto membership = membership_of(at, group);
  if (!membership || membership->charter().admission.types.empty()) return;
  std::vector<std::string_view> tagged;
  for (const group::AdmissionCap& cap : membership->charter().admission.types)
    tagged.push_back(indicator::name_of(cap.type));
  at.console.say(
      fmt::format("Of {} the admission begins now: your node has the other members help to make their tags. They see "
                  "how many of each type you have admitted, and when, in their logs; none of the values. Nobody helps "
                  "with more than the charter lets in; parley admit status shows you the same of each of them "
                  "(docs/admission.md).",
                  fmt::join(tagged, ", ")));
}

Status admit(Workplace& at, const AdmitArguments& arguments) {
  TRY(const vault::GroupRow group, at.vault.group(arguments.name));
  TRY(auto rules, at.vault.group_material(group.id));
  if (arguments.remove > rules.size())
    return fail(Errc::not_found,
                fmt::format("There is no rule {}; parley group admit {} lists them.", arguments.remove, group.name));
  if (arguments.remove != 0) rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(arguments.remove - 1));
  TRY(const auto rule, new_rule(arguments));
  if (rule) rules.push_back(*rule);
  if (rule || arguments.remove != 0) TRY_STATUS(at.vault.set_group_material(group.id, rules));
  TRY_STATUS(print_admitted(at, group, rules));
  if (rule) say_what_admission_tells(at, group);
  return {};
}

}  // namespace

void add_group_admit(Command& family, Chosen& chosen) {
  Command* command =
      family.add_subcommand("admit", "Say which of your material is for a group; without options: list the rules");
  const auto arguments = std::make_shared<AdmitArguments>();
  command->add_option("NAME", arguments->name, "The group, as group list prints it")->required();
  command->add_option("--types", arguments->types, "Of these types, separated by commas")
      ->delimiter(',')
      ->check(type_name_validator());
  command->add_option("--label", arguments->label, "That carry this label")->check(label_validator());
  command->add_option("--source", arguments->source, "From this file, by its name when it was imported");
  command->add_option("--max-tlp", arguments->max_tlp, "Marked no stricter than this (unmarked counts as amber)");
  command->add_flag("--all", arguments->all, "Everything in the vault");
  command->add_option("--remove", arguments->remove, "The number of a rule to take back")
      ->check(in_range(std::size_t{1}, std::size_t{10'000}));
  command->callback(at_work(chosen, [arguments](Workplace& at) { return admit(at, *arguments); }));
}

}  // namespace parley::cli
