#include "finding/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace parley::finding {
namespace {

constexpr UnixSeconds kSameMoment = 1;
constexpr std::int64_t kQuarters = 4;

/// The scores in the order of the finding, as if the row of `without` were not there.
std::vector<Score> scores_without(const Finding& finding, std::string_view without) {
  std::vector<Score> scores;
  for (const Hypothesis& hypothesis : finding.hypotheses) {
    Score& score = scores.emplace_back(hypothesis.id);
    for (const Evidence& evidence : finding.evidence) {
      if (evidence.id == without) continue;
      const auto cell = finding.cell(evidence.id, hypothesis.id);
      if (cell) score.inconsistency += std::int64_t{inconsistency_of(*cell)} * weight_of(evidence.grade);
    }
  }
  return scores;
}

int sign_of(std::int64_t difference) {
  return (difference > 0) - (difference < 0);
}

/// Whether some two hypotheses stand otherwise to each other.
bool is_other_order(const std::vector<Score>& one, const std::vector<Score>& other) {
  for (std::size_t i = 0; i < one.size(); ++i)
    for (std::size_t j = i + 1; j < one.size(); ++j)
      if (sign_of(one[i].inconsistency - one[j].inconsistency) !=
          sign_of(other[i].inconsistency - other[j].inconsistency))
        return true;
  return false;
}

std::set<std::string> first_of(const std::vector<Score>& scores) {
  std::set<std::string> first;
  if (scores.empty()) return first;
  const std::int64_t least = std::ranges::min(scores, {}, &Score::inconsistency).inconsistency;
  for (const Score& score : scores)
    if (score.inconsistency == least) first.insert(score.hypothesis);
  return first;
}

}  // namespace

std::vector<Score> scores_of(const Finding& finding) {
  std::vector<Score> ordered;
  for (Score& score : scores_without(finding, {}))
    ordered.insert(std::ranges::upper_bound(ordered, score.inconsistency, {}, &Score::inconsistency), std::move(score));
  return ordered;
}

std::vector<CriticalRow> critical_rows(const Finding& finding) {
  std::vector<CriticalRow> critical;
  const std::vector<Score> all = scores_without(finding, {});
  for (const Evidence& evidence : finding.evidence) {
    const std::vector<Score> rest = scores_without(finding, evidence.id);
    if (is_other_order(all, rest)) critical.push_back({evidence.id, first_of(all) != first_of(rest)});
  }
  return critical;
}

bool is_diagnostic(const Finding& finding, std::string_view evidence) {
  const Row* row = finding.row(evidence);
  if (row == nullptr || row->cells.empty()) return true;
  return std::ranges::any_of(row->cells, [&](const Cell& cell) { return cell.value != row->cells.front().value; });
}

std::size_t corroboration_of(const Evidence& evidence) {
  std::set<std::string_view> origins;
  for (const Sighting& sighting : evidence.seen) origins.insert(sighting.origin);
  return origins.size();
}

std::size_t corroboration_of(const Finding& finding, std::string_view hypothesis) {
  std::set<std::string_view> origins;
  for (const Evidence& evidence : finding.evidence) {
    const auto cell = finding.cell(evidence.id, hypothesis);
    if (cell != Consistency::consistent && cell != Consistency::very_consistent) continue;
    for (const Sighting& sighting : evidence.seen) origins.insert(sighting.origin);
  }
  return origins.size();
}

std::vector<SameOriginHint> same_origin_hints(const Finding& finding) {
  std::vector<SameOriginHint> hints;
  for (const Evidence& evidence : finding.evidence) {
    for (std::size_t i = 0; i < evidence.seen.size(); ++i) {
      for (std::size_t j = i + 1; j < evidence.seen.size(); ++j) {
        const Sighting& one = evidence.seen[i];
        const Sighting& other = evidence.seen[j];
        if (one.origin == other.origin) continue;
        const bool by_rule = !one.rule.empty() && one.rule == other.rule;
        const bool by_time = one.first_seen != 0 && other.first_seen != 0 &&
                             one.first_seen - other.first_seen <= kSameMoment &&
                             other.first_seen - one.first_seen <= kSameMoment;
        if (by_rule || by_time) hints.push_back({evidence.id, one.origin, other.origin, by_rule});
      }
    }
  }
  return hints;
}

std::string quarters(std::int64_t quarters) {
  constexpr std::array<std::string_view, 4> kFractions = {"", ".25", ".5", ".75"};
  return fmt::format("{}{}", quarters / kQuarters, kFractions[static_cast<std::size_t>(quarters % kQuarters)]);
}

}  // namespace parley::finding
