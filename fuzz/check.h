// What the fuzz targets share: a promise that does not hold ends the run.
#pragma once

#include <cstdlib>
#include <string_view>

#include "base/secret.h"

namespace parley {

inline void check(bool holds) {
  if (!holds) std::abort();
}

inline ByteView fuzz_bytes(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

inline std::string_view fuzz_text(const std::uint8_t* data, std::size_t size) {
  return as_text(fuzz_bytes(data, size));
}

/// A seed for signing what the fuzzer makes up: behind a signature nothing that is parsed would ever be reached.
inline Secret<32> fixed_seed(std::uint8_t which) {
  Secret<32> seed;
  seed.expose_mutable()[0] = static_cast<std::byte>(which);
  return seed;
}

}  // namespace parley
