// Faults from any bytes: one spelling is taken, and whatever is shown, nothing is proven about a member whose keys
// signed nothing.
#include "check.h"
#include "log/fault.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const std::string_view text = fuzz_text(data, size);
  if (const auto fault = log::parse_fault(text)) check(log::write_fault(*fault) == text);
  // The corpus has faults by the keys of seeds 1 and 2; the honest member's are others.
  const auto member = [](std::uint8_t first) {
    return log::MemberKeys{"alpha", log::vkey_of("g/alpha/node", log::KeyType::ed25519, fixed_seed(first)),
                           log::vkey_of("g/alpha", log::KeyType::ed25519, fixed_seed(first + 1)),
                           log::vkey_of("g/alpha/mirror", log::KeyType::cosignature, fixed_seed(first + 2))};
  };
  const log::MemberKeys guilty = member(1), honest = member(11);
  if (const auto verdict = log::verify_fault(text, std::span(&guilty, 1))) check(!verdict->proves.empty());
  check(!log::verify_fault(text, std::span(&honest, 1)));
  return 0;
}
