#include "crypto/ristretto_batch.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "base/random.h"
#include "crypto/vector_table.h"

namespace parley::crypto {
namespace {

constexpr const char* kIdentity = "0000000000000000000000000000000000000000000000000000000000000000";
// RFC 9496 section 4.4, little-endian: one less than the group order.
constexpr const char* kMinusOne = "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
constexpr std::size_t kMany = 10'240;

std::string name_of(CurveLevel level) {
  return level == CurveLevel::portable ? "portable" : level == CurveLevel::avx2 ? "avx2" : "ifma";
}

/// Inputs from a seed that a failing test prints.
class Inputs {
 public:
  Inputs() {
    const char* given = std::getenv("PARLEY_TEST_SEED");
    seed_ = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
    generator_.seed(seed_);
    testing::Test::RecordProperty("seed", std::to_string(seed_));
  }

  std::string seed() const { return "PARLEY_TEST_SEED=" + std::to_string(seed_); }

  Bytes bytes(std::size_t size) {
    Bytes bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(generator_());
    return bytes;
  }
  Scalar scalar() {
    const Bytes wide = bytes(kUniformBytes);
    return Scalar::from_uniform(ByteView(wide).first<kUniformBytes>());
  }
  std::vector<Scalar> scalars(std::size_t count) {
    std::vector<Scalar> scalars;
    for (std::size_t i = 0; i < count; ++i) scalars.push_back(scalar());
    return scalars;
  }
  Bytes elements(std::size_t count) {
    Bytes encodings(count * kElementBytes);
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes uniform = bytes(kUniformBytes);
      std::ranges::copy(Element::from_uniform(ByteView(uniform).first<kUniformBytes>()).encoding(),
                        encodings.begin() + static_cast<std::ptrdiff_t>(i * kElementBytes));
    }
    return encodings;
  }

 private:
  std::uint64_t seed_ = 0;
  std::mt19937_64 generator_;
};

Scalar scalar_of(const std::string& hex) {
  return *Scalar::decode(array_of<kScalarBytes>(hex));
}
Scalar small(unsigned value) {
  ByteArray<kScalarBytes> bytes{};
  bytes[0] = static_cast<std::byte>(value);
  return *Scalar::decode(bytes);
}

ByteView element_at(ByteView list, std::size_t i) {
  return list.subspan(i * kElementBytes, kElementBytes);
}
std::span<const std::byte, kUniformBytes> uniform_at(ByteView list, std::size_t i) {
  return list.subspan(i * kUniformBytes).first<kUniformBytes>();
}

/// libsodium's own answers, one at a time, with its additions of the identity allowed; empty for a fault.
Bytes sodium_multiply(const Scalar& scalar, ByteView encoding) {
  Bytes product(kElementBytes);
  if (crypto_scalarmult_ristretto255(as_uchar_mutable(product), as_uchar(scalar.expose()), as_uchar(encoding)) != 0)
    return {};
  return product;
}
Bytes sodium_multiply_base(const Scalar& scalar) {
  Bytes product(kElementBytes);
  static_cast<void>(crypto_scalarmult_ristretto255_base(as_uchar_mutable(product), as_uchar(scalar.expose())));
  return product;  // all zero for the scalar zero
}
Bytes sodium_map(ByteView uniform) {
  Bytes element(kElementBytes);
  crypto_core_ristretto255_from_hash(as_uchar_mutable(element), as_uchar(uniform));
  return element;
}
Bytes sodium_add(ByteView a, ByteView b) {
  Bytes sum(kElementBytes);
  if (crypto_core_ristretto255_add(as_uchar_mutable(sum), as_uchar(a), as_uchar(b)) != 0) return {};
  return sum;
}
Bytes sodium_subtract(ByteView a, ByteView b) {
  Bytes difference(kElementBytes);
  if (crypto_core_ristretto255_sub(as_uchar_mutable(difference), as_uchar(a), as_uchar(b)) != 0) return {};
  return difference;
}

Bytes generator() {
  return sodium_multiply_base(small(1));
}

/// Every level that this processor has, down to the fallback.
class RistrettoBatch : public testing::TestWithParam<CurveLevel> {
 protected:
  void SetUp() override {
    limit_curve_level(GetParam());
    if (curve_level() != GetParam()) GTEST_SKIP() << "this processor has no " << name_of(GetParam());
  }
  void TearDown() override { limit_curve_level(CurveLevel::ifma); }

  /// libsodium is compared with itself on fewer.
  static std::size_t many() { return GetParam() == CurveLevel::portable ? 64 : kMany; }

