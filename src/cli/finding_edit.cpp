// parley finding new, origin, hypothesis, judge: what a finding asks, weighs and concludes. A working copy lies in the
// own vault, and nobody else learns of it.
#include "cli/finding_edit.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxNameOfCopy = 64;

// --- new -----------------------------------------------------------------------------------------------------------

struct NewArguments {
  std::string name, group, title, question, from, to, tlp, pap, revise;
  bool forget = false;
};

Status set_frame(finding::Finding& finding, const NewArguments& arguments) {
  if (!arguments.title.empty()) finding.title = arguments.title;
  if (!arguments.question.empty()) finding.question = arguments.question;
  if (!arguments.from.empty()) {
    TRY(finding.period_from, time_option("--from", arguments.from));
  }
  if (!arguments.to.empty()) {
    TRY(finding.period_to, time_option("--to", arguments.to));
  }
  if (!arguments.tlp.empty()) {
    TRY(finding.tlp, tlp_option(arguments.tlp));
  }
  if (!arguments.pap.empty()) {
    const auto pap = indicator::pap_named(arguments.pap);
    if (!pap) return fail(Errc::usage, "There are the marks clear, green, amber and red of PAP.");
    finding.pap = *pap;
  }
  return {};
}

Result<vault::GroupRow> group_for_finding(Workplace& at, const std::string& name) {
  if (!name.empty()) return at.vault.group(name);
  TRY(const auto all, memberships(at));
  if (all.size() == 1) return all.front().group();
  return fail(Errc::usage, all.empty() ? "You are in no group with a charter in force; a finding is of a group."
                                       : "You are in several groups; say which: --group NAME.");
}

Status begin(Workplace& at, const NewArguments& arguments) {
  TRY(const auto copies, working_copies(at));
  const auto existing = std::ranges::find(copies, arguments.name, &NamedFinding::name);
  if (arguments.forget) {
    if (existing == copies.end()) return fail(Errc::not_found, "There is no working copy of this name.");
    return forget_working_copy(at, existing->group, arguments.name);
  }
  finding::Finding finding;
  vault::GroupRow group;
  if (existing != copies.end()) {
    if (!arguments.revise.empty()) return fail(Errc::exists, "There is a working copy of this name already.");
    finding = existing->working;
    group = existing->group;
  } else if (!arguments.revise.empty()) {
    TRY(const NamedFinding older, frozen_finding(at, arguments.revise));
    finding = older.finding();
    group = older.group;
    finding.supersedes = older.frozen->hash;
    ++finding.revision;
    for (const finding::Placed& placed : finding::redactable_texts(finding)) placed.text->commitment = {};
  } else {
    TRY(group, group_for_finding(at, arguments.group));
    TRY_STATUS(membership_of(at, group));
  }
  TRY_STATUS(set_frame(finding, arguments));
  TRY_STATUS(keep_working_copy(at, group, arguments.name, finding));
  at.console.print(fmt::format("{}\n", visible(arguments.name)));
  say_only_here(at.console, arguments.name);
  return {};
}

// --- origin --------------------------------------------------------------------------------------------------------

struct OriginArguments {
  std::string name, kind = "own-sensor", text, remove;
  bool redactable = false;
};

Status change_origins(Workplace& at, const OriginArguments& arguments) {
  return edit_working_copy(at, arguments.name, [&](finding::Finding& finding, const NamedFinding&) -> Status {
    if (!arguments.remove.empty()) return remove_by_id(finding.origins, arguments.remove);
    const std::string id = next_id(finding.origins, 'o');
    finding.origins.push_back({id, arguments.kind, {.text = arguments.text, .redactable = arguments.redactable}});
    at.console.print(id + "\n");
    at.console.say(
        "Corroboration is counted by origins: two members who have it from one feed, one sensor or one report name one "
        "origin.");
    return {};
  });
}

// --- hypothesis ----------------------------------------------------------------------------------------------------

struct HypothesisArguments {
  std::string name, kind = "other", text, actor, same_as, said_by, assumption, remove;
  bool redactable = false;
};

