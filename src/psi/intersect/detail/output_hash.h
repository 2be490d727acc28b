// Out of psi.md 2.1: from what a key decodes to, to what is shown of it.
#pragma once

#include "crypto/block.h"
#include "crypto/prefixed_sha256.h"

namespace parley::psi::detail {

class OutputHash {
 public:
  explicit OutputHash(const Digest& session_id);

  /// Puts Out(value + mask, key) in the place of every key. Both go in: values alone would leave 64 bits against
  /// collisions. Constant time in all of them. Precondition: equal lengths.
  void operator()(std::span<Digest> keys, std::span<const crypto::Block> values, crypto::Block mask) const;

 private:
  crypto::PrefixedSha256 hash_;
};

}  // namespace parley::psi::detail
