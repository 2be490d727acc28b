#include "log/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>

#include "base/encoding.h"
#include "base/text.h"
#include "crypto/ed25519.h"

namespace parley::log {
namespace {

constexpr std::uint64_t kMaxTime = (std::uint64_t{1} << 63) - 1;  // c2sp.org/tlog-cosignature
constexpr std::size_t kMaxSizeDigits = 16;

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::format, fmt::format("Not a checkpoint: {}.", why));
}

std::string cosigned_message(const Checkpoint& checkpoint, std::uint64_t time) {
  return fmt::format("cosignature/v1\ntime {}\n{}", time, checkpoint.text());
}

/// The next line of `text` without its newline, which must be there.
Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return malformed("it must have three lines");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

Result<std::uint64_t> parse_size(std::string_view digits) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (digits.empty() || digits.size() > kMaxSizeDigits || error != std::errc() ||
      end != digits.data() + digits.size() || (digits[0] == '0' && digits.size() > 1) || size > kMaxTreeSize) {
    return malformed("its second line must be the size, a decimal number below 2^53");
  }
  return size;
}

Result<Note> parse_checkpoint_note(std::string_view note) {
  if (note.size() > kMaxCheckpointBytes) {
    return fail(Errc::limit, fmt::format("A checkpoint note of {} bytes is longer than its limit of {}.", note.size(),
                                         kMaxCheckpointBytes));
  }
  return parse_note(note);
}

using Verified = std::span<const NoteSignature>;

bool is_by(const NoteSignature& signature, const VerifierKey& key) {
  return signature.name == key.name && signature.key_id == key.id();
}

bool stands_in(Verified verified, const NoteSignature& signature) {
  return std::ranges::find(verified, signature) != verified.end();
}

/// Whether there are signatures by the key, and all of them were verified before.
bool was_verified(const Note& note, const VerifierKey& key, Verified verified) {
  bool any = false;
  for (const NoteSignature& signature : note.signatures) {
    if (!is_by(signature, key)) continue;
    if (!stands_in(verified, signature)) return false;
    any = true;
  }
  return any;
}

/// What `log` signed of a parsed note.
Result<Checkpoint> read_signed(const Note& note, const VerifierKey& log, Verified verified = {}) {
  if (log.type != KeyType::ed25519) return fail(Errc::signature, "The key of a log must be an Ed25519 key.");
  if (!was_verified(note, log, verified)) TRY_STATUS(verify_note(note, log));
  TRY(Checkpoint checkpoint, parse_checkpoint(note.text));
  if (checkpoint.origin != log.name) {
    return malformed(fmt::format("its origin is not {}, whose key signed it", visible(log.name)));
  }
  return checkpoint;
}

/// The earliest time that a key's cosignatures on a note state; nothing if there are none.
Result<std::optional<std::uint64_t>> earliest_time(const Checkpoint& checkpoint, const Note& note,
                                                   const VerifierKey& cosigner, Verified verified = {},
                                                   FalseLine false_line = FalseLine::fails_the_note) {
  std::optional<std::uint64_t> earliest;
  for (const NoteSignature& signature : note.signatures) {
    if (!is_by(signature, cosigner)) continue;
    if (!stands_in(verified, signature)) {
      const auto good = verify_cosignature(checkpoint, signature, cosigner);
      if (!good && false_line == FalseLine::does_not_count) continue;
      if (!good) return std::unexpected(good.error());
    }
    const auto time = read_be<std::uint64_t>(signature.signature);
    earliest = earliest ? std::min(*earliest, time) : time;
  }
  return earliest;
}

}  // namespace

