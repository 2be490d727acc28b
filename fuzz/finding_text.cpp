// Findings from any bytes: one spelling is taken, and lint, matrix and openings cope with whatever it says.
#include "check.h"
#include "finding/lint.h"
#include "finding/matrix.h"
#include "finding/signing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const std::string_view text = fuzz_text(data, size);
  group::Charter charter;
  charter.members = {{.keys = {.nick = "alpha", .node = {}, .log = {}, .cosign = {}},
                      .card = {},
                      .id = log::vkey_of("parley.local/m/alpha/id", log::KeyType::ed25519, fixed_seed(1)),
                      .tls_key = {}}};
  for (const bool working : {false, true}) {
    auto finding = working ? finding::read_working_text(text) : finding::read_finding_text(text);
    if (!finding) continue;
    check((working ? finding::working_text(*finding) : finding::finding_text(*finding)) == text);
    (void)finding::lint(*finding, charter, {});
    (void)finding::critical_rows(*finding);
    check(finding::scores_of(*finding).size() == finding->hypotheses.size());
    if (!working) continue;
    const auto openings = finding::freeze(*finding);
    auto frozen = finding::read_finding_text(finding::finding_text(*finding));
    if (frozen) check(finding::open(*frozen, openings).has_value());
  }
  if (const auto dissent = finding::read_dissent(text, charter)) check(!dissent->dissent.points.empty());
  return 0;
}
