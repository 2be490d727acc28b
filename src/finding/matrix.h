// The analysis of competing hypotheses (Heuer, chapter 8): what speaks against each hypothesis, which evidence tells
// them apart, and what the order hangs on. And how many independent origins stand behind a thing.
#pragma once

#include "finding/finding.h"

namespace parley::finding {

/// What speaks against a hypothesis, in quarters of an inconsistent row of full weight (weight_of()). Evidence that
/// fits counts for nothing: what fits everything proves nothing.
struct Score {
  std::string hypothesis;
  std::int64_t inconsistency = 0;
  bool operator==(const Score&) const = default;
};

/// One score a hypothesis, the least inconsistent first; of equal ones in the order of the finding.
std::vector<Score> scores_of(const Finding& finding);

/// A row without which the hypotheses would stand in another order.
struct CriticalRow {
  std::string evidence;
  bool changes_first = false;  ///< another hypothesis would be the least inconsistent, or one more
  bool operator==(const CriticalRow&) const = default;
};
std::vector<CriticalRow> critical_rows(const Finding& finding);

/// Whether the row says the same of all hypotheses, so that it does not help to choose. A row that is missing does.
bool is_diagnostic(const Finding& finding, std::string_view evidence);

/// How many distinct origins an item has. Members who have it from one origin count once.
std::size_t corroboration_of(const Evidence& evidence);
/// The same over all evidence that fits a hypothesis (C or CC).
std::size_t corroboration_of(const Finding& finding, std::string_view hypothesis);

/// Different origins of an item that look like one: caught by the same rule, or each first seen within a second of
/// another of them.
struct SameOriginHint {
  std::string evidence;
  std::vector<std::string> origins;  ///< ids, in the order of the sightings; two or more
  bool by_rule = false;              ///< else by time
};
/// In the order of the evidence, of an item those by rule first. Those by time only that no rule has shown already.
std::vector<SameOriginHint> same_origin_hints(const Finding& finding);

/// "2.25" for 9 quarters.
std::string quarters(std::int64_t quarters);

}  // namespace parley::finding