Status remove_named(finding::Finding& finding, const std::string& id) {
  if (id.starts_with('k')) return remove_by_id(finding.assumptions, id);
  for (finding::Row& row : finding.matrix)
    std::erase_if(row.cells, [&](const finding::Cell& cell) { return cell.hypothesis == id; });
  return remove_by_id(finding.hypotheses, id);
}

Status change_hypotheses(Workplace& at, const HypothesisArguments& arguments) {
  return edit_working_copy(at, arguments.name, [&](finding::Finding& finding, const NamedFinding&) -> Status {
    if (!arguments.remove.empty()) return remove_named(finding, arguments.remove);
    if (!arguments.same_as.empty()) {
      const std::size_t equals = arguments.same_as.find('=');
      if (equals == arguments.same_as.npos || arguments.said_by.empty())
        return fail(Errc::usage, "--same-as takes NAME=OTHER, and --said-by the origin that says so.");
      finding.equivalences.push_back(
          {arguments.same_as.substr(0, equals), arguments.same_as.substr(equals + 1), arguments.said_by});
      at.console.say("It stands in the finding as a claim of that origin. Nothing is merged by it.");
      return {};
    }
    if (!arguments.assumption.empty()) {
      const std::string id = next_id(finding.assumptions, 'k');
      finding.assumptions.push_back({id, {.text = arguments.assumption, .redactable = arguments.redactable}});
      at.console.print(id + "\n");
      return {};
    }
    const std::string id = next_id(finding.hypotheses, 'h');
    finding.hypotheses.push_back({id, arguments.kind, arguments.actor, arguments.text});
    at.console.print(id + "\n");
    return {};
  });
}

// --- judge ---------------------------------------------------------------------------------------------------------

struct JudgeArguments {
  std::string name, hypothesis, likelihood, text, despite, confidence, why;
};

Status judge(Workplace& at, const JudgeArguments& arguments) {
  return edit_working_copy(at, arguments.name, [&](finding::Finding& finding, const NamedFinding&) -> Status {
    finding::Judgement& judgement = finding.judgement;
    if (!arguments.hypothesis.empty()) judgement.hypothesis = arguments.hypothesis;
    if (!arguments.text.empty()) judgement.text = arguments.text;
    if (!arguments.despite.empty()) judgement.despite = arguments.despite;
    if (!arguments.why.empty()) finding.confidence_why = arguments.why;
    if (!arguments.likelihood.empty()) {
      judgement.likelihood = finding::likelihood_named(arguments.likelihood);
      std::string names;
      for (const finding::LikelihoodWord& word : finding::kLikelihoods)
        names += (names.empty() ? "" : ", ") + std::string(word.name);
      if (!judgement.likelihood)
        return fail(Errc::usage,
                    fmt::format("\"{}\" is no likelihood here; there are {}.", visible(arguments.likelihood), names));
    }
    if (!arguments.confidence.empty()) {
      finding.confidence = finding::confidence_named(arguments.confidence);
      if (!finding.confidence) return fail(Errc::usage, "Confidence is low, moderate or high.");
    }
    return {};
  });
}

void add_new(Command& family, Chosen& chosen) {
  Command* command = family.add_subcommand("new", "Begin a finding, or change its title, question, period and marks");
  const auto arguments = std::make_shared<NewArguments>();
  command->add_option("NAME", arguments->name, "A short name of your own")
      ->required()
      ->check(label_validator())
      ->check(Check([](const std::string& name) {
        return name.size() > kMaxNameOfCopy ? std::string("At most 64 bytes.") : std::string();
      }));
  command->add_option("--group", arguments->group, "Of which group, where you are in several");
  command->add_option("--title", arguments->title, "One line");
  command->add_option("--question", arguments->question, "The question that it answers");
  command->add_option("--from", arguments->from, "Beginning of the time that the evidence is about");
  command->add_option("--to", arguments->to, "Its end");
  command->add_option("--tlp", arguments->tlp, "How far it may go (default: green)");
  command->add_option("--pap", arguments->pap, "What may be done with it (default: green)");
  command->add_option("--revise", arguments->revise, "Begin the next revision of this frozen finding");
  command->add_flag("--forget", arguments->forget, "Remove the working copy");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return begin(at, *arguments); }));
}

