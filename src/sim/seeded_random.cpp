#include "sim/seeded_random.h"

#include <sodium.h>

#include <mutex>

namespace parley::sim {
namespace {

thread_local Dice* active = nullptr;

void fill(void* out, std::size_t size) {
  if (active == nullptr) return randombytes_sysrandom_implementation.buf(out, size);
  auto* bytes = static_cast<unsigned char*>(out);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(active->next() >> 56);
}

std::uint32_t number() {
  std::uint32_t drawn = 0;
  fill(&drawn, sizeof(drawn));
  return drawn;
}

const char* name() {
  return "parley-sim";
}

/// libsodium's own implementation for every thread that does not simulate. It stays once it is set.
void install() {
  static randombytes_implementation ours{.implementation_name = name,
                                         .random = number,
                                         .stir = nullptr,
                                         .uniform = nullptr,
                                         .buf = fill,
                                         .close = nullptr};
  static std::once_flag once;
  std::call_once(once, [] { randombytes_set_implementation(&ours); });
}

}  // namespace

SeededRandom::SeededRandom(std::uint64_t seed) : dice_(seed, "random"), before_(active) {
  install();
  active = &dice_;
}

SeededRandom::~SeededRandom() {
  active = before_;
}

}  // namespace parley::sim
