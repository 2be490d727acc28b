#include "crypto/gf128.h"

#include "crypto/levels.h"
#include "crypto/vector_table.h"

namespace parley::crypto {
namespace {

Block block_of(const std::string& hex) {
  return load_block(parley::bytes_of(hex));
}

// What the field is, bit by bit: the model of everything here.
Block times_x(Block a) {
  const bool carry = (a.high >> 63) != 0;
  return Block{a.low << 1, (a.high << 1) | (a.low >> 63)} ^ Block { carry ? 0x87u : 0u, 0 };
}

Block model_multiply(Block a, Block b) {
  Block product;
  for (unsigned bit = 0; bit < 128; ++bit) {
    if ((((bit < 64 ? b.low : b.high) >> (bit % 64)) & 1) != 0) product ^= a;
    a = times_x(a);
  }
  return product;
}

Block model_power_sum(Block point, std::span<const Block> values) {
  Block sum, power = point;
  for (const Block value : values) {
    sum ^= model_multiply(power, value);
    power = model_multiply(power, point);
  }
  return sum;
}

// Lengths around the numbers of blocks that kernels take at once: 1, 2, 4, and 16 registers of them.
constexpr std::size_t kLengths[] = {0,  1,  2,  3,  4,  5,  7,  8,  9,   15,  16,  17,
                                    31, 32, 33, 63, 64, 65, 66, 67, 127, 128, 131, 300};

TEST(Gf128, GivesTheProductsOfTheSpecification) {
  at_every_level([] {
    for (const auto& row : table("gf128/products.txt")) {
      EXPECT_EQ(hex_of(gf_multiply(block_of(row[0]), block_of(row[1]))), row[2]);
      EXPECT_EQ(hex_of(gf_multiply(block_of(row[1]), block_of(row[0]))), row[2]);
    }
  });
}

TEST(Gf128, InvertsAsTheSpecificationSays) {
  at_every_level([] {
    EXPECT_EQ(hex_of(gf_invert(block_of("000102030405060708090a0b0c0d0e0f"))), "ea6efa575bd2c65f230b97d689942b0c");
    EXPECT_EQ(hex_of(gf_invert(kGfOne)), hex_of(kGfOne));
    EXPECT_EQ(hex_of(gf_invert(Block{})), hex_of(Block{}));
  });
}

TEST(Gf128, MultipliesEveryPairOfPowersOfX) {
  at_every_level([] {
    std::vector<Block> powers{kGfOne};  // x^0 to x^254
    while (powers.size() < 255) powers.push_back(times_x(powers.back()));
    for (std::size_t i = 0; i < 128; ++i) {
      for (std::size_t j = 0; j < 128; ++j) {
        ASSERT_TRUE(constant_time_equal(gf_multiply(powers[i], powers[j]), powers[i + j])) << i << " " << j;
      }
    }
  });
}

TEST(Gf128, AgreesWithTheBitwiseModelOnFullWords) {
  at_every_level([] {
    constexpr std::uint64_t kWords[] = {0,
                                        1,
                                        std::uint64_t{1} << 63,
                                        ~std::uint64_t{0},
                                        0x5555555555555555,
                                        0xaaaaaaaaaaaaaaaa,
                                        0x8421084210842108,
                                        0x1084210842108421};
    for (const std::uint64_t a : kWords)
      for (const std::uint64_t b : kWords)
        for (const std::uint64_t c : kWords)
          for (const std::uint64_t d : kWords) {
            ASSERT_EQ(hex_of(gf_multiply({a, b}, {c, d})), hex_of(model_multiply({a, b}, {c, d})));
          }
  });
}

TEST(Gf128, IsAFieldOnRandomElements) {
  at_every_level([] {
    RandomBlocks random(128);
    SCOPED_TRACE(random.seed());
    for (int i = 0; i < 100'000; ++i) {
      const Block a = random.block(), b = random.block(), c = random.block();
      const Block product = gf_multiply(a, b);
      ASSERT_TRUE(constant_time_equal(product, gf_multiply(b, a)));
      ASSERT_TRUE(constant_time_equal(gf_multiply(a, b ^ c), product ^ gf_multiply(a, c)));
      ASSERT_TRUE(constant_time_equal(gf_multiply(product, c), gf_multiply(a, gf_multiply(b, c))));
    }
  });
}

TEST(Gf128, HasAnInverseForEveryElementButZero) {
  at_every_level([] {
    RandomBlocks random(129);
    SCOPED_TRACE(random.seed());
    const int count = cpu_level() == CpuLevel::portable ? 2'000 : 100'000;
    for (int i = 0; i < count; ++i) {
      const Block a = random.block();
      ASSERT_TRUE(constant_time_equal(gf_multiply(a, gf_invert(a)), kGfOne));
    }
  });
}

TEST(Gf128, AgreesAtAllLevelsOnRandomProducts) {
  RandomBlocks random(130);
  SCOPED_TRACE(random.seed());
  const auto a = random.blocks(100'000), b = random.blocks(100'000);
  std::vector<Block> expected;
  for (std::size_t i = 0; i < a.size(); ++i) expected.push_back(model_multiply(a[i], b[i]));
  at_every_level([&] {
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_TRUE(constant_time_equal(gf_multiply(a[i], b[i]), expected[i])) << hex_of(a[i]) << " " << hex_of(b[i]);
    }
  });
}

TEST(GfPower, IsRepeatedMultiplication) {
  at_every_level([] {
    RandomBlocks random(131);
    SCOPED_TRACE(random.seed());
    const Block base = random.block();
    Block power = kGfOne;
    for (std::uint64_t exponent = 0; exponent < 300; ++exponent) {
      ASSERT_EQ(hex_of(gf_power(base, exponent)), hex_of(power)) << exponent;
      power = model_multiply(power, base);
    }
    const std::uint64_t large = random.word();
    EXPECT_EQ(hex_of(gf_multiply(gf_power(base, large), gf_power(base, ~large))), hex_of(gf_power(base, ~0ull)));
    EXPECT_EQ(hex_of(gf_power(Block{}, 0)), hex_of(kGfOne));
  });
}

TEST(GfAddMultiple, AddsTheFactorTimesEachValueAtEveryLength) {
  at_every_level([] {
    RandomBlocks random(132);
    SCOPED_TRACE(random.seed());
    for (const std::size_t length : kLengths) {
      const Block factor = random.block();
      const auto values = random.blocks(length);
      auto sum = random.blocks(length + 1);  // the last must stay as it is
      auto expected = sum;
      for (std::size_t i = 0; i < length; ++i) expected[i] ^= model_multiply(factor, values[i]);
      gf_add_multiple(std::span(sum).first(length), factor, values);
      for (std::size_t i = 0; i < sum.size(); ++i) ASSERT_EQ(hex_of(sum[i]), hex_of(expected[i])) << length << " " << i;
    }
  });
}

TEST(GfInnerProduct, SumsTheProductsAtEveryLength) {
  at_every_level([] {
    RandomBlocks random(133);
    SCOPED_TRACE(random.seed());
    for (const std::size_t length : kLengths) {
      const auto a = random.blocks(length), b = random.blocks(length);
      Block expected;
      for (std::size_t i = 0; i < length; ++i) expected ^= model_multiply(a[i], b[i]);
      ASSERT_EQ(hex_of(gf_inner_product(a, b)), hex_of(expected)) << length;
    }
  });
}

TEST(GfPowerSum, WeighsEachValueWithItsPowerAtEveryLength) {
  at_every_level([] {
    RandomBlocks random(134);
    SCOPED_TRACE(random.seed());
    for (const std::size_t length : kLengths) {
      const auto values = random.blocks(length);
      for (const Block point : {random.block(), Block{}, kGfOne, Block{2, 0}}) {
        ASSERT_EQ(hex_of(gf_power_sum(point, values)), hex_of(model_power_sum(point, values))) << length;
      }
    }
  });
}

TEST(GfPowerSum, TellsPositionsApart) {
  at_every_level([] {
    RandomBlocks random(135);
    SCOPED_TRACE(random.seed());
    auto values = random.blocks(200);
    const Block point = random.block();
    const Block sum = gf_power_sum(point, values);
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      std::swap(values[i], values[i + 1]);
      ASSERT_FALSE(constant_time_equal(gf_power_sum(point, values), sum)) << i;
      std::swap(values[i], values[i + 1]);
    }
  });
}

