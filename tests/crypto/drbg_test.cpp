#include "crypto/drbg.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "crypto/vector_table.h"

namespace parley::crypto {
namespace {

const Secret<32>& seed() {
  static const Secret<32> kSeed = seed_of(std::string(64, '5'));
  return kSeed;
}

TEST(Drbg, GivesTheStreamsOfTheModel) {
  const auto model = nlohmann::json::parse(std::ifstream(std::string(PARLEY_VECTORS) + "/psi/classic.json"));
  const Secret<32> model_seed = seed_of(model["receiver_seed"]);
  const Digest session = array_of<32>(model["session_id"]);
  ASSERT_FALSE(model["streams_of_receiver_seed"].empty());
  for (const auto& stream : model["streams_of_receiver_seed"]) {
    const Drbg drbg(model_seed, session, stream["label"].get<std::string>());
    EXPECT_EQ(to_hex(drbg.secret<64>(stream["block"]).expose()), stream["bytes"].get<std::string>()) << stream;
  }
}

TEST(Drbg, GivesTheSameBytesFromAnyPlace) {
  const Drbg drbg(seed(), Digest{}, "label");
  Bytes whole(10 * Drbg::kBlockBytes);
  drbg.fill(0, whole);
  for (std::size_t block = 0; block < 10; ++block) {
    Bytes part(whole.size() - block * Drbg::kBlockBytes, std::byte{0xff});
    drbg.fill(block, part);
    EXPECT_EQ(to_hex(part), to_hex(ByteView(whole).subspan(block * Drbg::kBlockBytes))) << block;
  }
}

TEST(Drbg, GivesOtherBytesForAnotherSeedSessionOrLabel) {
  const auto first = [](const Secret<32>& s, const Digest& session, std::string_view label) {
    return to_hex(Drbg(s, session, label).secret<32>(0).expose());
  };
  const std::string bytes = first(seed(), {}, "label");
  EXPECT_NE(bytes, first(Secret<32>(), {}, "label"));
  EXPECT_NE(bytes, first(seed(), Digest{std::byte{1}}, "label"));
  EXPECT_NE(bytes, first(seed(), {}, "labem"));
  EXPECT_NE(bytes, first(seed(), {}, ""));
}

}  // namespace
}  // namespace parley::crypto
