// parley invite, join, confirm: how two members come to know each other.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hidden.h"
#include "base/text.h"
#include "cli/group_command.h"
#include "group/invitation.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxNameBytes = 64;

struct InviteArguments {
  std::string group, to, endpoint;
};

struct JoinArguments {
  std::string file, as, listen;
};

Status check_peer_name(const std::string& name) {
  if (!name.empty() && name.size() <= kMaxNameBytes && visible(name) == name) return {};
  return fail(Errc::usage, "A peer's name has 1 to 64 bytes of visible text." + hidden_in(name));
}

Status invite(Workplace& at, const InviteArguments& arguments) {
  TRY_STATUS(check_peer_name(arguments.to));
  TRY(const vault::GroupRow group, at.vault.group(arguments.group));
  TRY(const auto charters, at.vault.charters(group.id));
  Digest terms{};
  if (!charters.empty()) {
    terms = charters.front().hash;  // what they join by
  } else {
    TRY(const group::Draft draft, group::stored_draft(at.vault, group));
    terms = draft.hash;
  }
  TRY(const group::Invitation invitation,
      group::invite(at.vault, at.member.card, group.id, terms, arguments.to, arguments.endpoint, wall_clock_now()));
  const SecretBytes line = group::write_invitation(invitation);
  at.console.print(as_text(line.expose()));
  at.console.print("\n");
  at.console.say(
      fmt::format("This line is a secret for {} alone: whoever has it can answer in their place. Give it by a way "
                  "that both of you trust already, together with the {}.",
                  visible(arguments.to), charters.empty() ? "draft" : "first charter"));
  at.console.say(
      fmt::format("It is good for one answer until {}; three false answers burn it. The fingerprints that you "
                  "compare by voice afterwards show whether somebody else answered.",
                  to_rfc3339(invitation.expires)));
  at.console.say("It tells them your card, where your node listens, and the group's id; nothing of your material.");
  return {};
}

Status join(Workplace& at, const JoinArguments& arguments) {
  if (arguments.file.starts_with(group::kInvitationPrefix))
    return fail(Errc::usage,
                "An invitation is a secret, and what stands on a command line others on this machine can "
                "see. Put it into a file, or pipe it: parley join -");
  TRY(const std::string text, read_paper(at, arguments.file));
  if (!text.contains(group::kInvitationPrefix))
    return fail(Errc::format,
                fmt::format("This is no invitation, which is one line that begins with {}. A draft or a charter is "
                            "joined by parley group join NAME FILE.",
                            group::kInvitationPrefix),
                arguments.file);
  TRY(const group::Invitation invitation, group::read_invitation(text));
  const std::string name = arguments.as.empty() ? invitation.from.nick : arguments.as;
  TRY_STATUS(check_peer_name(name));
  const UnixSeconds now = wall_clock_now();
  TRY_STATUS(group::check_is_new_peer(desk_of(at), invitation.from, name));
  TRY(const std::string answer, group::accept_invitation(at.vault, at.member.card, invitation, arguments.listen, now));
  TRY_STATUS(
      at.vault.add_peer({.name = name, .card = invitation.from.note, .address = invitation.endpoint, .added = now}));
  at.console.print(answer + "\n");
  at.console.say(
      fmt::format("{} is pinned as {}. Send the line above back to them; they take it: parley group take FILE",
                  visible(invitation.from.name), visible(name)));
  at.console.say(fmt::format("It tells them your card{}; nothing of your material.",
                             arguments.listen.empty() ? "" : " and where your node listens"));
  at.console.say(
      fmt::format("Then compare fingerprints by voice. Yours, to read to them:\n  {}\nAsk them for theirs and "
                  "type its last two groups: parley confirm {} LAST-TWO-GROUPS",
                  at.member.card.fingerprint(), visible(name)));
  at.console.say(
      fmt::format("The draft that should have come with it has the hash {}; parley group join prints "
                  "that of the one that you got, before it asks.",
                  to_hex(invitation.draft)));
  return {};
}

Status confirm(Workplace& at, const std::string& name, const std::string& spoken) {
  TRY(const vault::Peer peer, at.vault.peer(name));
  TRY(const group::Card card, group::read_card(peer.card));
  TRY_STATUS(group::check_spoken(spoken, card));
  TRY_STATUS(at.vault.confirm_peer(name, wall_clock_now()));
  at.console.say(
      fmt::format("{} (\"{}\") is confirmed. Sessions under a charter that names it are possible from now on.",
                  visible(name), visible(card.name)));
  at.console.say("They do the same with yours; whoever types what they did not hear protects nobody.");
  return {};
}

}  // namespace

void add_invite(Command& program, Chosen& chosen) {
  const auto inviting = std::make_shared<InviteArguments>();
  Command* invite_command =
      program.add_subcommand("invite", "Invite a member to a group: one secret line for one answer");
  invite_command->add_option("GROUP", inviting->group, "The group, as group list prints it")->required();
  invite_command->add_option("--to", inviting->to, "What you call the invited")->required();
  invite_command->add_option("--endpoint", inviting->endpoint, "Where your node listens, host:port")->required();
  invite_command->callback(at_work(chosen, [inviting](Workplace& at) { return invite(at, *inviting); }));

  const auto joining = std::make_shared<JoinArguments>();
  Command* join_command = program.add_subcommand("join", "Answer an invitation: pin whoever invites, print the answer");
  join_command->add_option("FILE", joining->file, "A file with the invitation; - for the input")->required();
  join_command->add_option("--as", joining->as, "What you call whoever invites (default: their short name)");
  join_command->add_option("--listen", joining->listen, "Where your node listens, host:port, if it does");
  join_command->callback(at_work(chosen, [joining](Workplace& at) { return join(at, *joining); }));

  const auto name = std::make_shared<std::string>(), spoken = std::make_shared<std::string>();
  Command* confirm_command =
      program.add_subcommand("confirm", "Type what you heard: the last two groups of a peer's fingerprint");
  confirm_command->add_option("PEER", *name, "Its name, as peer list prints it")->required();
  confirm_command->add_option("GROUPS", *spoken, "The last two groups, or all eight, as they were read to you")
      ->required();
  confirm_command->callback(at_work(chosen, [name, spoken](Workplace& at) { return confirm(at, *name, *spoken); }));
}

}  // namespace parley::cli
