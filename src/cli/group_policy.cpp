// parley group policy: this member's own rules in a group, on top of the charter.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/group_command.h"
#include "group/paper_kinds.h"

namespace parley::cli {
namespace {

struct PolicyArguments {
  std::string name, max_tlp, until, log_quota, max_admissions;
  std::vector<std::string> limit, refuse;
  bool pause = false, resume = false, clear = false;

  /// Whether anything is to be set.
  bool changes() const {
    return pause || resume || clear || !limit.empty() || !refuse.empty() ||
           !(max_tlp + until + log_quota + max_admissions).empty();
  }
};

Status apply_limits(group::LocalPolicy& policy, const PolicyArguments& arguments) {
  for (const std::string& text : arguments.refuse) {
    TRY(const QuestionOption option, question_option(text));
    for (const indicator::Type type : option.types) policy.limit_for(type, option.function).refused = true;
  }
  for (const std::string& text : arguments.limit) {
    TRY(const QuestionOption option, question_option(text));
    if (option.caps.empty())
      return fail(Errc::usage, "--limit takes caps after a second colon: ipv4:count:max_sessions_day=1.");
    for (const indicator::Type type : option.types)
      for (const auto& [cap, value] : option.caps) policy.limit_for(type, option.function).caps.*cap.value = value;
  }
  return {};
}

Status apply_quota(mirror::Quota& quota, const std::string& text) {
  std::vector<std::string_view> names;
  for (const mirror::NamedQuota& named : mirror::kNamedQuotas) names.push_back(named.name);
  TRY(const auto numbers, numbers_option(text, "quota", names));
  for (const auto& [place, value] : numbers) quota.*mirror::kNamedQuotas[place].value = value;
  return {};
}

Status set_policy(Workplace& at, const PolicyArguments& arguments) {
  TRY(const vault::GroupRow group, at.vault.group(arguments.name));
  TRY(const group::Membership membership, membership_of(at, group));
  if (!arguments.changes()) {
    print_policy(at.console, membership);
    if (membership.policy() == group::LocalPolicy{})
      at.console.say(fmt::format("You have no rules of your own in {}: the charter alone binds you.", group.name));
    return {};
  }
  group::LocalPolicy policy = arguments.clear ? group::LocalPolicy{} : membership.policy();
  if (arguments.pause) policy.paused = true;
  if (arguments.resume) policy.paused = false;
  if (!arguments.max_tlp.empty()) {
    TRY(policy.max_tlp, tlp_option(arguments.max_tlp));
  }
  if (!arguments.until.empty()) {
    TRY(policy.not_after, time_option("--until", arguments.until));
  }
  TRY_STATUS(apply_limits(policy, arguments));
  if (!arguments.max_admissions.empty()) {
    TRY(policy.admissions, admission_option(arguments.max_admissions));
  }
  if (!arguments.log_quota.empty()) TRY_STATUS(apply_quota(policy.log_quota, arguments.log_quota));
  TRY_STATUS(group::check_only_stricter(policy, membership.charter()));
  TRY_STATUS(at.vault.put_group_paper(group.id, {std::string(group::kPaperPolicy), "", group::write_policy(policy)}));
  at.console.say(
      fmt::format("Your rules in {} hold from now on, on top of the charter; parley group show {} prints them.",
                  group.name, group.name));
  at.console.say("The others are not told. They learn of it only by refusals, which do not say which rule it was.");
  return {};
}

}  // namespace

void add_group_policy(Command& family, Chosen& chosen) {
  Command* command = family.add_subcommand(
      "policy", "Set your own rules in a group, only stricter than the charter, at once; without options: list them");
  const auto arguments = std::make_shared<PolicyArguments>();
  command->add_option("NAME", arguments->name, "The group, as group list prints it")->required();
  command->add_flag("--pause", arguments->pause, "No questions and no reveals until further notice");
  command->add_flag("--resume", arguments->resume, "Take back --pause")->excludes("--pause");
  command->add_option("--max-tlp", arguments->max_tlp, "Stricter marked material of yours does not enter");
  command->add_option("--until", arguments->until, "When it ends for you");
  command->add_option("--limit", arguments->limit, "TYPE:FUNCTION:CAPS, for example ipv4:count:max_sessions_day=1");
  command->add_option("--refuse", arguments->refuse, "TYPE:FUNCTION that you do not answer and do not ask");
  command->add_option("--max-admissions", arguments->max_admissions,
                      "With how many indicators you help each other member in an epoch, TYPE=NUMBER,..., or none of "
                      "these rules");
  command->add_option("--log-quota", arguments->log_quota,
                      "How much of each other member's log is kept here: entries_day=N,bytes_day=N,entries=N,bytes=N; "
                      "and reserve=N, the bytes that stay free on this disk");
  command->add_flag("--clear", arguments->clear, "Begin from no rules of your own");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return set_policy(at, *arguments); }));
}

}  // namespace parley::cli
