// vault.hdr: the vault key, wrapped once for each way to open the vault (key_slots.h).
// log.md 7.1 and 1.3; docs/vault-format.md, "vault.hdr".
#include "vault/detail/key_slots.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/random.h"

namespace parley::vault::detail {
namespace {

constexpr std::string_view kMagic = "parley-vault/v";
constexpr const char* kHeaderKeyContext = "parleyvh";  // crypto_kdf context of the header's own key
constexpr std::uint64_t kHeaderKeyId = 1;

std::unexpected<Error> damaged(std::string what) {
  return fail(Errc::vault_damaged, what + " Put vault.hdr back from a backup.");
}

Digest blake2b(ByteView message, ByteView key) {
  Digest digest;
  crypto_generichash(as_uchar_mutable(digest), digest.size(), as_uchar(message), message.size(),
                     key.empty() ? nullptr : as_uchar(key), key.size());
  return digest;
}

Digest mac_of(const Secret<32>& vault_key, std::string_view body) {
  Secret<32> key;
  crypto_kdf_derive_from_key(as_uchar_mutable(key.expose_mutable()), 32, kHeaderKeyId, kHeaderKeyContext,
                             as_uchar(vault_key.expose()));
  return blake2b(as_bytes(body), key.expose());
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || (text.size() > 1 && text.front() == '0')) return {};
  return value;
}

template <std::size_t N>
bool take_base64(std::string_view text, ByteArray<N>& out) {
  const std::optional<Bytes> bytes = from_base64(text);
  if (!bytes || bytes->size() != N) return false;
  std::ranges::copy(*bytes, out.begin());
  return true;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

Status check_argon2(std::uint64_t passes, std::uint64_t memory_bytes, std::uint64_t lanes) {
  if (passes >= kArgon2MinPasses && passes <= kArgon2MaxPasses && memory_bytes >= kArgon2MinMemoryBytes &&
      memory_bytes <= kArgon2MaxMemoryBytes && lanes == 1) {
    return {};
  }
  return fail(
      Errc::limit,
      fmt::format("vault.hdr asks for Argon2id with {} passes, {} bytes and {} lanes; taken are {} to {} passes, "
                  "{} to {} bytes and 1 lane.",
                  passes, memory_bytes, lanes, kArgon2MinPasses, kArgon2MaxPasses, kArgon2MinMemoryBytes,
                  kArgon2MaxMemoryBytes));
}

Result<Slot> parse_slot(std::string_view line) {
  const std::vector<std::string_view> fields = split(line, ' ');
  Slot slot;
  bool whole = false;
  if (fields.size() == 8 && fields[1] == "passphrase" && fields[2] == "argon2id13") {
    const auto passes = number(fields[3]);
    const auto memory_bytes = number(fields[4]);
    const auto lanes = number(fields[5]);
    whole = passes && memory_bytes && lanes && take_base64(fields[6], slot.salt) && take_base64(fields[7], slot.box);
    if (whole) TRY_STATUS(check_argon2(*passes, *memory_bytes, *lanes));
    if (whole) slot.argon2 = {*passes, *memory_bytes};
  } else if (fields.size() == 5 && fields[1] == "keyfile" && fields[2] == "blake2b") {
    slot.kind = Slot::Kind::key_file;
    whole = take_base64(fields[3], slot.salt) && take_base64(fields[4], slot.box);
  }
  if (!whole) return damaged("A key slot of the vault is not of a kind that this program knows.");
  return slot;
}

/// What a slot's box is bound to.
std::string box_context(const Slot& slot) {
  return fmt::format("{}{}\n{}", kMagic, kHeaderVersion, slot.prefix());
}

void wrap(Slot& slot, const Secret<32>& slot_key, const Secret<32>& vault_key) {
  const std::string context = box_context(slot);
  const MutableByteView box(slot.box);
  fill_random(box.first(24));
  crypto_aead_xchacha20poly1305_ietf_encrypt(as_uchar_mutable(box.subspan(24)), nullptr, as_uchar(vault_key.expose()),
                                             32, as_uchar(as_bytes(context)), context.size(), nullptr,
                                             as_uchar(box.first(24)), as_uchar(slot_key.expose()));
}

std::optional<Secret<32>> unwrap(const Slot& slot, const Secret<32>& slot_key) {
  const std::string context = box_context(slot);
  const ByteView box(slot.box);
  Secret<32> vault_key;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          as_uchar_mutable(vault_key.expose_mutable()), nullptr, nullptr, as_uchar(box.subspan(24)), box.size() - 24,
          as_uchar(as_bytes(context)), context.size(), as_uchar(box), as_uchar(slot_key.expose())) != 0) {
    return std::nullopt;
  }
  return vault_key;
}

Result<Secret<32>> passphrase_key(const Slot& slot, const SecretBytes& passphrase) {
  Secret<32> key;
  if (crypto_pwhash(as_uchar_mutable(key.expose_mutable()), 32,
                    reinterpret_cast<const char*>(passphrase.expose().data()), passphrase.size(), as_uchar(slot.salt),
                    slot.argon2.passes, static_cast<std::size_t>(slot.argon2.memory_bytes),
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(Errc::io, fmt::format("There is no memory for Argon2id: {} MiB are needed to open the vault.",
                                      slot.argon2.memory_bytes >> 20));
  }
  return key;
}

/// log.md 1.3: BLAKE2b-256(key = key file, salt).
Secret<32> key_file_key(const Slot& slot, const Secret<32>& key_file) {
  Secret<32> key;
  crypto_generichash(as_uchar_mutable(key.expose_mutable()), 32, as_uchar(slot.salt), slot.salt.size(),
                     as_uchar(key_file.expose()), 32);
  return key;
}

}  // namespace

