// Secret key files: from any bytes, and with any content of the sealed box. One spelling of each is taken.
#include "check.h"
#include "crypto/aead.h"
#include "group/key_file.h"

namespace {

using namespace parley;

void check_box(group::KeyRing ring, ByteView content) {
  const Secret<32> key = fixed_seed(1);
  group::KeyFile file;
  file.nick = "alpha";
  file.ring = ring;
  if (ring == group::KeyRing::group) file.group = "7d1f3c90";
  file.derivation.kind = group::KeyDerivation::Kind::key_file;
  file.box = crypto::seal_with_nonce(key, {}, content, as_bytes(file.head()));
  const auto seeds = group::open_key_file(file, key);
  if (!seeds) {
    check(seeds.error().code == Errc::format);
    return;
  }
  const group::KeyFile again = group::seal_key_file(file.nick, ring, file.derivation, key, *seeds, file.group);
  const auto written = crypto::open(key, again.box, as_bytes(again.head()));
  check(written && constant_time_equal(written->expose(), content));
  check(group::parse_key_file(again.text()).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz_text(data, size);
  if (const auto file = group::parse_key_file(text)) check(file->text() == text);
  check_box(group::KeyRing::id, fuzz_bytes(data, size));
  check_box(group::KeyRing::online, fuzz_bytes(data, size));
  check_box(group::KeyRing::group, fuzz_bytes(data, size));
  return 0;
}
