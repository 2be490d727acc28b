// A case for other tools: JSON-LD by the CASE and UCO ontologies (caseontology.org, unifiedcyberontology.org, 1.x). The
// pieces of evidence with their hashes, a provenance record for each, and each step of the chain of custody as an
// investigative action. The pieces themselves are not in it.
#pragma once

#include <string>

#include "evidence/case.h"

namespace parley::evidence {

/// The same bytes for the same case: names of nodes are made of its id and of numbers in it.
std::string write_case_uco(const CaseView& view);

}  // namespace parley::evidence
