#include "admission/message.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace parley::admission {
namespace {

const Digest kDigest = random_bytes<32>();

std::vector<Message> messages() {
  return {Request{.epoch = kDigest, .type = indicator::Type::ipv4, .blinded = Bytes(64, std::byte{7})},
          Answer{.batch = kDigest, .evaluated = Bytes(32, std::byte{9})},
          Challenge{.batch = kDigest, .sample = {0, 5, 16'383}}, Proof{.batch = kDigest, .proof = random_bytes<64>()},
          Refusal{.batch = kDigest, .reason = Reason::cap, .used = 99'000, .most = 100'000}};
}

TEST(AdmissionMessage, IsReadAsItWasWritten) {
  for (const Message& message : messages()) {
    const auto read = read_message(write_message(message));
    ASSERT_TRUE(read.has_value()) << message.index();
    EXPECT_EQ(*read, message);
  }
}

TEST(AdmissionMessage, OfTheLargestBatchFitsAFrame) {
  const Message request = Request{.epoch = kDigest, .blinded = Bytes(psi::admission::kMostInBatch * 32)};
  EXPECT_LT(write_message(request).size(), std::size_t{1} << 20);
  EXPECT_TRUE(read_message(write_message(request)).has_value());
}

TEST(AdmissionMessage, IsRefusedWhenItIsCutOrHasMore) {
  for (const Message& message : messages()) {
    Bytes whole = write_message(message);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto read = read_message(ByteView(whole).first(length));
      ASSERT_FALSE(read.has_value()) << message.index() << " of " << length;
      EXPECT_EQ(read.error().code, Errc::protocol);
    }
    whole.push_back(std::byte{0});
    EXPECT_FALSE(read_message(whole).has_value()) << message.index();
  }
}

struct Bent {
  const char* why;
  std::size_t message, place;
  std::byte value;
};

TEST(AdmissionMessage, IsRefusedWhenItSaysWhatNobodySays) {
  constexpr Bent kBent[] = {
      {"no kind", 0, 0, std::byte{0}},
      {"a kind that is not known", 0, 0, std::byte{6}},
      {"no type", 0, 33, std::byte{0}},
      {"a type that is not known", 0, 33, std::byte{200}},
      {"more elements than there are", 0, 37, std::byte{3}},
      {"more elements than a batch has", 0, 35, std::byte{1}},
      {"no elements", 1, 36, std::byte{0}},
      {"no sample", 2, 34, std::byte{0}},
      {"a sample that is too large", 2, 33, std::byte{2}},
      {"no reason", 4, 33, std::byte{0}},
      {"a reason that is not known", 4, 33, std::byte{7}},
  };
  for (const Bent& bent : kBent) {
    Bytes bytes = write_message(messages()[bent.message]);
    ASSERT_NE(bytes[bent.place], bent.value) << bent.why;
    bytes[bent.place] = bent.value;
    EXPECT_FALSE(read_message(bytes).has_value()) << bent.why;
  }
}

}  // namespace
}  // namespace parley::admission
