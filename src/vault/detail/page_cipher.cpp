// Sealing of the vault's files (page_cipher.h).
// docs/vault-format.md, "vault.db".
#include "vault/detail/page_cipher.h"

#include <sodium.h>

#include "base/random.h"

namespace parley::vault::detail {
namespace {

constexpr std::size_t kContextBytes = 1 + sizeof(Generation) + 8;

/// kind || generation || number, big-endian.
ByteArray<kContextBytes> context_of(UnitKind kind, const Generation& generation, std::uint64_t number) {
  ByteArray<kContextBytes> context;
  context[0] = static_cast<std::byte>(kind);
  std::memcpy(context.data() + 1, generation.data(), generation.size());
  for (std::size_t i = 0; i < 8; ++i) context[kContextBytes - 1 - i] = static_cast<std::byte>(number >> (8 * i));
  return context;
}

}  // namespace

static_assert(kNonceBytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(kTagBytes == crypto_aead_xchacha20poly1305_ietf_ABYTES);

PageCipher::PageCipher(Secret<32> key) : key_(std::move(key)), nonce_prefix_(random_bytes<16>()) {}

void PageCipher::seal(UnitKind kind, const Generation& generation, std::uint64_t number, ByteView plain,
                      MutableByteView sealed) {
  const auto context = context_of(kind, generation, number);
  ByteArray<kNonceBytes> nonce;
  const std::uint64_t counter = nonce_counter_.fetch_add(1, std::memory_order_relaxed);
  std::memcpy(nonce.data(), nonce_prefix_.data(), nonce_prefix_.size());
  std::memcpy(nonce.data() + nonce_prefix_.size(), &counter, sizeof counter);

  const MutableByteView ciphertext = sealed.first(plain.size());
  const MutableByteView tag = sealed.last(kTagBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt_detached(as_uchar_mutable(ciphertext), as_uchar_mutable(tag), nullptr,
                                                      as_uchar(plain), plain.size(), as_uchar(context), context.size(),
                                                      nullptr, as_uchar(nonce), as_uchar(key_.expose()));
  std::memcpy(sealed.data() + plain.size(), nonce.data(), nonce.size());
}

bool PageCipher::open(UnitKind kind, const Generation& generation, std::uint64_t number, ByteView sealed,
                      MutableByteView plain) const {
  const auto context = context_of(kind, generation, number);
  const ByteView nonce = sealed.subspan(plain.size(), kNonceBytes);
  return crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
             as_uchar_mutable(plain), nullptr, as_uchar(sealed), plain.size(), as_uchar(sealed.last(kTagBytes)),
             as_uchar(context), context.size(), as_uchar(nonce), as_uchar(key_.expose())) == 0;
}

}  // namespace parley::vault::detail
