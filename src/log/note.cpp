// Signed notes and verifier keys in their exact form (c2sp.org/signed-note, c2sp.org/tlog-cosignature).
// Verified first, parsed afterwards: nothing here looks into the text of a note.
#include "log/note.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/encoding.h"
#include "base/text.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"

namespace parley::log {
namespace {

constexpr std::string_view kSignaturePrefix = "— ";
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kEd25519SignatureBytes = 64;
constexpr std::size_t kTimestampBytes = 8;  // of a cosignature
constexpr std::size_t kMaxSignatures = 64;  // the specification asks for at least 16
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxVkeyBytes = 512;
constexpr std::size_t kMaxSignatureBytes = 8192;  // room for post-quantum signatures, "nearly 5 kB"

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::format, fmt::format("Not a signed note: {}.", why));
}

/// Unicode's White_Space beyond ASCII, as UTF-8.
constexpr std::string_view kUnicodeSpaces[] = {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
                                               "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
                                               "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

bool has_only_note_characters(std::string_view text) {
  bool has_others = false;  // looked for without a branch a character: notes are read more than all else
  for (const char c : text) has_others |= static_cast<unsigned char>(c) < ' ' && c != '\n';
  return !has_others && is_valid_utf8(text);
}

/// A line of `signatures` without its newline: "— name base64".
Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(kSignaturePrefix)) return malformed("a signature line does not begin with an em dash");
  line.remove_prefix(kSignaturePrefix.size());
  const std::size_t space = line.find(' ');
  if (space == line.npos) return malformed("a signature line has no signature");
  const std::string_view name = line.substr(0, space);
  const std::string_view encoded = line.substr(space + 1);
  if (!is_key_name(name)) return malformed("a signature line has no proper key name");
  if (encoded.size() > kMaxSignatureBytes) return malformed("a signature is too long");
  const auto blob = from_base64(encoded);
  if (!blob || blob->size() <= kKeyIdBytes) return malformed("a signature is not in base64");
  NoteSignature signature{std::string(name), {}, Bytes(blob->begin() + kKeyIdBytes, blob->end())};
  std::copy_n(blob->begin(), kKeyIdBytes, signature.key_id.begin());
  return signature;
}

bool verify_ed25519(const VerifierKey& key, std::string_view text, ByteView signature) {
  if (signature.size() != kEd25519SignatureBytes) return false;
  return crypto::verify(key.key, as_bytes(text), signature.first<kEd25519SignatureBytes>());
}

/// A cosignature is u64be time and a signature over the time and the text (c2sp.org/tlog-cosignature).
bool verify_cosignature(const VerifierKey& key, std::string_view text, ByteView blob) {
  if (blob.size() != kTimestampBytes + kEd25519SignatureBytes) return false;
  const std::string message = fmt::format("cosignature/v1\ntime {}\n{}", read_be<std::uint64_t>(blob), text);
  return verify_ed25519(key, message, blob.subspan(kTimestampBytes));
}

bool verify_one(const VerifierKey& key, std::string_view text, ByteView signature) {
  switch (key.type) {
    case KeyType::ed25519:
      return verify_ed25519(key, text, signature);
    case KeyType::cosignature:
      return verify_cosignature(key, text, signature);
  }
  return false;
}

/// "— name base64", with its newline.
std::string signature_line(const NoteSignature& signature) {
  Bytes blob = to_bytes(ByteView(signature.key_id));
  append(blob, signature.signature);
  return fmt::format("{}{} {}\n", kSignaturePrefix, signature.name, to_base64(blob));
}

std::unexpected<Error> false_signature(const VerifierKey& key) {
  return fail(Errc::signature, fmt::format("A signature by {} does not verify: the note was altered or is a forgery.",
                                           visible(key.name)));
}

