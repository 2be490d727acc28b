// parley group amend: proposes the next version of a charter.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/group_command.h"
#include "group/paper_kinds.h"
#include "log/quorum.h"

namespace parley::cli {
namespace {

constexpr std::size_t kShownHashDigits = 8;

struct AmendArguments {
  std::string name, title, purpose, until, max_tlp, admission, add, expel, out;
  std::vector<std::string> allow, drop, protocols;
  std::size_t finding_quorum = 0, log_quorum = 0;
  bool remove_left = false, yes = false;
};

Status change_questions(group::Charter& next, const AmendArguments& arguments) {
  for (const std::string& text : arguments.drop) {
    TRY(const QuestionOption option, question_option(text));
    for (const indicator::Type type : option.types) {
      const std::size_t dropped = std::erase_if(next.questions, [&](const group::AllowedQuestion& question) {
        return question.type == type && question.function == option.function;
      });
      if (dropped == 0)
        return fail(Errc::usage, fmt::format("The charter does not allow {} of {}, so it cannot be dropped.",
                                             group::name_of(option.function), indicator::name_of(type)));
    }
  }
  for (const std::string& text : arguments.allow) {
    TRY(const QuestionOption option, question_option(text));
    for (const indicator::Type type : option.types) {
      const auto known = std::ranges::find_if(next.questions, [&](const group::AllowedQuestion& question) {
        return question.type == type && question.function == option.function;
      });
      if (known == next.questions.end() && option.caps.size() != group::kNamedCaps.size())
        return fail(Errc::usage, fmt::format("{} of {} is not allowed yet; say all six caps of it.",
                                             group::name_of(option.function), indicator::name_of(type)));
      group::AllowedQuestion& question =
          known != next.questions.end()
              ? *known
              : next.questions.emplace_back(group::AllowedQuestion{type, option.function, {}});
      for (const auto& [cap, value] : option.caps) question.caps.*cap.value = value;
    }
  }
  sort_questions(next);
  return {};
}

/// Members who come in, are expelled or have left; quorums follow their number unless they are given.
Status change_members(Workplace& at, const group::Membership& membership, group::Charter& next,
                      const AmendArguments& arguments) {
  const auto remove = [&](std::string_view nick) {
    return std::erase_if(next.members, [&](const group::CharterMember& member) { return member.keys.nick == nick; });
  };
  if (!arguments.expel.empty()) {
    TRY(const std::string nick, nick_meant(at.vault, next, arguments.expel));
    if (remove(nick) == 0) return fail(Errc::usage, fmt::format("{} is no member.", visible(arguments.expel)));
  }
  if (arguments.remove_left)
    for (const std::string& nick : membership.left()) remove(nick);
  if (!arguments.add.empty()) {
    TRY(const auto packages, group::papers_of_kind(at.vault, membership.group().id, group::kPaperKeyPackage));
    group::Charter joined;
    for (const vault::GroupPaper& paper : packages) {
      TRY(const group::KeyPackage package, group::read_key_package(paper.text));
      joined.members.push_back(package.member);
    }
    TRY(const std::string nick, nick_meant(at.vault, joined, arguments.add));
    const group::CharterMember* newcomer = joined.member(nick);
    if (newcomer == nullptr)
      return fail(Errc::not_found,
                  fmt::format("{} has brought no keys for this group. They join by its first charter and "
                              "you take what that gives: parley group take FILE.",
                              visible(arguments.add)));
    next.members.push_back(*newcomer);
    std::ranges::sort(next.members, {}, [](const group::CharterMember& member) { return member.keys.nick; });
  }
  const std::size_t before = membership.charter().members.size(), after = next.members.size();
  if (after < before && after >= group::kFewestMembers) {
    next.log_quorum = group::log_quorum_after(next.log_quorum, before, after);
    next.finding_quorum = group::finding_quorum_after(next.finding_quorum, after);
  } else if (after > before && after <= group::kMostMembers) {
    next.log_quorum = std::max(next.log_quorum, log::log_quorum(after));
  }
  return {};
}

Result<group::Charter> next_version(Workplace& at, const group::Membership& membership,
                                    const AmendArguments& arguments) {
  group::Charter next = membership.charter();
  if (!arguments.title.empty()) next.name = arguments.title;
  if (!arguments.purpose.empty()) next.purpose = arguments.purpose;
  if (!arguments.until.empty()) {
    TRY(next.not_after, time_option("--until", arguments.until));
  }
  if (!arguments.max_tlp.empty()) {
    TRY(next.max_tlp, tlp_option(arguments.max_tlp));
  }
  if (!arguments.protocols.empty()) {
    next.protocols = arguments.protocols;
    std::ranges::sort(next.protocols);
  }
  if (!arguments.admission.empty()) {
    TRY(next.admission.types, admission_option(arguments.admission));
    if (next.admission.types.empty()) next.admission = {};
  }
  TRY_STATUS(change_questions(next, arguments));
  TRY_STATUS(change_members(at, membership, next, arguments));
  if (arguments.finding_quorum != 0) next.finding_quorum = arguments.finding_quorum;
  if (arguments.log_quorum != 0) next.log_quorum = arguments.log_quorum;
  return next;
}

Status amend(Workplace& at, const AmendArguments& arguments) {
  const UnixSeconds now = wall_clock_now();
  TRY(const vault::GroupRow group, at.vault.group(arguments.name));
  TRY(const group::Membership membership, membership_of(at, group));
  TRY_STATUS(membership.check(group::Act::amend, now));
  TRY(group::Charter next, next_version(at, membership, arguments));
  next.seq = membership.charter().seq + 1;
  next.prev = membership.signed_charter().hash;
  TRY_STATUS(check_leaves_time(next, next.not_before));
  TRY(const group::Assessment assessed, group::assess(membership.charter(), next, membership.left()));
  for (const group::Change& change : assessed.changes)
    at.console.say(fmt::format("{} {}", change.effect == group::Effect::loosens ? "LOOSENS " : "tightens",
                               visible(change.sentence)));
  for (const std::string& nick : assessed.expelled) at.console.say("expels " + nick);
  for (const std::string& nick : assessed.gone) at.console.say(nick + " has left, and is taken off the list");
  at.console.say("It needs the signatures of " + assessed.needs.why + ".");
  say_what_follows(at.console, membership.charter(), next);
  say_what_others_learn(at.console, next);
  TRY_STATUS(ask_yes(at, arguments.yes, "Propose and sign it?"));
  TRY(const Secret<32> id_seed, id_seed_of(at));
  TRY(const group::Signing done, group::amend(desk_of(at), group, std::move(next), id_seed, now));
  say_signing(at.console, done);
  return write_paper(at, arguments.out,
                     fmt::format("{}.{}.amendment-{}", group.name, at.member.card.nick,
                                 to_hex(done.charter.hash).substr(0, kShownHashDigits)),
                     done.charter.note);
}

}  // namespace

void add_group_amend(Command& family, Chosen& chosen) {
  Command* command = family.add_subcommand(
      "amend", "Propose a change: a loosening needs all, a tightening a quorum, an expulsion all others");
  const auto arguments = std::make_shared<AmendArguments>();
  command->add_option("NAME", arguments->name, "The group, as group list prints it")->required();
  command->add_option("--until", arguments->until, "Another end");
  command->add_option("--allow", arguments->allow, "A question, TYPE:FUNCTION:CAPS; new ones need all caps");
  command->add_option("--drop", arguments->drop, "A question that is allowed no more, TYPE:FUNCTION");
  command->add_option("--admission", arguments->admission,
                      "All types that enter by tags from then on, TYPE=NUMBER,..., or none");
  command->add_option("--max-tlp", arguments->max_tlp, "Stricter marked material does not enter");
  command->add_option("--protocols", arguments->protocols, "That sessions may use, separated by commas")
      ->delimiter(',')
      ->check(is_member({"classic", "fast"}));
  command->add_option("--title", arguments->title, "Its name for everybody");
  command->add_option("--purpose", arguments->purpose, "What the group is for");
  command->add_option("--finding-quorum", arguments->finding_quorum, "Signatures that a finding needs")
      ->check(in_range(group::kFewestMembers, group::kMostMembers));
  command->add_option("--log-quorum", arguments->log_quorum, "Members that must hold a log")
      ->check(in_range(group::kFewestMembers, group::kMostMembers));
  command->add_option("--add", arguments->add,
                      "A member whose keys for the group were taken, by its nick or its name here");
  command->add_option("--expel", arguments->expel, "A member to be expelled, by its nick or its name here");
  command->add_flag("--remove-left", arguments->remove_left, "Take off the list whoever has left");
  command->add_option("--out", arguments->out, "Where the amendment is written");
  command->add_flag("--yes", arguments->yes, "Do not ask");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return amend(at, *arguments); }));
}

}  // namespace parley::cli
