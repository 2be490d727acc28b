#include "crypto/hash.h"

#include <gtest/gtest.h>

#include "crypto/vector_table.h"

namespace parley::crypto {
namespace {

// FIPS 180-4: the examples that NIST publishes with it.
TEST(Sha256, GivesTheExamplesOfFips180) {
  EXPECT_EQ(to_hex(sha256(as_bytes(""))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha512, GivesTheExamplesOfFips180) {
  EXPECT_EQ(to_hex(sha512(as_bytes("abc"))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Sha256, GivesTheSameForOneMessageInAnyParts) {
  const Bytes message(300, std::byte{0x5a});
  const Digest whole = sha256(message);
  for (std::size_t part : {1u, 7u, 63u, 64u, 65u, 128u, 299u, 300u}) {
    Sha256 hash;
    for (std::size_t at = 0; at < message.size(); at += part) {
      hash.update(ByteView(message).subspan(at, std::min(part, message.size() - at)));
    }
    EXPECT_EQ(hash.finish(), whole) << part;
  }
}

TEST(Sha512, GoesOnFromACopyOfACommonPrefix) {
  Sha512 prefix;
  prefix.update(as_bytes("common "));
  for (std::string_view rest : {"a", "b", ""}) {
    Sha512 hash = prefix;
    hash.update(as_bytes(rest));
    Digest512 digest;
    hash.finish(digest);
    EXPECT_EQ(digest, sha512(as_bytes("common " + std::string(rest))));
  }
}

TEST(HmacSha256, GivesTheWycheproofTags) {
  for (const auto& row : table("wycheproof/hmac_sha256.txt")) {
    EXPECT_EQ(to_hex(hmac_sha256(bytes_of(row[1]), bytes_of(row[2]))), row[3]) << "test " << row[0];
  }
}

// RFC 7693 appendix A.
TEST(Blake2b, GivesTheExampleOfRfc7693) {
  EXPECT_EQ(to_hex(blake2b<64>(as_bytes("abc"))),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

TEST(Blake2b, DependsOnItsKeyAndOnItsLength) {
  const Bytes key(32, std::byte{1});
  const Bytes other_key(32, std::byte{2});
  EXPECT_NE(blake2b<32>(as_bytes("x"), key), blake2b<32>(as_bytes("x")));
  EXPECT_NE(blake2b<32>(as_bytes("x"), key), blake2b<32>(as_bytes("x"), other_key));
  EXPECT_NE(to_hex(blake2b<16>(as_bytes("x"), key)), to_hex(blake2b<32>(as_bytes("x"), key)).substr(0, 32));
}

}  // namespace
}  // namespace parley::crypto
