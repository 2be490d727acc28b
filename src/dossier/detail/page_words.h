// The words of a dossier's page in the languages that it speaks.
#pragma once

#include <array>
#include <string_view>

#include "dossier/page.h"

namespace parley::dossier::detail {

/// The page's own words.
struct Words {
  std::string_view code, direction;
  std::string_view verified, unanchored, judgement, likelihood, confidence, question, period, hypotheses, hypothesis,
      kind, actor, claim, evidence, what, source, information, origins, seen_by, came_from, entries, entry, when, says,
      not_shown, matrix, against, decides, tells_nothing, dissent, nobody_dissents, about, signers, published_by,
      silent, nobody, assumptions, withheld, remarks, proven, not_proven, check, trust, hash, charter, says_same,
      nothing_merged, withdrawn, too_few_stand, made, revision, replaces, despite;
  std::string_view range;  ///< with {0} and {1} for the bounds of a likelihood in percent
  std::string_view cells;  ///< what the values of the matrix mean
  std::array<std::string_view, 7> likelihoods;
  std::array<std::string_view, 3> confidences;
  std::array<std::string_view, 6> sources;           ///< A to F
  std::array<std::string_view, 6> informations;      ///< 1 to 6
  std::array<std::string_view, 3> hypothesis_kinds;  ///< in the order of finding::kHypothesisKinds
  std::array<std::string_view, 6> origin_kinds;      ///< in the order of finding::kOriginKinds
  std::array<std::string_view, 3> proves;
  std::array<std::string_view, 6> proves_not;
};

const Words& words_of(Language language);

}  // namespace parley::dossier::detail
