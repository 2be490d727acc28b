#include "psi/vole/extension.h"

#include <cassert>

#include "crypto/gf128.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;

constexpr std::string_view kColumnLabel = "parley/v1/vole/column";

void fill_column(const Digest& session_id, const BaseKey& key, std::span<Block> column) {
  crypto::Drbg(key, session_id, kColumnLabel).fill(0, crypto::mutable_bytes_of(column));
}

std::uint64_t bit_of(Block block, std::size_t j) {
  return ((j < 64 ? block.low : block.high) >> (j % 64)) & 1;
}

/// The universal hash of one column: the sum of challenge^(i+1) column[i], and the last block as it is.
Block hash_of(Block challenge, std::span<const Block> column) {
  return crypto::gf_power_sum(challenge, column.first(column.size() - 1)) ^ column.back();
}

}  // namespace

Block Matrix::packed(std::size_t i) const {
  std::array<Block, kColumns> values;
  for (std::size_t j = 0; j < kColumns; ++j) values[j] = column(j)[i];
  const Block sum = crypto::gf_pack(values);
  sodium_memzero(values.data(), sizeof values);
  return sum;
}

std::array<Block, kColumns> Matrix::rows(std::size_t i) const {
  std::array<Block, kColumns> values;
  for (std::size_t j = 0; j < kColumns; ++j) values[j] = column(j)[i];
  transpose(values);
  return values;
}

// Exchanges the off-diagonal quarters at every scale, from 64 x 64 down to single bits.
void transpose(std::span<Block, kColumns> bits) {
  for (std::size_t i = 0; i < 64; ++i) std::swap(bits[i].high, bits[i + 64].low);
  std::uint64_t mask = 0x00000000ffffffff;
  for (unsigned width = 32; width != 0; width /= 2, mask ^= mask << width) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      if ((i & width) != 0) continue;
      for (const auto half : {&Block::low, &Block::high}) {
        std::uint64_t& upper = bits[i].*half;
        std::uint64_t& lower = bits[i + width].*half;
        const std::uint64_t difference = ((upper >> width) ^ lower) & mask;
        lower ^= difference;
        upper ^= difference << width;
      }
    }
  }
}

ExtensionReceiver::ExtensionReceiver(const Digest& session_id, const std::vector<BaseKeyPair>& keys,
                                     crypto::SecretBlocks input, ThreadPool& pool)
    : input_(std::move(input)), v_(input_.size()), correction_(kColumns * input_.size() * crypto::kBlockBytes) {
  assert(keys.size() == kColumns && input_.size() > 0);
  pool.parallel_for(kColumns, 8, [&](std::size_t begin, std::size_t end) {
    crypto::SecretBlocks other(input_.size());  // T1_j
    for (std::size_t j = begin; j < end; ++j) {
      const auto v = v_.column_mutable(j);
      fill_column(session_id, keys[j][0], v);
      fill_column(session_id, keys[j][1], other.expose_mutable());
      const MutableByteView out = MutableByteView(correction_).subspan(j * v.size_bytes(), v.size_bytes());
      for (std::size_t i = 0; i < v.size(); ++i)
        crypto::store_block(other.expose()[i] ^ v[i] ^ input_.expose()[i], out.subspan(i * crypto::kBlockBytes));
    }
  });
}

Bytes ExtensionReceiver::respond(Block challenge) const {
  std::vector<Block> hashes{hash_of(challenge, input_.expose())};
  for (std::size_t j = 0; j < kColumns; ++j) hashes.push_back(hash_of(challenge, v_.column(j)));
  return to_bytes(crypto::bytes_of(hashes));
}

ExtensionSender::ExtensionSender(const Digest& session_id, Block delta, const std::vector<BaseKey>& keys,
                                 std::size_t blocks, ByteView correction, ThreadPool& pool)
    : delta_(1), w_(blocks) {
  delta_.expose_mutable()[0] = delta;
  assert(keys.size() == kColumns && correction.size() == kColumns * blocks * crypto::kBlockBytes);
  pool.parallel_for(kColumns, 8, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j) {
      const auto w = w_.column_mutable(j);
      fill_column(session_id, keys[j], w);
      const ByteView received = correction.subspan(j * blocks * crypto::kBlockBytes);
      const std::uint64_t choice = bit_of(delta, j);
      for (std::size_t i = 0; i < blocks; ++i)
        w[i] ^= crypto::masked(crypto::load_block(received.subspan(i * crypto::kBlockBytes)), choice);
    }
  });
}

bool ExtensionSender::verify(Block challenge, ByteView response) const {
  assert(response.size() == kResponseBytes);
  const Block input_hash = crypto::load_block(response);
  Block difference;
  for (std::size_t j = 0; j < kColumns; ++j) {
    const Block claimed = crypto::load_block(response.subspan((1 + j) * crypto::kBlockBytes));
    const Block wrong =
        hash_of(challenge, w_.column(j)) ^ claimed ^ crypto::masked(input_hash, bit_of(delta_.expose()[0], j));
    difference.low |= wrong.low;
    difference.high |= wrong.high;
  }
  return crypto::constant_time_equal(difference, {});
}

}  // namespace parley::psi::vole
