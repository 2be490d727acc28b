// Randomness that a seed repeats, for the thread that simulates and for no other: salts and keys are part of a trace.
#pragma once

#include "sim/dice.h"

namespace parley::sim {

/// While it lives, fill_random() (base/random.h) of this thread draws from `seed`; other threads get the operating
/// system's randomness as ever. Never alive where anything is kept secret from anybody.
class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed);
  ~SeededRandom();
  SeededRandom(const SeededRandom&) = delete;
  SeededRandom& operator=(const SeededRandom&) = delete;

 private:
  Dice dice_;
  Dice* before_;
};

}  // namespace parley::sim
