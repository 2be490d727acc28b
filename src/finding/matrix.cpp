#include "finding/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
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

/// Distinct origins, in the order in which they came.
using Group = std::vector<std::string>;

void add_to(Group& group, const std::string& origin) {
  if (std::ranges::find(group, origin) == group.end()) group.push_back(origin);
}

/// Those with two or more.
std::vector<Group> of_several(std::vector<Group> groups) {
  std::erase_if(groups, [](const Group& group) { return group.size() < 2; });
  return groups;
}

std::vector<Group> groups_by_rule(std::span<const Sighting> seen) {
  std::map<std::string_view, std::size_t> place_of;
  std::vector<Group> groups;
  for (const Sighting& sighting : seen) {
    if (sighting.rule.empty()) continue;
    const auto [place, is_new] = place_of.try_emplace(sighting.rule, groups.size());
    if (is_new) groups.emplace_back();
    add_to(groups[place->second], sighting.origin);
  }
  return of_several(std::move(groups));
}

std::vector<Group> groups_by_time(std::span<const Sighting> seen) {
  std::vector<const Sighting*> ordered;
  for (const Sighting& sighting : seen)
    if (sighting.first_seen != 0) ordered.push_back(&sighting);
  std::ranges::stable_sort(ordered, {}, &Sighting::first_seen);
  std::vector<Group> groups;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    if (i == 0 || ordered[i]->first_seen - ordered[i - 1]->first_seen > kSameMoment) groups.emplace_back();
    add_to(groups.back(), ordered[i]->origin);
  }
  return of_several(std::move(groups));
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
    const std::vector<Group> by_rule = groups_by_rule(evidence.seen);
    const auto is_told = [&](const Group& group) {
      return std::ranges::any_of(by_rule, [&](const Group& other) {
        return std::ranges::all_of(
            group, [&](const std::string& origin) { return std::ranges::find(other, origin) != other.end(); });
      });
    };
    for (const Group& group : by_rule) hints.push_back({evidence.id, group, true});
    for (const Group& group : groups_by_time(evidence.seen))
      if (!is_told(group)) hints.push_back({evidence.id, group, false});
  }
  return hints;
}

std::string quarters(std::int64_t quarters) {
  constexpr std::array<std::string_view, 4> kFractions = {"", ".25", ".5", ".75"};
  return fmt::format("{}{}", quarters / kQuarters, kFractions[static_cast<std::size_t>(quarters % kQuarters)]);
}

}  // namespace parley::finding
