// The encoder of the silent VOLE against its definition (psi.md 2.2.6), and the promises that the protocol builds on.
#include "psi/vole/code.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/encoding.h"
#include "base/thread_pool.h"
#include "crypto/cpu.h"
#include "crypto/gf128.h"
#include "crypto/hash.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::BlockPair;
using crypto::CpuLevel;
using Blocks = std::vector<Block>;

Digest seed_named(std::string_view name) {
  return crypto::sha256(as_bytes(name));
}

/// N for k outputs: 352 noise blocks of one even length (psi.md 2.2).
std::size_t inputs_for(std::size_t outputs) {
  return 352 * 2 * ((outputs + 351) / 352);
}

/// Field elements that PARLEY_TEST_SEED repeats.
class RandomBlocks {
 public:
  RandomBlocks() {
    const char* given = std::getenv("PARLEY_TEST_SEED");
    seed_ = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    generator_.seed(seed_);
  }
  Block one() { return {generator_(), generator_()}; }
  Blocks many(std::size_t count) {
    Blocks blocks(count);
    for (Block& block : blocks) block = one();
    return blocks;
  }
  std::string said() const { return "PARLEY_TEST_SEED=" + std::to_string(seed_); }

 private:
  std::uint64_t seed_ = 0;
  std::mt19937_64 generator_;
};

bool equal(std::span<const Block> a, std::span<const Block> b) {
  return std::ranges::equal(bytes_of(a), bytes_of(b));
}

Blocks multiple(std::span<const Block> blocks, Block factor) {
  Blocks multiples;
  for (const Block block : blocks) multiples.push_back(crypto::gf_multiply(block, factor));
  return multiples;
}

Blocks sum(std::span<const Block> a, std::span<const Block> b) {
  Blocks sums;
  for (std::size_t i = 0; i < a.size(); ++i) sums.push_back(a[i] ^ b[i]);
  return sums;
}

Blocks first_of(const Code& code, const Blocks& input) {
  return {input.begin(), input.begin() + static_cast<std::ptrdiff_t>(code.outputs())};
}

/// A whole input of N elements through the sender's half of the interface.
Blocks encode(const Code& code, const Blocks& input) {
  Blocks out = first_of(code, input);
  Blocks e(input.begin() + static_cast<std::ptrdiff_t>(code.outputs()), input.end());
  code.accumulate(e);
  code.expand(std::span<const Block>(e), 0, out);
  return out;
}

/// Two inputs through the receiver's.
std::pair<Blocks, Blocks> encode_both(const Code& code, const Blocks& first, const Blocks& second) {
  std::pair<Blocks, Blocks> out = {first_of(code, first), first_of(code, second)};
  std::vector<BlockPair> e;
  for (std::size_t i = code.outputs(); i < first.size(); ++i) e.push_back({first[i], second[i]});
  code.accumulate(e);
  code.expand(std::span<const BlockPair>(e), 0, out.first, out.second);
  return out;
}

Bytes coins_of(std::span<const std::byte, crypto::kBlockBytes> key, std::size_t blocks) {
  Blocks coins(blocks);
  crypto::FixedKeyAes(key).coins(0, coins);
  return to_bytes(bytes_of(coins));
}

/// The definition, one position and one pick at a time.
Blocks model_encode(const Digest& seed, std::size_t k, const Blocks& input) {
  const std::size_t n = input.size() - k;
  const std::size_t stride = (k + 3) / 4 * 4;
  const Bytes taps = coins_of(std::span(seed).first<16>(), (n + 3) / 4 * 12 / 16 + 1);
  const Bytes picks = coins_of(std::span(seed).last<16>(), 21 * stride / 4);
  Blocks y(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(k));
  Blocks e(input.begin() + static_cast<std::ptrdiff_t>(k), input.end());
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 1; j <= 24 && i + j < n; ++j) {
      const std::size_t bit = i / 4 * 96 + (j + 20 + i % 4) % 24 * 4 + i % 4;
      if ((std::to_integer<unsigned>(taps[bit / 8]) >> bit % 8 & 1) != 0) e[i + j] ^= e[i];
    }
    if (i + 25 < n) e[i + 25] ^= crypto::gf_multiply({2, 0}, e[i]);
  }
  for (std::size_t r = 0; r < k; ++r) {
    for (std::size_t g = 0; g < 21; ++g) {
      std::uint32_t word = 0;
      std::memcpy(&word, picks.data() + 4 * (g * stride + r), 4);
      const std::uint64_t size = g == 20 ? n - 20 * (n / 21) : n / 21;
      y[r] ^= e[g * (n / 21) + (word * size >> 32)];
    }
  }
  return y;
}

