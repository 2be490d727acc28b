// The code of the silent VOLE, "EC21" (psi.md 2.2.6): expand-convolute after Raghuraman, Rindal and Tanguy 2023, rate
// 1/2, 21 regular picks, window 24 + 1. It turns a long vector with few noise values into a shorter one that looks
// uniform. What is assumed of it, and the figures for that: docs/lpn.md.
#pragma once

#include "crypto/linear_code.h"

namespace parley::psi::vole {

/// Both parties of a session hold the same code. Its coins are public, the vectors are secret; no address or branch
/// depends on them.
///
/// An input of `inputs` field elements is u (the first `outputs`) and e (the rest, the noise part). The output is
/// y = u + picks(convolved e); the code is linear over GF(2^128), so A = B + Delta * C holds for the outputs when it
/// holds for the inputs.
class Code {
 public:
  static constexpr std::size_t kPicks = 21;

  /// @param seed     public, of one session: its halves are the AES keys of the two streams of coins
  /// @param outputs  k, at least 1
  /// @param inputs   N; N - k at least kPicks, and at most 2^32
  Code(const Digest& seed, std::size_t outputs, std::size_t inputs);

  std::size_t outputs() const { return outputs_; }
  /// N - k: the length of e.
  std::size_t noise_part() const { return noise_part_; }

  /// First step, in place. Precondition: e.size() == noise_part().
  void accumulate(std::span<crypto::Block> e) const;
  void accumulate(std::span<crypto::BlockPair> e) const;

  /// Second step, for outputs [begin, begin + out.size()): to out[i], which holds u[begin + i], the picks of output
  /// begin + i are added; `e` is what accumulate() left. Ranges may be taken in any order and by several threads; some
  /// ten thousand at a time use the caches best.
  /// Precondition: e.size() == noise_part(); begin + out.size() <= outputs().
  void expand(std::span<const crypto::Block> e, std::size_t begin, std::span<crypto::Block> out) const;
  /// The same for two vectors. Precondition: besides, both outputs have the same length.
  void expand(std::span<const crypto::BlockPair> e, std::size_t begin, std::span<crypto::Block> firsts,
              std::span<crypto::Block> seconds) const;

 private:
  template <typename Record, typename Add>
  void for_each_part(std::span<const Record> e, std::size_t begin, std::size_t count, Add add) const;

  std::size_t outputs_;
  std::size_t noise_part_;
  crypto::FixedKeyAes taps_;
  crypto::FixedKeyAes picks_;
};

}  // namespace parley::psi::vole
