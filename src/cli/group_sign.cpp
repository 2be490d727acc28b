// parley group sign: the charter, or an amendment.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/group_command.h"

namespace parley::cli {
namespace {

constexpr std::size_t kShownHashDigits = 8;

struct SignArguments {
  std::string name, amendment, out;
  bool yes = false;
};

/// Whoever drafted it closes the list of members by signing first.
Status say_who_is_left_out(Workplace& at, const vault::GroupRow& group, const group::Charter& charter) {
  std::vector<std::string> nicks;
  for (const group::CharterMember& member : charter.members) nicks.push_back(member.keys.nick);
  TRY(const auto missing, invited_and_missing(at.vault, group.id, nicks));
  for (const std::string& name : missing)
    at.console.say(fmt::format("NOT AMONG THEM: {}, whom you invited, has not joined.", visible(name)));
  at.console.say(
      "Your signature closes the list of members: who comes later needs an amendment that all of them sign "
      "(parley group amend --add).");
  return {};
}

Status sign(Workplace& at, const SignArguments& arguments) {
  TRY(const vault::GroupRow group, at.vault.group(arguments.name));
  TRY(const group::Signing waiting, group::unsigned_paper(desk_of(at), group, arguments.amendment));
  const group::Charter& charter = waiting.charter.charter;
  for (const std::string& line : in_words(charter)) at.console.say(line);
  TRY_STATUS(say_members(at, charter));
  say_signing(at.console, waiting);
  if (charter.seq == 1 && waiting.charter.note.empty()) TRY_STATUS(say_who_is_left_out(at, group, charter));
  if (charter.seq > 1) {
    TRY(const group::Membership membership, membership_of(at, group));
    say_what_follows(at.console, membership.charter(), charter);
  }
  say_what_others_learn(at.console, charter);
  TRY_STATUS(ask_yes(at, arguments.yes, "Sign this?"));
  TRY(const Secret<32> id_seed, id_seed_of(at));
  TRY(const group::Signing done, group::sign(desk_of(at), group, arguments.amendment, id_seed, wall_clock_now()));
  at.console.say("Signed:");
  say_signing(at.console, done);
  at.console.say(done.in_force ? "Send this file to every member; each takes it: parley group take FILE"
                               : "Send this file to those who have not signed; each takes it, signs and sends it on:");
  const std::string fallback = charter.seq == 1 ? fmt::format("{}.{}.charter", group.name, at.member.card.nick)
                                                : fmt::format("{}.{}.amendment-{}", group.name, at.member.card.nick,
                                                              to_hex(done.charter.hash).substr(0, kShownHashDigits));
  return write_paper(at, arguments.out, fallback, done.charter.note);
}

}  // namespace

void add_group_sign(Command& family, Chosen& chosen) {
  Command* command = family.add_subcommand("sign", "Read the charter or amendment that waits, and sign it");
  const auto arguments = std::make_shared<SignArguments>();
  command->add_option("NAME", arguments->name, "The group, as group list prints it")->required();
  command->add_option("--amendment", arguments->amendment, "The first digits of its hash, where several wait");
  command->add_option("--out", arguments->out, "Where the signed paper is written");
  command->add_flag("--yes", arguments->yes, "Do not ask");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return sign(at, *arguments); }));
}

}  // namespace parley::cli
