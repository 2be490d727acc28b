// How a finding looks: tables for people, JSON for scripts.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/finding_command.h"
#include "finding/matrix.h"
#include "log/entry.h"

namespace parley::cli {
namespace {

constexpr std::size_t kShownDigits = 8;

/// Code points, which is near enough to columns for most scripts.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string shown(const finding::RedactableText& text) {
  return visible(text.text) + (text.redactable ? "  [can be withheld]" : "");
}

std::string grade_in_words(finding::Grade grade) {
  return fmt::format("{}{}", grade.source == 0 ? '-' : grade.source,
                     grade.information == 0 ? std::string("-") : std::to_string(grade.information));
}

std::string sightings_in_words(const finding::Evidence& evidence) {
  std::string words;
  for (const finding::Sighting& sighting : evidence.seen)
    words += fmt::format("{}{} from {}", words.empty() ? "" : ", ", visible(sighting.by), visible(sighting.origin));
  return words.empty() ? "nobody" : words;
}

std::string origins_in_words(std::size_t count) {
  return fmt::format("{} {}", count, count == 1 ? "origin" : "origins");
}

/// What the letters and digits mean that occur.
std::string grades_in_words(const finding::Finding& finding) {
  std::map<char, std::string_view> sources;
  std::map<int, std::string_view> informations;
  for (const finding::Evidence& evidence : finding.evidence) {
    if (!evidence.grade.is_complete()) continue;
    sources[evidence.grade.source] = finding::words_of_source(evidence.grade.source);
    informations[evidence.grade.information] = finding::words_of_information(evidence.grade.information);
  }
  std::string words;
  for (const auto& [grade, meaning] : sources)
    words += fmt::format("{} {} {}", words.empty() ? "" : ",", grade, meaning);
  if (words.empty()) return words;
  words = "  (source:" + words + "; information:";
  for (const auto& [grade, meaning] : informations)
    words += fmt::format("{} {} {}", words.ends_with(':') ? "" : ",", grade, meaning);
  return words + ")\n";
}

/// An entry that evidence names, by the place where the log of its author has it here.
Result<std::string> entry_in_words(vault::Vault& vault, std::span<const vault::LogHead> logs, const Digest& leaf) {
  for (const vault::LogHead& log : logs) {
    TRY(const auto index, vault.log_index(log.origin, leaf));
    if (!index) continue;
    TRY(const auto rows, vault.log_leaves(log.origin, *index, 1));
    const auto entry =
        rows.empty() ? Result<log::Entry>(fail(Errc::not_found, {})) : log::read_entry_unverified(rows.front().note);
    std::string words = fmt::format("entry {}:{}", log.nick, *index);
    if (entry) words += fmt::format(" ({}, {})", visible(entry->type), to_rfc3339(entry->time));
    if (entry && !entry->session.empty())
      words += fmt::format(" of session {}", entry->session.substr(0, kShownDigits));
    return words;
  }
  return fmt::format("an entry that NO LOG HERE HAS, {}", to_hex(leaf));
}

/// What a signer looks up: parley log show prints an entry, sha256sum a file's hash.
Result<std::string> grounds_in_words(vault::Vault& vault, const NamedFinding& named) {
  TRY(auto logs, vault.logs());
  std::erase_if(logs, [&](const vault::LogHead& log) { return log.group != named.group.id; });
  std::string out = "\nRESTS ON\n";
  for (const finding::Evidence& evidence : named.finding().evidence) {
    if (evidence.refs.empty() && evidence.commitment == Digest{})
      out += fmt::format("  {}  nothing that can be looked up\n", visible(evidence.id));
    for (const Digest& ref : evidence.refs) {
      TRY(const std::string entry, entry_in_words(vault, logs, ref));
      out += fmt::format("  {}  {}\n", visible(evidence.id), entry);
    }
    if (evidence.commitment != Digest{})
      out += fmt::format("  {}  {} {}\n", visible(evidence.id),
                         evidence.kind == "report" ? "a file with the SHA-256" : "what was committed to as",
                         to_hex(evidence.commitment));
  }
  return out;
}

void add_judgement(std::string& out, const finding::Finding& finding) {
  const finding::Judgement& judgement = finding.judgement;
  out += "\nJUDGEMENT\n";
  out += fmt::format("  {}\n", judgement.text.empty() ? "none yet" : visible(judgement.text));
  if (judgement.likelihood) {
    const finding::LikelihoodWord& word = finding::word_of(*judgement.likelihood);
    out += fmt::format("  about {}\n  likelihood: {} ({} to {} of 100)\n", visible(finding::judged_in_words(finding)),
                       word.phrase, word.least_percent, word.most_percent);
  }
  if (!judgement.despite.empty()) out += fmt::format("  despite most against it: {}\n", visible(judgement.despite));
  if (finding.confidence)
    out +=
        (fmt::format("  confidence: {}. {}\n", finding::name_of(*finding.confidence), visible(finding.confidence_why)));
}

void add_lists(std::string& out, const finding::Finding& finding) {
  out += "\nHYPOTHESES\n";
  std::vector<std::vector<std::string>> rows;
  for (const finding::Hypothesis& hypothesis : finding.hypotheses)
    rows.push_back({"  " + visible(hypothesis.id), hypothesis.kind,
                    hypothesis.actor.empty() ? "-" : visible(hypothesis.actor), visible(hypothesis.text)});
  out += in_columns(rows);
  for (const finding::Equivalence& claim : finding.equivalences)
    out += fmt::format("  {} says that {} and {} are one actor (a claim; nothing is merged)\n", visible(claim.origin),
                       visible(claim.name), visible(claim.other));
  out += "\nORIGINS\n";
  rows.clear();
  for (const finding::Origin& origin : finding.origins)
    rows.push_back({"  " + visible(origin.id), origin.kind, shown(origin.text)});
  out += in_columns(rows);
  out += "\nEVIDENCE\n";
  rows.clear();
  for (const finding::Evidence& evidence : finding.evidence)
    rows.push_back({"  " + visible(evidence.id), evidence.kind, grade_in_words(evidence.grade),
                    origins_in_words(finding::corroboration_of(evidence)), sightings_in_words(evidence),
                    shown(evidence.summary)});
  out += in_columns(rows);
  out += grades_in_words(finding);
  out += "\nKEY ASSUMPTIONS\n";
  for (const finding::Assumption& assumption : finding.assumptions)
    out += fmt::format("  {}  {}\n", visible(assumption.id), shown(assumption.text));
}

void add_standing(std::string& out, const NamedFinding& named) {
  if (!named.frozen) {
    out +=
        (fmt::format("\nWorking copy {} in the group {}: only you have it.\n", visible(named.name), named.group.name));
    return;
  }
  const finding::Case& of = *named.frozen;
  const auto in_words = [](const std::vector<std::string>& nicks) {
    return nicks.empty() ? std::string("nobody") : group::in_words(nicks);
  };
  out += fmt::format("\nSIGNATURES\n  hash: {}\n  frozen by {}, signed by {}, published by {}\n", to_hex(of.hash),
                     of.draft.nick, in_words(of.signers), in_words(of.publishers()));
  for (const finding::SignedDissent& dissent : of.dissents) {
    out += fmt::format("  DISSENT of {}:\n", dissent.dissent.nick);
    for (const finding::DissentPoint& point : dissent.dissent.points)
      out += fmt::format("    {}{}: {}\n", visible(point.about),
                         point.likelihood ? fmt::format(", {}", finding::word_of(*point.likelihood).phrase) : "",
                         visible(point.text));
  }
  for (const finding::Withdrawn& one : of.withdrawals)
    out += fmt::format("  WITHDRAWN by {} on {}: {}\n", one.place.nick, to_rfc3339(one.time),
                       visible(one.signed_withdrawal.withdrawal.reason));
}

OrderedJson matrix_json(const finding::Finding& finding) {
  OrderedJson scores = OrderedJson::array(), critical = OrderedJson::array();
  for (const finding::Score& score : finding::scores_of(finding))
    scores.push_back({{"hypothesis", score.hypothesis},
                      {"inconsistency_quarters", score.inconsistency},
                      {"origins", finding::corroboration_of(finding, score.hypothesis)}});
  for (const finding::CriticalRow& row : finding::critical_rows(finding))
    critical.push_back({{"evidence", row.evidence}, {"changes_first", row.changes_first}});
  return {{"scores", std::move(scores)}, {"critical_rows", std::move(critical)}};
}

}  // namespace

