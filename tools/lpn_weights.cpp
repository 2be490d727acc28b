// Measures the code of the silent VOLE for tools/lpn_cost.py (docs/lpn.md): how heavy its rows are, taken from the real
// encoder, and how light the words are that eliminations find. Beside it two binary codes, for comparison: what the
// encoder would be without X in its last tap, with 21 regular picks and with 11 regular and 10 uniform ones.
//
//   lpn_weights quick|full    writes JSON; a few seconds, or some minutes
#include <bit>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "crypto/gf128.h"
#include "crypto/hash.h"
#include "psi/vole/code.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using Blocks = std::vector<Block>;
using Bits = std::vector<std::uint64_t>;

constexpr std::size_t kNoiseWeight = 352;
constexpr std::size_t kWeightSteps = 4000;  // weights are counted in steps of N / 4000, rounded down
constexpr std::size_t kReach = 25;          // what one position adds to, and so the size of the state

bool is_zero(Block block) {
  return (block.low | block.high) == 0;
}

enum class Variant { ec21, binary_regular, binary_mixed };
constexpr std::array kVariants = {Variant::ec21, Variant::binary_regular, Variant::binary_mixed};

const char* name_of(Variant variant) {
  switch (variant) {
    case Variant::ec21:
      return "ec21";
    case Variant::binary_regular:
      return "binary-21-regular";
    case Variant::binary_mixed:
      return "binary-11-regular-10-uniform";
  }
  std::abort();
}

/// A code taken apart: what its definition says, for all three variants.
struct Model {
  Variant variant;
  std::size_t k, n;
  std::vector<std::uint32_t> taps;                   // bit j - 1: i is added to i + j
  std::vector<std::array<std::uint32_t, 21>> picks;  // of each row

  std::size_t inputs() const { return k + n; }
  Block last_tap(Block value) const { return variant == Variant::ec21 ? crypto::gf_multiply({2, 0}, value) : value; }
};

Digest seed_for(std::size_t k) {
  return crypto::sha256(as_bytes("lpn_weights " + std::to_string(k)));
}

std::uint32_t scaled(std::uint32_t word, std::uint64_t size) {
  return static_cast<std::uint32_t>(word * size >> 32);
}

Model model_of(Variant variant, std::size_t k, std::size_t n) {
  Model model{variant, k, n, std::vector<std::uint32_t>(n), std::vector<std::array<std::uint32_t, 21>>(k)};
  const Digest seed = seed_for(k);
  const std::size_t stride = (k + 3) / 4;
  Blocks taps((n + 3) / 4 * 12 / 16 + 1);
  Blocks picks(21 * stride);
  crypto::FixedKeyAes(std::span(seed).first<16>()).coins(0, taps);
  crypto::FixedKeyAes(std::span(seed).last<16>()).coins(0, picks);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 1; j <= 24; ++j) {
      const std::size_t bit = i / 4 * 96 + (j + 20 + i % 4) % 24 * 4 + i % 4;
      const auto coin = std::to_integer<std::uint32_t>(bytes_of(taps)[bit / 8]) >> bit % 8 & 1u;
      model.taps[i] |= coin << (j - 1);
    }
  }
  const std::size_t strata = variant == Variant::binary_mixed ? 11 : 21;
  for (std::size_t r = 0; r < k; ++r) {
    for (std::size_t g = 0; g < 21; ++g) {
      std::uint32_t word = 0;
      std::memcpy(&word, bytes_of(picks).data() + 4 * (4 * g * stride + r), 4);
      const std::size_t first = g < strata ? g * (n / strata) : 0;
      const std::size_t size = g + 1 == strata || g >= strata ? n - first : n / strata;
      model.picks[r][g] = static_cast<std::uint32_t>(first) + scaled(word, size);
    }
  }
  return model;
}

/// y for an input whose u is 0, by the definition. In the binary codes the 128 bits of a block are 128 inputs.
Blocks encode(const Model& model, Blocks e) {
  for (std::size_t i = 0; i < model.n; ++i) {
    for (std::size_t j = 1; j <= 24 && i + j < model.n; ++j) {
      e[i + j] ^= crypto::masked(e[i], model.taps[i] >> (j - 1) & 1);
    }
    if (i + kReach < model.n) e[i + kReach] ^= model.last_tap(e[i]);
  }
  Blocks y(model.k);
  for (std::size_t r = 0; r < model.k; ++r) {
    for (const std::uint32_t pick : model.picks[r]) y[r] ^= e[pick];
  }
  return y;
}

/// The same through the encoder that the protocol runs.
Blocks encode(const Code& code, Blocks e) {
  Blocks y(code.outputs());
  code.accumulate(e);
  code.expand(std::span<const Block>(e), 0, y);
  return y;
}

