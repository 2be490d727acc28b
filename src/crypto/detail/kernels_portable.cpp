// Level `portable`: field arithmetic in C++ (gf128_portable.h), AES from OpenSSL.
#include <openssl/evp.h>

#include <algorithm>
#include <cassert>
#include <memory>

#include "crypto/detail/gf128_portable.h"
#include "crypto/detail/kernels.h"

namespace parley::crypto::detail {
namespace {

constexpr std::size_t kChunk = 128;  // blocks encrypted by one call

/// OpenSSL's AES-128 under one key, in a context of this thread that is made once.
class Aes {
 public:
  explicit Aes(const RoundKeys& keys) : context_(context_of_thread()) {
    check(EVP_EncryptInit_ex(context_, EVP_aes_128_ecb(), nullptr, as_uchar(bytes_of({&keys[0], 1})), nullptr));
    check(EVP_CIPHER_CTX_set_padding(context_, 0));
  }

  /// Precondition: in.size() == out.size() <= kChunk.
  void encrypt(std::span<const Block> in, std::span<Block> out) {
    int written = 0;
    check(EVP_EncryptUpdate(context_, as_uchar_mutable(mutable_bytes_of(out)), &written, as_uchar(bytes_of(in)),
                            static_cast<int>(in.size_bytes())));
  }

 private:
  static EVP_CIPHER_CTX* context_of_thread() {
    thread_local const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                               EVP_CIPHER_CTX_free);
    if (context == nullptr) throw std::bad_alloc();
    return context.get();
  }

  // A library without AES: no session can be held.
  static void check(int status) {
    if (status != 1) throw std::runtime_error("OpenSSL has no AES-128");
  }

  EVP_CIPHER_CTX* context_;
};

/// Blocks of a chunk, wiped when they go.
class Chunk {
 public:
  ~Chunk() { sodium_memzero(blocks_.data(), sizeof blocks_); }
  std::span<Block> first(std::size_t count) { return std::span(blocks_).first(count); }

 private:
  std::array<Block, kChunk> blocks_;
};

void hash_portable(const RoundKeys& keys, std::span<const Block> in, std::span<Block> out) {
  Aes aes(keys);
  Chunk chunk;
  while (!in.empty()) {
    const std::size_t count = std::min(in.size(), kChunk);
    const std::span<Block> encrypted = chunk.first(count);
    aes.encrypt(in.first(count), encrypted);
    for (std::size_t i = 0; i < count; ++i) out[i] = encrypted[i] ^ in[i];
    in = in.subspan(count);
    out = out.subspan(count);
  }
}

void coins_portable(const RoundKeys& keys, std::uint64_t first, std::span<Block> out) {
  Aes aes(keys);
  Chunk chunk;
  while (!out.empty()) {
    const std::size_t count = std::min(out.size(), kChunk);
    const std::span<Block> counters = chunk.first(count);
    for (Block& counter : counters) counter = {first++, 0};
    aes.encrypt(counters, out.first(count));
    out = out.subspan(count);
  }
}

/// children[2i + side] = the hash of parents[i], as far as there are children. @return their sum
Block expand_side(const RoundKeys& keys, std::size_t side, std::span<const Block> parents, std::span<Block> children) {
  Aes aes(keys);
  Chunk chunk;
  Block sum;
  const std::size_t count = (children.size() + 1 - side) / 2;
  for (std::size_t done = 0; done < count; done += kChunk) {
    const std::span<const Block> in = parents.subspan(done, std::min(count - done, kChunk));
    const std::span<Block> encrypted = chunk.first(in.size());
    aes.encrypt(in, encrypted);
    for (std::size_t i = 0; i < in.size(); ++i) {
      sum ^= children[2 * (done + i) + side] = encrypted[i] ^ in[i];
    }
  }
  return sum;
}

ChildSums expand_children_portable(const RoundKeys& left, const RoundKeys& right, std::span<const Block> parents,
                                   std::span<Block> children) {
  return {expand_side(left, 0, parents, children), expand_side(right, 1, parents, children)};
}

}  // namespace

constinit const Kernels kPortableKernels = {
    .multiply = multiply_portable,
    .add_multiple = add_multiple_portable,
    .inner_product = inner_product_portable,
    .power_sum = power_sum_portable,
    .add_polynomial = add_polynomial_portable,
    .pack = pack_portable,
    .hash = hash_portable,
    .coins = coins_portable,
    .expand_children = expand_children_portable,
};

}  // namespace parley::crypto::detail