/// Whether `key` signed. Every signature that claims to be by this key must verify, so that no two verifiers can look
/// at different ones.
Result<bool> signed_by(const Note& note, const VerifierKey& key) {
  bool verified = false;
  const ByteArray<4> id = key.id();
  for (const NoteSignature& signature : note.signatures) {
    if (signature.name != key.name || signature.key_id != id) continue;
    if (!verify_one(key, note.text, signature.signature)) return false_signature(key);
    verified = true;
  }
  return verified;
}

}  // namespace

bool is_key_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes) return false;
  bool is_ascii = true;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '+' || c == '\x7f') return false;
    is_ascii = is_ascii && static_cast<unsigned char>(c) < 0x80;
  }
  if (is_ascii) return true;
  return is_valid_utf8(name) &&
         std::ranges::none_of(kUnicodeSpaces, [&](std::string_view space) { return name.contains(space); });
}

Status admit_public_key(const ByteArray<32>& key) {
  if (crypto::is_admissible_public_key(key)) return {};
  return fail(Errc::key_weak,
              "This public key is not a canonical point of the prime-order group; no honest program makes such a key.");
}

ByteArray<4> VerifierKey::id() const {
  crypto::Sha256 hash;
  hash.update(as_bytes(name));
  const ByteArray<2> newline_and_type{std::byte{'\n'}, static_cast<std::byte>(type)};
  hash.update(newline_and_type);
  hash.update(key);
  const Digest digest = hash.finish();
  ByteArray<4> id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

std::string VerifierKey::text() const {
  Bytes typed_key{static_cast<std::byte>(type)};
  append(typed_key, key);
  return fmt::format("{}+{}+{}", name, to_hex(id()), to_base64(typed_key));
}

Result<VerifierKey> parse_vkey(std::string_view text) {
  const auto refuse = [](std::string_view why) {
    return fail(Errc::format, fmt::format("Not a verifier key: {}.", why));
  };
  if (text.size() > kMaxVkeyBytes) return refuse("it is too long");
  if (!is_valid_utf8(text)) return refuse("it is not valid UTF-8");
  const std::size_t first = text.find('+');
  const std::size_t second = first == text.npos ? first : text.find('+', first + 1);
  if (second == text.npos) return refuse("it must be name+id+key");
  VerifierKey key;
  key.name = text.substr(0, first);
  if (!is_key_name(key.name)) return refuse("its name is empty, too long or has spaces");
  const auto typed_key = from_base64(text.substr(second + 1));
  if (!typed_key || typed_key->size() != 1 + key.key.size()) return refuse("its key must be base64 of 33 bytes");
  key.type = static_cast<KeyType>((*typed_key)[0]);
  if (key.type != KeyType::ed25519 && key.type != KeyType::cosignature)
    return refuse("its algorithm is not known here");
  std::copy(typed_key->begin() + 1, typed_key->end(), key.key.begin());
  if (text.substr(first + 1, second - first - 1) != to_hex(key.id()))
    return refuse("its id does not belong to its name and key");
  TRY_STATUS(admit_public_key(key.key));
  return key;
}

VerifierKey vkey_of(std::string_view name, KeyType type, const Secret<32>& seed) {
  return {std::string(name), type, crypto::public_key_of(seed)};
}

Result<Note> parse_note(std::string_view note) {
  if (note.size() > kMaxNoteBytes) {
    return fail(Errc::limit,
                fmt::format("A note of {} bytes is longer than the limit of {}.", note.size(), kMaxNoteBytes));
  }
  if (!has_only_note_characters(note)) return malformed("it has control characters or is not valid UTF-8");
  const std::size_t split = note.rfind("\n\n");
  if (split == note.npos) return malformed("an empty line must stand between the text and the signatures");
  Note parsed;
  parsed.text = note.substr(0, split + 1);
  std::string_view lines = note.substr(split + 2);
  if (lines.empty() || lines.back() != '\n') return malformed("it must end with a signature line");
  while (!lines.empty()) {
    if (parsed.signatures.size() == kMaxSignatures) {
      return fail(Errc::limit, fmt::format("A note with more than {} signatures.", kMaxSignatures));
    }
    const std::size_t end = lines.find('\n');
    TRY(NoteSignature signature, parse_signature(lines.substr(0, end)));
    parsed.signatures.push_back(std::move(signature));
    lines.remove_prefix(end + 1);
  }
  return parsed;
}

std::string sign_note(std::string_view text, std::string_view key_name, const crypto::SigningKey& key) {
  return write_note({std::string(text), {make_signature(text, key_name, key)}});
}

std::string write_note(const Note& note) {
  std::string out = note.text + "\n";
  for (const NoteSignature& signature : note.signatures) out += signature_line(signature);
  return out;
}

NoteSignature make_signature(std::string_view text, std::string_view key_name, const crypto::SigningKey& key) {
  assert(text.ends_with('\n'));
  const crypto::Signature signature = key.sign(as_bytes(text));
  return {std::string(key_name), VerifierKey{std::string(key_name), KeyType::ed25519, key.public_key()}.id(),
          to_bytes(ByteView(signature))};
}

Result<std::string> add_signature(std::string_view note, std::string_view key_name, const crypto::SigningKey& key) {
  TRY(const Note parsed, parse_note(note));
  if (!is_key_name(key_name)) return malformed("the name of the key that is to sign is no proper one");
  if (parsed.signatures.size() == kMaxSignatures) {
    return fail(Errc::limit, fmt::format("A note carries at most {} signatures.", kMaxSignatures));
  }
  const NoteSignature signature = make_signature(parsed.text, key_name, key);
  for (const NoteSignature& other : parsed.signatures) {
    if (other.name == signature.name && other.key_id == signature.key_id) {
      return fail(Errc::exists, fmt::format("{} has signed this note already.", visible(key_name)));
    }
  }
  std::string out = std::string(note) + signature_line(signature);
  if (out.size() > kMaxNoteBytes) {
    return fail(Errc::limit,
                fmt::format("With another signature the note would be longer than {} bytes.", kMaxNoteBytes));
  }
  return out;
}

Result<std::vector<std::size_t>> verified_signers(const Note& note, std::span<const VerifierKey> keys) {
  std::vector<std::size_t> signers;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    TRY(const bool verified, signed_by(note, keys[i]));
    const auto is_same_key = [&](std::size_t signer) { return keys[signer].key == keys[i].key; };
    if (verified && std::ranges::none_of(signers, is_same_key)) signers.push_back(i);
  }
  if (signers.empty()) return fail(Errc::signature, "The note is signed by none of the keys that are known here.");
  return signers;
}

