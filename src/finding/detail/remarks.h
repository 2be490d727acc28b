// Gathers what lint finds; the parts of lint are in files of their own.
#pragma once

#include <map>

#include "finding/lint.h"

namespace parley::finding::detail {

class Remarks {
 public:
  /// Precondition: `rule` is in rules().
  void add(std::string_view rule, std::string where, std::string sentence);
  std::vector<Remark> take();

 private:
  struct Warnings {
    std::size_t count = 0;
    std::size_t last = 0;  // place of the remark that says how many there are beyond
  };
  std::vector<Remark> remarks_;
  std::map<std::string_view, Warnings> warnings_;  // by rule
};

void lint_frame(const Finding& finding, const group::Charter& charter, const Digest& charter_hash, Remarks& remarks);
void lint_origins(const Finding& finding, Remarks& remarks);
void lint_hypotheses(const Finding& finding, Remarks& remarks);
void lint_evidence(const Finding& finding, const group::Charter& charter, Remarks& remarks);
void lint_matrix(const Finding& finding, Remarks& remarks);
void lint_judgement(const Finding& finding, Remarks& remarks);
/// The words of a text that people write: hidden characters, and likelihood and confidence in one sentence.
void lint_texts(const Finding& finding, Remarks& remarks);

/// `text` in lower case, ASCII only.
std::string lower(std::string_view text);
/// Whether `phrase` stands in `text` (both in lower case) with no letter or digit on either side.
bool has_phrase(std::string_view text, std::string_view phrase);

}  // namespace parley::finding::detail
