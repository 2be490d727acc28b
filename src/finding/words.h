// The fixed words of analysts. Likelihood and confidence are two things and stay two fields (ICD 203, 2015, D.6.e); an
// item's source and its information are graded apart (the Admiralty scale of NATO AJP-2.1 and FM 2-22.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::finding {

/// How likely a hypothesis is. One row of ICD 203's terms; the other row's synonyms are refused.
enum class Likelihood : std::uint8_t {
  almost_no_chance,
  very_unlikely,
  unlikely,
  roughly_even_chance,
  likely,
  very_likely,
  almost_certain,
};

struct LikelihoodWord {
  Likelihood value;
  std::string_view name;    ///< in notes and commands
  std::string_view phrase;  ///< in sentences
  int least_percent, most_percent;
};
/// Percentages of ICD 203; the MISP taxonomy estimative-language v5 has the same.
inline constexpr std::array kLikelihoods = {
    LikelihoodWord{Likelihood::almost_no_chance, "almost-no-chance", "almost no chance", 1, 5},
    LikelihoodWord{Likelihood::very_unlikely, "very-unlikely", "very unlikely", 5, 20},
    LikelihoodWord{Likelihood::unlikely, "unlikely", "unlikely", 20, 45},
    LikelihoodWord{Likelihood::roughly_even_chance, "roughly-even-chance", "roughly even chance", 45, 55},
    LikelihoodWord{Likelihood::likely, "likely", "likely", 55, 80},
    LikelihoodWord{Likelihood::very_likely, "very-likely", "very likely", 80, 95},
    LikelihoodWord{Likelihood::almost_certain, "almost-certain", "almost certain", 95, 99},
};
const LikelihoodWord& word_of(Likelihood likelihood);
/// By its name or its phrase. Nothing for a synonym.
std::optional<Likelihood> likelihood_named(std::string_view name);

/// How well founded a judgement is.
enum class Confidence : std::uint8_t { low, moderate, high };
inline constexpr std::array kConfidences = {Confidence::low, Confidence::moderate, Confidence::high};
std::string_view name_of(Confidence confidence);
std::optional<Confidence> confidence_named(std::string_view name);
/// On the scale None/Low/Med/High of STIX 2.1, appendix A: 15, 50, 85.
int stix_confidence(Confidence confidence);

/// Both halves of the Admiralty scale. 0 is not graded yet.
struct Grade {
  char source = 0;      ///< 'A' completely reliable … 'E' unreliable, 'F' cannot be judged
  int information = 0;  ///< 1 confirmed … 5 improbable, 6 cannot be judged
  bool operator==(const Grade&) const = default;
  bool is_complete() const { return source >= 'A' && source <= 'F' && information >= 1 && information <= 6; }
};
/// "B2" and nothing else. MISP's G ("deliberately deceptive") is no source grade here.
std::optional<Grade> grade_named(std::string_view name);
std::string_view words_of_source(char source);
std::string_view words_of_information(int information);
/// On STIX 2.1 appendix A's Admiralty credibility scale: 90, 70, 50, 30, 10; nothing for 6.
std::optional<int> stix_confidence_of_information(int information);
/// What an inconsistent row weighs, in quarters: 4 for sources A and B with information 1 and 2; 2 for what is no worse
/// than C and 3; else 1.
int weight_of(Grade grade);

/// How a piece of evidence goes with a hypothesis (Heuer, Psychology of Intelligence Analysis, chapter 8).
enum class Consistency : std::uint8_t {
  very_consistent,
  consistent,
  neutral,
  inconsistent,
  very_inconsistent,
  not_applicable,
};
/// "CC", "C", "N", "I", "II", "NA".
std::string_view name_of(Consistency consistency);
std::optional<Consistency> consistency_named(std::string_view name);
/// 1 for I, 2 for II, else 0.
int inconsistency_of(Consistency consistency);

}  // namespace parley::finding
