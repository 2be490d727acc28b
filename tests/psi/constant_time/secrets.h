// What is watched under valgrind, and the secrets for it.
#pragma once

#include <valgrind/memcheck.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "base/secret.h"
#include "crypto/block.h"

namespace parley {

inline void make_secret(ByteView bytes) {
  static_cast<void>(VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()));
}

/// From here on everybody may know `bytes`: they go over the line.
inline void make_public(ByteView bytes) {
  static_cast<void>(VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()));
}

/// Whether memcheck holds any bit of `bytes` to depend on a secret.
inline bool is_secret(ByteView bytes) {
  std::vector<unsigned char> undefined_bits(bytes.size());
  static_cast<void>(VALGRIND_GET_VBITS(bytes.data(), undefined_bits.data(), bytes.size()));
  return std::ranges::any_of(undefined_bits, [](unsigned char bits) { return bits != 0; });
}

inline Bytes pattern(std::size_t size, unsigned salt) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 37 + salt);
  return bytes;
}

inline Bytes secret_bytes(std::size_t size) {
  Bytes bytes = pattern(size, 1);
  make_secret(bytes);
  return bytes;
}

inline Secret<32> secret_seed() {
  return Secret<32>(ByteView(secret_bytes(32)).first<32>());
}

inline crypto::Block secret_block(unsigned salt = 1) {
  crypto::Block block = crypto::load_block(pattern(crypto::kBlockBytes, salt));
  make_secret(crypto::bytes_of({&block, 1}));
  return block;
}

inline std::vector<crypto::Block> secret_blocks(std::size_t count) {
  std::vector<crypto::Block> blocks(count);
  for (std::size_t i = 0; i < count; ++i) blocks[i] = secret_block(static_cast<unsigned>(i));
  return blocks;
}

inline Bytes bytes_of_all(std::span<const crypto::Block> blocks) {
  return to_bytes(crypto::bytes_of(blocks));
}

/// One thing that handles secrets.
struct Subject {
  const char* name;
  /// Jumps that depend on a secret, at most: each on whether something succeeded, which everyone may know.
  unsigned allowed_jumps;
  /// Handles secrets and returns what came of them.
  std::function<Bytes()> run;
};

/// Both sides of a VOLE from the first message to the last output (vole.cpp).
std::vector<Subject> vole_runs();

}  // namespace parley
