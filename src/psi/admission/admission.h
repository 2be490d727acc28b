// Admission tags (psi.md 6.6): an element of a guessable kind enters a protocol only as a tag under the sum of a key of
// every member, so that making one takes the help of all of them, and each can count. The one who asks is the owner,
// those who help are helpers; a helper sees blinded elements only. Built on RFC 9497's verifiable mode.
//
// Keys:  K_j = k_j * G, each with a proof of possession; an epoch is named by a hash over all of them.
// Owner: P = HashToGroup(input of x in the epoch), blinded = r * P
// Each:  evaluated_j = k_j * blinded; then, for a sample that the owner draws afterwards, one proof of the key
// Owner: V = 1/r * (sum over j of evaluated_j), tag = H(epoch, x, V)
#pragma once

#include <vector>

#include "base/error.h"
#include "base/progress.h"
#include "base/thread_pool.h"
#include "psi/elements.h"
#include "psi/oprf/proof.h"

namespace parley::psi::admission {

/// Elements in one batch, which one proof can cover.
inline constexpr std::size_t kMostInBatch = oprf::kProofBatch;

/// How many answers of a batch are proven, all where it has fewer: a helper that falsifies a fraction f of them is
/// caught with 1 - (1 - f)^300 or more, 95 % for one in a hundred (psi.md 6.6).
inline constexpr std::size_t kSampleCount = 300;

/// What names an epoch: whoever has another one has other keys, so inputs and tags that have nothing to do with those
/// of this one.
using Epoch = Digest;

inline constexpr std::size_t kTagBytes = 32;

/// A member's key. @param info  what the key is for: of different infos the keys are independent
/// @error Errc::internal with probability 2^-252
Result<oprf::KeyPair> derive_key(const Secret<32>& seed, ByteView info);

/// A non-interactive proof that whoever made it knows the key (Schnorr; RFC 8235). Without one, a member could publish
/// a key that cancels those of all others out of the sum (Ristenpart and Yilek 2007).
inline constexpr std::size_t kPossessionBytes = 2 * crypto::kScalarBytes;
using Possession = ByteArray<kPossessionBytes>;

/// @param claim  hash of everything that the key stands for; the proof holds for this one only
/// @param nonce  a fresh random scalar; one that is used twice gives the key away
/// @error Errc::internal when key or nonce is zero
Result<Possession> prove_possession(const oprf::KeyPair& key, const Digest& claim, const crypto::Scalar& nonce);
bool verify_possession(const crypto::Element& public_key, const Digest& claim, const Possession& proof);

// Lists are flat: encodings of crypto::kElementBytes. The owner's elements are those of the protocols: type, length,
// value (psi.md 0.2), at most kMostInBatch.

/// The owner's first step. @param seed  fresh for each batch; the blinds come from it, so it can be done again
/// @return the blinded elements @error Errc::limit, Errc::cancelled; Errc::internal with probability 2^-252 an element
Result<Bytes> blind(const Epoch& epoch, const Elements& elements, const Secret<32>& seed, ThreadPool& pool,
                    Progress& progress);

/// A member's help. Constant time in the key.
/// @param blinded  as received
/// @return the answers, in order @error Errc::protocol when one is no canonical encoding of an element, or of the
/// identity, or the list is empty, too long or broken off; Errc::cancelled
Result<Bytes> evaluate(const crypto::Scalar& key, ByteView blinded, ThreadPool& pool, Progress& progress);

/// The first of a list that is no canonical encoding of an element, or of the identity; nothing if all are well.
/// Precondition: whole encodings. @error Errc::cancelled
Result<std::optional<std::size_t>> first_invalid(ByteView elements, ThreadPool& pool, Progress& progress);

/// Which answers are to be proven: ascending and distinct, uniformly at random. Drawn by the owner once it has the
/// answers, so that they are fixed before anybody knows which are looked at.
std::vector<std::uint32_t> draw_sample(std::size_t batch_count);

/// Whether draw_sample() may have given it.
bool is_sample(std::span<const std::uint32_t> sample, std::size_t batch_count);

/// Precondition: is_sample(); the lists are of one length. @error Errc::internal, Errc::protocol as evaluate
Result<oprf::Proof> prove_sample(const oprf::KeyPair& key, ByteView blinded, ByteView evaluated,
                                 std::span<const std::uint32_t> sample, const crypto::Scalar& nonce);

/// Whether the key of `public_key` gave the answers of the sample. Precondition: as prove_sample
bool verify_sample(const crypto::Element& public_key, ByteView blinded, ByteView evaluated,
                   std::span<const std::uint32_t> sample, const oprf::Proof& proof);

/// The owner's last step: the tags of all elements, from the answers of every member, its own among them.
/// @param seed     that of blind()
/// @param answers  the owner's own first: then nobody who does not know it can make a sum on the way vanish
/// @return kTagBytes for each element @error Errc::protocol when an answer is no element, or answers cancel each other
/// out; Errc::limit, Errc::cancelled
Result<SecretBytes> combine(const Epoch& epoch, const Elements& elements, const Secret<32>& seed,
                            std::span<const Bytes> answers, ThreadPool& pool, Progress& progress);

/// What a protocol matches on in the place of an element: its type, 32, its tag.
Bytes tagged_element(std::byte type, std::span<const std::byte, kTagBytes> tag);

}  // namespace parley::psi::admission
