// Secret bytes: wiped when they go, compared in constant time, never printed, and never taken for public bytes by
// accident: whoever needs the raw bytes says expose().
#pragma once

#include <sodium.h>

#include "base/bytes.h"

namespace parley {

/// N secret bytes. Moving wipes the source.
template <std::size_t N>
class Secret {
 public:
  static constexpr std::size_t kSize = N;

  Secret() { sodium_memzero(bytes_.data(), N); }
  explicit Secret(std::span<const std::byte, N> bytes) { std::memcpy(bytes_.data(), bytes.data(), N); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  /// A second holder of the same secret, made on purpose.
  Secret clone() const { return Secret(std::span<const std::byte, N>(bytes_)); }

  std::span<const std::byte, N> expose() const { return bytes_; }
  std::span<std::byte, N> expose_mutable() { return bytes_; }

  /// Constant-time comparison.
  bool equals(const Secret& other) const { return sodium_memcmp(bytes_.data(), other.bytes_.data(), N) == 0; }

  void wipe() { sodium_memzero(bytes_.data(), N); }

 private:
  ByteArray<N> bytes_;
};

/// Secret bytes of a length known at run time (a passphrase, a decrypted key file).
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size_bytes) : bytes_(size_bytes) {}
  explicit SecretBytes(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      wipe();
      bytes_ = std::move(other.bytes_);
      other.bytes_.clear();
    }
    return *this;
  }
  ~SecretBytes() { wipe(); }

  ByteView expose() const { return bytes_; }
  MutableByteView expose_mutable() { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

  void wipe() {
    if (!bytes_.empty()) sodium_memzero(bytes_.data(), bytes_.size());
    bytes_.clear();
  }

 private:
  Bytes bytes_;
};

/// Constant-time equality of two byte strings of public length.
inline bool constant_time_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace parley
