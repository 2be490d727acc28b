// C2SP signed notes and verifier keys (c2sp.org/signed-note, 2024; log.md D1 and 1.1): the one signature container.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "crypto/ed25519.h"
#include "log/pjson.h"

namespace parley::log {

/// Algorithm byte of a verifier key.
enum class KeyType : std::uint8_t { ed25519 = 0x01, cosignature = 0x04 };

/// 1 to 255 bytes of valid UTF-8 without spaces of any kind, control characters and '+' (c2sp.org/signed-note).
bool is_key_name(std::string_view name);

/// Admission of a foreign Ed25519 public key: a canonical encoding of a point of the prime-order group (log.md 1.1).
/// @error Errc::key_weak
Status admit_public_key(const ByteArray<32>& key);

/// The public half of a note key.
struct VerifierKey {
  std::string name;
  KeyType type = KeyType::ed25519;
  ByteArray<32> key{};

  /// SHA-256(name || 0x0A || type || key)[:4].
  ByteArray<4> id() const;
  /// name+hex(id)+base64(type||key).
  std::string text() const;
  bool operator==(const VerifierKey&) const = default;
};

/// @error Errc::format, Errc::key_weak
Result<VerifierKey> parse_vkey(std::string_view text);

/// The verifier key that belongs to `seed`.
VerifierKey vkey_of(std::string_view name, KeyType type, const Secret<32>& seed);

struct NoteSignature {
  std::string name;
  ByteArray<4> key_id{};
  Bytes signature;  ///< without the key id; its form is that of the key's type
  bool operator==(const NoteSignature&) const = default;
};

struct Note {
  std::string text;  ///< ends with a newline; what is signed
  std::vector<NoteSignature> signatures;
};

inline constexpr std::size_t kMaxNoteBytes = 1 << 20;

/// Takes the exact form only: text, empty line, 1 to 64 signature lines. Nothing is verified yet. @error Errc::format,
/// Errc::limit
Result<Note> parse_note(std::string_view note);

/// `text` (ending with a newline) with one signature by `key`.
std::string sign_note(std::string_view text, std::string_view key_name, const crypto::SigningKey& key);

/// The bytes of a note: write_note(parse_note(x)) == x. Precondition: a note that parse_note could have given.
std::string write_note(const Note& note);

/// An Ed25519 signature of `text` by `key`, to be added to a note. Precondition: `text` ends with a newline.
NoteSignature make_signature(std::string_view text, std::string_view key_name, const crypto::SigningKey& key);

/// `note` with one more signature, over the same text, after the others. What is there already is not verified.
/// @error Errc::exists if a signature by this key is there; Errc::limit at 64 signatures; Errc::format
Result<std::string> add_signature(std::string_view note, std::string_view key_name, const crypto::SigningKey& key);

/// Which of `keys` signed `note`: positions in `keys`, ascending, each public key once however often and under however
/// many names it stands in the note or in `keys`. Signatures by keys that are not in `keys` are not counted.
/// @error Errc::signature if a signature that claims to be by one of `keys` does not verify, or if none of them signed
Result<std::vector<std::size_t>> verified_signers(const Note& note, std::span<const VerifierKey> keys);

/// One signature of `note` is by `key`, and it verifies. @error Errc::signature
Status verify_note(const Note& note, const VerifierKey& key);

/// A note whose text is `kind` (e.g. "parley/hello/v1"), a newline, one PJ1 object and a newline.
std::string sign_object(std::string_view kind, const Json& object, std::string_view key_name,
                        const crypto::SigningKey& key);

/// Takes back what sign_object made: exactly one signature, by `key`, over an object of that kind. Verified before
/// parsed.
/// @error Errc::format, Errc::limit, Errc::signature
Result<Json> read_object(std::string_view note, std::string_view kind, const VerifierKey& key, std::size_t limit_bytes);

/// The object of such a note before its signer is known (a card names its own key). The caller verifies afterwards.
/// @error Errc::format, Errc::limit
Result<Json> read_object_unverified(const Note& note, std::string_view kind, std::size_t limit_bytes);

}  // namespace parley::log
