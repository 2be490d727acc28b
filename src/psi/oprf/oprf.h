// The oblivious pseudorandom function of RFC 9497, suite ristretto255-SHA512, in the modes OPRF (0x00) and VOPRF
// (0x01). One party holds a key, the other an input; the second learns PRF(key, input), the first learns nothing.
#pragma once

#include <optional>

#include "base/error.h"
#include "crypto/hash.h"
#include "crypto/ristretto_batch.h"

namespace parley::psi::oprf {

enum class Mode : std::uint8_t { oprf = 0x00, voprf = 0x01 };

/// "OPRFV1-" || mode || "-ristretto255-SHA512" (RFC 9497 section 3.1), at the end of every domain separation tag.
std::string context_string(Mode mode);

/// RFC 9497 section 4.1: a scalar from a message, under "HashToScalar-" || context_string.
crypto::Scalar hash_to_scalar(Mode mode, ByteView message);
/// RFC 9497 section 4.1: an element from a message, under "HashToGroup-" || context_string. Constant time.
crypto::Element hash_to_group(Mode mode, ByteView message);

struct KeyPair {
  crypto::Scalar secret_key;
  crypto::Element public_key;
};

/// RFC 9497 section 3.2.1. Fails with probability 2^-252 a try, after 256 tries.
/// @param info  at most 65,535 bytes.
Result<KeyPair> derive_key_pair(Mode mode, const Secret<32>& seed, ByteView info);

using Output = Secret<crypto::kSha512Bytes>;

/// Blind: blind * HashToGroup(input). Nothing when `blind` is zero. Constant time in both.
std::optional<crypto::Element> blind(Mode mode, ByteView input, const crypto::Scalar& blind);

/// Finalize, with the inverse of the blind: inversion is for many blinds at once (Scalar::invert_all).
/// @param evaluated  as received. Nothing when it is no canonical encoding of an element other than the identity.
std::optional<Output> finalize(ByteView input, const crypto::Scalar& inverse_of_blind,
                               std::span<const std::byte, crypto::kElementBytes> evaluated);

/// Evaluate: what the holder of the key computes for an input of its own; equals what finalize gives the other party.
std::optional<Output> evaluate(Mode mode, ByteView input, const crypto::Scalar& key);

// The same for many inputs of kInputBytes each, at several times the speed; lists are flat. Each gives the index of the
// first element for which the function above gives nothing; what was written from there on is of no use.

/// Inputs of protocols are digests.
inline constexpr std::size_t kInputBytes = crypto::kSha512Bytes;

/// blinded[i] = blind(inputs[i], blinds[i]), encoded.
crypto::FirstFault blind_each(Mode mode, ByteView inputs, std::span<const crypto::Scalar> blinds,
                              MutableByteView blinded);
/// outputs[i] = finalize(inputs[i], inverses_of_blinds[i], evaluated[i])
crypto::FirstFault finalize_each(ByteView inputs, std::span<const crypto::Scalar> inverses_of_blinds,
                                 ByteView evaluated, MutableByteView outputs);
/// outputs[i] = evaluate(inputs[i], key)
crypto::FirstFault evaluate_all(Mode mode, ByteView inputs, const crypto::Scalar& key, MutableByteView outputs);

/// BlindEvaluate is crypto::decode_and_multiply(key, blinded element), and for many crypto::multiply_all.

}  // namespace parley::psi::oprf