std::string in_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    text += line + "\n";
  }
  return text;
}

std::string matrix_in_words(const finding::Finding& finding) {
  std::string out;
  std::vector<std::vector<std::string>> rows(1, {"", "GRADE", "WEIGHT"});
  for (const finding::Hypothesis& hypothesis : finding.hypotheses) rows[0].push_back(visible(hypothesis.id));
  for (const finding::Evidence& evidence : finding.evidence) {
    std::vector<std::string> row = {visible(evidence.id), grade_in_words(evidence.grade),
                                    finding::quarters(finding::weight_of(evidence.grade))};
    for (const finding::Hypothesis& hypothesis : finding.hypotheses) {
      const auto cell = finding.cell(evidence.id, hypothesis.id);
      row.emplace_back(cell ? finding::name_of(*cell) : "?");
    }
    if (!finding::is_diagnostic(finding, evidence.id)) row.emplace_back("tells nothing apart");
    rows.push_back(std::move(row));
  }
  std::vector<std::string> against = {"against", "", ""}, origins = {"origins for", "", ""};
  const std::vector<finding::Score> scores = finding::scores_of(finding);
  for (const finding::Hypothesis& hypothesis : finding.hypotheses) {
    const auto score = std::ranges::find(scores, hypothesis.id, &finding::Score::hypothesis);
    against.push_back(finding::quarters(score->inconsistency));
    origins.push_back(std::to_string(finding::corroboration_of(finding, hypothesis.id)));
  }
  rows.push_back(std::move(against));
  rows.push_back(std::move(origins));
  out += in_columns(rows);
  out += "(CC, C: fits; N: neither; I, II: speaks against it, once or twice its weight; NA: does not bear on it)\n";
  for (const finding::CriticalRow& row : finding::critical_rows(finding))
    out += fmt::format("Without {} {}.\n", visible(row.evidence),
                       row.changes_first ? "another hypothesis would come first, or as well"
                                         : "the order would be another, but not who comes first");
  return out;
}

