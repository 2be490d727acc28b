// A receiver that chooses the cells of its encoding, not its elements: how many keys of the sender it can be right
// about (psi.md 2.5; Rindal and Schoppmann 2021, section 4). It solves a system with an equation for each key it likes.
#include <gtest/gtest.h>

#include "crypto/gf128.h"
#include "psi/intersect/protocol.h"
#include "psi/okvs/detail/bin_sizes.h"
#include "psi/okvs_keys.h"

namespace parley::psi::okvs {
namespace {

using crypto::Block;

Block value_of(const Digest& key) {
  return crypto::load_block(key);
}

/// Equations between cells, each independent of those before, kept so that each has a cell of its own.
class Equations {
 public:
  explicit Equations(std::size_t cells) : by_pivot_(cells) {}

  /// @param equation  the cells' coefficients, then the value.
  /// @return whether it is independent of all that are there; if not it is dropped.
  bool add(std::vector<Block> equation) {
    for (std::size_t cell = 0; cell < by_pivot_.size(); ++cell) {
      if (constant_time_equal(equation[cell], {})) continue;
      const std::span<Block> rest = std::span(equation).subspan(cell);
      if (by_pivot_[cell].empty()) {
        const Block inverse = crypto::gf_invert(equation[cell]);
        for (Block& coefficient : rest) coefficient = gf_multiply(coefficient, inverse);
        by_pivot_[cell] = std::move(equation);
        ++count_;
        return true;
      }
      crypto::gf_add_multiple(rest, equation[cell], std::span<const Block>(by_pivot_[cell]).subspan(cell));
    }
    return false;
  }

  std::size_t count() const { return count_; }

  /// Cells that fulfil all of them. Precondition: as many as cells.
  std::vector<Block> solution() const {
    std::vector<Block> cells(by_pivot_.size());
    for (std::size_t i = cells.size(); i-- > 0;) {
      const std::span<const Block> equation = by_pivot_[i];
      const std::span<const Block> known = std::span(cells).subspan(i + 1);
      cells[i] = equation.back() ^ crypto::gf_inner_product(equation.subspan(i + 1, known.size()), known);
    }
    return cells;
  }

 private:
  std::vector<std::vector<Block>> by_pivot_;
  std::size_t count_ = 0;
};

/// The equations of `keys`, read off decode_bin cell by cell.
std::vector<std::vector<Block>> equations_of(const Shape& shape, std::span<const Digest> keys) {
  std::vector<std::vector<Block>> equations(keys.size(), std::vector<Block>(shape.cells_per_bin() + 1));
  std::vector<Block> unit(shape.cells_per_bin());
  for (std::size_t cell = 0; cell < unit.size(); ++cell) {
    unit[cell] = crypto::kGfOne;
    const std::vector<Block> coefficients = decoded(shape, keys, unit);
    unit[cell] = {};
    for (std::size_t i = 0; i < keys.size(); ++i) equations[i][cell] = coefficients[i];
  }
  for (std::size_t i = 0; i < keys.size(); ++i) equations[i].back() = value_of(keys[i]);
  return equations;
}

/// Of `keys` those for which the sender's output is one that the receiver can compute: with B = A + Delta C and
/// D = P + C, Decode(B + Delta D, y) + Delta h(y) is Decode(A, y). The correlation is dealt here.
std::vector<std::size_t> learned(const Shape& shape, std::span<const Digest> keys, std::span<const Block> chosen_cells,
                                 std::mt19937_64& random) {
  const Block delta = random_block(random);
  std::vector<Block> a, k;
  for (const Block cell : chosen_cells) {
    const Block c = random_block(random);
    a.push_back(random_block(random));
    const Block b = a.back() ^ gf_multiply(delta, c);
    k.push_back(b ^ gf_multiply(delta, cell ^ c));
  }
  const std::vector<Block> ours = decoded(shape, keys, a), theirs = decoded(shape, keys, k);
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (constant_time_equal(theirs[i] ^ gf_multiply(delta, value_of(keys[i])), ours[i])) found.push_back(i);
  return found;
}

TEST(Overfit, IsRightAboutAsManyKeysAsThereAreCellsAndNoMore) {
  std::mt19937_64 random(22);
  for (const Shape& shape : {detail::one_bin(256, 41), detail::one_bin(300, 20)}) {
    const std::size_t cells = shape.cells_per_bin();
    SCOPED_TRACE(cells);
    // Three random cells a key: many keys before each cell stands in one of them.
    const std::vector<Digest> keys = random_pairs(random, 8 * cells).keys;
    Equations equations(cells);
    std::vector<std::size_t> chosen;
    const auto all = equations_of(shape, keys);
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (equations.add(all[i])) chosen.push_back(i);
    ASSERT_EQ(equations.count(), cells);
    EXPECT_GT(chosen.size(), shape.bin_capacity);  // more than an honest receiver may enter
    EXPECT_EQ(learned(shape, keys, equations.solution(), random), chosen);
  }
}

// In the shape of the smallest encodings: 5.76 times as many as a set of 256.
TEST(Overfit, IsRightAbout1474KeysWhereTheFewestAreAgreed) {
  std::mt19937_64 random(23);
  const Shape shape = shape_for(256);
  ASSERT_EQ(shape.cells(), 1'474u);
  const std::vector<Digest> keys = random_pairs(random, 5'000).keys;
  Equations equations(shape.cells());
  std::vector<std::size_t> chosen;
  const auto all = equations_of(shape, keys);
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (equations.count() < shape.cells() && equations.add(all[i])) chosen.push_back(i);
  ASSERT_EQ(chosen.size(), 1'474u);
  EXPECT_EQ(learned(shape, keys, equations.solution(), random), chosen);
  EXPECT_LE(chosen.size(), fast_protocol()->receiver_tests(256));
}

TEST(Overfit, IsRightAboutAnHonestReceiversKeysOnly) {
  std::mt19937_64 random(24);
  const Shape shape = shape_for(1'000);
  const Pairs pairs = random_pairs(random, 3'000);
  const std::span<const Digest> entered = std::span(pairs.keys).first(1'000);
  std::vector<Block> values, cells(shape.cells_per_bin());
  for (const Digest& key : entered) values.push_back(value_of(key));
  Workspace workspace;
  ASSERT_TRUE(encode_bin(shape, entered, values, cells, workspace));
  const std::vector<std::size_t> found = learned(shape, pairs.keys, cells, random);
  ASSERT_EQ(found.size(), 1'000u);
  EXPECT_EQ(found.back(), 999u);
}

}  // namespace
}  // namespace parley::psi::okvs
