// Sealed chunks open in their place only, and a box opens for its recipient only.
#include "crypto/stream.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "crypto/sealed_box.h"

namespace parley::crypto {
namespace {

const StreamKey& key() {
  static const StreamKey key = random_secret<32>();
  return key;
}

Bytes sealed(std::uint64_t index, bool last, std::size_t size = kStreamChunkBytes) {
  const Bytes plain(size, std::byte{7});
  Bytes out(size + kStreamTagBytes);
  seal_chunk(key(), index, last, plain, out);
  return out;
}

bool opens(const StreamKey& with, std::uint64_t index, bool last, ByteView chunk) {
  Bytes out(chunk.size() < kStreamTagBytes ? 0 : chunk.size() - kStreamTagBytes);
  const bool opened = open_chunk(with, index, last, chunk, out);
  const bool is_zero = std::ranges::all_of(out, [](std::byte byte) { return byte == std::byte{0}; });
  EXPECT_TRUE(opened || is_zero) << "nothing is given out of a chunk that does not open";
  return opened;
}

TEST(Stream, ChunkOpensInItsPlaceOnly) {
  for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40}) {
    for (const bool last : {false, true}) {
      const Bytes chunk = sealed(index, last);
      EXPECT_TRUE(opens(key(), index, last, chunk));
      EXPECT_FALSE(opens(key(), index, !last, chunk)) << "the last is no other, and no other is the last";
      EXPECT_FALSE(opens(key(), index + 1, last, chunk));
      EXPECT_FALSE(opens(random_secret<32>(), index, last, chunk));
      EXPECT_FALSE(opens(key(), index, last, ByteView(chunk).first(chunk.size() - 1)));
    }
  }
}

TEST(Stream, ChunkDoesNotOpenWithAnyByteAltered) {
  const Bytes chunk = sealed(3, true, 100);
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    Bytes altered = chunk;
    altered[i] ^= std::byte{0x10};
    EXPECT_FALSE(opens(key(), 3, true, altered)) << i;
  }
}

TEST(Stream, OfNothingIsOneEmptyChunk) {
  EXPECT_EQ(sealed_stream_bytes(0), kStreamTagBytes);
  EXPECT_EQ(sealed_stream_bytes(kStreamChunkBytes), kStreamSealedChunkBytes);
  EXPECT_EQ(sealed_stream_bytes(kStreamChunkBytes + 1), kStreamSealedChunkBytes + 1 + kStreamTagBytes);
  EXPECT_TRUE(opens(key(), 0, true, sealed(0, true, 0)));
  EXPECT_FALSE(opens(key(), 0, true, {}));
}

// The nonce as age has it: eleven bytes of a counter, then whether it is the last.
TEST(Stream, IsChaCha20Poly1305UnderACounterAndAFlag) {
  const Bytes plain = to_bytes("as libsodium seals it");
  Bytes expected(plain.size() + kStreamTagBytes), made(expected.size());
  const unsigned char nonce[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1};
  crypto_aead_chacha20poly1305_ietf_encrypt(as_uchar_mutable(expected), nullptr, as_uchar(plain), plain.size(), nullptr,
                                            0, nullptr, nonce, as_uchar(key().expose()));
  seal_chunk(key(), 0x102, true, plain, made);
  EXPECT_EQ(made, expected);
}

TEST(SealedBox, OpensForTheHolderOfTheKeyOnly) {
  const Secret<32> auditor = random_secret<32>();
  const Secret<32> file_key = random_secret<32>();
  const Bytes box = seal_to(public_key_of(auditor), file_key.expose());
  const auto opened = open_sealed_box(auditor, box);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(constant_time_equal(opened->expose(), file_key.expose()));
  EXPECT_FALSE(open_sealed_box(random_secret<32>(), box));
  EXPECT_FALSE(open_sealed_box(auditor, ByteView(box).first(box.size() - 1)));
  EXPECT_FALSE(open_sealed_box(auditor, {}));
  for (std::size_t i = 0; i < box.size(); ++i) {
    Bytes altered = box;
    altered[i] ^= std::byte{1};
    EXPECT_FALSE(open_sealed_box(auditor, altered)) << i;
  }
  EXPECT_NE(box, seal_to(public_key_of(auditor), file_key.expose())) << "each box is under a key of its own";
}

}  // namespace
}  // namespace parley::crypto
