// Signed notes and verifier keys from any bytes: only one spelling is taken, and a text that stands in a note can be
// signed again and verifies.
#include "base/encoding.h"
#include "check.h"
#include "log/note.h"

namespace {

using namespace parley;

constexpr std::string_view kKeyName = "parley.local/m/alpha/node";

std::string written(const log::Note& note) {
  std::string text = note.text + "\n";
  for (const log::NoteSignature& signature : note.signatures) {
    Bytes blob = to_bytes(ByteView(signature.key_id));
    append(blob, signature.signature);
    text += "— " + signature.name + " " + to_base64(blob) + "\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz_text(data, size);
  if (const auto key = log::parse_vkey(text)) check(key->text() == text);

  const auto note = log::parse_note(text);
  if (!note) return 0;
  check(written(*note) == text);
  const Secret<32> seed = fixed_seed(1);
  const log::VerifierKey key = log::vkey_of(kKeyName, log::KeyType::ed25519, seed);
  const bool verifies = log::verify_note(*note, key).has_value();
  // Ed25519 signatures by this seed have one form, so what verifies is what sign_note() writes.
  if (verifies && note->signatures.size() == 1) check(log::sign_note(note->text, kKeyName, seed) == text);

  const auto again = log::parse_note(log::sign_note(note->text, kKeyName, seed));
  check(again && again->text == note->text && log::verify_note(*again, key).has_value());
  if (const auto object = log::read_object_unverified(*note, "parley/step/v1", size))
    check(note->text == "parley/step/v1\n" + log::write_pjson(*object) + "\n");
  return 0;
}
