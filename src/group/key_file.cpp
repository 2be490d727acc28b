// Reading, writing and opening secret key files. The seeds never pass through a general parser or a string that is not
// wiped.
#include "group/key_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/encoding.h"
#include "crypto/aead.h"
#include "group/card_rules.h"
#include "group/charter.h"

namespace parley::group {
namespace {

constexpr std::string_view kFirstLine = "parley-secret-key/v1";
constexpr std::size_t kSeedTextBytes = 44;  // base64 of 32 bytes
constexpr std::size_t kSeedBytes = Secret<32>::kSize;

constexpr std::array kRings = {KeyRing::id, KeyRing::online, KeyRing::group};

std::string_view roles_line(KeyRing ring) {
  switch (ring) {
    case KeyRing::id:
      return "id";
    case KeyRing::online:
      return "node,log,cosign,tls";
    case KeyRing::group:
      return "node,log,cosign";
  }
  std::unreachable();
}

std::optional<KeyRing> ring_of(std::string_view roles) {
  for (const KeyRing ring : kRings)
    if (roles == roles_line(ring)) return ring;
  return std::nullopt;
}

bool is_short_group_id(std::string_view text) {
  return text.size() == kShortGroupIdDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::format, fmt::format("Not a key file of parley: {}.", why));
}

/// The next line of `text`, which must be `name`, a space and the rest, which is returned.
Result<std::string_view> take_line(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  if (end == text.npos || !text.starts_with(name) || text.substr(name.size(), 1) != " ") {
    return malformed(fmt::format("a line \"{} …\" is due", name));
  }
  const std::string_view rest = text.substr(name.size() + 1, end - name.size() - 1);
  text.remove_prefix(end + 1);
  return rest;
}

/// Decimal without leading zeros.
Result<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::to_string(value) != text)
    return malformed("a number is due in its kdf line");
  return value;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t space = line.find(' '); space != line.npos; space = line.find(' ')) {
    words.push_back(line.substr(0, space));
    line.remove_prefix(space + 1);
  }
  words.push_back(line);
  return words;
}

Result<KeyDerivation> parse_derivation(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  KeyDerivation derivation;
  if (words.size() == 5 && words[0] == "argon2id13") {
    derivation.kind = KeyDerivation::Kind::argon2id;
    TRY(derivation.cost.passes, number(words[1]));
    TRY(derivation.cost.memory_bytes, number(words[2]));
    if (words[3] != "1") return malformed("its kdf line asks for more than one lane");
    const auto& [passes, memory] = derivation.cost;
    if (passes < crypto::kLeastArgon2Cost.passes || passes > crypto::kGreatestArgon2Cost.passes ||
        memory < crypto::kLeastArgon2Cost.memory_bytes || memory > crypto::kGreatestArgon2Cost.memory_bytes) {
      return fail(Errc::limit,
                  fmt::format("The key file asks for {} passes over {} bytes to open it; that is out of bounds.",
                              passes, memory));
    }
  } else if (words.size() == 3 && words[0] == "keyfile" && words[1] == "blake2b") {
    derivation.kind = KeyDerivation::Kind::key_file;
  } else {
    return malformed("its kdf line is not one that is known here");
  }
  const auto salt = from_base64(words.back());
  if (!salt || salt->size() != derivation.salt.size()) return malformed("its salt must be base64 of 16 bytes");
  std::ranges::copy(*salt, derivation.salt.begin());
  return derivation;
}

/// {"role":"base64",...} with the roles ascending: PJ1, laid out by hand so that it can be wiped.
class SeedText {
 public:
  explicit SeedText(KeyRing ring) : roles_(roles_of(ring)) {}

  std::size_t size() const {
    std::size_t size = 1;
    for (const std::string_view role : roles_) size += role.size() + kSeedTextBytes + std::strlen(R"("":"",)");
    return size;
  }

  SecretBytes write(std::span<const Secret<32>> seeds) const {
    SecretBytes text(size());
    MutableByteView out = text.expose_mutable();
    for (std::size_t i = 0; i < roles_.size(); ++i) {
      put(out, before(i));
      ByteArray<kSeedTextBytes + 1> encoded;  // with the terminating NUL that libsodium writes
      sodium_bin2base64(reinterpret_cast<char*>(encoded.data()), encoded.size(), as_uchar(seeds[i].expose()),
                        kSeedBytes, sodium_base64_VARIANT_ORIGINAL);
      put(out, as_text(ByteView(encoded).first(kSeedTextBytes)));
      sodium_memzero(encoded.data(), encoded.size());
    }
    put(out, "\"}");
    return text;
  }

