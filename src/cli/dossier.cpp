// parley dossier make, page; parley verify dossier: a finding as a file for outsiders, and checking it there.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/dossier_command.h"
#include "cli/finding_command.h"
#include "dossier/make.h"
#include "dossier/page.h"

namespace parley::cli {
namespace {

constexpr unsigned kPublicMode = 0644;
constexpr std::size_t kShownDigits = 8;
constexpr int kUnanchored = 3;  // log.md 6.3
constexpr std::size_t kMaxAnchorBytes = 256 * 1024;

struct MakeArguments {
  std::string finding, out;
  std::vector<std::string> withhold, bodies, without;
  bool restricted = false;
};

Status write_new(Console& console, const std::filesystem::path& path, std::string_view content) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored))
    return fail(Errc::exists, "There is a file of this name already. Say another: --out FILE.", path.string());
  TRY_STATUS(write_file_atomically(path, as_bytes(content), kPublicMode));
  console.print(path.string() + "\n");
  return {};
}

/// "alpha:12" of the evidence's own entries.
Result<std::set<Digest>> bodies_option(Workplace& at, const NamedFinding& named,
                                       const std::vector<std::string>& places) {
  TRY(const group::SignedCharter* charter, finding::charter_of(named.frozen->finding, named.membership));
  std::set<Digest> leaves;
  for (const std::string& text : places) {
    bool found = false;
    for (const finding::Evidence& evidence : named.frozen->finding.evidence)
      for (const Digest& ref : evidence.refs) {
        TRY(const finding::Place place, finding::place_of(at.vault, charter->charter, ref));
        if (fmt::format("{}:{}", place.nick, place.seq) != text) continue;
        leaves.insert(ref);
        found = true;
      }
    if (!found) return fail(Errc::not_found, fmt::format("The evidence does not refer to an entry {}.", visible(text)));
  }
  return leaves;
}

/// "charlie:9" of the dissents and withdrawals that cannot be judged here, or that may lack a quorum.
Result<std::set<Digest>> without_option(const finding::Case& of, const std::vector<std::string>& texts) {
  std::vector<finding::Place> places;
  for (const finding::Unread& unread : of.unread) places.push_back(unread.place);
  for (const finding::Withdrawn& one : of.withdrawals) places.push_back(one.place);
  std::set<Digest> leaves;
  for (const std::string& text : texts) {
    const auto found = std::ranges::find_if(
        places, [&](const finding::Place& place) { return fmt::format("{}:{}", place.nick, place.seq) == text; });
    if (found == places.end())
      return fail(Errc::not_found,
                  fmt::format("{} is no withdrawal, and no dissent that cannot be judged here.", visible(text)));
    leaves.insert(found->leaf);
  }
  return leaves;
}

Status check_marks(const finding::Finding& finding, bool restricted) {
  if (finding.tlp == indicator::Tlp::red)
    return fail(
        Errc::mark,
        "The finding is marked TLP:RED, which is for those who were in the room: no file is made of it. Draft a "
        "finding with another mark from what may be told further.");
  if (restricted) return {};
  if (finding.tlp > indicator::Tlp::green)
    return fail(Errc::mark, fmt::format("The finding is marked TLP:{}, which is not for the public. --restricted makes "
                                        "the dossier all the same; its readers are bound by the mark.",
                                        indicator::name_of(finding.tlp)));
  if (finding.pap > indicator::Pap::green)
    return fail(Errc::mark, fmt::format("The finding is marked PAP:{}: nothing is to be done by it that an attacker "
                                        "sees, and the public would. --restricted makes the dossier all the same; its "
                                        "readers are bound by the mark.",
                                        indicator::name_of(finding.pap)));
  return {};
}

