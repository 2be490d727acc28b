#include "psi/intersect/detail/output_hash.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "base/secret.h"
#include "psi/detail/labelled_hash.h"

namespace parley::psi::detail {
namespace {

using crypto::kBlockBytes;

constexpr std::string_view kOutputLabel = "parley/v1/vole/out";
constexpr std::size_t kHashedAtOnce = 64;

crypto::PrefixedSha256 output_hash(const Digest& session_id) {
  crypto::Digest512 prefix;
  labelled_sha512(kOutputLabel, session_id).finish(prefix);
  return crypto::PrefixedSha256(prefix);
}

}  // namespace

OutputHash::OutputHash(const Digest& session_id) : hash_(output_hash(session_id)) {}

void OutputHash::operator()(std::span<Digest> keys, std::span<const crypto::Block> values, crypto::Block mask) const {
  assert(keys.size() == values.size());
  constexpr std::size_t kMessageBytes = kBlockBytes + sizeof(Digest);
  SecretBytes messages(kHashedAtOnce * kMessageBytes);
  std::array<ByteView, kHashedAtOnce> views;
  for (std::size_t i = 0; i < kHashedAtOnce; ++i)
    views[i] = messages.expose().subspan(i * kMessageBytes, kMessageBytes);
  for (std::size_t first = 0; first < keys.size(); first += kHashedAtOnce) {
    const std::size_t some = std::min(kHashedAtOnce, keys.size() - first);
    for (std::size_t i = 0; i < some; ++i) {
      const MutableByteView message = messages.expose_mutable().subspan(i * kMessageBytes, kMessageBytes);
      crypto::store_block(values[first + i] ^ mask, message);
      std::ranges::copy(keys[first + i], message.subspan(kBlockBytes).begin());
    }
    hash_.hash(std::span(views).first(some), keys.subspan(first, some));
  }
}

}  // namespace parley::psi::detail
