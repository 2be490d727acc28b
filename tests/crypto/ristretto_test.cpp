#include "crypto/ristretto.h"

#include <gtest/gtest.h>

#include "crypto/vector_table.h"

namespace parley::crypto {
namespace {

constexpr const char* kIdentity = "0000000000000000000000000000000000000000000000000000000000000000";
// RFC 9496 section 4.4, little-endian: the group order.
constexpr const char* kOrder = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

Scalar small(unsigned value) {
  ByteArray<kUniformBytes> wide{};
  wide[0] = static_cast<std::byte>(value);
  return Scalar::from_uniform(wide);
}

Scalar scalar(std::string_view name) {
  ByteArray<kUniformBytes> wide;
  crypto_hash_sha512(as_uchar_mutable(wide), as_uchar(as_bytes(name)), name.size());
  return Scalar::from_uniform(wide);
}

std::string hex(const std::optional<Element>& element) {
  return element ? to_hex(element->encoding()) : "nothing";
}

TEST(Ristretto, GivesTheMultiplesOfRfc9496) {
  for (const auto& row : table("rfc9496/multiples.txt")) {
    const auto multiplier = static_cast<unsigned>(std::stoul(row[0]));
    EXPECT_EQ(hex(multiply_base(small(multiplier))), multiplier == 0 ? "nothing" : row[1]) << multiplier;
  }
}

TEST(Ristretto, GivesTheMultiplesByAdditionToo) {
  const auto rows = table("rfc9496/multiples.txt");
  const auto generator = Element::decode(array_of<32>(rows[1][1]));
  ASSERT_TRUE(generator.has_value());
  std::optional<Element> sum = generator;
  for (std::size_t i = 2; i < rows.size(); ++i) {
    sum = add(*sum, *generator);
    EXPECT_EQ(hex(sum), rows[i][1]) << i;
    EXPECT_EQ(hex(multiply(small(static_cast<unsigned>(i)), *generator)), rows[i][1]) << i;
  }
}

TEST(Ristretto, RefusesTheInvalidEncodingsOfRfc9496) {
  for (const auto& row : table("rfc9496/invalid.txt")) {
    EXPECT_FALSE(Element::decode(array_of<32>(row[1])).has_value()) << row[0] << ' ' << row[1];
    EXPECT_FALSE(decode_and_multiply(small(1), array_of<32>(row[1])).has_value()) << row[0] << ' ' << row[1];
    EXPECT_FALSE(decode_and_multiply(scalar("k"), array_of<32>(row[1])).has_value()) << row[0] << ' ' << row[1];
  }
}

TEST(Ristretto, RefusesTheIdentityWhereverItArises) {
  EXPECT_FALSE(Element::decode(array_of<32>(kIdentity)).has_value());
  EXPECT_FALSE(decode_and_multiply(scalar("k"), array_of<32>(kIdentity)).has_value());
  EXPECT_FALSE(multiply_base(small(0)).has_value());
  const Element element = *multiply_base(scalar("k"));
  EXPECT_FALSE(multiply(small(0), element).has_value());
  EXPECT_FALSE(add(element, *multiply_base(small(0) - scalar("k"))).has_value());
}

TEST(Ristretto, MapsUniformBytesAsRfc9496Does) {
  for (const auto& row : table("rfc9496/uniform.txt")) {
    EXPECT_EQ(to_hex(Element::from_uniform(array_of<64>(row[0])).encoding()), row[1]) << row[0];
  }
}

TEST(Scalar, IsRefusedUnlessBelowTheGroupOrder) {
  auto order = array_of<32>(kOrder);
  EXPECT_FALSE(Scalar::decode(order).has_value());
  EXPECT_FALSE(Scalar::decode(array_of<32>(std::string(64, 'f'))).has_value());
  order[0] ^= std::byte{1};  // one less: the order is odd
  EXPECT_TRUE(Scalar::decode(order).has_value());
  order[31] |= std::byte{0x80};
  EXPECT_FALSE(Scalar::decode(order).has_value());
  EXPECT_TRUE(Scalar::decode(array_of<32>(kIdentity)).has_value());
}

TEST(Scalar, KeepsTheLawsOfAField) {
  const Scalar a = scalar("a"), b = scalar("b"), c = scalar("c");
  const auto equal = [](const Scalar& x, const Scalar& y) { return constant_time_equal(x.expose(), y.expose()); };
  EXPECT_TRUE(equal((a + b) * c, a * c + b * c));
  EXPECT_TRUE(equal(a - b + b, a));
  EXPECT_TRUE(equal(a * b, b * a));
  EXPECT_TRUE(equal(a * small(1), a));
  EXPECT_FALSE(equal(a, b));
  // (a + b) G = a G + b G
  EXPECT_EQ(hex(multiply_base(a + b)), hex(add(*multiply_base(a), *multiply_base(b))));
}

TEST(Scalar, InvertsAnyNumberAtOnce) {
  for (std::size_t count : {0u, 1u, 2u, 3u, 64u, 257u}) {
    std::vector<Scalar> scalars, inverses;
    for (std::size_t i = 0; i < count; ++i) scalars.push_back(scalar("scalar " + std::to_string(i)));
    for (const Scalar& value : scalars) inverses.push_back(value.clone());
    ASSERT_TRUE(Scalar::invert_all(inverses));
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(to_hex((scalars[i] * inverses[i]).expose()), to_hex(small(1).expose())) << i << " of " << count;
    }
  }
}

TEST(Scalar, InvertsNothingWhenOneIsZero) {
  for (std::size_t zero = 0; zero < 3; ++zero) {
    std::vector<Scalar> scalars;
    for (std::size_t i = 0; i < 3; ++i) scalars.push_back(i == zero ? small(0) : small(5));
    EXPECT_FALSE(Scalar::invert_all(scalars)) << zero;
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(to_hex(scalars[i].expose()), to_hex(small(i == zero ? 0 : 5).expose()));
    }
  }
}

}  // namespace
}  // namespace parley::crypto
