// Statements that replace a key, from any bytes: what is taken is exactly what its owner's keys make of it.
#include "check.h"
#include "log/rotation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const std::string_view text = fuzz_text(data, size);
  // The corpus is signed by these; nobody else's word counts.
  const auto id_of = [](std::uint8_t seed) {
    return log::vkey_of("parley.example/m/alpha/id", log::KeyType::ed25519, fixed_seed(seed));
  };
  check(!log::read_rotation(text, id_of(9)));
  const auto rotation = log::read_rotation(text, id_of(1));
  if (!rotation) return 0;
  const crypto::SigningKey id(fixed_seed(1)), next(fixed_seed(2)), old(fixed_seed(3));
  check(rotation->next.key == next.public_key());
  check(!log::old_key_signs(rotation->reason) || rotation->old.key == old.public_key());
  const auto again = log::read_rotation(log::make_rotation(*rotation, id_of(1).name, id, next, &old), id_of(1));
  check(again && *again == *rotation);
  return 0;
}
