#include "crypto/kdf.h"

#include <gtest/gtest.h>

#include "crypto/vector_table.h"

namespace parley::crypto {
namespace {

using Hkdf = void (*)(MutableByteView, ByteView, ByteView, ByteView);

void check(Hkdf hkdf, const std::string& path) {
  for (const auto& row : table(path)) {
    Bytes key(std::stoul(row[4]));
    hkdf(key, bytes_of(row[1]), bytes_of(row[2]), bytes_of(row[3]));
    EXPECT_EQ(to_hex(key), row[5]) << path << ", test " << row[0];
  }
}

TEST(Hkdf, GivesTheWycheproofKeysWithSha256) {
  check(hkdf_sha256, "wycheproof/hkdf_sha256.txt");
}

TEST(Hkdf, GivesTheWycheproofKeysWithSha512) {
  check(hkdf_sha512, "wycheproof/hkdf_sha512.txt");
}

}  // namespace
}  // namespace parley::crypto
