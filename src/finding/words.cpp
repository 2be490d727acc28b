#include "finding/words.h"

#include <algorithm>
#include <cassert>

namespace parley::finding {
namespace {

constexpr std::array<std::string_view, 3> kConfidenceNames = {"low", "moderate", "high"};
constexpr std::array kStixConfidences = {15, 50, 85};
constexpr std::array<std::string_view, 6> kConsistencyNames = {"CC", "C", "N", "I", "II", "NA"};
constexpr std::array<std::string_view, 6> kSources = {"completely reliable",  "usually reliable", "fairly reliable",
                                                      "not usually reliable", "unreliable",       "cannot be judged"};
constexpr std::array<std::string_view, 6> kInformation = {
    "confirmed by other sources", "probably true", "possibly true", "doubtful", "improbable", "cannot be judged"};
constexpr std::array kStixInformation = {90, 70, 50, 30, 10};
constexpr int kWeightOfGood = 4, kWeightOfFair = 2, kWeightOfRest = 1;

}  // namespace

const LikelihoodWord& word_of(Likelihood likelihood) {
  return kLikelihoods[static_cast<std::size_t>(likelihood)];
}

std::optional<Likelihood> likelihood_named(std::string_view name) {
  for (const LikelihoodWord& word : kLikelihoods)
    if (name == word.name || name == word.phrase) return word.value;
  return std::nullopt;
}

std::string_view name_of(Confidence confidence) {
  return kConfidenceNames[static_cast<std::size_t>(confidence)];
}

std::optional<Confidence> confidence_named(std::string_view name) {
  for (const Confidence confidence : kConfidences)
    if (name == name_of(confidence)) return confidence;
  return std::nullopt;
}

int stix_confidence(Confidence confidence) {
  return kStixConfidences[static_cast<std::size_t>(confidence)];
}

std::optional<Grade> grade_named(std::string_view name) {
  if (name.size() != 2) return std::nullopt;
  const Grade grade{name[0], name[1] - '0'};
  return grade.is_complete() ? std::optional(grade) : std::nullopt;
}

std::string_view words_of_source(char source) {
  return source < 'A' || source > 'F' ? "not graded" : kSources[static_cast<std::size_t>(source - 'A')];
}

std::string_view words_of_information(int information) {
  return information < 1 || information > 6 ? "not graded" : kInformation[static_cast<std::size_t>(information - 1)];
}

std::optional<int> stix_confidence_of_information(int information) {
  if (information < 1 || information > static_cast<int>(kStixInformation.size())) return std::nullopt;
  return kStixInformation[static_cast<std::size_t>(information - 1)];
}

int weight_of(Grade grade) {
  if (!grade.is_complete()) return kWeightOfRest;
  if (grade.source <= 'B' && grade.information <= 2) return kWeightOfGood;
  return grade.source <= 'C' && grade.information <= 3 ? kWeightOfFair : kWeightOfRest;
}

std::string_view name_of(Consistency consistency) {
  return kConsistencyNames[static_cast<std::size_t>(consistency)];
}

std::optional<Consistency> consistency_named(std::string_view name) {
  const auto found = std::ranges::find(kConsistencyNames, name);
  if (found == kConsistencyNames.end()) return std::nullopt;
  return static_cast<Consistency>(found - kConsistencyNames.begin());
}

int inconsistency_of(Consistency consistency) {
  if (consistency == Consistency::very_inconsistent) return 2;
  return consistency == Consistency::inconsistent ? 1 : 0;
}

}  // namespace parley::finding
