// Shows under valgrind that nothing secret decides a branch or an address (psi.md 8.1; Langley's ctgrind, 2010):
// secrets are marked as undefined memory, and memcheck reports every jump and every address that depends on them. Jumps
// that depend on whether a call succeeds are allowed where the result is public anyway, and counted.
#include <fmt/format.h>
#include <valgrind/memcheck.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <vector>

#include "base/random.h"
#include "crypto/aead.h"
#include "crypto/drbg.h"
#include "crypto/ed25519.h"
#include "crypto/expand_message.h"
#include "crypto/kdf.h"
#include "psi/oprf/proof.h"

namespace parley {
namespace {

using crypto::Element;
using crypto::Scalar;
using psi::oprf::Mode;

constexpr int kSkipped = 77;  // SKIP_RETURN_CODE in CMakeLists.txt

void make_secret(ByteView bytes) {
  static_cast<void>(VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()));
}

/// Whether memcheck holds any bit of `bytes` to depend on a secret.
bool is_secret(ByteView bytes) {
  std::vector<unsigned char> undefined_bits(bytes.size());
  static_cast<void>(VALGRIND_GET_VBITS(bytes.data(), undefined_bits.data(), bytes.size()));
  return std::ranges::any_of(undefined_bits, [](unsigned char bits) { return bits != 0; });
}

Bytes pattern(std::size_t size, unsigned salt) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 37 + salt);
  return bytes;
}

Bytes secret_bytes(std::size_t size) {
  Bytes bytes = pattern(size, 1);
  make_secret(bytes);
  return bytes;
}

Secret<32> secret_seed() {
  return Secret<32>(ByteView(secret_bytes(32)).first<32>());
}

Scalar public_scalar(unsigned salt) {
  return Scalar::from_uniform(ByteView(pattern(64, salt)).first<64>());
}

Scalar secret_scalar(unsigned salt) {
  Scalar scalar = public_scalar(salt);
  make_secret(scalar.expose());
  return scalar;
}

Element public_element() {
  return Element::from_uniform(ByteView(pattern(64, 9)).first<64>());
}

/// One thing that handles secrets.
struct Subject {
  const char* name;
  /// Jumps that depend on a secret, at most: each on whether something succeeded, which everyone may know.
  unsigned allowed_jumps;
  /// Handles secrets and returns what came of them.
  std::function<Bytes()> run;
};

// Multiplication says whether the product is the identity. Where the element is secret too, libsodium also looks
// whether its encoding is canonical and valid; elements made by hashing always are.
constexpr unsigned kProduct = 1;
constexpr unsigned kDecodedProduct = 3;

Bytes encoding(const std::optional<Element>& element) {
  return to_bytes(element->encoding());
}

std::vector<Subject> primitives() {
  return {
      {"HKDF-SHA-512 of a seed", 0,
       [] { return to_bytes(crypto::hkdf_sha512<32>(secret_seed().expose(), {}, {}).expose()); }},
      {"HKDF-SHA-256 of a key", 0,
       [] { return to_bytes(crypto::hkdf_sha256<32>(secret_seed().expose(), {}, {}).expose()); }},
      {"keyed BLAKE2b of an element", 0,
       [] { return to_bytes(crypto::blake2b<16>(secret_bytes(200), secret_bytes(32))); }},
      {"SHA-512 of an element", 0, [] { return to_bytes(crypto::sha512(secret_bytes(200))); }},
      {"expansion of a message", 0,
       [] {
         Bytes out(64);
         crypto::expand_message_xmd_sha512(out, secret_bytes(64), as_bytes("tag"));
         return out;
       }},
      {"the session's generator", 0,
       [] { return to_bytes(crypto::Drbg(secret_seed(), {}, "x").secret<64>(3).expose()); }},
      {"sealing under a key", 0,
       [] {
         // Poly1305's key is secret, so its tag is.
         return crypto::seal_with_nonce(secret_seed(), {}, secret_bytes(50), {});
       }},
      {"an Ed25519 signature", 0, [] { return to_bytes(crypto::sign(secret_seed(), as_bytes("message"))); }},
      {"comparison of secrets", 1,
       [] {
         const bool equal = secret_seed().equals(secret_seed());
         return Bytes{static_cast<std::byte>(equal)};
       }},
      {"scalar arithmetic", 0,
       [] { return to_bytes((secret_scalar(1) * secret_scalar(2) + secret_scalar(3) - secret_scalar(4)).expose()); }},
      {"reduction to a scalar", 0,
       [] { return to_bytes(Scalar::from_uniform(ByteView(secret_bytes(64)).first<64>()).expose()); }},
      {"inversion of many scalars", 1,
       [] {
         std::vector<Scalar> scalars;
         for (unsigned i = 0; i < 5; ++i) scalars.push_back(secret_scalar(i));
         if (!Scalar::invert_all(scalars)) return Bytes();
         return to_bytes(scalars[2].expose());
       }},
      {"an element from uniform bytes", 0,
       [] { return to_bytes(Element::from_uniform(ByteView(secret_bytes(64)).first<64>()).encoding()); }},
      {"a secret multiple of the generator", kProduct, [] { return encoding(multiply_base(secret_scalar(1))); }},
      {"a secret multiple of a public element", kProduct,
       [] { return encoding(multiply(secret_scalar(1), public_element())); }},
  };
}

