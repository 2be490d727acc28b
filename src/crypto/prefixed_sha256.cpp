// The low-level functions of OpenSSL are deprecated in favour of EVP, which cannot start from the middle of a hash.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/prefixed_sha256.h"

#include <sodium.h>

#include <algorithm>
#include <cassert>

#include "crypto/cpu.h"
#include "crypto/detail/sha256_lanes.h"
#include "crypto/hash.h"

namespace parley::crypto {
namespace {

constexpr std::size_t kBlockBytes = detail::kSha256BlockBytes;
constexpr std::size_t kMostBlocks = 4;     // of a message that is hashed beside others; longer ones are rare
constexpr std::size_t kMostMessages = 16;  // that wait for each other, of each number of blocks

/// The blocks that a message needs after the prefix: with the bit that ends it and its length (FIPS 180-4, 5.1.1).
std::size_t blocks_of(ByteView message) {
  constexpr std::size_t kEndBytes = 1 + sizeof(std::uint64_t);
  return (message.size() + kEndBytes + kBlockBytes - 1) / kBlockBytes;
}

/// Messages of the same number of blocks, padded, that wait until they are worth hashing. Wiped when it goes.
template <std::size_t kBlocks>
class Waiting {
 public:
  Waiting() = default;
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    sodium_memzero(padded_.data(), most_used_ * kRunBytes);
    sodium_memzero(digests_.data(), most_used_ * sizeof(Digest));
  }

  bool full() const { return count_ == kMostMessages; }

  /// Precondition: not full, blocks_of(message) == kBlocks.
  void add(ByteView message, Digest& digest) {
    std::byte* const to = padded_.data() + count_ * kRunBytes;
    if constexpr (kBlocks == 1) {
      std::memset(to, 0, kRunBytes);
    } else {  // all but the last two blocks are message
      std::memset(to + (kBlocks - 2) * kBlockBytes, 0, 2 * kBlockBytes);
    }
    if (!message.empty()) std::memcpy(to, message.data(), message.size());
    to[message.size()] = std::byte{0x80};
    const std::uint64_t bits = 8 * std::uint64_t{PrefixedSha256::kPrefixBytes + message.size()};
    for (std::size_t i = 0; i < sizeof bits; ++i) to[kRunBytes - 1 - i] = static_cast<std::byte>(bits >> (8 * i));
    wanted_[count_++] = &digest;
    most_used_ = std::max(most_used_, count_);
  }

  void hash_all(const detail::Sha256State& start, detail::Sha256Lanes lanes) {
    lanes(start, ByteView(padded_).first(count_ * kRunBytes), kBlocks, std::span(digests_).first(count_));
    for (std::size_t i = 0; i < count_; ++i) *wanted_[i] = digests_[i];
    count_ = 0;
  }

 private:
  static constexpr std::size_t kRunBytes = kBlocks * kBlockBytes;

  std::size_t count_ = 0, most_used_ = 0;
  std::array<Digest*, kMostMessages> wanted_;
  ByteArray<kMostMessages * kRunBytes> padded_;
  std::array<Digest, kMostMessages> digests_;
};

/// The kernel for many messages; none where one at a time is as fast.
detail::Sha256Lanes lanes() {
#if defined(__x86_64__)
  if (cpu_has_sha()) return detail::sha256_lanes_sha;
#endif
  return nullptr;
}

}  // namespace

PrefixedSha256::PrefixedSha256(std::span<const std::byte, kPrefixBytes> prefix) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, prefix.data(), prefix.size());
  std::ranges::copy(context.h, state_.begin());
}

void PrefixedSha256::hash(std::span<const ByteView> messages, std::span<Digest> digests) const {
  assert(messages.size() == digests.size());
  const detail::Sha256Lanes kernel = lanes();
  Waiting<1> one;
  Waiting<2> two;
  Waiting<3> three;
  Waiting<kMostBlocks> four;
  const auto wait_in = [&](auto& waiting, ByteView message, Digest& digest) {
    waiting.add(message, digest);
    if (waiting.full()) waiting.hash_all(state_, kernel);
  };
  for (std::size_t i = 0; i < messages.size(); ++i) {
    switch (kernel == nullptr ? 0 : blocks_of(messages[i])) {
      case 1:
        wait_in(one, messages[i], digests[i]);
        break;
      case 2:
        wait_in(two, messages[i], digests[i]);
        break;
      case 3:
        wait_in(three, messages[i], digests[i]);
        break;
      case kMostBlocks:
        wait_in(four, messages[i], digests[i]);
        break;
      default:
        digests[i] = hash(messages[i]);
    }
  }
  if (kernel == nullptr) return;
  one.hash_all(state_, kernel);
  two.hash_all(state_, kernel);
  three.hash_all(state_, kernel);
  four.hash_all(state_, kernel);
}

Digest PrefixedSha256::hash(ByteView message) const {
  SHA256_CTX context;
  SHA256_Init(&context);
  std::ranges::copy(state_, context.h);
  context.Nl = 8 * kPrefixBytes;  // what was hashed so far, in bits
  SHA256_Update(&context, message.data(), message.size());
  Digest digest;
  SHA256_Final(as_uchar_mutable(digest), &context);
  sodium_memzero(&context, sizeof context);
  return digest;
}

}  // namespace parley::crypto
