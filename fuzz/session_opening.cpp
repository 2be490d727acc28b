// Opened matches of a reveal: one spelling is taken, what would be stored is an object of the opened fields, and
// nothing that was not committed to passes.
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
    check(!session::check_opening(root, opening->indicator, opening->index, opening->salt, opening->items_path,
                                  opening->context_path, opening->commitments, opening->fields, root, root, 256));
  }
  if (const auto restored = session::Commitments::restore(fuzz_bytes(data, size))) {
    const SecretBytes again = restored->serialize();
    check(constant_time_equal(again.expose(), fuzz_bytes(data, size)));
  }
  return 0;
}