/// Ends the program when the model is not the encoder.
void compare(const Model& model, const Code& code) {
  std::mt19937_64 random(1);
  Blocks e(model.n);
  for (Block& value : e) value = {random(), random()};
  const Blocks a = encode(model, e);
  const Blocks b = encode(code, e);
  for (std::size_t r = 0; r < model.k; ++r) {
    if (constant_time_equal(a[r], b[r])) continue;
    std::fprintf(stderr, "lpn_weights: the model is not the encoder at k = %zu, row %zu\n", model.k, r);
    std::exit(1);
  }
}

// ---- Rows ---------------------------------------------------------------------------------------------------------

/// Weights of all rows, and of each row in each noise block of N / 352 positions.
struct RowWeights {
  std::size_t k, inputs;
  std::vector<std::array<std::uint16_t, kNoiseWeight>> of_row;

  RowWeights(std::size_t k_, std::size_t inputs_) : k(k_), inputs(inputs_), of_row(k_) {
    for (std::size_t r = 0; r < k; ++r) add(r, r, 1);
  }
  void add(std::size_t row, std::size_t input, unsigned count) {
    auto& weight = of_row[row][input / (inputs / kNoiseWeight)];
    weight = static_cast<std::uint16_t>(weight + count);
  }
};

RowWeights row_weights(Variant variant, std::size_t k) {
  const std::size_t inputs = kNoiseWeight * 2 * ((k + kNoiseWeight - 1) / kNoiseWeight);
  const std::size_t n = inputs - k;
  const Model model = model_of(variant, k, n);
  RowWeights weights(k, inputs);
  if (variant == Variant::ec21) {
    const Code code(seed_for(k), k, inputs);
    compare(model, code);
    for (std::size_t i = 0; i < n; ++i) {
      Blocks e(n);
      e[i] = crypto::kGfOne;
      const Blocks column = encode(code, std::move(e));
      for (std::size_t r = 0; r < k; ++r) weights.add(r, k + i, is_zero(column[r]) ? 0 : 1);
    }
    return weights;
  }
  for (std::size_t first = 0; first < n; first += 128) {
    Blocks e(n);
    for (std::size_t bit = 0; bit < 128 && first + bit < n; ++bit) {
      (bit < 64 ? e[first + bit].low : e[first + bit].high) = std::uint64_t{1} << bit % 64;
    }
    const Blocks columns = encode(model, std::move(e));
    for (std::size_t r = 0; r < k; ++r) {
      for (std::size_t bit = 0; bit < 128; ++bit) {
        const std::uint64_t half = bit < 64 ? columns[r].low : columns[r].high;
        if ((half >> bit % 64 & 1) != 0) weights.add(r, k + first + bit, 1);
      }
    }
  }
  return weights;
}

/// log2 of the mean over rows of the chance that one noise position in each block misses the row; -9999 for none.
double regular_misses(const RowWeights& weights) {
  const double block = static_cast<double>(weights.inputs / kNoiseWeight);
  double sum = 0;
  for (const auto& row : weights.of_row) {
    double misses = 1;
    for (const unsigned weight : row) misses *= 1 - weight / block;
    sum += misses;
  }
  return sum > 0 ? std::log2(sum / static_cast<double>(weights.k)) : -9999;
}

std::string rows_json(Variant variant, std::size_t k) {
  const RowWeights weights = row_weights(variant, k);
  std::map<std::size_t, std::size_t> histogram;
  for (const auto& row : weights.of_row) {
    std::size_t weight = 0;
    for (const unsigned part : row) weight += part;
    ++histogram[weight * kWeightSteps / weights.inputs];
  }
  std::string counts;
  for (const auto& [step, count] : histogram)
    counts += fmt::format("{}\"{}\":{}", counts.empty() ? "" : ",", step, count);
  return fmt::format(R"({{"variant":"{}","k":{},"N":{},"steps":{},"regular_log2_mean":{:.2f},"histogram":{{{}}}}})",
                     name_of(variant), k, weights.inputs, kWeightSteps, regular_misses(weights), counts);
}

// ---- Light words --------------------------------------------------------------------------------------------------

/// Row r of the code without its unit part: from the picks downwards, each position is what it adds to.
Blocks row_of(const Model& model, std::size_t r) {
  Blocks row(model.n);
  for (const std::uint32_t pick : model.picks[r]) row[pick] ^= crypto::kGfOne;
  for (std::size_t i = model.n; i-- > 0;) {
    for (std::size_t j = 1; j <= 24 && i + j < model.n; ++j) {
      row[i] ^= crypto::masked(row[i + j], model.taps[i] >> (j - 1) & 1);
    }
    if (i + kReach < model.n) row[i] ^= model.last_tap(row[i + kReach]);
  }
  return row;
}

/// Rows of field elements under elimination.
class Matrix {
 public:
  explicit Matrix(std::vector<Blocks> rows) : rows_(std::move(rows)) {}

