// Opened matches of a reveal: one spelling is taken, what would be stored is an object of the opened fields, and
// nothing that was not committed to passes.
#include <algorithm>

#include "check.h"
#include "session/opening.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const std::string_view text = fuzz_text(data, size);
  const auto opening = session::read_opening(text);
  if (opening) {
    check(session::write_opening(*opening) == text);
    if (const auto context = session::opened_context(*opening)) {
      check(context->object() != nullptr && context->object()->size() <= opening->fields.size());
      for (const auto& [path, value] : *context->object()) check(session::field_index(path).has_value());
      check(log::parse_pjson(log::write_pjson(*context), session::kMaxOpeningBytes).has_value());
    }
    const Digest root{};  // of no tree that anybody can make
    check(!session::check_opening(*opening, "00112233445566778899aabbccddeeff", root, root));
  }
  if (const auto offered = session::read_offered(fuzz_bytes(data, size), 0)) {
    const Bytes again = session::write_offered(*offered);
    check(std::ranges::equal(again, fuzz_bytes(data, size)));
    check(!offered->is_in(Digest{}, 1));
  }
  if (const auto restored = session::Commitments::restore(fuzz_bytes(data, size))) {
    const SecretBytes again = restored->serialize();
    check(constant_time_equal(again.expose(), fuzz_bytes(data, size)));
  }
  return 0;
}