Result<std::string> finding_in_words(vault::Vault& vault, const NamedFinding& named) {
  TRY(const std::string grounds, grounds_in_words(vault, named));
  std::string out;
  const finding::Finding& finding = named.finding();
  out += fmt::format("{}\n  {}\n  TLP:{}  PAP:{}  revision {}  evidence from {} to {}\n", visible(finding.title),
                     visible(finding.question), indicator::name_of(finding.tlp), indicator::name_of(finding.pap),
                     finding.revision, to_rfc3339(finding.period_from), to_rfc3339(finding.period_to));
  if (finding.created != 0) out += fmt::format("  made on {}, by the drafter's clock\n", to_rfc3339(finding.created));
  if (finding.supersedes != Digest{})
    out += fmt::format("  replaces {}\n", to_hex(finding.supersedes).substr(0, kShownDigits));
  add_judgement(out, finding);
  add_lists(out, finding);
  if (!finding.evidence.empty()) out += grounds;
  out += "\nMATRIX\n";
  out += matrix_in_words(finding);
  add_standing(out, named);
  return out;
}

OrderedJson json_of(const NamedFinding& named) {
  const std::string text = finding::working_text(named.finding());
  OrderedJson json = {{"group", named.group.name}, {"working_copy", !named.frozen}};
  // The object stands in the second line.
  json["finding"] = OrderedJson::parse(text.substr(text.find('\n') + 1));
  json["matrix"] = matrix_json(named.finding());
  if (!named.frozen) return json;
  json["hash"] = to_hex(named.frozen->hash);
  json["signers"] = named.frozen->signers;
  json["publishers"] = named.frozen->publishers();
  json["dissents"] = OrderedJson::array();
  for (const finding::SignedDissent& dissent : named.frozen->dissents) {
    OrderedJson points = OrderedJson::array();
    for (const finding::DissentPoint& point : dissent.dissent.points)
      points.push_back(
          {{"about", point.about},
           {"likelihood", point.likelihood ? std::string(finding::word_of(*point.likelihood).name) : std::string()},
           {"text", point.text}});
    json["dissents"].push_back(
        {{"member", dissent.dissent.nick}, {"hash", to_hex(dissent.hash)}, {"points", std::move(points)}});
  }
  return json;
}

std::string remarks_in_words(std::span<const finding::Remark> remarks) {
  std::vector<std::vector<std::string>> rows;
  for (const finding::Remark& remark : remarks)
    rows.push_back({remark.severity == finding::Severity::refuses ? "REFUSES" : "warns", std::string(remark.rule),
                    remark.where, visible(remark.sentence)});
  return in_columns(rows);
}

}  // namespace parley::cli