Status make(Workplace& at, const MakeArguments& arguments) {
  TRY(const NamedFinding named, frozen_finding(at, arguments.finding));
  const finding::Case& of = *named.frozen;
  TRY_STATUS(check_marks(of.finding, arguments.restricted));
  TRY(const auto log, at.groups.log(named.group.id));
  dossier::MakeOptions options{.withhold = arguments.withhold, .with_bodies = {}};
  TRY(options.with_bodies, bodies_option(at, named, arguments.bodies));
  TRY(options.without, without_option(of, arguments.without));
  for (const finding::Oddity& one : of.set_aside)
    at.console.say(fmt::format("Left aside: entry {} of {}, because it does not count. {}", one.place.seq,
                               visible(one.place.nick), visible(one.why)));
  TRY(const std::string text, dossier::make_dossier(at.vault, named.membership, *log, at.member.card, of, options));
  const std::string fallback = fmt::format("{}.parley", to_hex(of.hash).substr(0, kShownDigits));
  TRY_STATUS(write_new(at.console, at.console.resolve(arguments.out.empty() ? fallback : arguments.out), text));
  at.console.say(fmt::format(
      "What its readers learn: the finding, who signed and who dissents, the members' names, keys and the charter, and "
      "of each entry that the evidence names its header: author, time, type, session and audience. Whoever has a "
      "report or a rule that the evidence names can tell by its hash that it is the one. Withheld: {}. The other "
      "members "
      "learn nothing by this.",
      arguments.withhold.empty() ? "nothing" : fmt::format("{}", fmt::join(arguments.withhold, ", "))));
  at.console.say(
      fmt::format("Give the reader the hash of the charter by another way: parley verify dossier FILE "
                  "--charter {}",
                  to_hex(named.membership.anchor())));
  return {};
}

// --- verify --------------------------------------------------------------------------------------------------------

struct VerifyArguments {
  std::string file, charter, members, language = "en", out;
  bool as_json = false;
};

Result<dossier::Anchor> anchor_from(Surroundings& at, const VerifyArguments& arguments) {
  if (!arguments.members.empty()) {
    TRY(const Bytes content, read_file(at.console.resolve(arguments.members), kMaxAnchorBytes));
    return dossier::parse_anchor(as_text(content));
  }
  if (arguments.charter.empty()) return dossier::Anchor{};
  Digest hash{};
  if (!read_hex(arguments.charter, hash))
    return fail(Errc::usage, "--charter takes the hash of the charter: 64 hexadecimal digits.");
  return dossier::Anchor{.charter = hash};
}

std::string_view mark_of(dossier::Outcome outcome) {
  if (outcome == dossier::Outcome::holds) return "ok";
  return outcome == dossier::Outcome::fails ? "FAILS" : "--";
}

OrderedJson json_of(const dossier::Verdict& verdict) {
  OrderedJson steps = OrderedJson::array();
  for (const dossier::Step& step : verdict.steps)
    steps.push_back({{"step", step.title}, {"outcome", mark_of(step.outcome)}, {"detail", step.detail}});
  OrderedJson json = {{"verified", verdict.holds}, {"anchored", verdict.anchored}, {"steps", std::move(steps)}};
  if (!verdict.holds) return json;
  const dossier::Contents& contents = *verdict.contents;
  json["finding"] = to_hex(contents.signed_finding.hash);
  json["title"] = contents.finding.title;
  json["revision"] = contents.finding.revision;
  json["created"] = to_rfc3339(contents.finding.created);
  json["supersedes"] = contents.finding.supersedes == Digest{} ? "" : to_hex(contents.finding.supersedes);
  json["judgement"] = contents.finding.judgement.text;
  json["judged"] = finding::judged_in_words(contents.finding);
  json["likelihood"] = finding::word_of(*contents.finding.judgement.likelihood).phrase;
  json["signers"] = contents.signed_finding.signers;
  json["publishers"] = contents.publishers;
  json["silent"] = contents.silent;
  json["dissents"] = contents.dissents.size();
  json["withdrawals"] = contents.withdrawals.size();
  json["standing"] = contents.standing();
  json["stands"] = contents.stands();
  json["redacted"] = contents.redacted;
  json["proves"] = verdict.proves;
  json["proves_not"] = verdict.proves_not;
  return json;
}

void print_evidence(Console& console, const dossier::Contents& contents, const finding::Evidence& evidence) {
  // What people wrote stands behind a colon, so that no text can look like one that is withheld.
  console.print(fmt::format("  {} ({}{}){}\n", visible(evidence.id), evidence.grade.source, evidence.grade.information,
                            evidence.summary.shown ? ": " + visible(evidence.summary.text) : ", withheld"));
  for (const Digest& ref : evidence.refs) {
    const auto entry = std::ranges::find(contents.entries, ref, &dossier::ProvenEntry::leaf);
    if (entry != contents.entries.end())
      console.print(fmt::format("    {}:{} {} at {}\n", visible(entry->nick), entry->seq, visible(entry->type),
                                to_rfc3339(entry->time)));
  }
}

