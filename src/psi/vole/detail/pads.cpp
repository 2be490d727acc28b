#include "psi/vole/detail/pads.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "crypto/gf128.h"
#include "psi/detail/labelled_hash.h"

namespace parley::psi::vole::detail {
namespace {

using crypto::Block;
using crypto::kBlockBytes;
using psi::detail::labelled_sha256;
using psi::detail::labelled_sha512;

constexpr std::string_view kPadLabel = "parley/v1/vole/pad";
constexpr std::string_view kCheckLabel = "parley/v1/vole/tree-check";
constexpr std::string_view kCodeLabel = "parley/v1/vole/code";
constexpr std::size_t kRowsAtOnce = 128;

crypto::Digest512 pad_prefix(const Digest& session_id) {
  crypto::Digest512 prefix;
  labelled_sha512(kPadLabel, session_id).finish(prefix);
  return prefix;
}

}  // namespace

PadHash::PadHash(const Digest& session_id) : hash_(pad_prefix(session_id)) {}

void PadHash::operator()(std::uint32_t instance, std::uint32_t first, Block choices, std::span<const Block> rows,
                         std::span<Block> pads) const {
  assert(rows.size() == pads.size() && rows.size() <= kRowsAtOnce);
  constexpr std::size_t kPlaceBytes = 4 + 4 + 1;
  constexpr std::size_t kMessageBytes = kPlaceBytes + kBlockBytes;
  std::array<ByteArray<kMessageBytes>, kRowsAtOnce> messages;
  std::array<ByteView, kRowsAtOnce> views;
  std::array<Digest, kRowsAtOnce> digests;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    const MutableByteView message(messages[n]);
    store_be(message, instance);
    store_be(message.subspan(4), static_cast<std::uint32_t>(first + n));
    store_be(message.subspan(8), static_cast<std::uint8_t>(bit_of(choices, n)));
    store_block(rows[n], message.subspan(kPlaceBytes));
    views[n] = message;
  }
  hash_.hash(std::span(views).first(rows.size()), std::span(digests).first(rows.size()));
  for (std::size_t n = 0; n < rows.size(); ++n) pads[n] = crypto::load_block(digests[n]);
  sodium_memzero(messages.data(), sizeof messages);
  sodium_memzero(digests.data(), sizeof digests);
}

Digest tree_check_hash(const Digest& session_id, std::size_t instance, Block value) {
  crypto::Sha256 hash = labelled_sha256(kCheckLabel, session_id);
  Bytes number;
  append_be(number, static_cast<std::uint32_t>(instance));
  hash.update(number);
  hash.update(crypto::bytes_of({&value, 1}));
  return hash.finish();
}

Digest code_seed(const Digest& session_id, ByteView receiver_message, std::size_t instance) {
  crypto::Sha256 hash = labelled_sha256(kCodeLabel, session_id);
  hash.update(receiver_message);
  Bytes number;
  append_be(number, static_cast<std::uint32_t>(instance));
  hash.update(number);
  return hash.finish();
}

Block power_of_secret(Block point, std::uint32_t exponent, std::size_t bits) {
  Block power = crypto::kGfOne;
  for (std::size_t bit = bits; bit-- > 0;) {
    power = gf_multiply(power, power);
    const std::uint64_t set = (exponent >> bit) & 1;
    power = gf_multiply(power, masked(point, set) ^ masked(crypto::kGfOne, 1 - set));
  }
  return power;
}

}  // namespace parley::psi::vole::detail
