// What verify() takes and refuses of Wycheproof's and our own crafted signatures is tested in log/, whose notes rest on
// it.
#include "crypto/ed25519.h"

#include <gtest/gtest.h>

#include "crypto/vector_table.h"
#include "support/crafted_signature.h"

namespace parley::crypto {
namespace {

// RFC 8032 section 7.1, TEST 2.
constexpr const char* kSeed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
constexpr const char* kKey = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
constexpr const char* kSignature =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

TEST(Ed25519, SignsAsRfc8032Does) {
  EXPECT_EQ(to_hex(public_key_of(seed_of(kSeed))), kKey);
  EXPECT_EQ(to_hex(sign(seed_of(kSeed), bytes_of("72"))), kSignature);
}

TEST(Ed25519, RefusesAnotherMessageKeyOrSignature) {
  const PublicKey key = array_of<32>(kKey);
  const auto signature = array_of<kSignatureBytes>(kSignature);
  EXPECT_TRUE(verify(key, bytes_of("72"), signature));
  EXPECT_FALSE(verify(key, bytes_of("73"), signature));
  EXPECT_FALSE(verify(key, {}, signature));
  EXPECT_FALSE(verify(public_key_of(Secret<32>()), bytes_of("72"), signature));
  for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    Signature flipped = signature;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(verify(key, bytes_of("72"), flipped)) << bit;
  }
}

// Two things that verifiers of Ed25519 differ in; tools/verify_dossier.py does as is pinned here. A libsodium that
// takes one of these makes two verifiers that come to different outcomes on what a signer can make.

TEST(Ed25519, RefusesASignatureWithANonceOfZero) {
  const Secret<32> seed = seed_of(kSeed);
  const Bytes message = bytes_of("72");
  ByteArray<32> nonce{std::byte{7}}, point{};
  ASSERT_EQ(crypto_scalarmult_ed25519_base_noclamp(as_uchar_mutable(point), as_uchar(nonce)), 0);
  EXPECT_TRUE(verify(public_key_of(seed), message, crafted_signature(seed, message, nonce, point)));
  EXPECT_FALSE(verify(public_key_of(seed), message, crafted_signature(seed, message, {}, neutral_point())));
}

TEST(Ed25519, RefusesASignatureWhoseNonceIsRightButForAPointOfSmallOrder) {
  const Secret<32> seed = seed_of(kSeed);
  const Bytes message = bytes_of("72");
  const auto of_order_8 = array_of<32>("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
  const ByteArray<32> nonce{std::byte{7}};
  ByteArray<32> point{}, moved{};
  ASSERT_EQ(crypto_scalarmult_ed25519_base_noclamp(as_uchar_mutable(point), as_uchar(nonce)), 0);
  ASSERT_EQ(crypto_core_ed25519_add(as_uchar_mutable(moved), as_uchar(point), as_uchar(of_order_8)), 0);
  EXPECT_FALSE(verify(public_key_of(seed), message, crafted_signature(seed, message, nonce, moved)));
}

TEST(Ed25519, AdmitsNoSmallOrderKey) {
  EXPECT_TRUE(is_admissible_public_key(array_of<32>(kKey)));
  EXPECT_FALSE(is_admissible_public_key(PublicKey{}));                         // order 4
  EXPECT_FALSE(is_admissible_public_key(PublicKey{std::byte{1}}));             // the identity
  EXPECT_FALSE(is_admissible_public_key(array_of<32>(std::string(64, 'f'))));  // not canonical
}

}  // namespace
}  // namespace parley::crypto