TEST(GfAddPolynomial, AddsThePolynomialAtEachPoint) {
  at_every_level([] {
    RandomBlocks random(136);
    SCOPED_TRACE(random.seed());
    for (const std::size_t length : kLengths) {
      for (std::size_t terms = 0; terms <= 7; ++terms) {
        const auto points = random.blocks(length), coefficients = random.blocks(terms);
        auto sums = random.blocks(length + 1);
        auto expected = sums;
        for (std::size_t i = 0; i < length; ++i) expected[i] ^= model_power_sum(points[i], coefficients);
        gf_add_polynomial(std::span(sums).first(length), points, coefficients);
        for (std::size_t i = 0; i < sums.size(); ++i) {
          ASSERT_EQ(hex_of(sums[i]), hex_of(expected[i])) << length << " points, " << terms << " terms, at " << i;
        }
      }
    }
  });
}

TEST(GfPack, PutsEachValueAtItsPowerOfX) {
  at_every_level([] {
    RandomBlocks random(137);
    SCOPED_TRACE(random.seed());
    const auto values = random.blocks(128);
    Block expected, power = kGfOne;
    for (const Block value : values) {
      expected ^= model_multiply(value, power);
      power = times_x(power);
    }
    EXPECT_EQ(hex_of(gf_pack(std::span(values).first<128>())), hex_of(expected));
  });
}

TEST(GfPack, MakesOneElementOfBits) {
  at_every_level([] {
    RandomBlocks random(138);
    SCOPED_TRACE(random.seed());
    const Block element = random.block();
    std::array<Block, 128> bits;
    for (std::size_t j = 0; j < 128; ++j) bits[j] = {((j < 64 ? element.low : element.high) >> (j % 64)) & 1, 0};
    EXPECT_EQ(hex_of(gf_pack(bits)), hex_of(element));
  });
}

}  // namespace
}  // namespace parley::crypto
