// parley finding evidence, matrix: what a working copy rests on, and how it goes with each hypothesis.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/finding_edit.h"
#include "crypto/hash.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxReportBytes = std::size_t{256} << 20;

// --- evidence ------------------------------------------------------------------------------------------------------

struct EvidenceArguments {
  std::string name, id, kind, summary, grade, commitment, report, remove;
  std::vector<std::string> seen, refs;
  bool redactable = false;
};

/// "alpha:o1", with "@2026-10-01" and "#" and a rule's hash after it if they are known.
Result<finding::Sighting> sighting_option(const std::string& text) {
  finding::Sighting sighting;
  std::string rest = text;
  if (const std::size_t hash = rest.find('#'); hash != rest.npos) {
    sighting.rule = rest.substr(hash + 1);
    rest.resize(hash);
    Digest named;
    if (!read_hex(sighting.rule, named))
      return fail(Errc::usage, "A rule is named by its SHA-256, 64 hexadecimal digits.");
  }
  if (const std::size_t at = rest.find('@'); at != rest.npos) {
    TRY(sighting.first_seen, time_option("--seen", rest.substr(at + 1)));
    rest.resize(at);
  }
  const std::size_t colon = rest.find(':');
  if (colon == rest.npos || colon == 0 || colon + 1 == rest.size())
    return fail(Errc::usage,
                "Who has it from where is written MEMBER:ORIGIN, for example alpha:o1, or "
                "alpha:o1@2026-10-01.");
  sighting.by = rest.substr(0, colon);
  sighting.origin = rest.substr(colon + 1);
  return sighting;
}

/// "alpha:12": the entry's leaf hash.
Result<Digest> ref_option(Workplace& at, const group::Charter& charter, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view digits = colon == text.npos ? std::string_view() : std::string_view(text).substr(colon + 1);
  std::uint64_t seq = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seq);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
    return fail(Errc::usage, "An entry is named MEMBER:NUMBER, for example alpha:12.");
  TRY(const std::string nick, nick_meant(at.vault, charter, text.substr(0, colon)));
  const group::CharterMember* member = charter.member(nick);
  if (member == nullptr)
    return fail(Errc::not_found, fmt::format("{} is no member's nick, which is its name for the whole group; parley "
                                             "group show lists them.",
                                             visible(text.substr(0, colon))));
  TRY(const auto rows, at.vault.log_leaves(member->keys.log.name, seq, 1));
  if (rows.empty())
    return fail(Errc::not_found, fmt::format("The log of {} has no entry {} here; parley log show prints those that "
                                             "it has.",
                                             member->keys.nick, seq));
  return rows.front().hash;
}

Result<Digest> digest_option(const std::string& text) {
  Digest digest{};
  if (!read_hex(text, digest)) return fail(Errc::usage, "--commit takes 64 hexadecimal digits.");
  return digest;
}

Status fill_evidence(Workplace& at, const EvidenceArguments& arguments, const group::Charter& charter,
                     finding::Evidence& evidence) {
  if (!arguments.kind.empty()) evidence.kind = arguments.kind;
  if (!arguments.summary.empty()) evidence.summary.text = arguments.summary;
  if (arguments.redactable) evidence.summary.redactable = true;
  if (!arguments.grade.empty()) {
    const auto grade = finding::grade_named(arguments.grade);
    if (!grade)
      return fail(Errc::usage,
                  "A grade is a letter from A to F for the source and a digit from 1 to 6 for the "
                  "information, for example B2.");
    evidence.grade = *grade;
  }
  if (!arguments.seen.empty()) evidence.seen.clear();
  for (const std::string& seen : arguments.seen) {
    TRY(evidence.seen.emplace_back(), sighting_option(seen));
  }
  if (!arguments.refs.empty()) evidence.refs.clear();
  for (const std::string& ref : arguments.refs) {
    TRY(evidence.refs.emplace_back(), ref_option(at, charter, ref));
  }
  if (!arguments.commitment.empty()) {
    TRY(evidence.commitment, digest_option(arguments.commitment));
  }
  if (!arguments.report.empty()) {
    TRY(const Bytes content, read_file(at.console.resolve(arguments.report), kMaxReportBytes));
    evidence.commitment = crypto::sha256(content);
  }
  return {};
}

Status change_evidence(Workplace& at, const EvidenceArguments& arguments) {
  std::string added;
  const auto change = [&](finding::Finding& finding, const NamedFinding& named) -> Status {
    if (!arguments.remove.empty()) {
      std::erase_if(finding.matrix, [&](const finding::Row& row) { return row.evidence == arguments.remove; });
      return remove_by_id(finding.evidence, arguments.remove);
    }
    auto found = std::ranges::find(finding.evidence, arguments.id, &finding::Evidence::id);
    if (!arguments.id.empty() && found == finding.evidence.end())
      return fail(Errc::not_found, fmt::format("There is no {}.", visible(arguments.id)));
    if (arguments.id.empty()) {
      const std::string id = next_id(finding.evidence, 'e');
      finding.evidence.push_back(
          {.id = id, .kind = "entry", .summary = {}, .grade = {}, .seen = {}, .refs = {}, .commitment = {}});
      found = finding.evidence.end() - 1;
      added = id;
    }
    return fill_evidence(at, arguments, named.membership.charter(), *found);
  };
  TRY_STATUS(edit_working_copy(at, arguments.name, change));
  if (!added.empty()) at.console.print(added + "\n");
  return {};
}

