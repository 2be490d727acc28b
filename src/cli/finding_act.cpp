// parley finding draft, sign, dissent, publish, withdraw: each is an entry of the own log, which every member gets and
// keeps.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/finding_command.h"
#include "node/replication.h"

namespace parley::cli {
namespace {

/// Runs `what` with a log that may be written, and then tells the members. The charter is read again: a person may have
/// been asked meanwhile.
Status act(Workplace& at, const NamedFinding& named, const std::function<Status(finding::Analyst&)>& what) {
  TRY(const group::Membership membership, at.groups.membership(named.group.id));
  TRY(const auto log, at.groups.log(named.group.id));
  TRY_STATUS(node::hear_enough(at.groups.desk(), at.member, membership, *log, at.progress));
  finding::Analyst analyst(at.vault, membership, *log);
  TRY_STATUS(what(analyst));
  return tell_members(at, membership, *log, [](std::span<const std::string> later) {
    return fmt::format("{} could not be reached, and {} it with the log later.", group::in_words(later),
                       later.size() == 1 ? "gets" : "get");
  });
}

struct ActArguments {
  std::string name;
  std::vector<std::string> points;
  std::string reason;
  bool yes = false;
};

Status draft(Workplace& at, const ActArguments& arguments) {
  TRY_STATUS(fetch_news(at));
  TRY(const NamedFinding named, finding_named(at, arguments.name));
  if (named.frozen) return fail(Errc::exists, "This finding is frozen already.");
  TRY(const std::string words, finding_in_words(at.vault, named));
  at.console.say(words);
  TRY(const auto remarks, named.remarks());
  if (!remarks.empty()) at.console.say(remarks_in_words(remarks));
  TRY_STATUS(finding::check(remarks));
  at.console.say(
      "What the others learn by this: every member of the group gets the whole finding, with the texts that can be "
      "withheld from outsiders, and keeps it in the log for good. It is frozen: whoever signs, signs exactly this.");
  TRY_STATUS(ask_yes(at, arguments.yes, "Freeze it and give it to all members?"));
  return act(at, named, [&](finding::Analyst& analyst) -> Status {
    TRY(const Digest hash, analyst.draft(named.working, wall_clock_now()));
    at.console.print(to_hex(hash) + "\n");
    return forget_working_copy(at, named.group, named.name);
  });
}

Status sign(Workplace& at, const ActArguments& arguments) {
  TRY_STATUS(fetch_news(at));
  TRY(const NamedFinding named, frozen_finding(at, arguments.name));
  TRY(const std::string words, finding_in_words(at.vault, named));
  at.console.say(words);
  TRY(const auto remarks, named.remarks());
  if (!remarks.empty()) at.console.say(remarks_in_words(remarks));
  at.console.say(
      "What the others learn by this: that you stand behind this finding, in your own name and for good. With enough "
      "signatures it can go to anybody. What was handed out stays out: who changes its mind withdraws, and later "
      "dossiers say so.");
  TRY_STATUS(ask_yes(at, arguments.yes, "Sign it?"));
  TRY(const Secret<32> id_seed, id_seed_of(at));
  TRY(const log::VerifierKey id, group::own_id_key(at.member.card));
  return act(at, named,
             [&](finding::Analyst& analyst) { return analyst.sign(*named.frozen, id, id_seed, wall_clock_now()); });
}

/// "judgement=unlikely:TEXT" or "e2:TEXT".
Result<finding::DissentPoint> point_option(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos || colon == 0)
    return fail(Errc::usage,
                "A point is written ABOUT:TEXT or judgement=LIKELIHOOD:TEXT, where ABOUT is judgement, "
                "confidence, or an id like e2 or h1.");
  finding::DissentPoint point;
  point.about = text.substr(0, colon);
  point.text = text.substr(colon + 1);
  const std::size_t equals = point.about.find('=');
  if (equals == point.about.npos) return point;
  const std::string likelihood = point.about.substr(equals + 1);
  point.likelihood = finding::likelihood_named(likelihood);
  point.about.resize(equals);
  if (!point.likelihood)
    return fail(Errc::usage, fmt::format("\"{}\" is none of the seven terms of likelihood.", visible(likelihood)));
  return point;
}

Status dissent(Workplace& at, const ActArguments& arguments) {
  std::vector<finding::DissentPoint> points;
  for (const std::string& text : arguments.points) {
    TRY(points.emplace_back(), point_option(text));
  }
  TRY_STATUS(fetch_news(at));
  TRY(const NamedFinding named, frozen_finding(at, arguments.name));
  at.console.say(
      "What the others learn by this: that you do not agree, why, and in your own name. Whoever publishes the finding "
      "after having got this must name it, and no dossier verifies without what its publishers name. So outsiders read "
      "it too.");
  TRY_STATUS(ask_yes(at, arguments.yes, "Dissent?"));
  TRY(const Secret<32> id_seed, id_seed_of(at));
  TRY(const log::VerifierKey id, group::own_id_key(at.member.card));
  return act(at, named, [&](finding::Analyst& analyst) {
    return analyst.dissent(*named.frozen, std::move(points), id, id_seed, wall_clock_now());
  });
}

/// "the dissent of carol", "2 dissents of carol, the withdrawal of bravo"
std::string named_by_publication(const finding::Case& of) {
  std::map<std::string, std::size_t> dissents;
  for (const finding::SignedDissent& one : of.dissents) ++dissents[one.dissent.nick];
  std::vector<std::string> words;
  for (const auto& [nick, count] : dissents)
    words.push_back(fmt::format("{} of {}", count == 1 ? "the dissent" : fmt::format("{} dissents", count), nick));
  for (const finding::Withdrawn& one : of.withdrawals)
    words.push_back("the withdrawal of " + one.signed_withdrawal.withdrawal.nick);
  return words.empty() ? "no dissent and no withdrawal" : fmt::format("{}", fmt::join(words, ", "));
}

Status publish(Workplace& at, const ActArguments& arguments) {
  TRY_STATUS(fetch_news(at));
  TRY(const NamedFinding named, frozen_finding(at, arguments.name));
  at.console.say(
      fmt::format("What the others learn by this: that you hold the finding to be ready, and which dissent you know "
                  "of, whose words your log hands on. As soon as as many signers as its quorum have said so, and a "
                  "quorum holds their entries, parley dossier make can hand it to outsiders.\n"
                  "Your publication names: {}. If more comes in before you answer, nothing is published.",
                  visible(named_by_publication(*named.frozen))));
  TRY_STATUS(ask_yes(at, arguments.yes, "Publish it?"));
  return act(at, named, [&](finding::Analyst& analyst) { return analyst.publish(*named.frozen, wall_clock_now()); });
}

Status withdraw(Workplace& at, const ActArguments& arguments) {
  TRY_STATUS(fetch_news(at));
  TRY(const NamedFinding named, frozen_finding(at, arguments.name));
  at.console.say(
      "What the others learn by this: that you do not stand behind this finding any more, why, and in your own name. "
      "Every dossier that is made from now on, where this is known, carries it, and outsiders read it. Dossiers that "
      "were handed out before do not know of it: tell whoever has one.");
  TRY_STATUS(ask_yes(at, arguments.yes, "Withdraw?"));
  TRY(const Secret<32> id_seed, id_seed_of(at));
  TRY(const log::VerifierKey id, group::own_id_key(at.member.card));
  return act(at, named, [&](finding::Analyst& analyst) {
    return analyst.withdraw(*named.frozen, arguments.reason, id, id_seed, wall_clock_now());
  });
}

Command* add_act(Command& family, Chosen& chosen, const std::shared_ptr<ActArguments>& arguments,
                 const std::string& name, const std::string& what, Status (*run)(Workplace&, const ActArguments&)) {
  Command* command = family.add_subcommand(name, what);
  command
      ->add_option("FINDING", arguments->name,
                   name == "draft" ? "The working copy" : "The first digits of the frozen finding's hash")
      ->required();
  command->add_flag("--yes", arguments->yes, "Do not ask");
  command->callback(at_work(chosen, [arguments, run](Workplace& at) { return run(at, *arguments); }));
  return command;
}

}  // namespace

void add_finding_act(Command& family, Chosen& chosen) {
  add_act(family, chosen, std::make_shared<ActArguments>(), "draft", "Freeze a working copy and give it to all members",
          draft);
  add_act(family, chosen, std::make_shared<ActArguments>(), "sign", "Read a frozen finding and sign it", sign);
  const auto arguments = std::make_shared<ActArguments>();
  add_act(family, chosen, arguments, "dissent", "Say what you think instead; whoever publishes later has to name it",
          dissent)
      ->add_option("--point", arguments->points,
                   "One point, any number of times: judgement=unlikely:TEXT, confidence:TEXT, e2:TEXT")
      ->required();
  add_act(family, chosen, std::make_shared<ActArguments>(), "publish",
          "Say that a finding is ready, with its signatures and all dissent", publish);
  const auto withdrawing = std::make_shared<ActArguments>();
  add_act(family, chosen, withdrawing, "withdraw", "Take your name back from a finding that you signed, and say why",
          withdraw)
      ->add_option("--reason", withdrawing->reason, "Why; whoever reads a later dossier reads it too")
      ->required();
}

}  // namespace parley::cli
