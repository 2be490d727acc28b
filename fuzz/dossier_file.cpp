// Dossiers from any bytes: one spelling is taken, and none verifies under a charter that the corpus does not have.
#include "check.h"
#include "dossier/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const std::string_view text = fuzz_text(data, size);
  if (const auto dossier = dossier::parse_dossier(text)) check(dossier::write_dossier(*dossier) == text);
  const dossier::Verdict verdict = dossier::verify_dossier(text, {});
  check(verdict.holds == (verdict.contents != nullptr));
  check(!verdict.holds || verdict.steps.size() == 12);
  check(!dossier::verify_dossier(text, {.charter = Digest{}, .id_keys = {}}).holds);
  (void)dossier::parse_anchor(text);
  return 0;
}