/// Runs each test at each level of the processor, the portable kernels first.
class CodeAtLevel : public ::testing::TestWithParam<CpuLevel> {
 protected:
  void SetUp() override { crypto::limit_cpu_level(GetParam()); }
  void TearDown() override { crypto::limit_cpu_level(CpuLevel::avx512); }
};
INSTANTIATE_TEST_SUITE_P(Every, CodeAtLevel,
                         ::testing::Values(CpuLevel::portable, CpuLevel::aesni, CpuLevel::vaes, CpuLevel::avx512));

TEST_P(CodeAtLevel, MultipliesByTheMatrixOfItsDefinition) {
  constexpr std::size_t kOutputs = 64;
  const std::size_t inputs = inputs_for(kOutputs);
  const Digest seed = seed_named("matrix");
  const Code code(seed, kOutputs, inputs);
  RandomBlocks random;
  for (std::size_t i = 0; i < inputs; ++i) {
    Blocks unit(inputs);
    unit[i] = crypto::kGfOne;
    const Blocks column = model_encode(seed, kOutputs, unit);
    const Block value = random.one();
    const Blocks input = multiple(unit, value);
    const Blocks expected = multiple(column, value);
    ASSERT_TRUE(equal(encode(code, input), expected)) << "input " << i << ", " << random.said();
    const auto [nothing, second] = encode_both(code, Blocks(inputs), input);
    ASSERT_TRUE(equal(nothing, Blocks(kOutputs))) << "input " << i << ", " << random.said();
    ASSERT_TRUE(equal(second, expected)) << "input " << i << ", " << random.said();
  }
}

// Where kernels begin and end: groups of four positions, 4096 positions a draw of coins, four picks a block of coins.
TEST_P(CodeAtLevel, AgreesWithItsDefinitionAtLengthsAroundEveryEdge) {
  RandomBlocks random;
  for (const std::size_t outputs : std::initializer_list<std::size_t>{1, 2, 3, 4, 5, 7, 2047, 2048, 2049, 4100}) {
    for (const std::size_t noise_part :
         std::initializer_list<std::size_t>{21, 22, 27, 28, 29, 30, 31, 32, 33, 41, 42, 4095, 4096, 4097, 4125, 8200}) {
      const Digest seed = seed_named(fmt::format("{} {}", outputs, noise_part));
      const Code code(seed, outputs, outputs + noise_part);
      const Blocks first = random.many(outputs + noise_part);
      const Blocks second = random.many(outputs + noise_part);
      const Blocks expected = model_encode(seed, outputs, first);
      const auto both = encode_both(code, first, second);
      ASSERT_TRUE(equal(encode(code, first), expected)) << outputs << " " << noise_part << ", " << random.said();
      ASSERT_TRUE(equal(both.first, expected)) << outputs << " " << noise_part << ", " << random.said();
      ASSERT_TRUE(equal(both.second, encode(code, second))) << outputs << " " << noise_part << ", " << random.said();
    }
  }
}

TEST_P(CodeAtLevel, IsLinearOverTheField) {
  constexpr std::size_t kOutputs = 1000;
  const Code code(seed_named("linear"), kOutputs, inputs_for(kOutputs));
  RandomBlocks random;
  const Blocks a = random.many(inputs_for(kOutputs));
  const Blocks b = random.many(inputs_for(kOutputs));
  const Block factor = random.one();
  EXPECT_TRUE(equal(encode(code, sum(multiple(a, factor), b)), sum(multiple(encode(code, a), factor), encode(code, b))))
      << random.said();
}

