#include "crypto/expand_message.h"

#include <algorithm>
#include <cassert>

#include "base/secret.h"
#include "crypto/hash.h"

namespace parley::crypto {
namespace {

constexpr std::size_t kSha512BlockBytes = 128;  // s_in_bytes of RFC 9380

// The state after Z_pad, which begins every expansion.
const Sha512& after_zero_pad() {
  static const Sha512 state = [] {
    Sha512 hash;
    hash.update(ByteArray<kSha512BlockBytes>{});
    return hash;
  }();
  return state;
}

}  // namespace

void expand_message_xmd_sha512(MutableByteView out, ByteView message, ByteView domain_tag) {
  assert(!out.empty() && out.size() <= 255 * kSha512Bytes && domain_tag.size() <= kMaxDomainTagBytes);
  const ByteArray<1> tag_length{static_cast<std::byte>(domain_tag.size())};
  const ByteArray<3> length_and_zero{static_cast<std::byte>(out.size() >> 8), static_cast<std::byte>(out.size()),
                                     std::byte{0}};
  Sha512 first = after_zero_pad();
  first.update(message);
  first.update(length_and_zero);
  first.update(domain_tag);
  first.update(tag_length);
  Secret<kSha512Bytes> b_0;
  first.finish(b_0.expose_mutable());

  Secret<kSha512Bytes> b_i;  // b_0 xor zero for i = 1
  for (unsigned i = 1; !out.empty(); ++i) {
    for (std::size_t j = 0; j < kSha512Bytes; ++j) b_i.expose_mutable()[j] ^= b_0.expose()[j];
    Sha512 block;
    block.update(b_i.expose());
    const ByteArray<1> counter{static_cast<std::byte>(i)};
    block.update(counter);
    block.update(domain_tag);
    block.update(tag_length);
    block.finish(b_i.expose_mutable());
    const std::size_t size = std::min(out.size(), kSha512Bytes);
    std::copy_n(b_i.expose().begin(), size, out.begin());
    out = out.subspan(size);
  }
}

}  // namespace parley::crypto
