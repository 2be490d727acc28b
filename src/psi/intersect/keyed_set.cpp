#include "psi/intersect/keyed_set.h"

#include <algorithm>
#include <array>

namespace parley::psi {
namespace {

constexpr std::size_t kElementsPerChunk = 8192;
constexpr std::size_t kHashedAtOnce = 64;

}  // namespace

// Two passes: all keys in the order of the elements with the number that falls into each bin, chunk by chunk; then each
// chunk moves its keys to places that the numbers of the chunks before it leave free.
Result<KeyedSet> KeyedSet::make(const Elements& elements, const crypto::PrefixedSha256& hash, const okvs::Shape& shape,
                                detail::Work& work) {
  const std::size_t count = elements.size();
  const std::size_t chunks = (count + kElementsPerChunk - 1) / kElementsPerChunk;
  std::vector<std::uint32_t> places(chunks * shape.bins);  // first the number of a chunk's keys in a bin
  crypto::SecretArray<Digest> in_order(count);
  TRY_STATUS(work.over(
      "hashing", count,
      [&](std::size_t begin, std::size_t end) {
        const auto numbers = std::span(places).subspan(begin / kElementsPerChunk * shape.bins, shape.bins);
        std::array<ByteView, kHashedAtOnce> messages;
        for (std::size_t first = begin; first < end; first += kHashedAtOnce) {
          const std::size_t some = std::min(kHashedAtOnce, end - first);
          for (std::size_t i = 0; i < some; ++i) messages[i] = elements[first + i];
          const auto keys = in_order.expose_mutable().subspan(first, some);
          hash.hash(std::span(messages).first(some), keys);
          for (const Digest& key : keys) ++numbers[okvs::bin_of(shape, key)];
        }
        return std::optional<std::size_t>();
      },
      kElementsPerChunk));

  KeyedSet set;
  set.ends_.assign(shape.bins + 1, 0);
  std::size_t place = 0;
  for (std::size_t bin = 0; bin < shape.bins; ++bin) {
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
      std::uint32_t& number = places[chunk * shape.bins + bin];
      place += std::exchange(number, static_cast<std::uint32_t>(place));
    }
    set.ends_[bin + 1] = place;
  }
  set.keys_ = crypto::SecretArray<Digest>(count);
  set.positions_ = crypto::SecretArray<std::uint32_t>(count);
  const auto keys = set.keys_.expose_mutable();
  const auto positions = set.positions_.expose_mutable();
  work.pool().parallel_for(count, kElementsPerChunk, [&](std::size_t begin, std::size_t end) {
    const auto next = std::span(places).subspan(begin / kElementsPerChunk * shape.bins, shape.bins);
    for (std::size_t i = begin; i < end; ++i) {
      const Digest& key = in_order.expose()[i];
      const std::uint32_t to = next[okvs::bin_of(shape, key)]++;
      keys[to] = key;
      positions[to] = static_cast<std::uint32_t>(i);
    }
  });
  return set;
}

}  // namespace parley::psi
