// From the rows of the extension to the one-time pads of the trees' oblivious transfers, and what both parties of the
// VOLE hash alike.
#pragma once

#include "crypto/prefixed_sha256.h"
#include "crypto/secret_array.h"

namespace parley::psi::vole::detail {

class PadHash {
 public:
  explicit PadHash(const Digest& session_id);

  /// pads[n] = H(instance, first + n, choice of n, rows[n]), for at most 128 rows at a time. A random oracle: rows of
  /// the two choices differ by Delta, and the pads must not show it.
  /// @param choices  bit n is the choice that rows[n] belongs to.
  void operator()(std::uint32_t instance, std::uint32_t first, crypto::Block choices,
                  std::span<const crypto::Block> rows, std::span<crypto::Block> pads) const;

 private:
  crypto::PrefixedSha256 hash_;
};

/// What the sender answers to the check of its trees.
Digest tree_check_hash(const Digest& session_id, std::size_t instance, crypto::Block value);

/// The code's public seed. The receiver's first message goes into it, which the sender does not know when the session's
/// id is made: it cannot try ids until one gives a code that it likes.
Digest code_seed(const Digest& session_id, ByteView receiver_message, std::size_t instance);

/// point^exponent for an exponent of at most `bits` bits, constant time in it.
crypto::Block power_of_secret(crypto::Block point, std::uint32_t exponent, std::size_t bits);

inline std::uint64_t bit_of(crypto::Block block, std::size_t j) {
  return ((j < 64 ? block.low : block.high) >> (j % 64)) & 1;
}

}  // namespace parley::psi::vole::detail