  std::vector<Blocks>& rows() { return rows_; }

  /// Makes `column` zero in all rows but one of those from `done` on, which becomes row `done` with a one there.
  /// @return whether there was such a row
  bool pivot(std::size_t column, std::size_t done) {
    std::size_t found = done;
    while (found < rows_.size() && is_zero(rows_[found][column])) ++found;
    if (found == rows_.size()) return false;
    std::swap(rows_[found], rows_[done]);
    const Block inverse = crypto::gf_invert(rows_[done][column]);
    Blocks scaled(rows_[done].size());
    crypto::gf_add_multiple(scaled, inverse, rows_[done]);
    rows_[done] = std::move(scaled);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (r != done && !is_zero(rows_[r][column])) {
        crypto::gf_add_multiple(rows_[r], Block(rows_[r][column]), rows_[done]);
      }
    }
    return true;
  }

 private:
  std::vector<Blocks> rows_;
};

/// The same for a binary code, 64 columns a word.
class BitMatrix {
 public:
  explicit BitMatrix(const std::vector<Blocks>& rows) {
    for (const Blocks& row : rows) {
      Bits& bits = rows_.emplace_back((row.size() + 63) / 64);
      for (std::size_t i = 0; i < row.size(); ++i) bits[i / 64] |= (row[i].low & 1) << i % 64;
    }
  }

  std::vector<Bits>& rows() { return rows_; }

  bool pivot(std::size_t column, std::size_t done) {
    const auto at = [&](const Bits& row) { return (row[column / 64] >> column % 64 & 1) != 0; };
    std::size_t found = done;
    while (found < rows_.size() && !at(rows_[found])) ++found;
    if (found == rows_.size()) return false;
    std::swap(rows_[found], rows_[done]);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (r == done || !at(rows_[r])) continue;
      for (std::size_t i = 0; i < rows_[r].size(); ++i) rows_[r][i] ^= rows_[done][i];
    }
    return true;
  }

 private:
  std::vector<Bits> rows_;
};

std::size_t weight(const Blocks& row, std::size_t begin, std::size_t end) {
  std::size_t count = 0;
  for (std::size_t i = begin; i < end; ++i) count += is_zero(row[i]) ? 0 : 1;
  return count;
}

std::size_t weight(const Bits& row, std::size_t begin, std::size_t end) {
  std::size_t count = 0;
  for (std::size_t i = begin; i < end; ++i) count += row[i / 64] >> i % 64 & 1;
  return count;
}

std::vector<Blocks> generator_rows(const Model& model, const std::vector<std::size_t>& which) {
  std::vector<Blocks> rows;
  for (const std::size_t r : which) {
    Blocks& row = rows.emplace_back(model.k);
    row[r] = crypto::kGfOne;
    const Blocks rest = row_of(model, r);
    row.insert(row.end(), rest.begin(), rest.end());
  }
  return rows;
}

/// Random eliminations: all columns in random order, each a pivot if it can be.
template <typename Elimination>
std::string random_search(const Model& model, std::size_t tries) {
  std::vector<std::size_t> all(model.k);
  for (std::size_t r = 0; r < model.k; ++r) all[r] = r;
  const Elimination matrix(generator_rows(model, all));
  std::mt19937_64 random(3);
  std::size_t lightest = model.inputs();
  double sum = 0;
  double misses = 0;
  for (std::size_t tried = 0; tried < tries; ++tried) {
    Elimination work = matrix;
    std::vector<std::size_t> columns(model.inputs());
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = i;
    std::ranges::shuffle(columns, random);
    std::size_t done = 0;
    for (const std::size_t column : columns) {
      if (done == model.k) break;
      if (work.pivot(column, done)) ++done;
    }
    for (const auto& row : work.rows()) {
      const std::size_t found = weight(row, 0, model.inputs());
      const double relative = static_cast<double>(found) / static_cast<double>(model.inputs());
      lightest = std::min(lightest, found);
      sum += relative;
      misses += std::pow(1 - relative, kNoiseWeight);
    }
  }
  const double words = static_cast<double>(tries * model.k);
  return fmt::format(
      R"({{"variant":"{}","k":{},"N":{},"eliminations":{},"lightest":{:.4f},"mean":{:.4f},"log2_mean_misses":{:.1f}}})",
      name_of(model.variant), model.k, model.inputs(), tries,
      static_cast<double>(lightest) / static_cast<double>(model.inputs()), sum / words, std::log2(misses / words));
}

