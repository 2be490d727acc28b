#include "psi/detail/tag_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <limits>

namespace parley::psi::detail {
namespace {

constexpr unsigned kMinUpperBits = 8;
constexpr std::size_t kWordBits = 64;
constexpr std::size_t kWordBytes = 8;
// A low part is read and written as 16 bytes at the byte that it begins in.
constexpr std::size_t kWindowBytes = sizeof(Uint128);

Uint128 load(const std::byte* from) {
  Uint128 value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// The lowest `bits` bits. Precondition: bits < 128.
constexpr Uint128 low_mask(unsigned bits) {
  return (Uint128{1} << bits) - 1;
}

/// Whether the bits of the last byte past `bits` are zero. Precondition: bytes.size() == ceil(bits / 8).
bool ends_in_zeros(ByteView bytes, std::size_t bits) {
  const auto used = static_cast<unsigned>(bits % 8);
  return used == 0 || std::to_integer<unsigned>(bytes.back()) >> used == 0;
}

std::unexpected<Error> refused(std::string why) {
  return fail(Errc::protocol, "The list of tags is not well formed: " + std::move(why));
}

}  // namespace

TagListShape::TagListShape(std::size_t count)
    : count_(count), upper_bits_(std::max(kMinUpperBits, static_cast<unsigned>(std::bit_width(count | 1)) - 1)) {
  assert(count <= std::numeric_limits<std::uint32_t>::max());
}

std::size_t TagListShape::total_bytes() const {
  if (count_ == 0) return upper_bytes();
  const std::size_t last = chunk_count() - 1;
  return upper_bytes() + last * (kTagsAChunk / 8 * low_bits()) + chunk_bytes(last);
}

Bytes encode_upper(std::span<const Tag> sorted) {
  const TagListShape shape(sorted.size());
  Bytes upper(shape.upper_bytes());
  std::uint64_t word = 0;
  std::size_t word_index = 0;
  const auto flush = [&] {
    const std::size_t begin = word_index * kWordBytes;
    std::memcpy(upper.data() + begin, &word, std::min(kWordBytes, upper.size() - begin));
  };
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::size_t place = leading_bits(sorted[i], shape.upper_bits()) + i;
    if (place / kWordBits != word_index) {
      flush();
      word = 0;
      word_index = place / kWordBits;
    }
    word |= std::uint64_t{1} << place % kWordBits;
  }
  flush();
  return upper;
}

void encode_chunk(std::span<const Tag> sorted, std::size_t chunk, MutableByteView out) {
  const TagListShape shape(sorted.size());
  assert(chunk < shape.chunk_count() && out.size() == shape.chunk_bytes(chunk));
  const unsigned low_bits = shape.low_bits();
  const Uint128 mask = low_mask(low_bits);
  const std::span<const Tag> tags = sorted.subspan(shape.first_tag_of(chunk), shape.tags_in(chunk));
  std::byte* at = out.data();
  unsigned shift = 0;  // bits of the byte at `at` that the tag before has taken
  Uint128 taken = 0;   // and what they are
  for (std::size_t i = 0; i + 1 < tags.size(); ++i) {
    const Uint128 low = tags[i].value() & mask;
    const Uint128 window = low << shift | taken;
    std::memcpy(at, &window, sizeof window);  // the next tag writes over what is too much
    at += (shift + low_bits) / 8;
    shift = (shift + low_bits) % 8;
    taken = static_cast<std::uint64_t>(low >> 64) >> (low_bits - 64 - shift);
  }
  const Uint128 window = (tags.back().value() & mask) << shift | taken;
  std::memcpy(at, &window, static_cast<std::size_t>(out.data() + out.size() - at));
}

TagListReader::TagListReader(TagListShape shape, std::vector<std::uint64_t> upper)
    : shape_(shape), upper_(std::move(upper)), ones_(upper_.front()) {}

Result<TagListReader> TagListReader::begin(TagListShape shape, ByteView upper) {
  if (upper.size() != shape.upper_bytes())
    return refused(fmt::format("its upper part has {} bytes, not {}.", upper.size(), shape.upper_bytes()));
  if (!ends_in_zeros(upper, shape.upper_vector_bits())) return refused("its upper part goes on past its end.");
  std::vector<std::uint64_t> words((upper.size() + kWordBytes - 1) / kWordBytes);
  std::memcpy(words.data(), upper.data(), upper.size());
  std::size_t ones = 0;
  for (const std::uint64_t word : words) ones += static_cast<std::size_t>(std::popcount(word));
  if (ones != shape.count()) return refused(fmt::format("its upper part counts {} tags, not {}.", ones, shape.count()));
  const std::size_t last = shape.upper_vector_bits() - 1;
  if (words[last / kWordBits] >> last % kWordBits & 1) return refused("its upper part does not end with a zero.");
  return TagListReader(shape, std::move(words));
}

Status TagListReader::next(ByteView chunk, std::vector<Tag>& tags) {
  assert(!done());
  const std::size_t due = shape_.chunk_bytes(next_chunk_);
  if (chunk.size() != due)
    return refused(fmt::format("chunk {} has {} bytes, not {}.", next_chunk_, chunk.size(), due));
  const std::size_t count = shape_.tags_in(next_chunk_);
  if (!ends_in_zeros(chunk, count * shape_.low_bits()))
    return refused(fmt::format("chunk {} goes on past its end.", next_chunk_));
  tags.resize(count);
  join_parts(chunk, tags);
  bool ascending = next_chunk_ == 0 || last_ < tags.front();
  for (std::size_t i = 1; i < count; ++i) ascending &= tags[i - 1] < tags[i];
  if (!ascending) return refused(fmt::format("tags of chunk {} are out of order or repeated.", next_chunk_));
  last_ = tags.back();
  ++next_chunk_;
  return {};
}

void TagListReader::join_parts(ByteView chunk, std::span<Tag> tags) {
  const unsigned low_bits = shape_.low_bits();
  const Uint128 mask = low_mask(low_bits);
  const std::byte* at = chunk.data();
  unsigned shift = 0;  // bits of the byte at `at` that belong to the tag before
  std::size_t index = next_tag();
  std::size_t word_index = word_index_;
  std::uint64_t ones = ones_;
  const auto tag_from = [&](Uint128 window) {
    while (ones == 0) ones = upper_[++word_index];  // ends: as many ones as tags were counted
    const std::size_t upper = word_index * kWordBits + static_cast<std::size_t>(std::countr_zero(ones)) - index++;
    ones &= ones - 1;
    const Uint128 low = window >> shift & mask;
    at += (shift + low_bits) / 8;
    shift = (shift + low_bits) % 8;
    return Tag{static_cast<std::uint64_t>(upper) << (low_bits - 64) | static_cast<std::uint64_t>(low >> 64),
               static_cast<std::uint64_t>(low)};
  };
  for (Tag& tag : tags.first(tags.size() - 1)) tag = tag_from(load(at));
  std::byte last_window[kWindowBytes] = {};
  std::memcpy(last_window, at, static_cast<std::size_t>(chunk.data() + chunk.size() - at));
  tags.back() = tag_from(load(last_window));
  word_index_ = word_index;
  ones_ = ones;
}

}  // namespace parley::psi::detail
