#include "session/run_terms.h"

#include "crypto/hash.h"

namespace parley::session {
namespace {

constexpr std::string_view kSidDomain = "parley/v1/sid";  // psi.md 0.3.2
constexpr std::string_view kSeedDomain{"parley/seed/v1\0", 15};

}  // namespace

Digest seed_commitment(const Secret<32>& seed) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kSeedDomain));
  hash.update(seed.expose());
  return hash.finish();
}

Digest run_id(const NamingSteps& steps) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kSidDomain));
  for (const Digest& step : {steps.proposal, steps.asker_commit, steps.acceptance, steps.responder_commit})
    hash.update(step);
  return hash.finish();
}

psi::Reply reply_of(const Question& question) {
  if (question.direction != Direction::both) return psi::Reply::none;
  return question.function == Function::count ? psi::Reply::count : psi::Reply::matched_tags;
}

}  // namespace parley::session
