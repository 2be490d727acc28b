#include "psi/intersect/keyed_set.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace parley::psi {
namespace {

// Keys are made and moved to their bins a round at a time, so that those on their way stay in the cache.
constexpr std::size_t kElementsPerChunk = 4096;
constexpr std::size_t kChunksPerRound = 32;
constexpr std::size_t kElementsPerRound = kElementsPerChunk * kChunksPerRound;
constexpr std::size_t kHashedAtOnce = 64;

/// Bins with the same room each, in one piece of memory.
class Rooms {
 public:
  /// Room for the keys of a bin, on average `mean`; that a bin of uniform keys needs more is a matter of 2^-45 (eight
  /// standard deviations of a Poisson distribution, and some for those of a small mean), and it costs a copy then.
  static std::size_t room_for(double mean) { return static_cast<std::size_t>(mean + 8 * std::sqrt(mean)) + 32; }

  Rooms(std::size_t bins, std::size_t room)
      : bins_(bins), room_(room), sizes_(bins), keys_(bins * room), positions_(bins * room) {}

  std::size_t room() const { return room_; }
  std::size_t size_of(std::size_t bin) const { return sizes_[bin]; }
  /// The first free place of a bin, of whose places the caller takes `taken`.
  std::size_t take(std::size_t bin, std::size_t taken) {
    return bin * room_ + std::exchange(sizes_[bin], sizes_[bin] + taken);
  }
  void put(std::size_t place, const Digest& key, std::uint32_t position) {
    keys_.expose_mutable()[place] = key;
    positions_.expose_mutable()[place] = position;
  }

  Rooms with_room(std::size_t room) const {
    Rooms larger(bins_, room);
    larger.sizes_ = sizes_;
    for (std::size_t bin = 0; bin < bins_; ++bin) move_bin(*this, bin, bin * room, larger);
    return larger;
  }

  /// Closes the gaps. @return where each bin ends, after a zero
  std::vector<std::size_t> close_up() {
    std::vector<std::size_t> ends(bins_ + 1);
    for (std::size_t bin = 0; bin < bins_; ++bin) {
      move_bin(*this, bin, ends[bin], *this);
      ends[bin + 1] = ends[bin] + sizes_[bin];
    }
    keys_.truncate(ends.back());
    positions_.truncate(ends.back());
    return ends;
  }

  crypto::SecretArray<Digest> take_keys() { return std::move(keys_); }
  crypto::SecretArray<std::uint32_t> take_positions() { return std::move(positions_); }

 private:
  /// Bins move towards the front, never past the one that moves.
  static void move_bin(const Rooms& from, std::size_t bin, std::size_t to_place, Rooms& to) {
    const std::size_t begin = bin * from.room_;
    std::ranges::copy(from.keys_.expose().subspan(begin, from.sizes_[bin]),
                      to.keys_.expose_mutable().subspan(to_place).begin());
    std::ranges::copy(from.positions_.expose().subspan(begin, from.sizes_[bin]),
                      to.positions_.expose_mutable().subspan(to_place).begin());
  }

  std::size_t bins_;
  std::size_t room_;
  std::vector<std::size_t> sizes_;
  crypto::SecretArray<Digest> keys_;
  crypto::SecretArray<std::uint32_t> positions_;
};

}  // namespace

// Rounds of two passes: the keys of a chunk in the order of its elements, with the number that falls into each bin;
// then each chunk moves its keys to places that the chunks before it leave free.
Result<KeyedSet> KeyedSet::make(const Elements& elements, const crypto::PrefixedSha256& hash, const okvs::Shape& shape,
                                detail::Work& work) {
  const std::size_t count = elements.size();
  Rooms rooms(shape.bins, Rooms::room_for(static_cast<double>(count) / shape.bins));
  crypto::SecretArray<Digest> in_order(std::min(count, kElementsPerRound));
  // Chunk by chunk: first how many of its keys fall into a bin, then where its next key of a bin goes.
  std::vector<std::size_t> places;
  work.phase("hashing", count);
  for (std::size_t round = 0; round < count; round += kElementsPerRound) {
    const std::size_t in_round = std::min(kElementsPerRound, count - round);
    const std::size_t chunks = (in_round + kElementsPerChunk - 1) / kElementsPerChunk;
    places.assign(chunks * shape.bins, 0);
    work.pool().parallel_for(in_round, kElementsPerChunk, [&](std::size_t begin, std::size_t end) {
      const auto chunk = std::span(places).subspan(begin / kElementsPerChunk * shape.bins, shape.bins);
      std::array<ByteView, kHashedAtOnce> messages;
      for (std::size_t first = begin; first < end; first += kHashedAtOnce) {
        const std::size_t some = std::min(kHashedAtOnce, end - first);
        for (std::size_t i = 0; i < some; ++i) messages[i] = elements[round + first + i];
        const auto keys = in_order.expose_mutable().subspan(first, some);
        hash.hash(std::span(messages).first(some), keys);
        for (const Digest& key : keys) ++chunk[okvs::bin_of(shape, key)];
      }
    });

    std::size_t fullest = 0;
    for (std::size_t bin = 0; bin < shape.bins; ++bin) {
      std::size_t size = rooms.size_of(bin);
      for (std::size_t chunk = 0; chunk < chunks; ++chunk) size += places[chunk * shape.bins + bin];
      fullest = std::max(fullest, size);
    }
    if (fullest > rooms.room()) rooms = rooms.with_room(std::max(fullest, 2 * rooms.room()));
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
      for (std::size_t bin = 0; bin < shape.bins; ++bin) {
        std::size_t& place = places[chunk * shape.bins + bin];
        place = rooms.take(bin, place);
      }
    }

    work.pool().parallel_for(in_round, kElementsPerChunk, [&](std::size_t begin, std::size_t end) {
      const auto next = std::span(places).subspan(begin / kElementsPerChunk * shape.bins, shape.bins);
      for (std::size_t i = begin; i < end; ++i) {
        const Digest& key = in_order.expose()[i];
        rooms.put(next[okvs::bin_of(shape, key)]++, key, static_cast<std::uint32_t>(round + i));
      }
    });
    work.advance(round + in_round);
    TRY_STATUS(work.check_cancelled());
  }

  KeyedSet set;
  set.ends_ = rooms.close_up();
  set.keys_ = rooms.take_keys();
  set.positions_ = rooms.take_positions();
  return set;
}

}  // namespace parley::psi
