// The batched proof of VOPRF mode that one key evaluated every element (RFC 9497 section 2.2; Chaum and Pedersen 1992).
// The classic protocol does without it (psi.md 1.1); watchlists and admission tags, whose keys live long, need it.
#pragma once

#include <vector>

#include "psi/oprf/oprf.h"

namespace parley::psi::oprf {

inline constexpr std::size_t kProofBytes = 2 * crypto::kScalarBytes;
using Proof = ByteArray<kProofBytes>;

/// The index of an element is two bytes in RFC 9497, so longer lists do not fit one proof; psi.md 1.1 takes less.
inline constexpr std::size_t kProofBatch = 16'384;

/// Proves that evaluated[i] = key * blinded[i] for all i, for the public key of `key`.
/// @param nonce  a fresh random scalar; one that is used twice gives the key away.
/// @error Errc::internal when the lists differ in length, are empty or longer than kProofBatch, or `key` or `nonce` is
/// zero.
Result<Proof> prove(Mode mode, const KeyPair& key, std::span<const crypto::Element> blinded,
                    std::span<const crypto::Element> evaluated, const crypto::Scalar& nonce);

/// Whether `proof` holds. False for lists that prove() refuses.
bool verify(Mode mode, const crypto::Element& public_key, std::span<const crypto::Element> blinded,
            std::span<const crypto::Element> evaluated, const Proof& proof);

}  // namespace parley::psi::oprf
