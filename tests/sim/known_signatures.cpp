// Signatures that this process has made verify without being computed again. In a simulation every one is verified by
// every member, several times; what is forged or corrupted is computed as ever. In tests only: the program has no such
// thing, and a test holds the traces of both against each other.
#include <dlfcn.h>
#include <sodium.h>

#include <array>
#include <cstring>
#include <map>
#include <unordered_set>

namespace {

struct Known {
  std::array<unsigned char, 16> hash{};
  bool operator==(const Known&) const = default;
};
struct Spread {
  std::size_t operator()(const Known& known) const {
    std::size_t front = 0;
    std::memcpy(&front, known.hash.data(), sizeof(front));
    return front;
  }
};
constexpr std::size_t kMost = 1 << 18;
thread_local std::unordered_set<Known, Spread> signatures;
using Keys = std::array<unsigned char, crypto_sign_SECRETKEYBYTES>;  // the seed, and the public key behind it
thread_local std::map<std::array<unsigned char, crypto_sign_SEEDBYTES>, Keys> expanded;
thread_local std::map<std::array<unsigned char, crypto_core_ed25519_BYTES>, int> points;
constexpr std::size_t kMostKeys = 4096;

Known known_of(const unsigned char* signature, const unsigned char* message, unsigned long long size,
               const unsigned char* key) {
  Known known;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, known.hash.size());
  crypto_generichash_update(&state, signature, crypto_sign_BYTES);
  crypto_generichash_update(&state, key, crypto_sign_PUBLICKEYBYTES);
  crypto_generichash_update(&state, message, size);
  crypto_generichash_final(&state, known.hash.data(), known.hash.size());
  return known;
}

template <typename Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int crypto_sign_ed25519_detached(unsigned char* signature, unsigned long long* size,
                                            const unsigned char* message, unsigned long long message_size,
                                            const unsigned char* secret) {
  static auto* const sign = original<decltype(crypto_sign_ed25519_detached)>("crypto_sign_ed25519_detached");
  const int done = sign(signature, size, message, message_size, secret);
  if (signatures.size() >= kMost) signatures.clear();
  // libsodium keeps the public key behind the seed.
  if (done == 0) signatures.insert(known_of(signature, message, message_size, secret + crypto_sign_SEEDBYTES));
  return done;
}

extern "C" int crypto_sign_ed25519_seed_keypair(unsigned char* key, unsigned char* secret, const unsigned char* seed) {
  static auto* const expand = original<decltype(crypto_sign_ed25519_seed_keypair)>("crypto_sign_ed25519_seed_keypair");
  std::array<unsigned char, crypto_sign_SEEDBYTES> known;
  std::memcpy(known.data(), seed, known.size());
  if (expanded.size() >= kMostKeys) expanded.clear();
  const auto [keys, is_new] = expanded.try_emplace(known);
  if (is_new) expand(key, keys->second.data(), seed);
  std::memcpy(key, keys->second.data() + crypto_sign_SEEDBYTES, crypto_sign_PUBLICKEYBYTES);
  std::memcpy(secret, keys->second.data(), keys->second.size());
  return 0;
}

extern "C" int crypto_sign_ed25519_verify_detached(const unsigned char* signature, const unsigned char* message,
                                                   unsigned long long size, const unsigned char* key) {
  static auto* const verify =
      original<decltype(crypto_sign_ed25519_verify_detached)>("crypto_sign_ed25519_verify_detached");
  if (signatures.contains(known_of(signature, message, size, key))) return 0;
  return verify(signature, message, size, key);
}

extern "C" int crypto_core_ed25519_is_valid_point(const unsigned char* point) {
  static auto* const check =
      original<decltype(crypto_core_ed25519_is_valid_point)>("crypto_core_ed25519_is_valid_point");
  std::array<unsigned char, crypto_core_ed25519_BYTES> known;
  std::memcpy(known.data(), point, known.size());
  if (points.size() >= kMostKeys) points.clear();
  const auto [valid, is_new] = points.try_emplace(known);
  if (is_new) valid->second = check(point);
  return valid->second;
}