/// The search that knows the code: words that vanish in `windows` windows, together a `share` of e. Rows that have no
/// pick in any window are combined so that the state, the 25 positions above each window, is zero; then nothing enters.
template <typename Elimination>
std::string window_search(const Model& model, std::size_t windows, double share) {
  const std::size_t period = model.n / windows;
  const auto width = static_cast<std::size_t>(share * static_cast<double>(period));
  const auto in_window = [&](std::size_t i) { return i / period < windows && i % period < width; };
  std::vector<std::size_t> free_rows;
  for (std::size_t r = 0; r < model.k; ++r) {
    if (std::ranges::none_of(model.picks[r], in_window)) free_rows.push_back(r);
  }
  Elimination matrix(generator_rows(model, free_rows));
  std::size_t done = 0;
  for (std::size_t window = 0; window < windows; ++window) {
    for (std::size_t above = 0; above < kReach && done < free_rows.size(); ++above) {
      if (matrix.pivot(model.k + window * period + width + above, done)) ++done;
    }
  }
  std::size_t vanishing = 0;
  std::size_t lightest = model.n;
  double of_u = 0;
  double of_e = 0;
  for (std::size_t r = done; r < free_rows.size(); ++r) {
    const auto& row = matrix.rows()[r];
    bool vanishes = true;
    for (std::size_t i = 0; i < model.n; ++i) {
      vanishes = vanishes && (!in_window(i) || weight(row, model.k + i, model.k + i + 1) == 0);
    }
    vanishing += vanishes ? 1 : 0;
    const std::size_t found = weight(row, model.k, model.inputs());
    lightest = std::min(lightest, found);
    of_u += static_cast<double>(weight(row, 0, model.k));
    of_e += static_cast<double>(found);
  }
  const double words = static_cast<double>(std::max<std::size_t>(1, free_rows.size() - done));
  return fmt::format(
      R"({{"variant":"{}","k":{},"N":{},"windows":{},"share":{},"free_rows":{},"conditions":{},"words":{},)"
      R"("words_that_vanish_there":{},"weight_in_u":{:.4f},"weight_in_e":{:.4f},"lightest_in_e":{:.4f}}})",
      name_of(model.variant), model.k, model.inputs(), windows, share, free_rows.size(), done, free_rows.size() - done,
      vanishing, of_u / words / static_cast<double>(model.k), of_e / words / static_cast<double>(model.n),
      static_cast<double>(lightest) / static_cast<double>(model.n));
}

std::string random_search_in(Variant variant, std::size_t k, std::size_t tries) {
  const Model model = model_of(variant, k, k);
  if (variant != Variant::ec21) return random_search<BitMatrix>(model, tries);
  compare(model, Code(seed_for(k), k, 2 * k));
  return random_search<Matrix>(model, tries);
}

std::string window_search_in(Variant variant, std::size_t k, std::size_t windows, double share) {
  const Model model = model_of(variant, k, k);
  if (variant != Variant::ec21) return window_search<BitMatrix>(model, windows, share);
  compare(model, Code(seed_for(k), k, 2 * k));
  return window_search<Matrix>(model, windows, share);
}

template <typename Measure>
void list(const char* name, bool last, Measure measure) {
  std::printf("\"%s\":[", name);
  bool first = true;
  measure([&](const std::string& json) {
    std::printf("%s\n%s", first ? "" : ",", json.c_str());
    std::fflush(stdout);
    first = false;
  });
  std::printf("]%s\n", last ? "}" : ",");
}

void measure(bool full) {
  std::printf("{");
  list("rows", false, [&](auto put) {
    for (const Variant variant : kVariants) {
      for (const std::size_t k :
           full ? std::vector<std::size_t>{1 << 14, 1 << 15} : std::vector<std::size_t>{1 << 11}) {
        put(rows_json(variant, k));
      }
    }
  });
  list("eliminations", false, [&](auto put) {
    put(random_search_in(Variant::ec21, full ? 1 << 10 : 1 << 8, full ? 4 : 1));
    for (const Variant variant : {Variant::binary_regular, Variant::binary_mixed}) {
      put(random_search_in(variant, 1 << 10, full ? 700 : 2));
      if (full) put(random_search_in(variant, 1 << 11, 60));
      if (full) put(random_search_in(variant, 1 << 12, 10));
    }
  });
  list("windows", true, [&](auto put) {
    put(window_search_in(Variant::ec21, full ? 1 << 12 : 1 << 11, 21, 0.05));
    for (const Variant variant : {Variant::binary_regular, Variant::binary_mixed}) {
      put(window_search_in(variant, full ? 1 << 14 : 1 << 12, 21, full ? 0.12 : 0.08));
    }
  });
}

}  // namespace
}  // namespace parley::psi::vole

int main(int argc, char** argv) {
  const std::string mode = argc == 2 ? argv[1] : "";
  if (mode != "quick" && mode != "full") {
    std::fputs("usage: lpn_weights quick|full\n", stderr);
    return 2;
  }
  parley::psi::vole::measure(mode == "full");
  return 0;
}
