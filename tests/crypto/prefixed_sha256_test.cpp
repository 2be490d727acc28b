#include "crypto/prefixed_sha256.h"

#include "crypto/hash.h"
#include "crypto/levels.h"

namespace parley::crypto {
namespace {

constexpr std::size_t kLongest = 300;

Bytes random_message(RandomBlocks& random, std::size_t size) {
  Bytes message(size);
  for (std::byte& byte : message) byte = static_cast<std::byte>(random.word());
  return message;
}

/// A prefix, and what the plain hash makes of it and a message.
struct Prefix {
  explicit Prefix(RandomBlocks& random) : bytes(random_message(random, PrefixedSha256::kPrefixBytes)) {}
  PrefixedSha256 hasher() const { return PrefixedSha256(ByteView(bytes).first<PrefixedSha256::kPrefixBytes>()); }
  std::string model(ByteView message) const {
    Bytes whole = bytes;
    append(whole, message);
    return to_hex(sha256(whole));
  }
  Bytes bytes;
};

void expect_model(const Prefix& prefix, const std::vector<Bytes>& messages) {
  const std::vector<ByteView> views(messages.begin(), messages.end());
  std::vector<Digest> digests(messages.size());
  prefix.hasher().hash(views, digests);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    ASSERT_EQ(to_hex(digests[i]), prefix.model(messages[i])) << i << " of " << messages.size();
  }
}

TEST(PrefixedSha256, IsSha256OfPrefixAndMessageForEveryLength) {
  at_every_level([] {
    RandomBlocks random(10);
    SCOPED_TRACE(random.seed());
    const Prefix prefix(random);
    const PrefixedSha256 hasher = prefix.hasher();
    for (std::size_t size = 0; size <= kLongest; ++size) {
      const Bytes message = random_message(random, size);
      ASSERT_EQ(to_hex(hasher.hash(message)), prefix.model(message)) << size;
      expect_model(prefix, {message});
    }
  });
}

TEST(PrefixedSha256, HashesAllLengthsInOneBatch) {
  at_every_level([] {
    RandomBlocks random(11);
    SCOPED_TRACE(random.seed());
    std::vector<Bytes> messages;
    for (std::size_t size = 0; size <= kLongest; ++size) messages.push_back(random_message(random, size));
    expect_model(Prefix(random), messages);
    std::ranges::reverse(messages);
    expect_model(Prefix(random), messages);
  });
}

TEST(PrefixedSha256, HashesBatchesOfEverySizeWithMixedLengths) {
  at_every_level([] {
    RandomBlocks random(12);
    SCOPED_TRACE(random.seed());
    const Prefix prefix(random);
    for (std::size_t count = 0; count <= 100; ++count) {
      std::vector<Bytes> messages;
      for (std::size_t i = 0; i < count; ++i)
        messages.push_back(random_message(random, random.word() % (count < 50 ? 56 : 300)));
      expect_model(prefix, messages);
    }
  });
}

// Buffers are used again: what a long message leaves in one must not reach a shorter one.
TEST(PrefixedSha256, ForgetsALongMessageBeforeAShorterOne) {
  at_every_level([] {
    RandomBlocks random(13);
    SCOPED_TRACE(random.seed());
    for (const std::size_t longest : {55u, 119u, 183u, 247u}) {
      std::vector<Bytes> messages(64, Bytes(longest, std::byte{0xff}));
      for (std::size_t i = 0; i < 64; ++i) messages.push_back(random_message(random, longest - i % 55));
      expect_model(Prefix(random), messages);
    }
  });
}

TEST(PrefixedSha256, DependsOnEveryByteOfThePrefix) {
  at_every_level([] {
    RandomBlocks random(14);
    SCOPED_TRACE(random.seed());
    Prefix prefix(random);
    const Digest before = prefix.hasher().hash(as_bytes("message"));
    for (std::byte& byte : prefix.bytes) {
      byte ^= std::byte{1};
      EXPECT_NE(prefix.hasher().hash(as_bytes("message")), before);
      byte ^= std::byte{1};
    }
  });
}

}  // namespace
}  // namespace parley::crypto
