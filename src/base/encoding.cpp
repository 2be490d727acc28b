#include "base/encoding.h"

#include <sodium.h>

#include <algorithm>

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

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (std::byte b : bytes) {
    text.push_back(kDigits[std::to_integer<std::size_t>(b >> 4)]);
    text.push_back(kDigits[std::to_integer<std::size_t>(b & std::byte{15})]);
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
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
