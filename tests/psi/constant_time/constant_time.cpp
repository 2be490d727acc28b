// Shows under valgrind that nothing secret decides a branch or an address (psi.md 8.1; Langley's ctgrind, 2010):
// secrets are marked as undefined memory, and memcheck reports every jump and every address that depends on them. Jumps
// that depend on whether a call succeeds are allowed where the result is public anyway, and counted.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/random.h"
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "crypto/drbg.h"
#include "crypto/ed25519.h"
#include "crypto/expand_message.h"
#include "crypto/fixed_key_aes.h"
#include "crypto/gf128.h"
#include "crypto/kdf.h"
#include "crypto/prefixed_sha256.h"
#include "crypto/ristretto_batch.h"
#include "psi/admission/admission.h"
#include "psi/intersect/detail/output_hash.h"
#include "psi/okvs/okvs.h"
#include "psi/oprf/proof.h"
#include "psi/vole/code.h"
#include "psi/vole/detail/pads.h"
#include "psi/vole/extension.h"
#include "psi/vole/trees.h"
#include "secrets.h"

namespace parley {
namespace {

using crypto::Element;
using crypto::Scalar;
using psi::oprf::Mode;

constexpr int kSkipped = 77;  // SKIP_RETURN_CODE in CMakeLists.txt

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

std::vector<Scalar> secret_scalars(unsigned count) {
  std::vector<Scalar> scalars;
  for (unsigned i = 0; i < count; ++i) scalars.push_back(secret_scalar(i));
  return scalars;
}

// Whether one of the elements of a list is at fault is public; that is looked at once for each register of lanes.
constexpr unsigned kFaultsOfAList = 3;
constexpr unsigned kListed = 9;  // more than fits one register, and not a multiple

std::vector<Subject> many_at_once() {
  return {
      {"secret multiples of mapped elements", kFaultsOfAList,
       [] {
         Bytes products(kListed * crypto::kElementBytes);
         static_cast<void>(
             crypto::map_and_multiply_each(secret_scalars(kListed), secret_bytes(kListed * 64), products));
         return products;
       }},
      {"secret multiples of received elements", kFaultsOfAList,
       [] {
         Bytes encodings, products(kListed * crypto::kElementBytes);
         for (unsigned i = 0; i < kListed; ++i) append(encodings, public_element().encoding());
         static_cast<void>(crypto::multiply_each(secret_scalars(kListed), encodings, products));
         return products;
       }},
      {"one secret multiple of many received elements", kFaultsOfAList,
       [] {
         Bytes encodings, products(kListed * crypto::kElementBytes);
         for (unsigned i = 0; i < kListed; ++i) append(encodings, public_element().encoding());
         static_cast<void>(crypto::multiply_all(secret_scalar(1), encodings, products));
         return products;
       }},
      {"secret multiples of one received element", kFaultsOfAList,
       [] {
         Bytes products(kListed * crypto::kElementBytes);
         static_cast<void>(
             crypto::multiply_one_by_each(secret_scalars(kListed), public_element().encoding(), products));
         return products;
       }},
  };
}

// Whether an inversion exists, whether a sum is the identity, and faults of a list as above.
constexpr unsigned kCombining = 1 + kFaultsOfAList;

std::vector<Subject> admission() {
  static const psi::admission::Epoch kEpoch{};
  static ThreadPool pool(1);
  static SilentProgress progress;
  const auto secret_elements = [] {
    psi::Elements elements;
    for (unsigned i = 0; i < kListed; ++i) elements.push_back(secret_bytes(20));
    return elements;
  };
  return {
      {"a key for admission", kProduct,
       [] { return to_bytes(psi::admission::derive_key(secret_seed(), as_bytes("info"))->secret_key.expose()); }},
      {"proving to possess it", kProduct,
       [] {
         const psi::oprf::KeyPair key{secret_scalar(1), *multiply_base(public_scalar(1))};
         return to_bytes(*psi::admission::prove_possession(key, {}, secret_scalar(2)));
       }},
      {"blinding a batch for admission", kFaultsOfAList,
       [=] { return *psi::admission::blind(kEpoch, secret_elements(), secret_seed(), pool, progress); }},
      {"helping with a batch for admission", kFaultsOfAList,
       [] {
         Bytes blinded;
         for (unsigned i = 0; i < kListed; ++i) append(blinded, public_element().encoding());
         return *psi::admission::evaluate(secret_scalar(1), blinded, pool, progress);
       }},
      {"combining the answers to a batch", kCombining,
       [=] {
         std::vector<Bytes> answers(2);
         for (unsigned i = 0; i < kListed; ++i)
           for (Bytes& answer : answers) append(answer, public_element().encoding());
         return to_bytes(
             psi::admission::combine(kEpoch, secret_elements(), secret_seed(), answers, pool, progress)->expose());
       }},
  };
}

// Whether one of 128 elements, or of 256, is at fault: once for each register of four.
constexpr unsigned kKeysOfSender = 64 + kProduct;
constexpr unsigned kChoosing = 32;
constexpr unsigned kKeysOfReceiver = 32;

std::vector<Subject> fast_protocol() {
  using namespace psi::vole;
  static const Digest kSession{};
  return {
      {"multiplication in GF(2^128)", 0,
       [] {
         const crypto::Block product = crypto::gf_multiply(secret_block(1), secret_block(2));
         return bytes_of_all({&product, 1});
       }},
      {"inversion in GF(2^128)", 0,
       [] {
         const crypto::Block inverse = crypto::gf_invert(secret_block(1));
         return bytes_of_all({&inverse, 1});
       }},
      {"a hash of many blocks at a secret point", 0,
       [] {
         const crypto::Block sum = crypto::gf_power_sum(secret_block(1), secret_blocks(37));
         return bytes_of_all({&sum, 1});
       }},
      {"a power with a secret exponent", 0,
       [] {
         std::uint32_t exponent = 1234;
         make_secret(std::as_bytes(std::span(&exponent, 1)));
         const crypto::Block power = psi::vole::detail::power_of_secret(secret_block(1), exponent, 13);
         return bytes_of_all({&power, 1});
       }},
      {"keyed hashes of elements", 0,
       [] {
         const crypto::PrefixedSha256 hash(ByteView(pattern(64, 3)).first<64>());
         const Bytes messages = secret_bytes(7 * 48);
         std::vector<ByteView> views;
         for (std::size_t i = 0; i < 7; ++i) views.push_back(ByteView(messages).subspan(i * 48, 48));
         std::vector<Digest> digests(7);
         hash.hash(views, digests);
         return to_bytes(digests[6]);
       }},
      {"choosing in the base transfers", kChoosing,
       [] {
         const crypto::Drbg coins(secret_seed(), kSession, "x");
         const BaseOtReceiver receiver(kSession, secret_block(), coins);
         return to_bytes(receiver.message());
       }},
      {"the columns of a secret Delta, and their check", 1,
       [] {
         ThreadPool pool(1);
         std::vector<BaseKey> keys;
         for (std::size_t j = 0; j < kColumns; ++j) keys.push_back(secret_seed());
         const ExtensionSender sender(kSession, secret_block(), keys, 3, pattern(kColumns * 3 * 16, 5), pool);
         const bool passed = sender.verify(crypto::load_block(pattern(16, 1)), pattern(kResponseBytes, 2));
         Bytes result = bytes_of_all(std::array{sender.columns().packed(1)});
         result.push_back(static_cast<std::byte>(passed));
         return result;
       }},
      {"both keys of each base transfer", kKeysOfSender,
       [] {
         const BaseOtSender sender(kSession, crypto::Drbg(secret_seed(), kSession, "x"));
         const BaseOtReceiver receiver(kSession, {}, crypto::Drbg(Secret<32>(), kSession, "x"));
         const auto keys = sender.keys(receiver.message());
         return to_bytes((*keys)[7][1].expose());
       }},
      {"the chosen key of each base transfer", kChoosing + kKeysOfReceiver,
       [] {
         const BaseOtReceiver receiver(kSession, secret_block(), crypto::Drbg(secret_seed(), kSession, "x"));
         const BaseOtSender sender(kSession, crypto::Drbg(Secret<32>(), kSession, "x"));
         const auto keys = receiver.keys(sender.message().encoding());
         return to_bytes((*keys)[7].expose());
       }},
      {"the columns of a secret input, and the answer to their check", 0,
       [] {
         ThreadPool pool(1);
         std::vector<BaseKeyPair> keys;
         for (std::size_t j = 0; j < kColumns; ++j) keys.push_back({secret_seed(), secret_seed()});
         crypto::SecretBlocks input(3);
         std::ranges::copy(secret_blocks(3), input.expose_mutable().begin());
         const ExtensionReceiver receiver(kSession, keys, std::move(input), pool);
         Bytes result = receiver.correction();
         append(result, receiver.respond(crypto::load_block(pattern(16, 1))));
         append(result, bytes_of_all(receiver.columns().rows(1)));
         return result;
       }},
      {"pads for secret choices", 0,
       [] {
         std::vector<crypto::Block> pads(kColumns);
         psi::vole::detail::PadHash{kSession}(1, 128, secret_block(), secret_blocks(kColumns), pads);
         return bytes_of_all(pads);
       }},
      {"the hash of a check's answer", 0,
       [] { return to_bytes(psi::vole::detail::tree_check_hash(kSession, 1, secret_block())); }},
      {"outputs from secret values and keys", 0,
       [] {
         std::vector<Digest> keys(70);
         for (Digest& key : keys) make_secret(key);
         const std::vector<crypto::Block> values = secret_blocks(keys.size());
         psi::detail::OutputHash{kSession}(keys, values, secret_block());
         return to_bytes(keys.back());
       }},
      {"a tree that is punctured at a secret position", 0,
       [] {
         const TreePermutations permutations(kSession);
         const TreeSizes sizes{94, 7};
         TreeWorkspace workspace(sizes);
         std::uint32_t position = 41;
         make_secret(std::as_bytes(std::span(&position, 1)));
         std::vector<crypto::Block> leaves(sizes.leaves);
         grow_punctured(permutations, sizes, position, secret_blocks(sizes.depth), leaves, workspace);
         add_at(leaves, position, secret_block());
         return bytes_of_all(leaves);
       }},
      {"the code on secret noise", 0,
       [] {
         const Code code(Digest{}, 200, 500);
         std::vector<crypto::Block> noise = secret_blocks(300), out = secret_blocks(200);
         code.accumulate(noise);
         code.expand(noise, 0, out);
         return bytes_of_all(out);
       }},
      {"decoding secret cells", 0,
       [] {
         const psi::okvs::Shape shape = psi::okvs::shape_for(100);
         std::vector<Digest> keys;
         for (unsigned i = 0; i < 100; ++i) keys.push_back(crypto::sha256(pattern(8, i)));
         std::vector<crypto::Block> values(keys.size());
         psi::okvs::decode_bin(shape, keys, secret_blocks(shape.cells_per_bin()), values);
         return bytes_of_all(values);
       }},
      {"encoding secret values", 1,
       [] {
         const psi::okvs::Shape shape = psi::okvs::shape_for(100);
         std::vector<Digest> keys;
         for (unsigned i = 0; i < 100; ++i) keys.push_back(crypto::sha256(pattern(8, i)));
         std::vector<crypto::Block> cells(shape.cells_per_bin());
         psi::okvs::Workspace workspace;
         static_cast<void>(psi::okvs::encode_bin(shape, keys, secret_blocks(keys.size()), cells, workspace));
         return bytes_of_all(cells);
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
  for (const Subject& subject : many_at_once()) good &= holds(subject, false);
  for (const Subject& subject : admission()) good &= holds(subject, false);
  // With the instructions that valgrind knows, and with none: the portable kernels are other code.
  for (const auto level : {crypto::cpu_level(), crypto::CpuLevel::portable}) {
    crypto::limit_cpu_level(level);
    fmt::print("Kernels of level {}:\n", static_cast<int>(level));
    for (const Subject& subject : fast_protocol()) good &= holds(subject, false);
    for (const Subject& subject : vole_runs()) good &= holds(subject, false);
  }
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
