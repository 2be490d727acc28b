// libFuzzer: vault.hdr as anybody may have written it.
// What is taken must be written again as it was read.
#include <cstdlib>

#include "vault/detail/key_slots.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const parley::ByteView input(reinterpret_cast<const std::byte*>(data), size);
  const auto header = parley::vault::detail::parse_header(input);
  if (header && header->text() != parley::as_text(input)) std::abort();
  return 0;
}
