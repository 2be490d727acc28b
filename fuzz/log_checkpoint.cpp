// Checkpoints from any bytes: as notes of a log and its cosigners, and as texts. One spelling is taken.
#include "check.h"
#include "log/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  const std::string_view text = fuzz_text(data, size);
  const Secret<32> log_seed = fixed_seed(1);
  const Secret<32> cosign_seed = fixed_seed(2);
  const log::VerifierKey cosigner = log::vkey_of("m", log::KeyType::cosignature, cosign_seed);
  if (const auto note = log::parse_note(text)) {
    const std::string_view origin = std::string_view(note->text).substr(0, note->text.find('\n'));
    const log::VerifierKey key = log::vkey_of(origin, log::KeyType::ed25519, log_seed);
    if (const auto read = log::read_cosigned(text, key, std::span(&cosigner, 1))) {
      check(read->checkpoint.text() == note->text);
      check(read->cosigners.size() <= 1);
    }
  }
  const auto checkpoint = log::parse_checkpoint(text);
  if (!checkpoint) return 0;
  check(checkpoint->text() == text);
  const log::VerifierKey key = log::vkey_of(checkpoint->origin, log::KeyType::ed25519, log_seed);
  const std::string note = log::sign_checkpoint(*checkpoint, log_seed);
  check(*log::read_checkpoint(note, key) == *checkpoint);
  const auto cosigned =
      log::add_cosignature(note, log::cosign(*checkpoint, cosigner.name, cosign_seed, size), cosigner);
  check(cosigned.has_value());
  check(log::read_cosigned(*cosigned, key, std::span(&cosigner, 1))->cosigners[0].time == size);
  return 0;
}
