#include "crypto/aead.h"

#include <gtest/gtest.h>

#include "crypto/vector_table.h"

namespace parley::crypto {
namespace {

const AeadKey& key() {
  static const AeadKey kKey = seed_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  return kKey;
}

TEST(Aead, GivesTheWycheproofBoxesAndRefusesTheForgedOnes) {
  std::size_t forged = 0;
  for (const auto& row : table("wycheproof/xchacha20_poly1305.txt")) {
    const AeadKey test_key = seed_of(row[1]);
    const auto nonce = array_of<kAeadNonceBytes>(row[2]);
    const Bytes associated = bytes_of(row[3]);
    const Bytes plaintext = bytes_of(row[4]);
    Bytes sealed = to_bytes(nonce);
    append(sealed, bytes_of(row[5]));
    append(sealed, bytes_of(row[6]));
    const auto opened = open(test_key, sealed, associated);
    if (row[7] == "valid") {
      EXPECT_EQ(seal_with_nonce(test_key, nonce, plaintext, associated), sealed) << "test " << row[0];
      ASSERT_TRUE(opened.has_value()) << "test " << row[0];
      EXPECT_TRUE(constant_time_equal(opened->expose(), plaintext)) << "test " << row[0];
    } else {
      ++forged;
      EXPECT_FALSE(opened.has_value()) << "test " << row[0];
    }
  }
  EXPECT_GT(forged, 0u);
}

TEST(Aead, RefusesEveryFlippedBitAndEveryTruncation) {
  const Bytes sealed = seal(key(), as_bytes("the plaintext"), as_bytes("where it stands"));
  ASSERT_TRUE(open(key(), sealed, as_bytes("where it stands")).has_value());
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    Bytes flipped = sealed;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(open(key(), flipped, as_bytes("where it stands")).has_value()) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(open(key(), ByteView(sealed).first(size), as_bytes("where it stands")).has_value()) << size;
  }
}

TEST(Aead, RefusesAnotherPlaceAndAnotherKey) {
  const Bytes sealed = seal(key(), as_bytes("x"), as_bytes("here"));
  EXPECT_FALSE(open(key(), sealed, as_bytes("there")).has_value());
  EXPECT_FALSE(open(key(), sealed, {}).has_value());
  EXPECT_FALSE(open(AeadKey(), sealed, as_bytes("here")).has_value());
}

TEST(Aead, SealsTheSameTwiceInTwoWays) {
  EXPECT_NE(seal(key(), as_bytes("x"), {}), seal(key(), as_bytes("x"), {}));
}

TEST(Aead, SealsNothingToo) {
  const Bytes sealed = seal(key(), {}, {});
  EXPECT_EQ(sealed.size(), kAeadOverheadBytes);
  const auto opened = open(key(), sealed, {});
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->empty());
}

}  // namespace
}  // namespace parley::crypto