std::string Slot::prefix() const {
  if (kind == Kind::key_file) return fmt::format("slot keyfile blake2b {} ", to_base64(salt));
  return fmt::format("slot passphrase argon2id13 {} {} 1 {} ", argon2.passes, argon2.memory_bytes, to_base64(salt));
}

std::string Header::body() const {
  std::string text = fmt::format("{}{}\n", kMagic, kHeaderVersion);
  for (const Slot& slot : slots) text += slot.prefix() + to_base64(slot.box) + "\n";
  return text;
}

std::string Header::text() const {
  std::string text = body() + "mac " + to_base64(mac) + "\n";
  const Digest sum = blake2b(as_bytes(text), {});
  return text + "sum " + to_base64(sum) + "\n";
}

Result<Header> parse_header(ByteView file) {
  if (file.size() > kHeaderLimitBytes) return damaged("This is no vault header: it is too long.");
  std::string_view text = as_text(file);
  if (!text.starts_with(kMagic)) return damaged("This is no vault header.");

  // Every version ends with a sum of all before it, so that damage is told from a newer version and a wrong passphrase.
  const std::size_t sum_at = text.rfind("\nsum ");
  Digest sum;
  if (sum_at == std::string_view::npos || !text.ends_with('\n') ||
      !take_base64(text.substr(sum_at + 5, text.size() - sum_at - 6), sum) ||
      sum != blake2b(as_bytes(text.substr(0, sum_at + 1)), {})) {
    return damaged("The vault's header was cut or changed.");
  }
  std::vector<std::string_view> lines = split(text.substr(0, sum_at), '\n');
  const std::optional<std::uint64_t> version = number(lines.front().substr(kMagic.size()));
  if (!version || *version == 0) return damaged("The vault's header has no format version.");
  if (*version != kHeaderVersion) {
    return fail(Errc::unsupported,
                fmt::format("This vault has format {}; this program knows format {}. Use a newer parley.", *version,
                            kHeaderVersion));
  }
  Header header;
  if (lines.size() < 3 || lines.size() > 2 + kSlotLimit || !lines.back().starts_with("mac ") ||
      !take_base64(lines.back().substr(4), header.mac)) {
    return damaged("The vault's header does not have the lines that it should.");
  }
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    if (!lines[i].starts_with("slot ")) return damaged("The vault's header does not have the lines that it should.");
    TRY(Slot slot, parse_slot(lines[i]));
    header.slots.push_back(slot);
  }
  return header;
}

Result<Header> make_header(const Secret<32>& vault_key, const Unlock& unlock, const Argon2Parameters& argon2) {
  if (unlock.passphrase.empty() && !unlock.key_file) {
    return fail(Errc::usage, "A vault needs a passphrase or a key file.");
  }
  Header header;
  if (!unlock.passphrase.empty()) {
    Slot slot{.kind = Slot::Kind::passphrase, .argon2 = argon2, .salt = random_bytes<kSaltBytes>(), .box = {}};
    TRY(const Secret<32> key, passphrase_key(slot, unlock.passphrase));
    wrap(slot, key, vault_key);
    header.slots.push_back(slot);
  }
  if (unlock.key_file) {
    Slot slot{.kind = Slot::Kind::key_file, .argon2 = {}, .salt = random_bytes<kSaltBytes>(), .box = {}};
    wrap(slot, key_file_key(slot, *unlock.key_file), vault_key);
    header.slots.push_back(slot);
  }
  header.mac = mac_of(vault_key, header.body());
  return header;
}

Result<Secret<32>> unlock_header(const Header& header, const Unlock& unlock) {
  std::optional<Secret<32>> vault_key;
  bool slot_found = false;
  for (const Slot& slot : header.slots) {
    if (slot.kind == Slot::Kind::key_file && unlock.key_file) {
      slot_found = true;
      vault_key = unwrap(slot, key_file_key(slot, *unlock.key_file));
    } else if (slot.kind == Slot::Kind::passphrase && !unlock.passphrase.empty()) {
      slot_found = true;
      TRY(const Secret<32> key, passphrase_key(slot, unlock.passphrase));
      vault_key = unwrap(slot, key);
    }
    if (vault_key) break;
  }
  if (!slot_found) {
    return fail(Errc::passphrase, unlock.key_file ? "This vault does not open with a key file."
                                                  : "This vault does not open with a passphrase.");
  }
  if (!vault_key) {
    return fail(Errc::passphrase, unlock.key_file && unlock.passphrase.empty()
                                      ? "This is not the key file of this vault."
                                      : "The passphrase is wrong.");
  }
  if (!constant_time_equal(mac_of(*vault_key, header.body()), header.mac)) {
    return damaged("The vault's header was changed by somebody who does not hold its key.");
  }
  return std::move(*vault_key);
}

}  // namespace parley::vault::detail