// What the protocol is about: the receiver holds A and C, the sender B and Delta (psi.md 2.0).
TEST_P(CodeAtLevel, CarriesTheCorrelationOfInputsOverToEveryOutput) {
  for (const std::size_t outputs : std::initializer_list<std::size_t>{64, 1000, 20'000}) {
    const Code code(seed_named("correlation"), outputs, inputs_for(outputs));
    RandomBlocks random;
    const Block delta = random.one();
    const Blocks b = random.many(inputs_for(outputs));
    const Blocks c = random.many(inputs_for(outputs));
    const auto [a_out, c_out] = encode_both(code, sum(b, multiple(c, delta)), c);
    EXPECT_TRUE(equal(a_out, sum(encode(code, b), multiple(c_out, delta)))) << outputs << ", " << random.said();
  }
}

TEST_P(CodeAtLevel, GivesInRangesWhatItGivesAtOnceWhicheverThreadTakesThem) {
  constexpr std::size_t kOutputs = 5011;
  const Code code(seed_named("ranges"), kOutputs, inputs_for(kOutputs));
  RandomBlocks random;
  const Blocks first = random.many(inputs_for(kOutputs));
  const Blocks second = random.many(inputs_for(kOutputs));
  const auto expected = encode_both(code, first, second);
  std::vector<BlockPair> pairs;
  for (std::size_t i = kOutputs; i < first.size(); ++i) pairs.push_back({first[i], second[i]});
  code.accumulate(pairs);
  Blocks single(first.begin() + kOutputs, first.end());
  code.accumulate(single);
  ThreadPool pool(3);
  for (const std::size_t range : std::initializer_list<std::size_t>{1, 3, 4, 5, 2047, 2048, 2050, 4999}) {
    Blocks firsts = first_of(code, first);
    Blocks seconds = first_of(code, second);
    Blocks alone = first_of(code, first);
    pool.parallel_for(kOutputs, range, [&](std::size_t begin, std::size_t end) {
      const auto part = [&](Blocks& blocks) { return std::span(blocks).subspan(begin, end - begin); };
      code.expand(std::span<const BlockPair>(pairs), begin, part(firsts), part(seconds));
      code.expand(std::span<const Block>(single), begin, part(alone));
    });
    EXPECT_TRUE(equal(firsts, expected.first)) << "ranges of " << range << ", " << random.said();
    EXPECT_TRUE(equal(seconds, expected.second)) << "ranges of " << range << ", " << random.said();
    EXPECT_TRUE(equal(alone, expected.first)) << "ranges of " << range << ", " << random.said();
  }
}

// Two nodes of different builds must hold the same code: what these digests say is part of the wire format.
TEST_P(CodeAtLevel, IsTheSameCodeInEveryBuild) {
  const std::map<std::size_t, std::string> frozen = {
      {64, "fd47dd051356c3eb5520d8421b6ba85145d328a8ed4f243431b74e15c8276d42"},
      {5000, "220a5ea8696cd5b80600b1837401240041934320227ce852c2ceba6935b1eabd"},
  };
  for (const auto& [outputs, digest] : frozen) {
    Blocks input(inputs_for(outputs));
    crypto::FixedKeyAes(ByteArray<16>{}).coins(0, input);
    const Code code(seed_named("frozen"), outputs, input.size());
    EXPECT_EQ(to_hex(crypto::sha256(bytes_of(encode(code, input)))), digest) << outputs;
  }
}

TEST(Code, DependsOnEachHalfOfItsSeed) {
  constexpr std::size_t kOutputs = 500;
  const Digest seed = seed_named("seed");
  RandomBlocks random;
  const Blocks input = random.many(inputs_for(kOutputs));
  const Blocks expected = encode(Code(seed, kOutputs, input.size()), input);
  for (const std::size_t changed :
       std::initializer_list<std::size_t>{std::size_t{0}, std::size_t{15}, std::size_t{16}, std::size_t{31}}) {
    Digest other = seed;
    other[changed] ^= std::byte{1};
    const Blocks differs = encode(Code(other, kOutputs, input.size()), input);
    std::size_t same = 0;
    for (std::size_t i = 0; i < kOutputs; ++i) same += constant_time_equal(expected[i], differs[i]);
    EXPECT_EQ(same, 0u) << "byte " << changed << ", " << random.said();
  }
}

// A noise value at the end of e reaches one stratum only; one at its start reaches every output but by chance of 2^-20
// and less, because X times a position leaves the subfield in which sums of two vanish half the time (docs/lpn.md).
TEST(Code, LetsEarlyNoiseReachEveryOutput) {
  constexpr std::size_t kOutputs = 5000;
  const Code code(seed_named("reach"), kOutputs, inputs_for(kOutputs));
  Blocks input(inputs_for(kOutputs));
  input[kOutputs] = crypto::kGfOne;
  std::size_t reached = 0;
  for (const Block value : encode(code, input)) reached += !constant_time_equal(value, Block{});
  EXPECT_EQ(reached, kOutputs);
}

}  // namespace
}  // namespace parley::psi::vole