std::vector<Subject> oblivious_function() {
  return {
      {"hashing to the group", 0,
       [] { return to_bytes(psi::oprf::hash_to_group(Mode::oprf, secret_bytes(64)).encoding()); }},
      {"deriving a key pair", kProduct,
       [] {
         const auto key = psi::oprf::derive_key_pair(Mode::oprf, secret_seed(), as_bytes("info"));
         return to_bytes(key->secret_key.expose());
       }},
      {"blinding", kDecodedProduct,
       [] { return encoding(psi::oprf::blind(Mode::oprf, secret_bytes(64), secret_scalar(1))); }},
      {"evaluating the other side's element", kProduct,
       [] { return encoding(crypto::decode_and_multiply(secret_scalar(1), public_element().encoding())); }},
      {"evaluating an element of our own", kDecodedProduct,
       [] { return to_bytes(psi::oprf::evaluate(Mode::oprf, secret_bytes(64), secret_scalar(1))->expose()); }},
      {"unblinding", kProduct,
       [] {
         const auto output = psi::oprf::finalize(secret_bytes(64), secret_scalar(1), public_element().encoding());
         return to_bytes(output->expose());
       }},
      {"proving one key for a batch", 3 * kProduct,
       [] {
         const Element blinded = public_element();
         const Element evaluated = *multiply(public_scalar(1), blinded);
         const psi::oprf::KeyPair key{secret_scalar(1), *multiply_base(public_scalar(1))};
         const auto proof = psi::oprf::prove(Mode::voprf, key, {&blinded, 1}, {&evaluated, 1}, secret_scalar(2));
         return to_bytes(*proof);
       }},
  };
}

// Controls: what must be caught, or the check itself is blind.
std::vector<Subject> leaks() {
  return {
      {"a branch on a secret", 0,
       [] {
         const Bytes secret = secret_bytes(1);
         if ((secret[0] & std::byte{1}) != std::byte{0}) fmt::print("{}", "");
         return secret;
       }},
      {"an address from a secret", 0,
       [] {
         static const Bytes kTable = pattern(256, 0);
         const Bytes secret = secret_bytes(1);
         return Bytes{kTable.data()[std::to_integer<std::size_t>(secret[0])]};
       }},
      {"a comparison that stops at the first difference", 0,
       [] {
         const Bytes secret = secret_bytes(32);
         Bytes result(1);
         for (std::size_t i = 0; i < secret.size() && secret[i] == pattern(32, 1)[i]; ++i) result[0] ^= secret[i];
         return result;
       }},
  };
}

/// Runs a subject; says what it did in one line.
bool holds(const Subject& subject, bool must_leak) {
  const auto before = VALGRIND_COUNT_ERRORS;
  const Bytes result = subject.run();
  const auto jumps = VALGRIND_COUNT_ERRORS - before;
  // Without a result that depends on the secret, nothing would have been tried. (What a control leaks, memcheck
  // forgets.)
  const bool tried = must_leak || is_secret(result);
  const bool good = tried && (must_leak ? jumps > 0 : jumps <= subject.allowed_jumps);
  fmt::print("{}  {}: {} jumps or addresses from secrets{}{}\n", good ? "ok  " : "FAIL", subject.name, jumps,
             must_leak ? ", as this control must show" : fmt::format(", {} allowed", subject.allowed_jumps),
             tried ? "" : ", but its result depends on no secret");
  return good;
}

int check() {
  bool good = true;
  for (const Subject& subject : leaks()) good &= holds(subject, true);
  for (const Subject& subject : primitives()) good &= holds(subject, false);
  for (const Subject& subject : oblivious_function()) good &= holds(subject, false);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace parley

int main() {
  if (!RUNNING_ON_VALGRIND) {
    fmt::print("Not under valgrind: nothing to see.\n");
    return parley::kSkipped;
  }
  parley::start_random();
  return parley::check();
}
