// A small generator of choices. Streams of one seed with different names are independent, so that leaving a fault out
// does not change what is drawn for the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::sim {

class Dice {
 public:
  /// Sebastiano Vigna's splitmix64: every seed is as good as another.
  explicit Dice(std::uint64_t seed, std::string_view stream = {}) : state_(seed) {
    for (const char letter : stream) state_ = next() ^ static_cast<unsigned char>(letter);
  }
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
  }
  /// Precondition: count > 0. The bias for the small counts of a simulation is far below what it could notice.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(next() % count); }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(below(static_cast<std::size_t>(most - least) + 1));
  }
  bool one_in(std::size_t count) { return below(count) == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace parley::sim
