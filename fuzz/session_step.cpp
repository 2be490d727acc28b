// Steps of a session: any object as the body of each type. What is taken is what this program writes. The entries that
// carry them: log_entry.cpp and mirror_take.cpp.
#include "check.h"
#include "session/accounting.h"
#include "session/canary_alarm.h"
#include "session/reveal.h"
#include "session/step.h"

namespace {

using namespace parley;

template <typename Body>
void check_body(const log::Json& json) {
  const auto body = Body::from_json(json);
  if (!body) {
    check(body.error().code == Errc::format);
    return;
  }
  check(body->to_json() == json);
}

void check_bodies(const log::Json& json) {
  check_body<session::Proposal>(json);
  check_body<session::Acceptance>(json);
  check_body<session::Refusal>(json);
  check_body<session::Commitment>(json);
  check_body<session::ResultStep>(json);
  check_body<session::Abort>(json);
  check_body<session::RevealConsent>(json);
  check_body<session::RevealOffer>(json);
  check_body<session::RevealEnd>(json);
  check_body<session::CanaryOpinion>(json);
  if (const auto settled = session::settled_from_json(json)) check(session::to_json(*settled) == json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz_text(data, size);
  if (const auto body = log::parse_pjson(text, 1 << 14)) check_bodies(*body);
  return 0;
}