  Result<std::vector<Secret<32>>> read(const SecretBytes& text) const {
    std::vector<Secret<32>> seeds;
    std::string_view in = as_text(text.expose());
    if (in.size() != size()) return malformed("its box holds something else than keys");
    for (std::size_t i = 0; i < roles_.size(); ++i) {
      if (!in.starts_with(before(i))) return malformed("its box holds other keys than it says");
      in.remove_prefix(before(i).size());
      Secret<32> seed;
      std::size_t size = 0;
      if (sodium_base642bin(as_uchar_mutable(seed.expose_mutable()), kSeedBytes, in.data(), kSeedTextBytes, nullptr,
                            &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0 ||
          size != kSeedBytes) {
        return malformed("a key in its box is not base64 of 32 bytes");
      }
      seeds.push_back(std::move(seed));
      in.remove_prefix(kSeedTextBytes);
    }
    if (in != "\"}") return malformed("its box does not end where it should");
    // libsodium takes bytes past 0x7f for '/', so that a key would have several spellings.
    if (!constant_time_equal(write(seeds).expose(), text.expose()))
      return malformed("a key in its box is not in the canonical form of base64");
    return seeds;
  }

 private:
  std::string before(std::size_t i) const { return fmt::format("{}\"{}\":\"", i == 0 ? "{" : "\",", roles_[i]); }

  static void put(MutableByteView& out, std::string_view text) {
    std::ranges::copy(as_bytes(text), out.begin());
    out = out.subspan(text.size());
  }

  std::vector<std::string_view> roles_;
};

}  // namespace

std::vector<std::string_view> roles_of(KeyRing ring) {
  if (ring == KeyRing::id) return {"id"};
  if (ring == KeyRing::group) return {"cosign", "log", "node"};
  return {"cosign", "log", "node", "tls"};
}

std::string KeyFile::head() const {
  const std::string salt = to_base64(derivation.salt);
  const std::string kdf =
      derivation.kind == KeyDerivation::Kind::argon2id
          ? fmt::format("argon2id13 {} {} 1 {}", derivation.cost.passes, derivation.cost.memory_bytes, salt)
          : fmt::format("keyfile blake2b {}", salt);
  return fmt::format("{}\nnick {}\ngroup {}\nroles {}\nkdf {}\n", kFirstLine, nick, group, roles_line(ring), kdf);
}

std::string KeyFile::box_line() const {
  return fmt::format("box {}\n", to_base64(box));
}

Result<KeyFile> parse_key_file(std::string_view text) {
  if (text.size() > kMaxKeyFileBytes) {
    return fail(Errc::limit,
                fmt::format("A key file of {} bytes is longer than the limit of {}.", text.size(), kMaxKeyFileBytes));
  }
  if (!text.starts_with(kFirstLine) || text.substr(kFirstLine.size(), 1) != "\n")
    return malformed("it does not begin with its name");
  text.remove_prefix(kFirstLine.size() + 1);
  KeyFile file;
  TRY(file.nick, take_line(text, "nick"));
  if (!is_nick(file.nick)) return malformed("its nick is not one");
  TRY(file.group, take_line(text, "group"));
  TRY(const std::string_view roles, take_line(text, "roles"));
  const auto ring = ring_of(roles);
  if (!ring) return malformed("its roles are not known");
  file.ring = *ring;
  if (file.ring == KeyRing::group ? !is_short_group_id(file.group) : file.group != kNoGroup)
    return malformed("its group does not fit its roles");
  TRY(const std::string_view kdf, take_line(text, "kdf"));
  TRY(file.derivation, parse_derivation(kdf));
  TRY(const std::string_view box, take_line(text, "box"));
  if (!text.empty()) return malformed("something follows its box");
  auto sealed = from_base64(box);
  if (!sealed || sealed->size() != SeedText(file.ring).size() + crypto::kAeadOverheadBytes)
    return malformed("its box is not of the right size");
  file.box = std::move(*sealed);
  return file;
}

Secret<32> box_key(const KeyDerivation& derivation, const Secret<32>& key_file) {
  Secret<32> key;
  crypto_generichash(as_uchar_mutable(key.expose_mutable()), Secret<32>::kSize, as_uchar(derivation.salt),
                     derivation.salt.size(), as_uchar(key_file.expose()), Secret<32>::kSize);
  return key;
}

Result<Secret<32>> box_key(const KeyDerivation& derivation, const vault::Unlock& unlock) {
  if (derivation.kind == KeyDerivation::Kind::key_file) {
    if (!unlock.key_file)
      return fail(Errc::passphrase, "This key file opens with the vault's key file, and none was given.");
    return box_key(derivation, *unlock.key_file);
  }
  if (unlock.passphrase.empty())
    return fail(Errc::passphrase, "This key file opens with a passphrase, and none was given.");
  return crypto::argon2id(unlock.passphrase, derivation.salt, derivation.cost);
}

KeyFile seal_key_file(std::string_view nick, KeyRing ring, const KeyDerivation& derivation, const Secret<32>& key,
                      std::span<const Secret<32>> seeds, std::string_view group) {
  KeyFile file;
  file.nick = nick;
  file.group = group;
  file.ring = ring;
  file.derivation = derivation;
  const SecretBytes plaintext = SeedText(ring).write(seeds);
  file.box = crypto::seal(key, plaintext.expose(), as_bytes(file.head()));
  return file;
}

Result<std::vector<Secret<32>>> open_key_file(const KeyFile& file, const Secret<32>& key) {
  const auto plaintext = crypto::open(key, file.box, as_bytes(file.head()));
  if (!plaintext)
    return fail(Errc::passphrase,
                "The key file does not open: it belongs to another passphrase, key file or vault, or it was altered.");
  return SeedText(file.ring).read(*plaintext);
}

}  // namespace parley::group
