// The one place where randomness enters the program. What must be repeatable from a seed is derived (crypto/drbg.h).
#pragma once

#include "base/secret.h"

namespace parley {

/// Starts libsodium; ends the process if the operating system has no randomness. Called once, first thing in main().
void start_random();

/// Fills `out` from the operating system's generator.
void fill_random(MutableByteView out);

template <std::size_t N>
ByteArray<N> random_bytes() {
  ByteArray<N> bytes;
  fill_random(bytes);
  return bytes;
}

template <std::size_t N>
Secret<N> random_secret() {
  Secret<N> secret;
  fill_random(secret.expose_mutable());
  return secret;
}

}  // namespace parley
