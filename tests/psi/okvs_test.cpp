#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "crypto/cpu.h"
#include "crypto/gf128.h"
#include "crypto/hash.h"
#include "crypto/vector_table.h"
#include "psi/okvs/detail/bin_sizes.h"
#include "psi/okvs/detail/dense_row.h"
#include "psi/okvs/detail/dense_system.h"
#include "psi/okvs_keys.h"

namespace parley::psi::okvs {
namespace {

using crypto::Block;

const nlohmann::json& model() {
  static const nlohmann::json kModel =
      nlohmann::json::parse(std::ifstream(std::string(PARLEY_VECTORS) + "/psi/okvs.json"));
  return kModel;
}

std::string hex_of(Block block) {
  return to_hex(crypto::bytes_of(std::span<const Block>(&block, 1)));
}

/// A bin with few cells, so that rows are left over.
Shape tight(std::uint32_t capacity, std::uint32_t sparse_cells, std::uint32_t dense_cells) {
  return {1, capacity, sparse_cells, dense_cells};
}

struct Encoded {
  Status status;
  std::vector<Block> cells;
};

Encoded encoded(const Shape& shape, const Pairs& pairs, Workspace& workspace) {
  Encoded result{{}, std::vector<Block>(shape.cells_per_bin(), Block{~std::uint64_t{0}, 7})};
  result.status = encode_bin(shape, pairs.keys, pairs.values, result.cells, workspace);
  return result;
}

Encoded encoded(const Shape& shape, const Pairs& pairs) {
  Workspace workspace;
  return encoded(shape, pairs, workspace);
}

std::size_t gap_rows(const Shape& shape, const Pairs& pairs) {
  std::vector<detail::Columns> rows;
  for (const Digest& key : pairs.keys) rows.emplace_back(detail::seed_of_row(key), shape.sparse_cells);
  detail::Triangulation triangulation;
  triangulation.run(rows, shape.sparse_cells, rows.size());
  return triangulation.gap_rows().size();
}

TEST(OkvsRow, IsThatOfTheModel) {
  ASSERT_FALSE(model()["rows"].empty());
  for (const auto& row : model()["rows"]) {
    SCOPED_TRACE(row.dump());
    const auto key = array_of<32>(row["key"]);
    EXPECT_EQ(bin_of(Shape{row["bins"], 0, row["sparse_cells"], 3}, key), row["bin"].get<std::uint32_t>());
    const detail::Columns columns(detail::seed_of_row(key), row["sparse_cells"].get<std::uint32_t>());
    for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(columns[i], row["columns"][i].get<std::uint32_t>());
    for (std::size_t j = 0; j < row["powers"].size(); ++j) {
      std::vector<Block> dense(row["powers"].size());
      dense[j] = crypto::kGfOne;
      Block sum;
      detail::add_dense_cells({&key, 1}, dense, {&sum, 1});
      EXPECT_EQ(hex_of(sum), row["powers"][j].get<std::string>());
    }
  }
}

// Words in the middle of each of s, s-1 and s-2 equal parts of their range meet every triple exactly once.
TEST(OkvsRow, MeetsEveryTripleOfDistinctColumnsEquallyOften) {
  for (const std::uint32_t cells : {3u, 4u, 7u, 12u}) {
    const auto word = [](std::uint32_t i, std::uint32_t parts) {
      return ((2 * i + 1) * (std::uint64_t{1} << 31)) / parts;
    };
    std::set<std::array<std::uint32_t, 3>> seen;
    for (std::uint32_t i = 0; i < cells; ++i) {
      for (std::uint32_t j = 0; j < cells - 1; ++j) {
        for (std::uint32_t k = 0; k < cells - 2; ++k) {
          const Block seed{word(i, cells) << 32, word(j, cells - 1) | word(k, cells - 2) << 32};
          const detail::Columns columns(seed, cells);
          const std::array triple{columns[0], columns[1], columns[2]};
          EXPECT_LT(std::ranges::max(triple), cells);
          EXPECT_TRUE(triple[0] != triple[1] && triple[0] != triple[2] && triple[1] != triple[2]);
          EXPECT_TRUE(seen.insert(triple).second);
        }
      }
    }
    EXPECT_EQ(seen.size(), cells * (cells - 1) * (cells - 2));
  }
}

TEST(OkvsRow, StaysInRangeAtTheEndsOfItsWords) {
  for (const std::uint32_t cells : {3u, 1'470u, detail::Columns::kLimit}) {
    const detail::Columns first(Block{}, cells);
    EXPECT_EQ((std::array{first[0], first[1], first[2]}), (std::array{0u, 1u, 2u}));
    const detail::Columns last(Block{~std::uint64_t{0}, ~std::uint64_t{0}}, cells);
    EXPECT_EQ((std::array{last[0], last[1], last[2]}), (std::array{cells - 1, cells - 2, cells - 3}));
  }
}

TEST(Okvs, EncodesWhatTheModelEncodes) {
  std::size_t with_gaps = 0;
  for (const auto& modelled : model()["bins"]) {
    SCOPED_TRACE(modelled["name"].get<std::string>());
    const std::uint32_t count = modelled["count"];
    const Shape shape = tight(count, modelled["sparse_cells"], modelled["dense_cells"]);
    Pairs pairs;
    for (std::size_t i = 0; i < count; ++i) {
      pairs.keys.push_back(crypto::sha256(as_bytes(modelled["name"].get<std::string>() + " " + std::to_string(i))));
      pairs.values.push_back(crypto::load_block(pairs.keys.back()));
    }
    const Encoded ours = encoded(shape, pairs);
    EXPECT_EQ(gap_rows(shape, pairs), modelled["gap_rows"].get<std::size_t>());
    if (!modelled.contains("cells_sha256")) {
      EXPECT_FALSE(ours.status.has_value());
      continue;
    }
    ASSERT_TRUE(ours.status.has_value()) << ours.status.error().text();
    with_gaps += modelled["gap_rows"] > 0;
    EXPECT_EQ(to_hex(crypto::sha256(crypto::bytes_of(ours.cells))), modelled["cells_sha256"].get<std::string>());
    for (std::size_t i = 0; i < modelled["cells"].size(); ++i)
      EXPECT_EQ(hex_of(ours.cells[i]), modelled["cells"][i].get<std::string>()) << i;
    const Digest stranger = crypto::sha256(as_bytes("stranger 0"));
    EXPECT_EQ(hex_of(decoded(shape, {&stranger, 1}, ours.cells)[0]), modelled["stranger"].get<std::string>());
  }
  EXPECT_GE(with_gaps, 10u);
}

/// Rows written out in full and solved by the elimination of the textbook.
class PlainSystem {
 public:
  PlainSystem(const Shape& shape, const Pairs& pairs) : unknowns_(shape.cells_per_bin()) {
    for (std::size_t i = 0; i < pairs.keys.size(); ++i) {
      std::vector<Block> row(unknowns_ + 1);
      const Block seed = crypto::load_block(ByteView(pairs.keys[i]).subspan(16));
      const detail::Columns columns(seed, shape.sparse_cells);
      for (unsigned j = 0; j < 3; ++j) row[columns[j]] ^= crypto::kGfOne;
      Block point;
      detail::dense_points({&pairs.keys[i], 1}, {&point, 1});
      for (std::size_t j = 0; j < shape.dense_cells; ++j) row[shape.sparse_cells + j] = crypto::gf_power(point, j + 1);
      row.back() = pairs.values[i];
      rows_.push_back(std::move(row));
    }
  }

  std::optional<std::vector<Block>> solve() {
    std::vector<std::size_t> pivots;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      std::size_t pivot = 0;
      while (pivot < unknowns_ && is_zero(rows_[i][pivot])) ++pivot;
      if (pivot == unknowns_) return std::nullopt;
      pivots.push_back(pivot);
      const Block inverse = crypto::gf_invert(rows_[i][pivot]);
      for (std::size_t k = i + 1; k < rows_.size(); ++k) {
        if (!is_zero(rows_[k][pivot])) subtract(rows_[k], crypto::gf_multiply(rows_[k][pivot], inverse), rows_[i]);
      }
    }
    std::vector<Block> solution(unknowns_);
    for (std::size_t i = rows_.size(); i-- > 0;) {
      Block rest = rows_[i].back();
      for (std::size_t j = 0; j < unknowns_; ++j) {
        if (j != pivots[i] && !is_zero(rows_[i][j])) rest ^= times(rows_[i][j], solution[j]);
      }
      solution[pivots[i]] = crypto::gf_multiply(rest, crypto::gf_invert(rows_[i][pivots[i]]));
    }
    return solution;
  }

  bool holds(std::span<const Block> cells) const {
    return std::ranges::all_of(rows_, [&](const std::vector<Block>& row) {
      Block sum = row.back();
      for (std::size_t j = 0; j < unknowns_; ++j) sum ^= times(row[j], cells[j]);
      return is_zero(sum);
    });
  }

 private:
  static bool is_zero(Block block) { return constant_time_equal(block, Block{}); }
  static Block times(Block a, Block b) {  // mostly 0 and 1: saves minutes
    if (is_zero(a)) return {};
    return constant_time_equal(a, crypto::kGfOne) ? b : crypto::gf_multiply(a, b);
  }
  static void subtract(std::vector<Block>& from, Block factor, const std::vector<Block>& row) {
    for (std::size_t j = 0; j < row.size(); ++j) from[j] ^= is_zero(row[j]) ? Block{} : times(factor, row[j]);
  }

  std::size_t unknowns_;
  std::vector<std::vector<Block>> rows_;
};

TEST(Okvs, EncodesToASolutionOfTheSystemAndDecodesAnyOther) {
  std::mt19937_64 random(1);
  for (const std::size_t count : {0u, 1u, 2u, 3u, 10u, 100u, 1000u}) {
    SCOPED_TRACE(count);
    const Shape shape = shape_for(count);
    const Pairs pairs = random_pairs(random, count);
    const Encoded ours = encoded(shape, pairs);
    ASSERT_TRUE(ours.status.has_value()) << ours.status.error().text();
    EXPECT_TRUE(same(decoded(shape, pairs.keys, ours.cells), pairs.values));
    PlainSystem system(shape, pairs);
    EXPECT_TRUE(system.holds(ours.cells));
    const auto theirs = system.solve();
    ASSERT_TRUE(theirs.has_value());
    EXPECT_TRUE(same(decoded(shape, pairs.keys, *theirs), pairs.values));
  }
}

TEST(Okvs, EncodesTightBinsThroughTheirDenseCellsExactlyWhenThereAreEnough) {
  std::mt19937_64 random(2);
  std::map<std::size_t, int> solved, refused;  // by gap rows
  for (int i = 0; i < 400; ++i) {
    const Shape shape = tight(100, 116, 5);
    const Pairs pairs = random_pairs(random, 100);
    const std::size_t gaps = gap_rows(shape, pairs);
    const Encoded ours = encoded(shape, pairs);
    ++(ours.status ? solved : refused)[gaps];
    EXPECT_EQ(ours.status.has_value(), gaps <= shape.dense_cells) << gaps;
    if (ours.status) {
      EXPECT_TRUE(PlainSystem(shape, pairs).holds(ours.cells)) << gaps;
      EXPECT_TRUE(same(decoded(shape, pairs.keys, ours.cells), pairs.values)) << gaps;
    } else {
      EXPECT_EQ(ours.status.error().code, Errc::limit);
    }
  }
  for (std::size_t gaps = 0; gaps <= 5; ++gaps) EXPECT_GE(solved[gaps], 3) << gaps;
  EXPECT_GE(refused[6], 3);
}

TEST(Okvs, EncodesAllBinsOfALargeSet) {
  constexpr std::size_t kCount = 200'000;
  std::mt19937_64 random(3);
  const Shape shape = shape_for(kCount);
  ASSERT_EQ(shape.bins, 4u);
  std::vector<Pairs> bins(shape.bins);
  for (std::size_t i = 0; i < kCount; ++i) {
    const Digest key = random_key(random);
    Pairs& bin = bins.at(bin_of(shape, key));
    bin.keys.push_back(key);
    bin.values.push_back(random_block(random));
  }
  Workspace workspace;
  for (const Pairs& bin : bins) {
    EXPECT_NEAR(static_cast<double>(bin.keys.size()), 50'000, 1'000);
    const Encoded ours = encoded(shape, bin, workspace);
    ASSERT_TRUE(ours.status.has_value()) << ours.status.error().text();
    EXPECT_TRUE(same(decoded(shape, bin.keys, ours.cells), bin.values));
  }
}

TEST(Okvs, EncodesAFullBin) {
  std::mt19937_64 random(4);
  const Shape shape = shape_for(2'000);
  const Pairs pairs = random_pairs(random, shape.bin_capacity);
  EXPECT_TRUE(encoded(shape, pairs).status.has_value());
}

TEST(Okvs, RefusesMoreKeysThanABinHasRoomFor) {
  std::mt19937_64 random(5);
  const Shape shape = shape_for(0);
  const Pairs pairs = random_pairs(random, shape.bin_capacity + 1);
  const Encoded ours = encoded(shape, pairs);
  ASSERT_FALSE(ours.status.has_value());
  EXPECT_EQ(ours.status.error().code, Errc::limit);
  EXPECT_THAT(ours.status.error().message, testing::HasSubstr("1025"));
}

TEST(Okvs, RefusesARepeatedKeyAndSaysWhichWhateverItsValues) {
  std::mt19937_64 random(6);
  const Shape shape = shape_for(0);
  for (const bool same_value : {false, true}) {
    for (const auto& [first, second] : std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}, {3, 900}, {998, 999}}) {
      Pairs pairs = random_pairs(random, 1'000);
      pairs.keys[second] = pairs.keys[first];
      if (same_value) pairs.values[second] = pairs.values[first];
      const Encoded ours = encoded(shape, pairs);
      ASSERT_FALSE(ours.status.has_value());
      EXPECT_EQ(ours.status.error().code, Errc::internal);
      EXPECT_THAT(ours.status.error().message,
                  testing::HasSubstr("Keys " + std::to_string(first) + " and " + std::to_string(second) + " "));
    }
  }
}

TEST(Okvs, RefusesKeysThatDifferOnlyInWhatItDoesNotUse) {
  std::mt19937_64 random(7);
  Pairs pairs = random_pairs(random, 10);
  pairs.keys[7] = pairs.keys[2];
  pairs.keys[7][0] ^= std::byte{1};
  EXPECT_EQ(encoded(shape_for(10), pairs).status.error().code, Errc::internal);
}

TEST(Okvs, RefusesABinOfOneKeyAThousandTimes) {
  std::mt19937_64 random(8);
  Pairs pairs = random_pairs(random, 1'000);
  std::ranges::fill(pairs.keys, pairs.keys[0]);
  EXPECT_EQ(encoded(shape_for(0), pairs).status.error().code, Errc::internal);
  pairs.keys.resize(2'000, pairs.keys[0]);
  pairs.values.resize(2'000);
  EXPECT_EQ(encoded(shape_for(0), pairs).status.error().code, Errc::internal);
}

TEST(Okvs, RefusesKeysThatCrowdIntoTheSameColumns) {
  std::mt19937_64 random(9);
  Pairs pairs = random_pairs(random, 100);
  for (Digest& key : pairs.keys) std::fill_n(key.begin() + 22, 10, std::byte{0});  // columns 0 or so, 1, 2
  for (Digest& key : pairs.keys) key[20] = key[21] = std::byte{0};
  const Encoded ours = encoded(shape_for(0), pairs);
  ASSERT_FALSE(ours.status.has_value());
  EXPECT_EQ(ours.status.error().code, Errc::limit);
}

TEST(Okvs, DecodesAKeyThatWasNotEncodedToNoValue) {
  std::mt19937_64 random(10);
  const Shape shape = shape_for(1'000);
  const Pairs pairs = random_pairs(random, 1'000);
  std::vector<Block> cells = encoded(shape, pairs).cells;
  for (Block& cell : cells) cell ^= random_block(random);  // as the mask does: a third of all cells were zero
  const Pairs strangers = random_pairs(random, 1'000);
  std::set<std::string> seen;
  for (const auto& blocks : {decoded(shape, strangers.keys, cells), pairs.values}) {
    for (const Block& block : blocks) EXPECT_TRUE(seen.insert(hex_of(block)).second);
  }
}

TEST(Okvs, DecodesLinearly) {
  std::mt19937_64 random(11);
  const Shape shape = shape_for(0);
  const Pairs pairs = random_pairs(random, 300);
  std::vector<Block> a(shape.cells_per_bin()), b(a), combined(a);
  const Block factor = random_block(random);
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] = random_block(random);
    b[i] = random_block(random);
    combined[i] = a[i] ^ crypto::gf_multiply(factor, b[i]);
  }
  std::vector<Block> expected = decoded(shape, pairs.keys, a);
  crypto::gf_add_multiple(expected, factor, decoded(shape, pairs.keys, b));
  EXPECT_TRUE(same(decoded(shape, pairs.keys, combined), expected));
}

TEST(Okvs, DecodesFromEveryOneOfItsCells) {
  std::mt19937_64 random(12);
  const Shape shape = shape_for(0);
  const Digest key = random_key(random);
  const detail::Columns columns(detail::seed_of_row(key), shape.sparse_cells);
  std::size_t used = 0;
  for (std::size_t i = 0; i < shape.cells_per_bin(); ++i) {
    std::vector<Block> cells(shape.cells_per_bin());
    cells[i] = crypto::kGfOne;
    const bool changes = !constant_time_equal(decoded(shape, {&key, 1}, cells)[0], Block{});
    EXPECT_EQ(changes, i >= shape.sparse_cells || columns.contain(static_cast<std::uint32_t>(i))) << i;
    used += changes;
  }
  EXPECT_EQ(used, 3 + shape.dense_cells);
}

// Why an encoding must be masked: the cells that are left over would show how many keys it has, and where.
TEST(Okvs, LeavesCellsZeroThatNoKeyNeeds) {
  std::mt19937_64 random(13);
  const Shape shape = shape_for(0);
  for (const std::size_t count : {0u, 1u, 1'000u}) {
    const Encoded ours = encoded(shape, random_pairs(random, count));
    const auto zeros = std::ranges::count_if(ours.cells, [](Block b) { return constant_time_equal(b, Block{}); });
    EXPECT_EQ(static_cast<std::size_t>(zeros), shape.cells_per_bin() - count);
  }
}

TEST(Okvs, EncodesTheSameWhateverTheWorkspaceDidBefore) {
  std::mt19937_64 random(14);
  const Shape small = tight(100, 116, 5);
  const Shape large = shape_for(5'000);
  Workspace used;
  for (int i = 0; i < 30; ++i) {
    const bool is_small = random() % 2 == 0;
    const Shape& shape = is_small ? small : large;
    const Pairs pairs = random_pairs(random, is_small ? 100 : random() % 5'000);
    const Encoded again = encoded(shape, pairs, used);
    const Encoded fresh = encoded(shape, pairs);
    EXPECT_EQ(again.status.has_value(), fresh.status.has_value());
    if (fresh.status) {
      EXPECT_TRUE(same(again.cells, fresh.cells));
    }
  }
}

TEST(Okvs, EncodesAndDecodesTheSameAtEveryLevelOfTheProcessor) {
  std::mt19937_64 random(15);
  const Shape shape = tight(100, 116, 12);
  const Pairs pairs = random_pairs(random, 100);
  ASSERT_GT(gap_rows(shape, pairs), 0u);
  const crypto::CpuLevel best = crypto::cpu_level();
  const Encoded ours = encoded(shape, pairs);
  ASSERT_TRUE(ours.status.has_value());
  for (const auto level : {crypto::CpuLevel::portable, crypto::CpuLevel::aesni, crypto::CpuLevel::vaes}) {
    crypto::limit_cpu_level(level);
    EXPECT_TRUE(same(encoded(shape, pairs).cells, ours.cells));
    EXPECT_TRUE(same(decoded(shape, pairs.keys, ours.cells), pairs.values));
  }
  crypto::limit_cpu_level(best);
}

TEST(Okvs, EncodesBinsInParallelAsOneAfterTheOther) {
  std::mt19937_64 random(16);
  const Shape shape = shape_for(3'000);
  std::vector<Pairs> bins;
  for (int i = 0; i < 4; ++i) bins.push_back(random_pairs(random, 3'000));
  std::vector<Encoded> parallel(bins.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < bins.size(); ++i)
      threads.emplace_back([&, i] { parallel[i] = encoded(shape, bins[i]); });
  }
  for (std::size_t i = 0; i < bins.size(); ++i) EXPECT_TRUE(same(parallel[i].cells, encoded(shape, bins[i]).cells));
}

TEST(DenseSystem, RefusesDependentEquationsWhateverTheirRightHandSides) {
  std::mt19937_64 random(17);
  for (const bool consistent : {false, true}) {
    detail::DenseSystem system(3, 4);
    const Block factor = random_block(random);
    for (std::size_t j = 0; j < 5; ++j) {
      system.equation(0)[j] = random_block(random);
      system.equation(1)[j] = random_block(random);
      system.equation(2)[j] = system.equation(0)[j] ^ crypto::gf_multiply(factor, system.equation(1)[j]);
    }
    if (!consistent) system.right_hand_side(2) ^= crypto::kGfOne;
    std::vector<Block> out(4);
    EXPECT_FALSE(system.solve(out));
  }
}

TEST(DenseSystem, SolvesEquationsWhoseFirstCoefficientsAreZero) {
  detail::DenseSystem system(2, 3);
  system.equation(0)[1] = {2, 0};
  system.right_hand_side(0) = {6, 0};
  system.equation(1)[1] = {1, 0};
  system.equation(1)[2] = {1, 0};
  system.right_hand_side(1) = {8, 0};
  std::vector<Block> out(3);
  ASSERT_TRUE(system.solve(out));
  EXPECT_TRUE(same(out, std::vector<Block>{{0, 0}, {3, 0}, {11, 0}}));
}

}  // namespace
}  // namespace parley::psi::okvs
