// parley group join, take: what the other members send.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/group_command.h"
#include "log/note.h"

namespace parley::cli {
namespace {

struct JoinArguments {
  std::string name, file, out;
  bool yes = false;
};

/// The terms in a draft or charter, before anything is verified: what a person decides on.
Result<group::Charter> terms_in(const std::string& paper) {
  TRY(const log::Note note, log::parse_note(paper));
  TRY(const group::PaperHead head, group::read_paper_head(paper));
  return group::read_terms_unverified(note, head.kind);
}

Status join(Workplace& at, const JoinArguments& arguments) {
  TRY(const std::string paper, read_paper(at, arguments.file));
  TRY(const group::Charter terms, terms_in(paper));
  for (const std::string& line : in_words(terms)) at.console.say(line);
  TRY_STATUS(say_members(at, terms));
  TRY(const log::Note note, log::parse_note(paper));
  at.console.say(
      fmt::format("  hash of this paper: {}; if parley join printed another one, this is not what you were invited to",
                  to_hex(group::charter_hash(note.text))));
  say_what_others_learn(at.console, terms);
  at.console.say("Joining tells the drafter your card and keys made for this group. You are bound only when you sign.");
  TRY_STATUS(ask_yes(at, arguments.yes, "Join by these terms?"));
  TRY(const Secret<32> id_seed, id_seed_of(at));
  TRY(const group::KeyPackage package,
      group::join_group(desk_of(at), arguments.name, paper, id_seed, wall_clock_now()));
  at.console.say(fmt::format("Joined as {}. Send this file back to whoever drafted it:", package.card.nick));
  return write_paper(at, arguments.out, fmt::format("{}.{}.keys", arguments.name, package.card.nick), package.note);
}

/// What a member does next whose answer was taken.
Status say_answered(Workplace& at, const group::Taken& taken) {
  at.console.say(fmt::format("{} answered the invitation to {} and is pinned as {}.", visible(taken.card->name),
                             taken.group, visible(taken.who)));
  TRY(const vault::Peer peer, at.vault.peer(taken.who));
  at.console.say(peer.confirmed != 0
                     ? std::string("Its fingerprint was compared by voice already.")
                     : fmt::format("Compare fingerprints by voice now; read yours (parley id) and ask for theirs:\n"
                                   "  parley confirm {} LAST-TWO-GROUPS",
                                   visible(taken.who)));
  return {};
}

Status say_joined(Workplace& at, const group::Taken& taken) {
  TRY(const vault::GroupRow group, at.vault.group(taken.group));
  TRY(const auto charters, at.vault.charters(group.id));
  at.console.say(fmt::format("{} has joined {} with keys of its own. {}", taken.who, taken.group,
                             charters.empty()
                                 ? fmt::format("When all have: parley group sign {}", taken.group)
                                 : fmt::format("The charter is in force already, so an amendment takes them in: "
                                               "parley group amend {} --add {}",
                                               taken.group, taken.who)));
  return {};
}

Status say_taken(Workplace& at, const group::Taken& taken) {
  Console& console = at.console;
  using Kind = group::Taken::Kind;
  switch (taken.kind) {
    case Kind::answer:
      return say_answered(at, taken);
    case Kind::key_package:
      return say_joined(at, taken);
    case Kind::charter:
    case Kind::amendment:
      console.say(fmt::format("{} of {}:", taken.kind == Kind::charter ? "The charter" : "An amendment", taken.group));
      say_signing(console, *taken.signing);
      if (!taken.signing->in_force)
        console.say(fmt::format("Read it whole and sign it, if you agree: parley group sign {}", taken.group));
      break;
    case Kind::rotation:
      console.say(
          fmt::format("{} has another tls key in {}: its links are held to that from now on.", taken.who, taken.group));
      break;
    case Kind::leave:
      console.say(fmt::format(
          "{} has left {}{}. Nothing is asked of it or answered to it from now on; quorums follow the "
          "members who are left.",
          taken.who, taken.group, taken.leave->reason.empty() ? "" : ": \"" + visible(taken.leave->reason) + "\""));
      break;
  }
  return {};
}

Status take(Workplace& at, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    TRY(const std::string paper, read_paper(at, file));
    auto taken = group::take(desk_of(at), paper, wall_clock_now());
    if (!taken) return std::unexpected(std::move(taken).error().at(file));
    TRY_STATUS(say_taken(at, *taken));
  }
  return {};
}

}  // namespace

void add_group_join(Command& family, Chosen& chosen) {
  const auto arguments = std::make_shared<JoinArguments>();
  Command* join_command = family.add_subcommand("join", "Read a draft, and join by it with keys of your own");
  join_command->add_option("NAME", arguments->name, "Your own short name for the group: a-z, 0-9 and -")->required();
  join_command->add_option("FILE", arguments->file, "The draft, or the first charter of a group that takes you in")
      ->required();
  join_command->add_option("--out", arguments->out, "Where your keys for the group are written (NAME.NICK.keys)");
  join_command->add_flag("--yes", arguments->yes, "Do not ask");
  join_command->callback(at_work(chosen, [arguments](Workplace& at) { return join(at, *arguments); }));

  const auto files = std::make_shared<std::vector<std::string>>();
  Command* take_command = family.add_subcommand(
      "take", "Take what members send: answers, keys, charters, amendments, leaves, rotations of keys");
  take_command->add_option("FILE", *files, "One or more; - for the input")->required();
  take_command->callback(at_work(chosen, [files](Workplace& at) { return take(at, *files); }));
}

}  // namespace parley::cli