/// Each once, however many items rest on it: a body may be long.
void print_bodies(Console& console, const dossier::Contents& contents) {
  std::set<Digest> refs;
  for (const finding::Evidence& evidence : contents.finding.evidence)
    refs.insert(evidence.refs.begin(), evidence.refs.end());
  for (const dossier::ProvenEntry& entry : contents.entries)
    if (refs.contains(entry.leaf))
      console.print(fmt::format("  {}:{} says: {}\n", visible(entry.nick), entry.seq,
                                entry.body ? visible(*entry.body) : "[not shown]"));
}

void print_contents(Console& console, const dossier::Contents& contents) {
  const finding::Finding& finding = contents.finding;
  console.print(
      fmt::format("\nfinding: {}\n  question: {}\n  revision {}, made on {} by its drafter's clock, about {} to {}\n",
                  visible(finding.title), visible(finding.question), finding.revision, to_rfc3339(finding.created),
                  to_rfc3339(finding.period_from), to_rfc3339(finding.period_to)));
  if (finding.supersedes != Digest{}) console.print(fmt::format("  replaces {}\n", to_hex(finding.supersedes)));
  for (const finding::Hypothesis& one : finding.hypotheses)
    console.print(fmt::format("  hypothesis {}\n", visible(finding::in_words(one))));
  console.print(fmt::format("  judgement: {}\n  the judgement is about {}\n", visible(finding.judgement.text),
                            visible(finding::judged_in_words(finding))));
  if (!finding.judgement.despite.empty())
    console.print(fmt::format("  despite what speaks against it: {}\n", visible(finding.judgement.despite)));
  const finding::LikelihoodWord& word = finding::word_of(*finding.judgement.likelihood);
  console.print(fmt::format("  likelihood: {} ({} to {} of 100)\n  confidence: {}. {}\n  marks: TLP:{} PAP:{}\n",
                            word.phrase, word.least_percent, word.most_percent, finding::name_of(*finding.confidence),
                            visible(finding.confidence_why), indicator::name_of(finding.tlp),
                            indicator::name_of(finding.pap)));
  for (const finding::SignedDissent& dissent : contents.dissents)
    for (const finding::DissentPoint& point : dissent.dissent.points)
      console.print(fmt::format("  DISSENT of {} on {}: {}{}\n", dissent.dissent.nick, visible(point.about),
                                point.likelihood ? fmt::format("{}. ", finding::word_of(*point.likelihood).phrase) : "",
                                visible(point.text)));
  for (const finding::Withdrawn& one : contents.withdrawals)
    console.print(fmt::format("  WITHDRAWN by {} on {}: {}\n", one.place.nick, to_rfc3339(one.time),
                              visible(one.signed_withdrawal.withdrawal.reason)));
  if (!contents.stands())
    console.print("  TOO FEW MEMBERS STAND BEHIND IT NOW: fewer than must sign a finding of this group.\n");
  for (const finding::Evidence& evidence : finding.evidence) print_evidence(console, contents, evidence);
  print_bodies(console, contents);
  for (const std::string& path : contents.redacted) console.print(fmt::format("  [withheld: {}]\n", path));
  for (const finding::Remark& remark : contents.remarks)
    console.print(fmt::format("  warning: {}\n", visible(remark.sentence)));
}

Result<int> verify(Surroundings& at, const VerifyArguments& arguments) {
  TRY(const dossier::Anchor anchor, anchor_from(at, arguments));
  TRY(const Bytes content, read_file(at.console.resolve(arguments.file), dossier::kMaxDossierBytes));
  const dossier::Verdict verdict = dossier::verify_dossier(as_text(content), anchor);
  const int code = !verdict.holds ? 1 : verdict.anchored ? 0 : kUnanchored;
  if (arguments.as_json) {
    at.console.print(to_line(json_of(verdict)));
    return code;
  }
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < verdict.steps.size(); ++i)
    rows.push_back({fmt::format("{:2}", i + 1), std::string(mark_of(verdict.steps[i].outcome)), verdict.steps[i].title,
                    visible(verdict.steps[i].detail)});
  at.console.print(in_columns(rows));
  if (!verdict.holds) {
    at.console.say("It does not verify. Nothing in it is to be relied on.");
    return code;
  }
  print_contents(at.console, *verdict.contents);
  at.console.print("\n");
  for (const std::string& sentence : verdict.proves) at.console.print("proven: " + visible(sentence) + "\n");
  for (const std::string& sentence : verdict.proves_not) at.console.print("not proven: " + visible(sentence) + "\n");
  return code;
}

