#include "crypto/expand_message.h"

#include <gtest/gtest.h>

#include "crypto/vector_table.h"

namespace parley::crypto {
namespace {

TEST(ExpandMessage, GivesTheVectorsOfRfc9380) {
  for (const auto& row : table("rfc9380/expand_message_xmd_sha512.txt")) {
    Bytes uniform(std::stoul(row[2]));
    expand_message_xmd_sha512(uniform, bytes_of(row[1]), as_bytes(row[0]));
    EXPECT_EQ(to_hex(uniform), row[3]) << row[1] << ", " << row[2];
  }
}

TEST(ExpandMessage, DependsOnTheLengthAskedFor) {
  Bytes shorter(32), longer(64);
  expand_message_xmd_sha512(shorter, as_bytes("m"), as_bytes("tag"));
  expand_message_xmd_sha512(longer, as_bytes("m"), as_bytes("tag"));
  EXPECT_NE(to_hex(shorter), to_hex(ByteView(longer).first(32)));
}

TEST(ExpandMessage, KeepsMessageAndTagApart) {
  Bytes one(64), other(64);
  expand_message_xmd_sha512(one, as_bytes("ab"), as_bytes("c"));
  expand_message_xmd_sha512(other, as_bytes("a"), as_bytes("bc"));
  EXPECT_NE(to_hex(one), to_hex(other));
}

}  // namespace
}  // namespace parley::crypto