std::string Checkpoint::text() const {
  return fmt::format("{}\n{}\n{}\n", origin, size, to_base64(root));
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  Checkpoint checkpoint;
  TRY(const std::string_view origin, take_line(text));
  if (!is_key_name(origin)) return malformed("its first line must be the name of a log's key");
  checkpoint.origin = origin;
  TRY(const std::string_view size, take_line(text));
  TRY(checkpoint.size, parse_size(size));
  TRY(const std::string_view root, take_line(text));
  const auto hash = from_base64(root);
  if (!hash || hash->size() != checkpoint.root.size()) return malformed("its third line must be a hash in base64");
  std::ranges::copy(*hash, checkpoint.root.begin());
  if (!text.empty()) return malformed("something follows its three lines");
  if ((checkpoint.size == 0) != (checkpoint.root == empty_root())) {
    return malformed("its hash is that of the empty tree although its size is not, or the other way round");
  }
  return checkpoint;
}

std::string sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& log_key) {
  return sign_note(checkpoint.text(), checkpoint.origin, log_key);
}

Result<Checkpoint> read_checkpoint(std::string_view note, const VerifierKey& log) {
  TRY(const Note parsed, parse_checkpoint_note(note));
  return read_signed(parsed, log);
}

NoteSignature cosign(const Checkpoint& checkpoint, std::string_view key_name, const crypto::SigningKey& key,
                     std::uint64_t time) {
  assert(time <= kMaxTime);
  Bytes blob;
  append_be(blob, time);
  append(blob, key.sign(as_bytes(cosigned_message(checkpoint, time))));
  return {std::string(key_name), VerifierKey{std::string(key_name), KeyType::cosignature, key.public_key()}.id(),
          std::move(blob)};
}

Result<std::uint64_t> verify_cosignature(const Checkpoint& checkpoint, const NoteSignature& signature,
                                         const VerifierKey& cosigner) {
  if (cosigner.type != KeyType::cosignature) return fail(Errc::signature, "This key is not for cosignatures.");
  TRY_STATUS(verify_note({checkpoint.text(), {signature}}, cosigner));
  const auto time = read_be<std::uint64_t>(signature.signature);
  if (time > kMaxTime) return fail(Errc::signature, "A cosignature states a time that no clock shows.");
  return time;
}

Result<std::string> add_cosignature(std::string_view note, const NoteSignature& signature,
                                    const VerifierKey& cosigner) {
  TRY(Note parsed, parse_checkpoint_note(note));
  TRY(const Checkpoint checkpoint, parse_checkpoint(parsed.text));
  TRY(const std::uint64_t time, verify_cosignature(checkpoint, signature, cosigner));
  TRY(const std::optional<std::uint64_t> present, earliest_time(checkpoint, parsed, cosigner));
  if (present && *present >= time) return std::string(note);
  std::erase_if(parsed.signatures, [&](const NoteSignature& other) {
    return other.name == signature.name && other.key_id == signature.key_id;
  });
  if (parsed.signatures.size() > kMaxCosignatures) {
    return fail(Errc::limit, fmt::format("A checkpoint carries at most {} cosignatures.", kMaxCosignatures));
  }
  parsed.signatures.push_back(signature);
  return write_note(parsed);
}

Result<CosignedCheckpoint> read_cosigned(std::string_view note, const VerifierKey& log,
                                         std::span<const VerifierKey> cosigners) {
  TRY(const Note parsed, parse_checkpoint_note(note));
  return read_cosigned(parsed, log, cosigners);
}

Result<CosignedCheckpoint> read_cosigned(const Note& note, const VerifierKey& log,
                                         std::span<const VerifierKey> cosigners,
                                         std::span<const NoteSignature> verified, FalseLine false_line) {
  CosignedCheckpoint read;
  TRY(read.checkpoint, read_signed(note, log, verified));
  for (std::size_t i = 0; i < cosigners.size(); ++i) {
    const bool counted = cosigners[i].key == log.key || std::ranges::any_of(read.cosigners, [&](const Cosigner& other) {
                           return cosigners[other.key].key == cosigners[i].key;
                         });
    TRY(const std::optional<std::uint64_t> time,
        earliest_time(read.checkpoint, note, cosigners[i], verified, false_line));
    if (time && !counted) read.cosigners.push_back({i, *time});
  }
  return read;
}

}  // namespace parley::log
