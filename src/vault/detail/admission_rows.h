// What the two files of the tables of admission share.
#pragma once

#include <algorithm>

#include "base/error.h"
#include "indicator/indicator.h"

namespace parley::vault::detail {

template <std::size_t N>
Result<ByteArray<N>> fixed_bytes(ByteView bytes) {
  ByteArray<N> array;
  if (bytes.size() != N) return fail(Errc::vault_damaged, "A value of the vault's admission has a wrong length.");
  std::ranges::copy(bytes, array.begin());
  return array;
}

inline indicator::Type type_of(std::int64_t number) {
  return static_cast<indicator::Type>(number);
}

}  // namespace parley::vault::detail