// --- matrix --------------------------------------------------------------------------------------------------------

struct MatrixArguments {
  std::string name;
  std::vector<std::string> rows;
  bool as_json = false;
};

/// "e1:h1=CC,h2=I".
Status set_row(finding::Finding& finding, const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return fail(Errc::usage, "A row is written EVIDENCE:HYPOTHESIS=VALUE,…: e1:h1=CC,h2=I.");
  const std::string id = text.substr(0, colon);
  if (finding.evidence_of(id) == nullptr) return fail(Errc::not_found, fmt::format("There is no {}.", visible(id)));
  auto row = std::ranges::find(finding.matrix, id, &finding::Row::evidence);
  if (row == finding.matrix.end()) row = finding.matrix.insert(finding.matrix.end(), {id, {}});
  for (std::size_t begin = colon + 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string hypothesis = part.substr(0, equals);
    const auto value = finding::consistency_named(std::string_view(part).substr(std::min(equals + 1, part.size())));
    if (value && finding.hypothesis(hypothesis) == nullptr)
      return fail(Errc::not_found, fmt::format("There is no hypothesis {}.", visible(hypothesis)));
    if (!value)
      return fail(Errc::usage,
                  fmt::format("\"{}\" is no cell; write HYPOTHESIS=CC, C, N, I, II or NA.", visible(part)));
    const auto cell = std::ranges::find(row->cells, hypothesis, &finding::Cell::hypothesis);
    if (cell == row->cells.end())
      row->cells.push_back({hypothesis, *value});
    else
      cell->value = *value;
  }
  std::ranges::sort(row->cells, {}, &finding::Cell::hypothesis);
  return {};
}

Status set_rows(finding::Finding& finding, const std::vector<std::string>& rows) {
  for (const std::string& row : rows) TRY_STATUS(set_row(finding, row));
  std::ranges::sort(finding.matrix, {}, &finding::Row::evidence);
  return {};
}

Status matrix(Workplace& at, const MatrixArguments& arguments) {
  if (!arguments.rows.empty()) {
    TRY_STATUS(edit_working_copy(at, arguments.name, [&](finding::Finding& finding, const NamedFinding&) {
      return set_rows(finding, arguments.rows);
    }));
  }
  TRY(const NamedFinding named, finding_named(at, arguments.name));
  if (arguments.as_json)
    at.console.print(to_line(json_of(named).at("matrix")));
  else
    at.console.print(matrix_in_words(named.finding()));
  return {};
}

}  // namespace

void add_finding_evidence(Command& family, Chosen& chosen) {
  Command* command = family.add_subcommand("evidence", "Add evidence, or change an item");
  const auto arguments = std::make_shared<EvidenceArguments>();
  add_name(*command, arguments->name);
  command->add_option("--item", arguments->id, "Change this item (e1, e2, …) instead of adding one");
  command->add_option("--kind", arguments->kind, "match, opening, entry or report")
      ->check(one_of(finding::kEvidenceKinds));
  command->add_option("--summary", arguments->summary, "What it is, in a sentence");
  command->add_flag("--redactable", arguments->redactable, "The summary can be withheld from readers of a dossier");
  command->add_option("--grade", arguments->grade,
                      "Source A to F and information 1 to 6, judged apart (Admiralty): B2");
  command->add_option("--seen", arguments->seen,
                      "Which member has it from which origin: alpha:o1, with @TIME first seen and #HASH of the rule");
  command->add_option("--ref", arguments->refs, "An entry of a log that it rests on: alpha:12");
  Option* commitment =
      command->add_option("--commit", arguments->commitment, "The commitment of the item or field that it is");
  command->add_option("--report", arguments->report, "A report's file, which its SHA-256 names")->excludes(commitment);
  command->add_option("--remove", arguments->remove, "Remove this item");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return change_evidence(at, *arguments); }));
}

void add_finding_matrix(Command& family, Chosen& chosen) {
  Command* command =
      family.add_subcommand("matrix", "Hold evidence against hypotheses, and print what speaks against each");
  const auto arguments = std::make_shared<MatrixArguments>();
  command->add_option("FINDING", arguments->name, "A working copy, or the first digits of a frozen finding's hash")
      ->required();
  command->add_option("--row", arguments->rows, "Set cells of an item: e1:h1=CC,h2=I (CC, C, N, I, II, NA)");
  command->add_flag("--json", arguments->as_json, "Print one JSON object");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return matrix(at, *arguments); }));
}

}  // namespace parley::cli