Result<int> page(Surroundings& at, const VerifyArguments& arguments) {
  TRY(const dossier::Anchor anchor, anchor_from(at, arguments));
  TRY(const Bytes content, read_file(at.console.resolve(arguments.file), dossier::kMaxDossierBytes));
  const dossier::Verdict verdict = dossier::verify_dossier(as_text(content), anchor);
  if (!verdict.holds)
    return fail(Errc::signature, fmt::format("It does not verify ({}), so there is nothing to show: {}",
                                             verdict.steps.back().title, verdict.steps.back().detail));
  const std::string html = dossier::render_page(verdict, *dossier::language_named(arguments.language));
  if (arguments.out.empty())
    at.console.print(html);
  else
    TRY_STATUS(write_new(at.console, at.console.resolve(arguments.out), html));
  at.console.say("The page shows what verified here. It proves nothing by itself: its readers verify the dossier.");
  return verdict.anchored ? 0 : kUnanchored;
}

void add_anchor_options(Command& command, VerifyArguments& arguments) {
  command.add_option("FILE", arguments.file, "The dossier")->required();
  Option* charter = command.add_option("--charter", arguments.charter,
                                       "Hash of the group's charter, from somebody you trust (64 digits)");
  command
      .add_option("--members", arguments.members,
                  "File with the charter, or with the cards or id keys of members whom you trust, one a line")
      ->excludes(charter);
}

std::function<void()> alone(Chosen& chosen, const std::shared_ptr<VerifyArguments>& arguments,
                            Result<int> (*run)(Surroundings&, const VerifyArguments&)) {
  return [&chosen, arguments, run] {
    chosen.alone = [arguments, run](Surroundings& at) {
      const Result<int> code = run(at, *arguments);
      return code ? *code : at.console.refuse(code.error());
    };
  };
}

}  // namespace

void add_verify_dossier(Command& verify_family, Chosen& chosen) {
  Command* command = verify_family.add_subcommand(
      "dossier",
      "Check a finding's dossier step by step (exit code 3: it holds, and nothing says whose keys these are)");
  const auto arguments = std::make_shared<VerifyArguments>();
  add_anchor_options(*command, *arguments);
  command->add_flag("--json", arguments->as_json, "Print one JSON object");
  command->callback(alone(chosen, arguments, verify));
}

void add_dossier(Command& program, Chosen& chosen) {
  Command* family =
      program.add_subcommand("dossier", "A published finding as one file that anybody can verify offline");
  family->require_subcommand(1);
  const auto made = std::make_shared<MakeArguments>();
  Command* make_command = family->add_subcommand("make", "Write the dossier of a published finding");
  make_command->add_option("FINDING", made->finding, "The first digits of the finding's hash")->required();
  make_command->add_option("--withhold", made->withhold,
                           "A text that is not shown, by its path (/evidence/0/summary), or all");
  make_command->add_option("--body", made->bodies,
                           "Hand out what an entry says that the evidence rests on (others show as hashes): alpha:12");
  make_command->add_option(
      "--without", made->without,
      "Do not wait for this dissent or withdrawal, which cannot be judged here or which no quorum holds: charlie:9");
  make_command->add_flag("--restricted", made->restricted,
                         "Make it although its marks are stricter than TLP:GREEN and PAP:GREEN");
  make_command->add_option("--out", made->out, "The file (default: the first digits and .parley)");
  make_command->callback(at_work(chosen, [made](Workplace& at) { return make(at, *made); }));

  const auto shown = std::make_shared<VerifyArguments>();
  Command* page_command = family->add_subcommand("page", "Verify a dossier and print it as a page to read");
  add_anchor_options(*page_command, *shown);
  page_command->add_option("--language", shown->language, "en, ru or ar")
      ->check(is_member({"en", "ru", "ar"}))
      ->capture_default_str();
  page_command->add_option("--out", shown->out, "The file (default: standard output)");
  page_command->callback(alone(chosen, shown, page));
}

}  // namespace parley::cli
