#include "log/detail/entry_scanner.h"

#include <array>

#include "base/encoding.h"

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

/// 68 bytes: 22 groups of four characters, and one "xxx=" with two bits that must be zero.
bool decode_blob(std::string_view text, ByteArray<kBlobBytes>& blob) {
  constexpr std::size_t kGroups = kBlobBytes / 3;
  static_assert(kBlobBytes % 3 == 2 && kBlobCharacters == 4 * kGroups + 4);
  if (text.size() != kBlobCharacters || text.back() != '=') return false;
  std::uint32_t all = 0;
  const auto value = [&](std::size_t i) {
    const std::uint32_t six_bits = kBase64[static_cast<unsigned char>(text[i])];
    all |= six_bits;
    return six_bits;
  };
  const auto put = [&](std::size_t at, std::uint32_t group) {
    blob[at] = static_cast<std::byte>(group >> 16);
    blob[at + 1] = static_cast<std::byte>(group >> 8);
  };
  for (std::size_t i = 0; i < kGroups; ++i) {
    const std::size_t from = 4 * i;
    const std::uint32_t group = value(from) << 18 | value(from + 1) << 12 | value(from + 2) << 6 | value(from + 3);
    put(3 * i, group);
    blob[3 * i + 2] = static_cast<std::byte>(group);
  }
  constexpr std::size_t kLast = 4 * kGroups;
  const std::uint32_t last = value(kLast) << 18 | value(kLast + 1) << 12 | value(kLast + 2) << 6;
  put(3 * kGroups, last);
  return (all & ~0x3fu) == 0 && (last & 0xff) == 0;
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
    constexpr std::size_t kDigits = 2 * sizeof(Digest);
    if (rest_.size() <= kDigits || rest_[kDigits] != '"' || !read_hex(rest_.substr(0, kDigits), out)) return false;
    rest_.remove_prefix(kDigits + 1);
    return true;
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
  if (note.size() > kMaxEntryBytes || !note.ends_with('\n')) return std::nullopt;
  note.remove_suffix(1);
  const void* const before = ::memrchr(note.data(), '\n', note.size());
  if (before == nullptr || before == note.data()) return std::nullopt;
  const auto split = static_cast<std::size_t>(static_cast<const char*>(before) - note.data());
  if (note[split - 1] != '\n') return std::nullopt;  // more than the one signature's line
  PlainNote plain;
  plain.text = note.substr(0, split);
  std::string_view line = note.substr(split + 1);
  if (!line.starts_with(kSignaturePrefix)) return std::nullopt;
  line.remove_prefix(kSignaturePrefix.size());
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
