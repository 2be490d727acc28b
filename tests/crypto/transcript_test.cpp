#include "crypto/transcript.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace parley::crypto {
namespace {

Digest after(std::uint8_t direction, std::uint16_t type, std::string_view payload) {
  Transcript transcript(Digest{std::byte{7}});
  transcript.absorb(direction, type, as_bytes(payload));
  return transcript.value();
}

// The value itself is frozen, for whole runs, in psi/classic.json.
TEST(Transcript, BindsEveryPartOfAMessage) {
  const Digest value = after(0, 0x0102, "payload");
  EXPECT_EQ(value, after(0, 0x0102, "payload"));
  EXPECT_NE(value, after(1, 0x0102, "payload"));
  EXPECT_NE(value, after(0, 0x0103, "payload"));
  EXPECT_NE(value, after(0, 0x0102, "payloae"));
  EXPECT_NE(value, after(0, 0x0102, "payloa"));
  EXPECT_NE(value, after(0, 0x0102, ""));
}

TEST(Transcript, BindsTheSessionAndTheOrderOfMessages) {
  EXPECT_EQ(Transcript(Digest{std::byte{7}}).value(), Digest{std::byte{7}});
  Transcript forth(Digest{}), back(Digest{}), elsewhere(Digest{std::byte{1}});
  forth.absorb(0, 1, as_bytes("a"));
  forth.absorb(0, 1, as_bytes("b"));
  back.absorb(0, 1, as_bytes("b"));
  back.absorb(0, 1, as_bytes("a"));
  elsewhere.absorb(0, 1, as_bytes("a"));
  elsewhere.absorb(0, 1, as_bytes("b"));
  EXPECT_NE(forth.value(), back.value());
  EXPECT_NE(forth.value(), elsewhere.value());
}

}  // namespace
}  // namespace parley::crypto