Status verify_note(const Note& note, const VerifierKey& key) {
  TRY(const bool verified, signed_by(note, key));
  if (!verified) return fail(Errc::signature, fmt::format("The note is not signed by {}.", visible(key.name)));
  return {};
}

std::string sign_object(std::string_view kind, const Json& object, std::string_view key_name,
                        const crypto::SigningKey& key) {
  return sign_note(fmt::format("{}\n{}\n", kind, write_pjson(object)), key_name, key);
}

Result<Json> read_object(std::string_view note, std::string_view kind, const VerifierKey& key,
                         std::size_t limit_bytes) {
  if (note.size() > limit_bytes) {
    return fail(Errc::limit,
                fmt::format("A {} note of {} bytes is longer than its limit of {}.", kind, note.size(), limit_bytes));
  }
  TRY(const Note parsed, parse_note(note));
  if (parsed.signatures.size() != 1) return malformed("exactly one signature is due");
  TRY_STATUS(verify_note(parsed, key));
  return read_object_unverified(parsed, kind, limit_bytes);
}

Result<Json> read_object_unverified(const Note& note, std::string_view kind, std::size_t limit_bytes) {
  std::string_view text = note.text;
  if (!text.starts_with(kind) || text.substr(kind.size(), 1) != "\n") {
    return malformed(fmt::format("its first line must be {}", kind));
  }
  text.remove_prefix(kind.size() + 1);
  if (text.empty() || text.back() != '\n') return malformed("its second line must be an object");
  text.remove_suffix(1);
  return parse_pjson(text, limit_bytes);
}

}  // namespace parley::log
