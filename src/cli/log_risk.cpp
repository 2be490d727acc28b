// parley log accept-fork-risk: the operator's word where nobody can say whether this disk is the newest (log.md 2.7).
#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/group_command.h"
#include "cli/log_command.h"
#include "node/replication.h"

namespace parley::cli {
namespace {

constexpr std::string_view kTypedWord = "fork";

struct RiskArguments {
  std::string group;
  bool yes = false;
};

bool waits_for_word(group::JointLog& log) {
  return log.with([](mirror::Replica& replica) {
    return replica.state() == mirror::State::asking || replica.state() == mirror::State::amnesia;
  });
}

void say_what_it_means(Console& console, const vault::GroupRow& group, const std::string& why) {
  console.say(fmt::format("The log of {} is not written now. {}", visible(group.name), why));
  console.say("Writing it all the same means:");
  console.say("  - If this vault is the newest state, nothing is lost and nobody notices.");
  console.say(
      "  - If it is an older one, and some member holds an entry of yours that is not here, the next entry proves to "
      "everybody that you signed two histories. It looks like a cheat, is logged as one, and cannot be taken back: the "
      "group has to admit you anew, with new keys.");
  console.say(
      "  - What was asked and disclosed since the state of this disk is not counted in your budgets unless others have "
      "it.");
  console.say(
      "Better: reach one of the members who are away, or wait. Their nodes have what is missing, and everything heals "
      "by "
      "itself.");
}

/// Durable before the risk is taken. Who: the system's user, and the operator where they are told apart.
Status write_down(Workplace& at, const vault::GroupRow& group, UnixSeconds now, const std::string& why) {
  std::string who = fmt::format("user {}", ::getuid());
  if (!at.operator_log.roster().operators().empty()) {
    TRY(const std::string name, at.person.name());
    who += ", operator " + name;
  }
  return at.vault.put_setting(risk_setting(group.id), fmt::format("{} by {}: {}", to_rfc3339(now), who, why));
}

Status accept_fork_risk(Workplace& at, const RiskArguments& arguments) {
  TRY(const vault::GroupRow group, at.vault.group(arguments.group));
  TRY(const group::Membership membership, membership_of(at, group));
  TRY(const auto log, at.groups.log(group.id));
  if (waits_for_word(*log)) {
    const auto heard = node::hear_enough(at.groups.desk(), at.member, membership, *log, at.progress);
    if (!heard && heard.error().code != Errc::policy) return heard;
    if (!heard) say_what_it_means(at.console, group, heard.error().message);
  }
  if (!waits_for_word(*log))
    return fail(Errc::policy,
                fmt::format("There is no risk to be taken: the log of {} is {}.", visible(group.name),
                            log->with([](mirror::Replica& replica) { return mirror::name_of(replica.state()); })));
  if (!arguments.yes) {
    if (!at.console.interactive())
      return fail(Errc::cancelled, "Nothing was done: there is no terminal to ask on. Read the above and add --yes.");
    if (!at.console.confirm_word("If you want that, type the word", kTypedWord))
      return fail(Errc::cancelled, "Nothing was done.");
  }
  const std::string why = log->with([](mirror::Replica& replica) { return replica.reason(); });
  TRY_STATUS(write_down(at, group, wall_clock_now(), why));
  TRY_STATUS(log->with([](mirror::Replica& replica) { return replica.accept_fork_risk(); }));
  // The entry that makes it last: a process that starts later finds a log that goes on from here.
  log::Json heads = log->with([&](mirror::Replica& replica) { return log->heads_body(replica); });
  TRY(const mirror::EntryView written, log->append(mirror::draft_for_everyone(log::kHeads, std::move(heads))));
  at.console.say(
      fmt::format("The log of {} goes on, with entry {}. That the risk was taken is shown by parley log list.",
                  visible(group.name), written.entry.seq));
  return {};
}

}  // namespace

std::string risk_setting(std::string_view group) {
  return fmt::format("log-risk {}", group);
}

void add_log_risk(Command& log, Chosen& chosen) {
  const auto arguments = std::make_shared<RiskArguments>();
  Command* command = log.add_subcommand(
      "accept-fork-risk",
      "Go on with our log although nobody can say whether this disk is the newest; it may convict you");
  command->add_option("GROUP", arguments->group, "The group, as group list prints it")->required();
  command->add_flag("--yes", arguments->yes, "Do not ask for the typed word");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return accept_fork_risk(at, *arguments); }));
}

}  // namespace parley::cli
