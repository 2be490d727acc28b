// parley finding list, show, lint.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/finding_command.h"
#include "group/rotation.h"

namespace parley::cli {
namespace {

constexpr std::size_t kShownDigits = 8;

struct ListArguments {
  bool call = false, as_json = false;
};

std::string standing_of(const finding::Case& of, const group::Membership& membership) {
  const auto charter = finding::charter_of(of.finding, membership);
  const std::size_t quorum = charter ? finding::finding_quorum((*charter)->charter, membership.left()) : 0;
  if (const auto publishers = of.publishers(); !publishers.empty()) {
    const bool stands = !charter || of.withdrawals.empty() ||
                        finding::are_enough((*charter)->charter, membership.left(), of.standing());
    return fmt::format("published by {}{}", group::in_words(publishers), stands ? "" : "; TOO FEW STAND BEHIND IT NOW");
  }
  return fmt::format("{} of {} signatures", of.signers.size(), quorum);
}

Status list(Workplace& at, const ListArguments& arguments) {
  if (arguments.call) TRY_STATUS(fetch_news(at));
  TRY(const auto all, memberships(at));
  TRY(const auto copies, working_copies(at));
  OrderedJson array = OrderedJson::array();
  std::vector<std::vector<std::string>> rows = {{"FINDING", "GROUP", "STANDING", "DISSENT", "TITLE"}};
  for (const NamedFinding& copy : copies) {
    rows.push_back({visible(copy.name), copy.group.name, "working copy", "-", visible(copy.working.title)});
    array.push_back(
        {{"finding", copy.name}, {"group", copy.group.name}, {"working_copy", true}, {"title", copy.working.title}});
  }
  for (const group::Membership& membership : all) {
    TRY(const finding::Casebook book, finding::read_casebook(at.vault, membership));
    for (const finding::Case& of : book.cases) {
      rows.push_back({to_hex(of.hash).substr(0, kShownDigits), membership.group().name, standing_of(of, membership),
                      of.dissents.empty() ? "-" : std::to_string(of.dissents.size()), visible(of.finding.title)});
      array.push_back({{"finding", to_hex(of.hash)},
                       {"group", membership.group().name},
                       {"working_copy", false},
                       {"title", of.finding.title},
                       {"signers", of.signers},
                       {"publishers", of.publishers()},
                       {"standing", of.standing()},
                       {"dissents", of.dissents.size()}});
    }
    for (const finding::Oddity& oddity : book.oddities)
      at.console.say(fmt::format("Entry {} of {} about a finding does not count: {}", oddity.place.seq,
                                 oddity.place.nick, visible(oddity.why)));
    TRY(const auto cutoffs, group::short_cutoffs(at.vault, membership));
    for (const group::ShortCutoff& cutoff : cutoffs) at.console.say(cutoff.in_words());
    for (const finding::LeftOut& left_out : book.left_out)
      at.console.say(fmt::format("{} more entries of {} about findings are left out: {}.", left_out.entries,
                                 left_out.nick, left_out.why));
  }
  if (arguments.as_json)
    at.console.print(to_line(array));
  else if (rows.size() > 1)
    at.console.print(in_columns(rows));
  at.console.say(rows.size() == 1 ? "There are no findings here: parley finding new begins one."
                 : arguments.call ? "The others learn that you called, and how far your logs go."
                                  : "The others learn nothing by this. --call fetches what they have written since.");
  return {};
}

struct NamedArguments {
  std::string name;
  bool as_json = false;
};

Status show(Workplace& at, const NamedArguments& arguments) {
  TRY(const NamedFinding named, finding_named(at, arguments.name));
  if (arguments.as_json) {
    at.console.print(to_line(json_of(named)));
    return {};
  }
  TRY(const std::string words, finding_in_words(at.vault, named));
  at.console.print(words);
  TRY(const auto remarks, named.remarks());
  at.console.print(remarks_in_words(remarks));
  at.console.say("The others learn nothing by this.");
  return {};
}

Status lint(Workplace& at, const NamedArguments& arguments) {
  TRY(const NamedFinding named, finding_named(at, arguments.name));
  TRY(const auto remarks, named.remarks());
  if (arguments.as_json) {
    OrderedJson array = OrderedJson::array();
    for (const finding::Remark& remark : remarks)
      array.push_back({{"rule", remark.rule},
                       {"refuses", remark.severity == finding::Severity::refuses},
                       {"where", remark.where},
                       {"remark", remark.sentence}});
    at.console.print(to_line(array));
  } else {
    at.console.print(remarks_in_words(remarks));
    if (remarks.empty()) at.console.say("It keeps all the rules.");
  }
  at.console.say("The others learn nothing by this.");
  if (!finding::refuses(remarks)) return {};
  return fail(Errc::policy, "Nobody can sign it as it is.");
}

void add_named(Command& family, Chosen& chosen, const std::string& name, const std::string& what,
               Status (*run)(Workplace&, const NamedArguments&)) {
  Command* command = family.add_subcommand(name, what);
  const auto arguments = std::make_shared<NamedArguments>();
  command->add_option("FINDING", arguments->name, "A working copy, or the first digits of a frozen finding's hash")
      ->required();
  command->add_flag("--json", arguments->as_json, "Print JSON");
  command->callback(at_work(chosen, [arguments, run](Workplace& at) { return run(at, *arguments); }));
}

}  // namespace

void add_finding_show(Command& family, Chosen& chosen) {
  Command* command = family.add_subcommand("list", "Print the findings of your groups and your working copies");
  const auto arguments = std::make_shared<ListArguments>();
  command->add_flag("--call", arguments->call, "Call on the members first and take what is new");
  command->add_flag("--json", arguments->as_json, "Print a JSON array");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return list(at, *arguments); }));
  add_named(family, chosen, "show", "Print a finding: judgement, hypotheses, evidence, signatures, dissent", show);
  add_named(family, chosen, "lint", "Hold a finding against the rules of the trade", lint);
}

}  // namespace parley::cli
