// Lint of the judgement and of what people write in words.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hidden.h"
#include "base/text.h"
#include "finding/detail/remarks.h"
#include "finding/matrix.h"

namespace parley::finding::detail {
namespace {

/// The other row of ICD 203's terms, and its neighbours in other schools.
constexpr std::array<std::string_view, 14> kSynonyms = {"remote",
                                                        "highly improbable",
                                                        "improbable",
                                                        "improbably",
                                                        "roughly even odds",
                                                        "probable",
                                                        "probably",
                                                        "highly probable",
                                                        "nearly certain",
                                                        "highly likely",
                                                        "highly unlikely",
                                                        "even chance of",
                                                        "realistic possibility",
                                                        "almost certainly not"};
constexpr std::array<std::string_view, 9> kCertain = {"certainly", "undoubtedly",  "without doubt",
                                                      "no doubt",  "beyond doubt", "proves",
                                                      "is proven", "definitely",   "100 per cent"};
constexpr std::array<std::string_view, 7> kHedges = {
    "may", "might", "could", "possibly", "perhaps", "maybe", "we cannot rule out"};
constexpr std::array<std::string_view, 6> kConfidencePhrases = {"low confidence",    "moderate confidence",
                                                                "high confidence",   "medium confidence",
                                                                "confidence is low", "confidence is high"};
constexpr int kFewestIndependent = 2;

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

/// The likelihoods that a text in lower case names. "Very likely" is not "likely" as well, and "certainly" has its own
/// rule.
std::set<Likelihood> likelihoods_in(std::string text) {
  std::set<Likelihood> found;
  // The longer phrases first, and each taken out before the shorter ones in it are looked for.
  constexpr std::array kOrder = {Likelihood::almost_no_chance,
                                 Likelihood::very_unlikely,
                                 Likelihood::roughly_even_chance,
                                 Likelihood::very_likely,
                                 Likelihood::almost_certain,
                                 Likelihood::unlikely,
                                 Likelihood::likely};
  for (const Likelihood likelihood : kOrder) {
    const std::string_view phrase = word_of(likelihood).phrase;
    while (has_phrase(text, phrase)) {
      found.insert(likelihood);
      const std::size_t at = text.find(phrase);
      text.replace(at, phrase.size(), "#");
    }
  }
  return found;
}

/// White space as one blank each time: no phrase is another one for being broken over a line or spaced otherwise. What
/// Unicode 17.0.0, PropList.txt, has as White_Space.
std::string in_single_blanks(std::string_view text) {
  constexpr std::array<std::string_view, 25> kWhite = {
      "\t",     "\n",     "\v",     "\f",     "\r",     " ",      "\u0085", "\u00a0", "\u1680",
      "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
      "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};
  std::string out;
  while (!text.empty()) {
    const auto white = std::ranges::find_if(kWhite, [&](std::string_view one) { return text.starts_with(one); });
    if (white == kWhite.end())
      out += text.front();
    else if (out.empty() || out.back() != ' ')
      out += ' ';
    text.remove_prefix(white == kWhite.end() ? 1 : white->size());
  }
  return out;
}

/// Judged sentence by sentence: up to a full stop, a question or exclamation mark, or an empty line.
std::vector<std::string> sentences_of(std::string_view text) {
  std::vector<std::string> sentences(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 == text.size() ? '\n' : text[i + 1];
    const bool ends = text[i] == '!' || text[i] == '?' || (text[i] == '\n' && next == '\n') ||
                      (text[i] == '.' && (next == ' ' || next == '\n'));
    if (ends)
      sentences.emplace_back();
    else
      sentences.back() += text[i];
  }
  for (std::string& sentence : sentences) sentence = in_single_blanks(sentence);
  return sentences;
}

bool speaks_of_confidence(std::string_view sentence) {
  return std::ranges::any_of(kConfidencePhrases, [&](std::string_view phrase) { return has_phrase(sentence, phrase); });
}

bool has_percentage(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' && text.substr(i, 8) != "per cent" && text.substr(i, 7) != "percent") continue;
    std::size_t digit = i;
    while (digit > 0 && text[digit - 1] == ' ') --digit;
    if (digit > 0 && text[digit - 1] >= '0' && text[digit - 1] <= '9') return true;
  }
  return false;
}

template <std::size_t N>
std::string_view first_in(const std::string& text, const std::array<std::string_view, N>& phrases) {
  const auto found = std::ranges::find_if(phrases, [&](std::string_view phrase) { return has_phrase(text, phrase); });
  return found == phrases.end() ? std::string_view() : *found;
}

void lint_likelihood(const std::string& text, const std::string& where, const Judgement& judgement, Remarks& remarks) {
  for (const Likelihood named : likelihoods_in(text))
    if (judgement.likelihood && named != *judgement.likelihood)
      remarks.add("other-likelihood-in-text", where,
                  fmt::format("It says \"{}\" and the field \"{}\".", word_of(named).phrase,
                              word_of(*judgement.likelihood).phrase));
}

void lint_judged_words(const Judgement& judgement, Remarks& remarks) {
  const std::string text = in_single_blanks(lower(judgement.text));
  const std::string where = "/judgement/text";
  lint_likelihood(text, where, judgement, remarks);
  if (const auto synonym = first_in(text, kSynonyms); !synonym.empty())
    remarks.add("synonym-in-text", where,
                fmt::format("\"{}\" is not one of the seven terms; write the term of the field.", synonym));
  if (has_percentage(text))
    remarks.add("percentage-in-text", where, "A percentage stands in it; the term of the field says how likely.");
  if (const auto certain = first_in(text, kCertain); !certain.empty())
    remarks.add("certainty-in-text", where, fmt::format("\"{}\" claims more than any finding can.", certain));
  if (const auto hedge = first_in(text, kHedges); !hedge.empty())
    remarks.add("hedge-in-text", where, fmt::format("\"{}\" weakens what the likelihood says already.", hedge));
}

void lint_standing(const Finding& finding, Remarks& remarks) {
  const Judgement& judgement = finding.judgement;
  const std::vector<Score> scores = scores_of(finding);
  const auto judged = std::ranges::find(scores, judgement.hypothesis, &Score::hypothesis);
  if (judged == scores.end()) return;
  const bool is_least = judged->inconsistency == scores.front().inconsistency;
  const bool is_most = !is_least && judged->inconsistency == scores.back().inconsistency;
  if (is_most && judgement.despite.empty())
    remarks.add("judged-most-inconsistent", "/judgement/hypothesis",
                fmt::format("Most speaks against {}; say why it is judged all the same (--despite), or judge another.",
                            visible(judgement.hypothesis)));
  if (!is_most && !judgement.despite.empty())
    remarks.add("despite-without-need", "/judgement/despite",
                fmt::format("{} is not the most inconsistent hypothesis.", visible(judgement.hypothesis)));
  if (!is_least)
    remarks.add("judged-not-least-inconsistent", "/judgement/hypothesis",
                fmt::format("Less speaks against {} than against {}.", visible(scores.front().hypothesis),
                            visible(judgement.hypothesis)));
  for (const Score& score : scores)
    if (is_least && score.inconsistency == judged->inconsistency && score.hypothesis != judgement.hypothesis)
      remarks.add("judged-tied", "/judgement/hypothesis",
                  fmt::format("As little speaks against {} as against {}; the judgement rests on something that is not "
                              "in the matrix.",
                              visible(score.hypothesis), visible(judgement.hypothesis)));
  for (const CriticalRow& row : critical_rows(finding))
    if (row.changes_first)
      remarks.add("judged-on-one-row", "/matrix",
                  fmt::format("Without {} another hypothesis would come first, or as well.", visible(row.evidence)));
}

void lint_confidence(const Finding& finding, Remarks& remarks) {
  if (!finding.confidence) remarks.add("confidence-missing", "/confidence/level", "It states no confidence.");
  if (finding.confidence_why.empty())
    remarks.add("confidence-why-missing", "/confidence/why", "It does not say why it is so confident.");
  if (!likelihoods_in(in_single_blanks(lower(finding.confidence_why))).empty())
    remarks.add("likelihood-in-confidence", "/confidence/why", "The reason for the confidence speaks of a likelihood.");
  const std::size_t corroboration = corroboration_of(finding, finding.judgement.hypothesis);
  if (finding.confidence == Confidence::high && corroboration < kFewestIndependent)
    remarks.add("high-on-one-origin", "/confidence/level",
                fmt::format("High confidence on {} independent origin.", corroboration));
  const bool near_certain = finding.judgement.likelihood == Likelihood::almost_certain ||
                            finding.judgement.likelihood == Likelihood::almost_no_chance;
  if (near_certain && finding.confidence == Confidence::low)
    remarks.add("certain-on-low-confidence", "/confidence/level", "A judgement near certainty with low confidence.");
}

void lint_assumptions(const Finding& finding, Remarks& remarks) {
  if (finding.assumptions.empty()) remarks.add("assumptions-missing", "/key_assumptions", "It names no assumption.");
  std::set<std::string> ids, texts;
  for (std::size_t i = 0; i < finding.assumptions.size(); ++i) {
    const Assumption& assumption = finding.assumptions[i];
    const std::string where = fmt::format("/key_assumptions/{}", i);
    const bool formed = assumption.id.size() >= 2 && assumption.id[0] == 'k' &&
                        std::ranges::all_of(assumption.id.substr(1), [](char c) { return c >= '0' && c <= '9'; });
    if (!formed || !ids.insert(assumption.id).second)
      remarks.add("assumption-id", where, fmt::format("\"{}\" is no id, or stands twice.", visible(assumption.id)));
    if (assumption.text.shown && assumption.text.text.empty())
      remarks.add("assumption-text-missing", where, fmt::format("{} assumes nothing.", visible(assumption.id)));
    else if (assumption.text.shown && !texts.insert(lower(assumption.text.text)).second)
      remarks.add("assumption-twice", where, fmt::format("{} is said twice.", visible(assumption.id)));
  }
}

struct NamedText {
  std::string where;
  const std::string* text;
};

std::vector<NamedText> texts_of(const Finding& finding) {
  std::vector<NamedText> texts = {{"/title", &finding.title},
                                  {"/question", &finding.question},
                                  {"/judgement/text", &finding.judgement.text},
                                  {"/judgement/despite", &finding.judgement.despite},
                                  {"/confidence/why", &finding.confidence_why}};
  for (std::size_t i = 0; i < finding.evidence.size(); ++i)
    texts.push_back({fmt::format("/evidence/{}/summary", i), &finding.evidence[i].summary.text});
  for (std::size_t i = 0; i < finding.assumptions.size(); ++i)
    texts.push_back({fmt::format("/key_assumptions/{}/text", i), &finding.assumptions[i].text.text});
  for (std::size_t i = 0; i < finding.origins.size(); ++i)
    texts.push_back({fmt::format("/origins/{}/text", i), &finding.origins[i].text.text});
  for (std::size_t i = 0; i < finding.hypotheses.size(); ++i) {
    texts.push_back({fmt::format("/hypotheses/{}/text", i), &finding.hypotheses[i].text});
    texts.push_back({fmt::format("/hypotheses/{}/actor", i), &finding.hypotheses[i].actor});
  }
  for (std::size_t i = 0; i < finding.equivalences.size(); ++i) {
    texts.push_back({fmt::format("/equivalences/{}/name", i), &finding.equivalences[i].name});
    texts.push_back({fmt::format("/equivalences/{}/other", i), &finding.equivalences[i].other});
  }
  return texts;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lowered;
}

bool has_phrase(std::string_view text, std::string_view phrase) {
  for (std::size_t at = text.find(phrase); at != text.npos; at = text.find(phrase, at + 1)) {
    const std::size_t end = at + phrase.size();
    const bool begins = at == 0 || !is_word_character(text[at - 1]);
    if (begins && (end == text.size() || !is_word_character(text[end]))) return true;
  }
  return false;
}

void lint_judgement(const Finding& finding, Remarks& remarks) {
  const Judgement& judgement = finding.judgement;
  const Hypothesis* judged = finding.hypothesis(judgement.hypothesis);
  if (judged == nullptr)
    remarks.add("judgement-of-nothing", "/judgement/hypothesis", "It judges none of the hypotheses.");
  if (!judgement.likelihood) remarks.add("likelihood-missing", "/judgement/likelihood", "It does not say how likely.");
  if (judgement.text.empty()) remarks.add("judgement-text-missing", "/judgement/text", "The judgement has no words.");
  if (judged != nullptr && corroboration_of(finding, judged->id) == 0)
    remarks.add("judged-without-support", "/judgement/hypothesis",
                fmt::format("No evidence fits {} (C or CC).", visible(judged->id)));
  lint_standing(finding, remarks);
  lint_likelihood(in_single_blanks(lower(finding.title)), "/title", judgement, remarks);
  lint_judged_words(judgement, remarks);
  lint_confidence(finding, remarks);
  lint_assumptions(finding, remarks);
}

void lint_texts(const Finding& finding, Remarks& remarks) {
  for (const NamedText& named : texts_of(finding)) {
    for (const std::string& sentence : sentences_of(lower(*named.text)))
      if (speaks_of_confidence(sentence) && !likelihoods_in(sentence).empty())
        remarks.add("likelihood-with-confidence", named.where,
                    "A likelihood and a confidence stand in one sentence; make two sentences of it.");
    if (const std::string hidden = hidden_in(*named.text, true); !hidden.empty())
      remarks.add("hidden-characters", named.where, hidden.substr(1));
    const bool blank_edge =
        !named.text->empty() && (named.text->front() == ' ' || named.text->back() == ' ' || named.text->back() == '\n');
    if (blank_edge) remarks.add("blank-edges", named.where, "It begins or ends with a blank.");
  }
}

}  // namespace parley::finding::detail
