// In the place of two functions of libsodium, for this program of tests: they count how often they are called, and
// compute each answer once. These tests verify the same dossiers thousands of times with one part changed.
#include "dossier/counted_work.h"

#include <dlfcn.h>
#include <sodium.h>

#include <array>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace {

using Question = std::array<unsigned char, 16>;
struct Spread {
  std::size_t operator()(const Question& question) const {
    std::size_t front = 0;
    std::memcpy(&front, question.data(), sizeof(front));
    return front;
  }
};
using Answers = std::unordered_map<Question, int, Spread>;

constexpr std::size_t kMostAnswers = 1 << 18;
thread_local parley::dossier::Work work;
thread_local Answers of_signatures, of_keys;

template <typename Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// All that an answer depends on.
Question question_of(const unsigned char* signature, const unsigned char* key, const unsigned char* message,
                     unsigned long long message_size) {
  Question question{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, question.size());
  crypto_generichash_update(&state, key, crypto_sign_PUBLICKEYBYTES);
  if (signature != nullptr) crypto_generichash_update(&state, signature, crypto_sign_BYTES);
  if (message != nullptr) crypto_generichash_update(&state, message, message_size);
  crypto_generichash_final(&state, question.data(), question.size());
  return question;
}

template <typename Compute>
int answer(Answers& answers, const Question& question, const Compute& compute) {
  if (answers.size() >= kMostAnswers) answers.clear();
  const auto [known, is_new] = answers.try_emplace(question, 0);
  if (is_new) known->second = compute();
  return known->second;
}

}  // namespace

namespace parley::dossier {

Work take_work() {
  return std::exchange(work, {});
}

}  // namespace parley::dossier

extern "C" int crypto_sign_ed25519_verify_detached(const unsigned char* signature, const unsigned char* message,
                                                   unsigned long long size, const unsigned char* key) {
  static auto* const verify =
      original<decltype(crypto_sign_ed25519_verify_detached)>("crypto_sign_ed25519_verify_detached");
  ++work.signatures;
  return answer(of_signatures, question_of(signature, key, message, size),
                [&] { return verify(signature, message, size, key); });
}

extern "C" int crypto_core_ed25519_is_valid_point(const unsigned char* point) {
  static auto* const check =
      original<decltype(crypto_core_ed25519_is_valid_point)>("crypto_core_ed25519_is_valid_point");
  ++work.keys;
  return answer(of_keys, question_of(nullptr, point, nullptr, 0), [&] { return check(point); });
}