void add_origin(Command& family, Chosen& chosen) {
  Command* command = family.add_subcommand("origin", "Say where information ultimately comes from");
  const auto arguments = std::make_shared<OriginArguments>();
  add_name(*command, arguments->name);
  command->add_option("--kind", arguments->kind, "Of what kind it is")
      ->check(one_of(finding::kOriginKinds))
      ->capture_default_str();
  Option* text = command->add_option("--text", arguments->text, "What it is");
  command->add_flag("--redactable", arguments->redactable, "The text can be withheld from readers of a dossier");
  command->add_option("--remove", arguments->remove, "Remove this one")->excludes(text);
  command->callback(at_work(chosen, [arguments](Workplace& at) { return change_origins(at, *arguments); }));
}

void add_hypothesis(Command& family, Chosen& chosen) {
  Command* command = family.add_subcommand("hypothesis", "Add a hypothesis, an assumption, or a claim about names");
  const auto arguments = std::make_shared<HypothesisArguments>();
  add_name(*command, arguments->name);
  command->add_option("--kind", arguments->kind, "attribution, deception or other")
      ->check(one_of(finding::kHypothesisKinds))
      ->capture_default_str();
  command->add_option("--text", arguments->text, "What it claims");
  command->add_option("--actor", arguments->actor, "Of an attribution: the actor, by one name");
  command->add_option("--same-as", arguments->same_as, "Somebody says that two names are one actor: NAME=OTHER");
  command->add_option("--said-by", arguments->said_by, "The origin that says so");
  command->add_option("--assumption", arguments->assumption, "A key assumption instead of a hypothesis");
  command->add_flag("--redactable", arguments->redactable, "The assumption can be withheld from readers of a dossier");
  command->add_option("--remove", arguments->remove, "Remove this hypothesis or assumption");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return change_hypotheses(at, *arguments); }));
}

void add_judge(Command& family, Chosen& chosen) {
  Command* command = family.add_subcommand("judge", "Judge a hypothesis: how likely, and apart from that how founded");
  const auto arguments = std::make_shared<JudgeArguments>();
  add_name(*command, arguments->name);
  command->add_option("--hypothesis", arguments->hypothesis, "Which one");
  command->add_option("--likelihood", arguments->likelihood,
                      "almost-no-chance, very-unlikely, unlikely, roughly-even-chance, likely, very-likely or "
                      "almost-certain");
  command->add_option("--text", arguments->text, "The judgement in a sentence, with the same term");
  command->add_option("--despite", arguments->despite, "Why, if most speaks against it");
  command->add_option("--confidence", arguments->confidence, "low, moderate or high");
  command->add_option("--why", arguments->why, "What the confidence rests on");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return judge(at, *arguments); }));
}

}  // namespace

void say_only_here(Console& console, std::string_view name) {
  console.say(fmt::format("The others learn nothing of this: {} is in your vault only, until parley finding draft.",
                          visible(name)));
}

Status edit_working_copy(Workplace& at, const std::string& name,
                         const std::function<Status(finding::Finding&, const NamedFinding&)>& change) {
  TRY(NamedFinding named, finding_named(at, name));
  if (named.frozen)
    return fail(Errc::policy,
                "This finding is frozen, and others may have signed it. parley finding new --revise "
                "begins its next revision.");
  finding::Finding changed = named.working;
  TRY_STATUS(change(changed, named));
  TRY_STATUS(keep_working_copy(at, named.group, name, changed));
  say_only_here(at.console, name);
  return {};
}

void add_finding_edit(Command& family, Chosen& chosen) {
  add_new(family, chosen);
  add_origin(family, chosen);
  add_finding_evidence(family, chosen);
  add_hypothesis(family, chosen);
  add_finding_matrix(family, chosen);
  add_judge(family, chosen);
}

}  // namespace parley::cli
