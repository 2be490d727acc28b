// A circle whose members have id keys, and so can replace their others.
#pragma once

#include "circle.h"

namespace parley::mirror {

using log::KeyRole, log::RotationReason;

class RotationTest : public testing::Test {
 protected:
  explicit RotationTest(std::size_t count = 3) : circle_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      ids_.push_back(random_secret<32>());
      circle_.keys[i].id =
          log::vkey_of("parley.example/m/" + circle_.keys[i].nick + "/id", log::KeyType::ed25519, ids_[i]);
    }
    for (std::size_t i = 0; i < count; ++i) circle_.restart(i);
    circle_.open_all();
    EXPECT_TRUE(circle_.refusals.empty());
  }

  Result<EntryView> try_rotate(std::size_t i, KeyRole role, RotationReason reason, const Secret<32>& seed) {
    return circle_[i].rotate(
        {.role = role, .reason = reason, .seed = seed.clone(), .first_tls = crypto::public_key_of(tls_)}, ids_[i],
        ++circle_.now);
  }
  EntryView rotate(std::size_t i, KeyRole role, RotationReason reason = RotationReason::stolen) {
    seeds_.push_back(random_secret<32>());
    auto written = try_rotate(i, role, reason, seeds_.back());
    EXPECT_OK(written);
    return written ? *std::move(written) : EntryView{};
  }
  /// Starts a member again with the seeds that it was made with and all that were rotated since.
  Result<std::unique_ptr<Replica>> reopen(std::size_t i, bool with_rotated = true) {
    std::optional<OwnSeeds> seeds = circle_.seeds(i);
    if (with_rotated)
      for (const Secret<32>& seed : seeds_) seeds->rotated.push_back(seed.clone());
    return Replica::open(circle_.view(i), seeds, circle_.homes[i]->store(), circle_.homes[i]->guard());
  }
  /// Ends a member and starts it again. @param meanwhile  is done to what it left on its disk
  void restart(std::size_t i, const std::function<void()>& meanwhile = [] {}) {
    circle_.stop(i);
    meanwhile();
    auto opened = reopen(i);
    if (!opened) throw std::runtime_error(opened.error().text());
    circle_.replicas[i] = std::move(*opened);
  }
  /// Everything is handed over, and then what each has heard of the others' copies.
  void settle() {
    circle_.run();
    const auto links = circle_.links;
    for (const auto& [a, b] : links) circle_.link(a, b);
    circle_.run();
  }
  void expect_no_refusals() {
    for (const Error& refusal : circle_.refusals) ADD_FAILURE() << refusal.text();
  }

  Circle circle_;
  std::vector<Secret<32>> ids_, seeds_;
  const Secret<32> tls_ = random_secret<32>();  ///< the key that all cards name
};

}  // namespace parley::mirror
