// Vector oblivious linear evaluation over F_2 columns: the sender holds Delta and W, the receiver u and V, and in every
// column j of 128 bits a block W_j = V_j + Delta_j u (SoftSpokenOT: Roy 2022, figures 7 and 8, with the repetition
// code, k = 1; Ishai, Kilian, Nissim and Petrank 2003). One matrix gives two things, under one Delta as in Ferret
// (Yang, Weng, Lan, Zhang and Wang 2020): read by blocks, the base VOLE b = a + Delta c over GF(2^128); read by rows,
// the oblivious transfers of the trees.
#pragma once

#include <array>
#include <vector>

#include "base/thread_pool.h"
#include "crypto/secret_array.h"
#include "psi/vole/base_ot.h"

namespace parley::psi::vole {

/// Columns of the matrix, and bits of Delta.
inline constexpr std::size_t kColumns = kBaseOtCount;
/// The sender's challenge: one field element.
inline constexpr std::size_t kChallengeBytes = crypto::kBlockBytes;
/// The receiver's answer: the hash of u and of each column of V.
inline constexpr std::size_t kResponseBytes = (1 + kColumns) * crypto::kBlockBytes;

/// 128 columns of `blocks` blocks each, column after column.
class Matrix {
 public:
  explicit Matrix(std::size_t blocks) : blocks_(blocks), cells_(kColumns * blocks) {}
  std::size_t blocks() const { return blocks_; }
  std::span<const crypto::Block> column(std::size_t j) const { return cells_.expose().subspan(j * blocks_, blocks_); }
  std::span<crypto::Block> column_mutable(std::size_t j) {
    return cells_.expose_mutable().subspan(j * blocks_, blocks_);
  }

  /// Block i of all columns, packed into one element of GF(2^128): the sum over j of x^j column_j[i].
  crypto::Block packed(std::size_t i) const;
  /// The 128 rows of block i: bit j of row r is bit r of column_j[i].
  std::array<crypto::Block, kColumns> rows(std::size_t i) const;

 private:
  std::size_t blocks_;
  crypto::SecretBlocks cells_;
};

/// Turns 128 blocks as rows of a bit matrix into its columns. Constant time.
void transpose(std::span<crypto::Block, kColumns> bits);

class ExtensionReceiver {
 public:
  /// @param input  u; its last block must be uniform and used for nothing else: it masks what the check tells of u.
  ExtensionReceiver(const Digest& session_id, const std::vector<BaseKeyPair>& keys, crypto::SecretBlocks input,
                    ThreadPool& pool);

  /// T0_j + T1_j + u for every column: 128 * 16 * input.size() bytes.
  const Bytes& correction() const { return correction_; }
  /// When it has been sent: it is as large as all columns.
  void forget_correction() { correction_ = {}; }
  const Matrix& columns() const { return v_; }
  std::span<const crypto::Block> input() const { return input_.expose(); }

  /// The answer to the sender's challenge (kResponseBytes).
  Bytes respond(crypto::Block challenge) const;

 private:
  crypto::SecretBlocks input_;
  Matrix v_;  // V_j = T0_j
  Bytes correction_;
};

class ExtensionSender {
 public:
  /// @param delta       its bits are the choices that `keys` belong to.
  /// @param correction  as received. Precondition: its size is 128 * 16 * blocks.
  ExtensionSender(const Digest& session_id, crypto::Block delta, const std::vector<BaseKey>& keys, std::size_t blocks,
                  ByteView correction, ThreadPool& pool);

  const Matrix& columns() const { return w_; }

  /// Whether the receiver used one and the same u in all columns. One that did not passes with probability 2^-g, where
  /// g bits of Delta had to be guessed for it. Constant time in Delta.
  /// Precondition: response.size() == kResponseBytes.
  bool verify(crypto::Block challenge, ByteView response) const;

 private:
  crypto::SecretBlocks delta_;  // one block
  Matrix w_;
};

}  // namespace parley::psi::vole
