// The primitives that sessions are made of, each beside the library's own function called directly: the name with
// "/floor" is what no code around it can be faster than.
#include <sodium.h>

#include <vector>

#include "crypto/aead.h"
#include "crypto/drbg.h"
#include "crypto/ed25519.h"
#include "crypto/expand_message.h"
#include "crypto/hash.h"
#include "crypto/ristretto.h"
#include "timing.h"

namespace parley::crypto {
namespace {

constexpr std::size_t kShortItemBytes = 40;  // type, length and a SHA-256: the longest common element
constexpr std::size_t kBatch = 1024;

Scalar random_scalar() {
  return Scalar::from_uniform(random_secret<kUniformBytes>().expose());
}

Element random_element() {
  return Element::from_uniform(random_secret<kUniformBytes>().expose());
}

void multiply_element(benchmark::State& state) {
  const Scalar scalar = random_scalar();
  Element element = random_element();
  for (auto _ : state) element = *multiply(scalar, element);
  benchmark::DoNotOptimize(element);
  set_items(state, 1);
}
BENCHMARK(multiply_element)->Name("ristretto_multiply");

void multiply_floor(benchmark::State& state) {
  const Scalar scalar = random_scalar();
  ByteArray<kElementBytes> element;
  std::ranges::copy(random_element().encoding(), element.begin());
  for (auto _ : state) {
    if (crypto_scalarmult_ristretto255(as_uchar_mutable(element), as_uchar(scalar.expose()), as_uchar(element)) != 0)
      return state.SkipWithError("the identity");
  }
  benchmark::DoNotOptimize(element);
  set_items(state, 1);
}
BENCHMARK(multiply_floor)->Name("ristretto_multiply/floor");

void multiply_generator(benchmark::State& state) {
  const Scalar scalar = random_scalar();
  for (auto _ : state) benchmark::DoNotOptimize(multiply_base(scalar));
  set_items(state, 1);
}
BENCHMARK(multiply_generator)->Name("ristretto_multiply_base");

void multiply_generator_floor(benchmark::State& state) {
  const Scalar scalar = random_scalar();
  ByteArray<kElementBytes> element{};
  for (auto _ : state) {
    if (crypto_scalarmult_ristretto255_base(as_uchar_mutable(element), as_uchar(scalar.expose())) != 0)
      return state.SkipWithError("the identity");
    benchmark::DoNotOptimize(element);
  }
  set_items(state, 1);
}
BENCHMARK(multiply_generator_floor)->Name("ristretto_multiply_base/floor");

void map_to_group(benchmark::State& state) {
  const auto uniform = random_secret<kUniformBytes>();
  for (auto _ : state) benchmark::DoNotOptimize(Element::from_uniform(uniform.expose()));
  set_items(state, 1);
}
BENCHMARK(map_to_group)->Name("ristretto_map_to_group");

void map_to_group_floor(benchmark::State& state) {
  const auto uniform = random_secret<kUniformBytes>();
  ByteArray<kElementBytes> element{};
  for (auto _ : state) {
    crypto_core_ristretto255_from_hash(as_uchar_mutable(element), as_uchar(uniform.expose()));
    benchmark::DoNotOptimize(element);
  }
  set_items(state, 1);
}
BENCHMARK(map_to_group_floor)->Name("ristretto_map_to_group/floor");

// expand_message_xmd and the map: HashToGroup of RFC 9497.
void hash_to_group(benchmark::State& state) {
  const auto item = random_bytes<kShortItemBytes>();
  Secret<kUniformBytes> uniform;
  for (auto _ : state) {
    expand_message_xmd_sha512(uniform.expose_mutable(), item, as_bytes("HashToGroup-OPRFV1-x-ristretto255-SHA512"));
    benchmark::DoNotOptimize(Element::from_uniform(uniform.expose()));
  }
  set_items(state, 1);
}
BENCHMARK(hash_to_group)->Name("ristretto_hash_to_group");

void decode_element(benchmark::State& state) {
  const Element element = random_element();
  for (auto _ : state) benchmark::DoNotOptimize(Element::decode(element.encoding()));
  set_items(state, 1);
}
BENCHMARK(decode_element)->Name("ristretto_decode");

void decode_floor(benchmark::State& state) {
  const Element element = random_element();
  for (auto _ : state) benchmark::DoNotOptimize(crypto_core_ristretto255_is_valid_point(as_uchar(element.encoding())));
  set_items(state, 1);
}
BENCHMARK(decode_floor)->Name("ristretto_decode/floor");

// Decodes two elements, adds, encodes the sum.
void add_elements(benchmark::State& state) {
  Element sum = random_element();
  const Element other = random_element();
  for (auto _ : state) sum = *add(sum, other);
  benchmark::DoNotOptimize(sum);
  set_items(state, 1);
}
BENCHMARK(add_elements)->Name("ristretto_decode_twice_add_encode");

void invert_scalars(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<Scalar> scalars;
  for (std::size_t i = 0; i < count; ++i) scalars.push_back(random_scalar());
  for (auto _ : state) benchmark::DoNotOptimize(Scalar::invert_all(scalars));
  set_items(state, count);
}
BENCHMARK(invert_scalars)->Name("scalar_invert_all")->Arg(1)->Arg(64);

void sha256_item(benchmark::State& state) {
  const Bytes item(static_cast<std::size_t>(state.range(0)), std::byte{7});
  for (auto _ : state) benchmark::DoNotOptimize(sha256(item));
  set_items(state, 1);
  set_bytes(state, item.size());
}
BENCHMARK(sha256_item)->Name("sha256")->Arg(kShortItemBytes)->Arg(65)->Arg(1 << 16);

void sha256_floor(benchmark::State& state) {
  const Bytes item(static_cast<std::size_t>(state.range(0)), std::byte{7});
  Digest digest{};
  for (auto _ : state) {
    crypto_hash_sha256(as_uchar_mutable(digest), as_uchar(item), item.size());
    benchmark::DoNotOptimize(digest);
  }
  set_items(state, 1);
  set_bytes(state, item.size());
}
BENCHMARK(sha256_floor)->Name("sha256_libsodium")->Arg(kShortItemBytes)->Arg(65)->Arg(1 << 16);

void sha512_item(benchmark::State& state) {
  const Bytes item(static_cast<std::size_t>(state.range(0)), std::byte{7});
  for (auto _ : state) benchmark::DoNotOptimize(sha512(item));
  set_items(state, 1);
  set_bytes(state, item.size());
}
BENCHMARK(sha512_item)->Name("sha512")->Arg(kShortItemBytes)->Arg(1 << 16);

void sha512_floor(benchmark::State& state) {
  const Bytes item(static_cast<std::size_t>(state.range(0)), std::byte{7});
  Digest512 digest{};
  for (auto _ : state) {
    crypto_hash_sha512(as_uchar_mutable(digest), as_uchar(item), item.size());
    benchmark::DoNotOptimize(digest);
  }
  set_items(state, 1);
  set_bytes(state, item.size());
}
BENCHMARK(sha512_floor)->Name("sha512_libsodium")->Arg(kShortItemBytes)->Arg(1 << 16);

// As the commitments and the Merkle tree of a session hash: many short items, one after the other.
template <auto kHash>
void hash_batch(benchmark::State& state) {
  std::vector<ByteArray<kShortItemBytes>> items(kBatch);
  for (auto& item : items) item = random_bytes<kShortItemBytes>();
  for (auto _ : state) {
    for (const auto& item : items) benchmark::DoNotOptimize(kHash(item));
  }
  set_items(state, kBatch);
}
BENCHMARK(hash_batch<&sha256>)->Name("sha256_batch");
BENCHMARK(hash_batch<&sha512>)->Name("sha512_batch");

void seal_message(benchmark::State& state) {
  const AeadKey key = random_secret<kAeadKeyBytes>();
  const Bytes message(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(seal_with_nonce(key, {}, message, {}));
  set_items(state, 1);
  set_bytes(state, message.size());
}
BENCHMARK(seal_message)->Name("xchacha20_poly1305_seal")->Arg(kShortItemBytes)->Arg(4096)->Arg(1 << 20);

void seal_floor(benchmark::State& state) {
  const AeadKey key = random_secret<kAeadKeyBytes>();
  const AeadNonce nonce{};
  const Bytes message(static_cast<std::size_t>(state.range(0)));
  Bytes box(message.size() + kAeadTagBytes);
  for (auto _ : state) {
    crypto_aead_xchacha20poly1305_ietf_encrypt(as_uchar_mutable(box), nullptr, as_uchar(message), message.size(),
                                               nullptr, 0, nullptr, as_uchar(nonce), as_uchar(key.expose()));
    benchmark::DoNotOptimize(box.data());
    benchmark::ClobberMemory();
  }
  set_items(state, 1);
  set_bytes(state, message.size());
}
BENCHMARK(seal_floor)->Name("xchacha20_poly1305_seal/floor")->Arg(kShortItemBytes)->Arg(4096)->Arg(1 << 20);

void open_message(benchmark::State& state) {
  const AeadKey key = random_secret<kAeadKeyBytes>();
  const Bytes sealed = seal_with_nonce(key, {}, Bytes(static_cast<std::size_t>(state.range(0))), {});
  for (auto _ : state) benchmark::DoNotOptimize(open(key, sealed, {}));
  set_items(state, 1);
  set_bytes(state, static_cast<std::size_t>(state.range(0)));
}
BENCHMARK(open_message)->Name("xchacha20_poly1305_open")->Arg(kShortItemBytes)->Arg(4096)->Arg(1 << 20);

void draw_block(benchmark::State& state) {
  const Drbg stream(random_secret<32>(), {}, "bench");
  std::uint64_t block = 0;
  for (auto _ : state) benchmark::DoNotOptimize(stream.secret<Drbg::kBlockBytes>(block++));
  set_items(state, 1);
}
BENCHMARK(draw_block)->Name("drbg_block");

void sign_step(benchmark::State& state) {
  const Secret<32> seed = random_secret<32>();
  const Bytes message(1024);
  for (auto _ : state) benchmark::DoNotOptimize(sign(seed, message));
  set_items(state, 1);
}
BENCHMARK(sign_step)->Name("ed25519_sign_1024_bytes");

void verify_step(benchmark::State& state) {
  const Secret<32> seed = random_secret<32>();
  const Bytes message(1024);
  const auto key = public_key_of(seed);
  const auto signature = sign(seed, message);
  for (auto _ : state) benchmark::DoNotOptimize(verify(key, message, signature));
  set_items(state, 1);
}
BENCHMARK(verify_step)->Name("ed25519_verify_1024_bytes");

}  // namespace
}  // namespace parley::crypto

int main(int argc, char** argv) {
  return parley::run_benchmarks(argc, argv);
}
