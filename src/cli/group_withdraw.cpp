// parley group withdraw, close: the end of a membership, and of a group.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/group_command.h"

namespace parley::cli {
namespace {

constexpr std::string_view kTypedWord = "withdraw";

struct EndArguments {
  std::string name, reason, out;
  bool yes = false;
};

Status withdraw(Workplace& at, const EndArguments& arguments) {
  TRY(const vault::GroupRow group, at.vault.group(arguments.name));
  const auto membership = membership_of(at, group);
  at.console.say(fmt::format("Withdrawing from {} means:", group.name));
  for (const std::string& sentence : group::meaning_of_withdrawal(group, membership ? &*membership : nullptr))
    at.console.say("  - " + sentence);
  if (!arguments.yes) {
    if (!at.console.interactive())
      return fail(Errc::cancelled, "Nothing was done: there is no terminal to ask on. Read the above and add --yes.");
    if (!at.console.confirm_word("If you want that, type the word", kTypedWord))
      return fail(Errc::cancelled, "Nothing was done.");
  }
  TRY(const Secret<32> id_seed, id_seed_of(at));
  TRY(const group::Withdrawal done, at.groups.withdraw(group, arguments.reason, id_seed, wall_clock_now()));
  at.console.say(
      fmt::format("You have withdrawn from {}. {} secret(s) of its sessions are destroyed.", group.name, done.secrets));
  at.under_way.stop_all_of(group.id);
  if (done.failure)
    at.console.say(fmt::format("Its keys stay until its log is sealed, which the node does when it can. Now: {}",
                               done.failure->text()));
  if (!done.leave) return {};
  at.console.say("Send this file to every other member; each takes it: parley group take FILE");
  return write_paper(at, arguments.out, fmt::format("{}.{}.leave", group.name, at.member.card.nick), done.leave->note);
}

Status close(Workplace& at, const EndArguments& arguments) {
  const UnixSeconds now = wall_clock_now();
  TRY(const vault::GroupRow group, at.vault.group(arguments.name));
  TRY(const group::Membership membership, membership_of(at, group));
  at.console.say(fmt::format("Closing {} ({}) means:", group.name, group::name_of(membership.phase_at(now))));
  at.console.say(
      "  - Your keys in this group and all secrets of its sessions are destroyed here; your log of it ends.");
  at.console.say("  - After that you sign no finding and no dissent in it any more, even within its days of grace.");
  at.console.say("  - Charters, results and what was signed stay, and can be checked by anybody who has them.");
  at.console.say("  - The others learn of it by your log's last entry, and nothing else.");
  TRY_STATUS(ask_yes(at, arguments.yes, "Close it?"));
  TRY(const group::Ending done, at.groups.close(group, now));
  at.under_way.stop_all_of(group.id);
  if (done.failure) return std::unexpected(*done.failure);
  at.console.say(
      fmt::format("{} is closed. {} secret(s) of its sessions and its keys are destroyed.", group.name, done.secrets));
  return {};
}

}  // namespace

void add_group_withdraw(Command& family, Chosen& chosen) {
  const auto leaving = std::make_shared<EndArguments>();
  Command* withdraw_command =
      family.add_subcommand("withdraw", "Leave a group, alone and at once; it cannot be undone");
  withdraw_command->add_option("NAME", leaving->name, "The group, as group list prints it")->required();
  withdraw_command->add_option("--reason", leaving->reason, "Told to the others; may be empty");
  withdraw_command->add_option("--out", leaving->out, "Where the leave for the others is written");
  withdraw_command->add_flag("--yes", leaving->yes, "Do not ask");
  withdraw_command->callback(at_work(chosen, [leaving](Workplace& at) { return withdraw(at, *leaving); }));

  const auto closing = std::make_shared<EndArguments>();
  Command* close_command = family.add_subcommand("close", "Destroy the keys of a group that is over");
  close_command->add_option("NAME", closing->name, "The group, as group list prints it")->required();
  close_command->add_flag("--yes", closing->yes, "Do not ask");
  close_command->callback(at_work(chosen, [closing](Workplace& at) { return close(at, *closing); }));
}

}  // namespace parley::cli
