// Public bytes: views, owners and fixed-size values. Secret bytes are another type (secret.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parley {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

template <std::size_t N>
using ByteArray = std::array<std::byte, N>;

/// A SHA-256 digest, a Merkle node, a key: 32 public bytes.
using Digest = ByteArray<32>;

inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Never null, not even for no bytes: C libraries declare their pointers so.
inline const unsigned char* as_uchar(ByteView bytes) {
  static constexpr unsigned char kNothing = 0;
  return bytes.data() == nullptr ? &kNothing : reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* as_uchar_mutable(MutableByteView bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

inline Bytes to_bytes(ByteView view) {
  return {view.begin(), view.end()};
}
inline Bytes to_bytes(std::string_view text) {
  return to_bytes(as_bytes(text));
}

inline void append(Bytes& out, ByteView more) {
  out.insert(out.end(), more.begin(), more.end());
}

/// Big-endian integers of fixed width, as every wire format and hash input here uses them.
template <typename Integer>
void append_be(Bytes& out, Integer value) {
  for (std::size_t i = sizeof(Integer); i-- > 0;) out.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xff));
}

/// Writes sizeof(Integer) bytes. Precondition: out.size() >= sizeof(Integer).
template <typename Integer>
void store_be(MutableByteView out, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    out[i] = static_cast<std::byte>((value >> (8 * (sizeof(Integer) - 1 - i))) & 0xff);
}

/// Reads sizeof(Integer) bytes. Precondition: bytes.size() >= sizeof(Integer).
template <typename Integer>
Integer read_be(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) value = (value << 8) | std::to_integer<std::uint64_t>(bytes[i]);
  return static_cast<Integer>(value);
}

}  // namespace parley
