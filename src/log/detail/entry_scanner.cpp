#include "log/detail/entry_scanner.h"

#include <array>

namespace parley::log::detail {
namespace {

constexpr std::string_view kSignaturePrefix = "— ";
constexpr std::size_t kBlobBytes = 4 + crypto::kSignatureBytes;
constexpr std::size_t kBlobCharacters = (kBlobBytes + 2) / 3 * 4;
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxTextBytes = 32;  // of a nick, a type and a session's id
constexpr std::size_t kMaxDigits = 16;     // of 2^53 - 1

constexpr std::uint8_t kNone = 0xff;
constexpr auto kBase64 = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}();
constexpr auto kHex = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  constexpr std::string_view kAlphabet = "0123456789abcdef";
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

/// 68 bytes: 23 groups of four characters, the last one "xxx=" with two bits that must be zero.
bool decode_blob(std::string_view text, ByteArray<kBlobBytes>& blob) {
  static_assert(kBlobBytes % 3 == 2);
  if (text.size() != kBlobCharacters || text.back() != '=') return false;
  std::uint32_t wrong = 0;
  std::size_t out = 0;
  for (std::size_t i = 0; i < kBlobCharacters; i += 4) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 4; ++j) {
      const bool padding = j + 1 == kBlobCharacters;
      const std::uint8_t value = padding ? std::uint8_t{0} : kBase64[static_cast<unsigned char>(text[j])];
      wrong |= value == kNone ? 1u : 0u;
      group = group << 6 | value;
    }
    for (int shift = 16; shift >= 0 && out < kBlobBytes; shift -= 8)
      blob[out++] = static_cast<std::byte>(group >> shift);
    if (i + 4 == kBlobCharacters) wrong |= group & 0xff;
  }
  return wrong == 0;
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f' && c != '+'; });
}

/// One pass over the text; every function takes what its name says, or nothing is taken any more.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  /// Up to the closing quote: no escapes, nothing beyond ASCII.
  bool text(std::string& out) {
    std::size_t size = 0;
    while (size < rest_.size() && size <= kMaxTextBytes && rest_[size] != '"') {
      const char c = rest_[size];
      if (c < ' ' || c > '~' || c == '\\') return false;
      ++size;
    }
    if (size > kMaxTextBytes || size == rest_.size()) return false;
    out.assign(rest_.substr(0, size));
    rest_.remove_prefix(size + 1);
    return true;
  }

  bool digest(Digest& out) {
    if (rest_.size() <= 2 * sizeof(Digest) || rest_[2 * sizeof(Digest)] != '"') return false;
    std::uint8_t wrong = 0;
    for (std::size_t i = 0; i < sizeof(Digest); ++i) {
      const std::uint8_t high = kHex[static_cast<unsigned char>(rest_[2 * i])];
      const std::uint8_t low = kHex[static_cast<unsigned char>(rest_[2 * i + 1])];
      wrong = static_cast<std::uint8_t>(wrong | high | low);
      out[i] = static_cast<std::byte>(high << 4 | low);
    }
    rest_.remove_prefix(2 * sizeof(Digest) + 1);
    return (wrong & 0xf0) == 0;
  }

  bool integer(std::int64_t most, std::int64_t& out) {
    std::size_t digits = 0;
    std::int64_t value = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      if (digits == kMaxDigits) return false;
      value = value * 10 + (rest_[digits] - '0');
    }
    if (digits == 0 || (digits > 1 && rest_[0] == '0') || value > most) return false;
    rest_.remove_prefix(digits);
    out = value;
    return true;
  }

  /// `element()` takes each, from behind its opening quote on, until the closing bracket.
  template <typename Element>
  bool array(std::size_t most, Element&& element) {
    if (word("]")) return true;
    for (std::size_t count = 0; count < most; ++count) {
      if (!word("\"") || !element()) return false;
      if (word("]")) return true;
      if (!word(",")) return false;
    }
    return false;
  }

  bool ended() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<PlainNote> split_plain_note(std::string_view note) {
  const std::size_t split = note.size() > kMaxEntryBytes ? note.npos : note.rfind("\n\n");
  if (split == note.npos) return std::nullopt;
  PlainNote plain;
  plain.text = note.substr(0, split + 1);
  std::string_view line = note.substr(split + 2);
  if (!line.starts_with(kSignaturePrefix) || line.back() != '\n') return std::nullopt;
  line = line.substr(kSignaturePrefix.size(), line.size() - kSignaturePrefix.size() - 1);
  const std::size_t space = line.find(' ');
  if (space == line.npos) return std::nullopt;
  plain.key_name = line.substr(0, space);
  ByteArray<kBlobBytes> blob;
  if (!is_plain_name(plain.key_name) || !decode_blob(line.substr(space + 1), blob)) return std::nullopt;
  std::memcpy(plain.key_id.data(), blob.data(), plain.key_id.size());
  std::memcpy(plain.signature.data(), blob.data() + plain.key_id.size(), plain.signature.size());
  return plain;
}

std::optional<Entry> scan_entry(std::string_view text) {
  Scanner scan(text);
  Entry entry;
  std::int64_t seq = 0;
  const auto audience = [&] { return scan.text(entry.audience.emplace_back()); };
  const auto ref = [&] { return scan.digest(entry.refs.emplace_back()); };
  const bool taken = scan.word(kEntryKind) && scan.word("\n{\"aud\":[") && scan.array(kMaxGroupMembers, audience) &&
                     scan.word(",\"author\":\"") && scan.text(entry.author) && scan.word(",\"body\":\"") &&
                     scan.digest(entry.body) && scan.word(",\"charter\":\"") && scan.digest(entry.charter) &&
                     scan.word(",\"prev\":\"") && scan.digest(entry.prev) && scan.word(",\"refs\":[") &&
                     scan.array(kMaxRefs, ref) && scan.word(",\"seq\":") && scan.integer(kMaxInteger - 1, seq) &&
                     scan.word(",\"session\":\"") && scan.text(entry.session) && scan.word(",\"time\":") &&
                     scan.integer(kMaxInteger, entry.time) && scan.word(",\"type\":\"") && scan.text(entry.type) &&
                     scan.word(",\"v\":1}\n") && scan.ended();
  if (!taken) return std::nullopt;
  entry.seq = static_cast<std::uint64_t>(seq);
  return entry;
}

}  // namespace parley::log::detail
