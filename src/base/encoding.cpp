#include "base/encoding.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <bit>

namespace parley {
namespace {

std::string encode_base64(ByteView bytes, int variant) {
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), as_uchar(bytes), bytes.size(), variant);
  text.pop_back();  // the terminating NUL that libsodium counts
  return text;
}

// Of each value one text: libsodium takes no other padding than the variant's and no bits behind the last byte, but its
// version 1.0.18 takes bytes beyond ASCII for '/'.
std::optional<Bytes> decode_base64(std::string_view text, int variant) {
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return std::nullopt;
  Bytes bytes(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(as_uchar_mutable(bytes), bytes.size(), text.data(), text.size(), nullptr, &size, &end,
                        variant) != 0 ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

constexpr std::size_t kHexDigitsAtOnce = 8;

/// The byte `value`, eight times.
constexpr std::uint64_t eight_of(std::uint8_t value) {
  return std::uint64_t{0x0101010101010101} * value;
}

/// Four bytes of eight digits, all in the same few operations without a branch and without a table: keys are read by it
/// too.
/// @return whether they are digits
inline bool read_eight_digits(const char* text, std::byte* bytes) {
  static_assert(std::endian::native == std::endian::little, "the first digit lies in the lowest byte");
  constexpr std::uint64_t kHighBits = eight_of(0x80);
  std::uint64_t word;
  std::memcpy(&word, text, sizeof(word));
  // In its high bit, whether a character below 0x80 is not below another.
  const auto from = [&](std::uint8_t least) { return (word | kHighBits) - eight_of(least); };
  const std::uint64_t digits = from('0') & ~from('9' + 1) & kHighBits;
  const std::uint64_t letters = from('a') & ~from('f' + 1) & kHighBits;
  std::uint64_t pairs = (word & eight_of(0x0f)) + (letters >> 7) * 9;
  pairs = (pairs << 4 | pairs >> 8) & 0x00ff00ff00ff00ff;
  pairs = (pairs | pairs >> 8) & 0x0000ffff0000ffff;
  const auto four = static_cast<std::uint32_t>(pairs | pairs >> 16);
  std::memcpy(bytes, &four, sizeof(four));
  return (digits | letters) == kHighBits && (word & kHighBits) == 0;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), as_uchar(bytes), bytes.size());
  text.pop_back();  // the NUL that libsodium writes
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  Bytes bytes(text.size() / 2);
  if (!read_hex(text, bytes)) return std::nullopt;
  return bytes;
}

bool read_hex(std::string_view text, std::span<std::byte> bytes) {
  if (text.size() != 2 * bytes.size()) return false;
  bool are_digits = true;
  for (; text.size() >= kHexDigitsAtOnce; text.remove_prefix(kHexDigitsAtOnce)) {
    are_digits &= read_eight_digits(text.data(), bytes.data());
    bytes = bytes.subspan(kHexDigitsAtOnce / 2);
  }
  if (text.empty()) return are_digits;
  ByteArray<kHexDigitsAtOnce / 2> last;
  std::array<char, kHexDigitsAtOnce> padded;
  padded.fill('0');
  std::ranges::copy(text, padded.begin());
  are_digits &= read_eight_digits(padded.data(), last.data());
  std::ranges::copy(std::span(last).first(bytes.size()), bytes.begin());
  return are_digits;
}

std::string to_base64(ByteView bytes) {
  return encode_base64(bytes, sodium_base64_VARIANT_ORIGINAL);
}
std::optional<Bytes> from_base64(std::string_view text) {
  return decode_base64(text, sodium_base64_VARIANT_ORIGINAL);
}

std::string to_base64url(ByteView bytes) {
  return encode_base64(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}
std::optional<Bytes> from_base64url(std::string_view text) {
  return decode_base64(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::string to_base32_crockford(ByteView bytes) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string text;
  for (std::size_t i = 0; i + 5 <= bytes.size(); i += 5) {
    std::uint64_t group = 0;
    for (std::size_t j = 0; j < 5; ++j) group = (group << 8) | std::to_integer<std::uint64_t>(bytes[i + j]);
    for (int shift = 35; shift >= 0; shift -= 5) text.push_back(kAlphabet[(group >> shift) & 31]);
  }
  return text;
}

}  // namespace parley