  Inputs inputs;
};

INSTANTIATE_TEST_SUITE_P(AtEachLevel, RistrettoBatch,
                         testing::Values(CurveLevel::portable, CurveLevel::avx2, CurveLevel::ifma),
                         [](const auto& level) { return name_of(level.param); });

void expect_each(ByteView list, const std::function<Bytes(std::size_t)>& expected, const std::string& seed) {
  for (std::size_t i = 0; i < list.size() / kElementBytes; ++i) {
    ASSERT_EQ(to_hex(element_at(list, i)), to_hex(expected(i))) << "at " << i << ", " << seed;
  }
}

TEST_P(RistrettoBatch, MultipliesElementsAsLibsodiumDoes) {
  const std::size_t count = many();
  const Bytes elements = inputs.elements(count);
  const auto scalars = inputs.scalars(count);
  Bytes products(elements.size());
  EXPECT_EQ(multiply_each(scalars, elements, products), std::nullopt);
  expect_each(
      products, [&](std::size_t i) { return sodium_multiply(scalars[i], element_at(elements, i)); }, inputs.seed());
  EXPECT_EQ(multiply_all(scalars[0], elements, products), std::nullopt);
  expect_each(
      products, [&](std::size_t i) { return sodium_multiply(scalars[0], element_at(elements, i)); }, inputs.seed());
}

TEST_P(RistrettoBatch, MapsAsLibsodiumDoes) {
  const std::size_t count = many();
  const Bytes uniform = inputs.bytes(count * kUniformBytes);
  Bytes mapped(count * kElementBytes);
  map_all(uniform, mapped);
  expect_each(mapped, [&](std::size_t i) { return sodium_map(uniform_at(uniform, i)); }, inputs.seed());
}

TEST_P(RistrettoBatch, MapsAndMultipliesAsLibsodiumDoes) {
  const std::size_t count = many();
  const Bytes uniform = inputs.bytes(count * kUniformBytes);
  const auto scalars = inputs.scalars(count);
  Bytes products(count * kElementBytes);
  EXPECT_EQ(map_and_multiply_each(scalars, uniform, products), std::nullopt);
  const auto expected = [&](const Scalar& scalar, std::size_t i) {
    return sodium_multiply(scalar, sodium_map(uniform_at(uniform, i)));
  };
  expect_each(products, [&](std::size_t i) { return expected(scalars[i], i); }, inputs.seed());
  EXPECT_EQ(map_and_multiply_all(scalars[1], uniform, products), std::nullopt);
  expect_each(products, [&](std::size_t i) { return expected(scalars[1], i); }, inputs.seed());
}

TEST_P(RistrettoBatch, MultipliesTheGeneratorAndOneElementAsLibsodiumDoes) {
  const std::size_t count = many();
  const Bytes element = inputs.elements(1);
  const auto scalars = inputs.scalars(count);
  Bytes products(count * kElementBytes);
  EXPECT_EQ(multiply_base_each(scalars, products), std::nullopt);
  expect_each(products, [&](std::size_t i) { return sodium_multiply_base(scalars[i]); }, inputs.seed());
  EXPECT_EQ(multiply_one_by_each(scalars, ByteView(element).first<kElementBytes>(), products), std::nullopt);
  expect_each(products, [&](std::size_t i) { return sodium_multiply(scalars[i], element); }, inputs.seed());
}

TEST_P(RistrettoBatch, ComputesBothSidesOfAnObliviousTransferAsLibsodiumDoes) {
  const std::size_t count = many();
  const Bytes uniform = inputs.bytes(count * kUniformBytes);
  const auto scalars = inputs.scalars(count);
  Bytes received(count * kElementBytes);
  EXPECT_EQ(multiply_base_and_subtract_mapped(scalars, uniform, received), std::nullopt);
  expect_each(
      received,
      [&](std::size_t i) {
        return sodium_subtract(sodium_multiply_base(scalars[i]), sodium_map(uniform_at(uniform, i)));
      },
      inputs.seed());
  const Bytes other = inputs.bytes(count * kUniformBytes);
  Bytes products(count * kElementBytes);
  EXPECT_EQ(add_mapped_and_multiply_all(scalars[0], received, other, products), std::nullopt);
  expect_each(
      products,
      [&](std::size_t i) {
        return sodium_multiply(scalars[0], sodium_add(element_at(received, i), sodium_map(uniform_at(other, i))));
      },
      inputs.seed());
  // a (s G - H + H) is s (a G): the transfer itself.
  EXPECT_EQ(add_mapped_and_multiply_all(scalars[0], received, uniform, products), std::nullopt);
  const Bytes a = sodium_multiply_base(scalars[0]);
  Bytes same(products.size());
  EXPECT_EQ(multiply_one_by_each(scalars, ByteView(a).first<kElementBytes>(), same), std::nullopt);
  EXPECT_EQ(products, same) << inputs.seed();
}

TEST_P(RistrettoBatch, MultipliesByTheScalarsAtTheEdges) {
  const std::size_t count = 37;  // in every lane, and a tail
  const Bytes elements = inputs.elements(count);
  const Bytes uniform = inputs.bytes(count * kUniformBytes);
  Bytes products(elements.size());
  std::vector<Scalar> edges;
  for (unsigned value : {1u, 2u, 7u, 8u, 9u, 15u, 16u, 17u, 255u}) {
    edges.push_back(small(value));
    edges.push_back(small(0) - small(value));
  }
  // Digits that are all 8, all 7, or carry from end to end.
  for (const char* digits : {"8888888888888888888888888888888888888888888888888888888888888808",
                             "7777777777777777777777777777777777777777777777777777777777777707",
                             "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0f",
                             "0000000000000000000000000000000000000000000000000000000000000010"}) {
    edges.push_back(scalar_of(digits));
  }
  edges.push_back(scalar_of(kMinusOne));
  for (const Scalar& scalar : edges) {
    SCOPED_TRACE(to_hex(scalar.expose()));
    EXPECT_EQ(multiply_all(scalar, elements, products), std::nullopt);
    expect_each(
        products, [&](std::size_t i) { return sodium_multiply(scalar, element_at(elements, i)); }, inputs.seed());
    std::vector<Scalar> each;
    for (std::size_t i = 0; i < count; ++i) each.push_back(scalar.clone());
    EXPECT_EQ(multiply_base_each(each, products), std::nullopt);
    expect_each(products, [&](std::size_t) { return sodium_multiply_base(scalar); }, inputs.seed());
    EXPECT_EQ(multiply_base_and_subtract_mapped(each, uniform, products), std::nullopt);
    expect_each(
        products,
        [&](std::size_t i) {
          return sodium_subtract(sodium_multiply_base(scalar), sodium_map(uniform_at(uniform, i)));
        },
        inputs.seed());
  }
}

TEST_P(RistrettoBatch, TakesListsOfEveryLength) {
  for (std::size_t count = 0; count <= 135; count += count < 20 ? 1 : 23) {
    const Bytes elements = inputs.elements(count);
    const Bytes uniform = inputs.bytes(count * kUniformBytes);
    const auto scalars = inputs.scalars(count);
    // A record behind the end must stay as it is.
    Bytes products((count + 1) * kElementBytes, std::byte{0xa5});
    const MutableByteView out = MutableByteView(products).first(elements.size());
    const auto expect_end = [&] {
      EXPECT_EQ(to_hex(element_at(products, count)), to_hex(Bytes(kElementBytes, std::byte{0xa5}))) << count;
    };
    EXPECT_EQ(multiply_each(scalars, elements, out), std::nullopt);
    expect_each(
        out, [&](std::size_t i) { return sodium_multiply(scalars[i], element_at(elements, i)); }, inputs.seed());
    expect_end();
    map_all(uniform, out);
    expect_each(out, [&](std::size_t i) { return sodium_map(uniform_at(uniform, i)); }, inputs.seed());
    expect_end();
    EXPECT_EQ(multiply_base_each(scalars, out), std::nullopt);
    expect_each(out, [&](std::size_t i) { return sodium_multiply_base(scalars[i]); }, inputs.seed());
    expect_end();
    EXPECT_EQ(multiply_base_and_subtract_mapped(scalars, uniform, out), std::nullopt);
    expect_end();
  }
}

TEST_P(RistrettoBatch, NamesTheFirstInvalidEncodingOfRfc9496InEveryLane) {
  constexpr std::size_t kCount = 19;
  const Bytes good = inputs.elements(kCount);
  const Bytes uniform = inputs.bytes(kCount * kUniformBytes);
  const auto scalars = inputs.scalars(kCount);
  Bytes products(good.size());
  auto rows = table("rfc9496/invalid.txt");
  rows.push_back({"identity", kIdentity});
  for (const auto& row : rows) {
    const Bytes bad = bytes_of(row[1]);
    for (std::size_t i = 0; i < kCount; ++i) {
      Bytes elements = good;
      std::ranges::copy(bad, elements.begin() + static_cast<std::ptrdiff_t>(i * kElementBytes));
      EXPECT_EQ(multiply_each(scalars, elements, products), i) << row[0];
      EXPECT_EQ(multiply_all(small(1), elements, products), i) << row[0];
      EXPECT_EQ(add_mapped_and_multiply_all(scalars[0], elements, uniform, products), i) << row[0];
      std::ranges::copy(bad, elements.end() - kElementBytes);  // a later one changes nothing
      EXPECT_EQ(multiply_each(scalars, elements, products), i) << row[0];
    }
    EXPECT_EQ(multiply_one_by_each(scalars, ByteView(bad).first<kElementBytes>(), products), 0u) << row[0];
  }
}

TEST_P(RistrettoBatch, DecodesExactlyWhatLibsodiumDecodes) {
  // Random bytes, cleared to be below 2^255 and even, so that about one in four is an element.
  const std::size_t count = many();
  Bytes encodings = inputs.bytes(count * kElementBytes);
  std::size_t valid = 0;
  const Scalar scalar = inputs.scalar();
  for (std::size_t i = 0; i < count; ++i) {
    encodings[i * kElementBytes] &= std::byte{0xfe};
    encodings[i * kElementBytes + 31] &= std::byte{0x7f};
    const ByteView encoding = element_at(encodings, i);
    Bytes product(kElementBytes);
    const Bytes expected = sodium_multiply(scalar, encoding);
    const FirstFault fault = multiply_all(scalar, encoding, product);
    ASSERT_EQ(fault.has_value(), expected.empty()) << to_hex(encoding) << ' ' << inputs.seed();
    if (expected.empty()) continue;
    ++valid;
    ASSERT_EQ(to_hex(product), to_hex(expected)) << inputs.seed();
  }
  EXPECT_GT(valid, count / 8);
  EXPECT_LT(valid, count / 2);
}

TEST_P(RistrettoBatch, NamesTheFirstProductThatIsTheIdentity) {
  constexpr std::size_t kCount = 21;
  const Bytes elements = inputs.elements(kCount);
  const Bytes uniform = inputs.bytes(kCount * kUniformBytes);
  Bytes products(elements.size());
  EXPECT_EQ(multiply_all(small(0), elements, products), 0u);
  EXPECT_EQ(map_and_multiply_all(small(0), uniform, products), 0u);
  for (std::size_t i = 0; i < kCount; ++i) {
    std::vector<Scalar> scalars = inputs.scalars(kCount);
    scalars[i] = small(0);
    EXPECT_EQ(multiply_each(scalars, elements, products), i);
    EXPECT_EQ(map_and_multiply_each(scalars, uniform, products), i);
    EXPECT_EQ(multiply_base_each(scalars, products), i);
    EXPECT_EQ(multiply_one_by_each(scalars, ByteView(elements).first<kElementBytes>(), products), i);
    // 0 G - H is an element all the same.
    EXPECT_EQ(multiply_base_and_subtract_mapped(scalars, uniform, products), std::nullopt);

    // R = -H, so that R + H is the identity.
    Bytes opposites = elements;
    std::ranges::copy(sodium_subtract(bytes_of(kIdentity), sodium_map(uniform_at(uniform, i))),
                      opposites.begin() + static_cast<std::ptrdiff_t>(i * kElementBytes));
    EXPECT_EQ(add_mapped_and_multiply_all(scalars[(i + 1) % kCount], opposites, uniform, products), i);
  }
}

TEST_P(RistrettoBatch, AddsAPointToItself) {
  // R = H: the sum is a doubling, for which the addition must be complete.
  constexpr std::size_t kCount = 9;
  const Bytes uniform = inputs.bytes(kCount * kUniformBytes);
  Bytes mapped(kCount * kElementBytes), products(mapped.size());
  map_all(uniform, mapped);
  EXPECT_EQ(add_mapped_and_multiply_all(small(3), mapped, uniform, products), std::nullopt);
  expect_each(products, [&](std::size_t i) { return sodium_multiply(small(6), element_at(mapped, i)); }, inputs.seed());
}

TEST_P(RistrettoBatch, GivesTheVectorsOfRfc9496) {
  std::vector<Scalar> scalars;
  Bytes expected;
  for (const auto& row : table("rfc9496/multiples.txt")) {
    if (row[0] == "0") continue;
    scalars.push_back(small(static_cast<unsigned>(std::stoul(row[0]))));
    append(expected, bytes_of(row[1]));
  }
  Bytes products(expected.size());
  EXPECT_EQ(multiply_base_each(scalars, products), std::nullopt);
  EXPECT_EQ(to_hex(products), to_hex(expected));
  const Bytes g = generator();
  EXPECT_EQ(multiply_one_by_each(scalars, ByteView(g).first<kElementBytes>(), products), std::nullopt);
  EXPECT_EQ(to_hex(products), to_hex(expected));

  Bytes uniform, elements;
  for (const auto& row : table("rfc9496/uniform.txt")) {
    append(uniform, bytes_of(row[0]));
    append(elements, bytes_of(row[1]));
  }
  Bytes mapped(elements.size());
  map_all(uniform, mapped);
  EXPECT_EQ(to_hex(mapped), to_hex(elements));
  EXPECT_EQ(map_and_multiply_all(small(1), uniform, mapped), std::nullopt);
  EXPECT_EQ(to_hex(mapped), to_hex(elements));
}

TEST_P(RistrettoBatch, MapsTheEdgesOfTheField) {
  // 0, 1, p - 1, p, p + 1, 2^255 - 1 and the high bit in both halves: what RFC 9496 masks and reduces.
  const std::vector<std::string> halves = {
      std::string(64, '0'),
      "01" + std::string(62, '0'),
      "ec" + std::string(60, 'f') + "7f",
      "ed" + std::string(60, 'f') + "7f",
      "ee" + std::string(60, 'f') + "7f",
      std::string(62, 'f') + "7f",
      std::string(64, 'f'),
      std::string(62, '0') + "80",
      // where v = 0: t^2 = i d and t^2 = i / d
      "45e4a3b534d5cf8a559215f1d2564332ea91148c66abcb8a6814840ba7aa4c7a",
      "40256ac5e4c73af6057c6d5120f90c4362ab4ad9015bc365598daca048bac400",
  };
  Bytes uniform;
  for (const auto& first : halves) {
    for (const auto& second : halves) append(uniform, bytes_of(first + second));
  }
  Bytes mapped(uniform.size() / 2);
  map_all(uniform, mapped);
  expect_each(mapped, [&](std::size_t i) { return sodium_map(uniform_at(uniform, i)); }, inputs.seed());
}

std::vector<Element> elements_of(ByteView encodings) {
  std::vector<Element> elements;
  for (std::size_t i = 0; i < encodings.size() / kElementBytes; ++i) {
    elements.push_back(*Element::decode(element_at(encodings, i).first<kElementBytes>()));
  }
  return elements;
}

TEST_P(RistrettoBatch, SumsMultiplesOfPublicElements) {
  for (const std::size_t count : {1u, 2u, 3u, 7u, 8u, 9u, 64u, 127u, 128u, 129u, 300u}) {
    const Bytes encodings = inputs.elements(count);
    auto scalars = inputs.scalars(count);
    if (count > 2) scalars[count / 2] = small(0);
    Bytes expected(kElementBytes);
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes term = sodium_multiply(scalars[i], element_at(encodings, i));
      if (!term.empty()) expected = sodium_add(expected, term);
    }
    const auto sum = multiply_and_sum_vartime(scalars, elements_of(encodings));
    ASSERT_TRUE(sum.has_value()) << count;
    EXPECT_EQ(to_hex(sum->encoding()), to_hex(expected)) << count << ' ' << inputs.seed();
  }
}

TEST_P(RistrettoBatch, SaysWhenASumIsTheIdentity) {
  EXPECT_FALSE(multiply_and_sum_vartime({}, {}).has_value());
  const std::vector<Element> twice(2, elements_of(inputs.elements(1))[0]);
  std::vector<Scalar> opposite;
  opposite.push_back(inputs.scalar());
  opposite.push_back(small(0) - opposite[0]);
  EXPECT_FALSE(multiply_and_sum_vartime(opposite, twice).has_value());
  opposite[1] = small(0);
  EXPECT_TRUE(multiply_and_sum_vartime(opposite, twice).has_value());
  opposite[0] = small(0);
  EXPECT_FALSE(multiply_and_sum_vartime(opposite, twice).has_value());
}

TEST(CurveLevel, IsNeverMoreThanTheProcessorHas) {
  const CurveLevel best = curve_level();
  for (CurveLevel most : {CurveLevel::portable, CurveLevel::avx2, CurveLevel::ifma}) {
    limit_curve_level(most);
    EXPECT_EQ(curve_level(), std::min(most, best));
  }
  EXPECT_EQ(curve_level(), best);
}

}  // namespace
}  // namespace parley::crypto
