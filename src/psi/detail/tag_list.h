// Sorted tags on the line (Elias 1974; Fano 1971). The order of n tags carries log2(n!) bits, so they need not be sent:
// the first k bits of the tags are sent as a bit vector that costs about two bits a tag, the rest of each as it is.
// What that takes is a function of n alone.
#pragma once

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "psi/detail/tag.h"

namespace parley::psi::detail {

/// Tags in one chunk of low parts, the last chunk excepted.
inline constexpr std::size_t kTagsAChunk = 65'536;

/// The messages that carry `count` tags: sizes in bytes, known before anything is allocated.
///
/// The upper part comes first: count + 2^k bits. For each value of the first k bits in turn, a one for every tag that
/// has it, then a zero. Then the chunks: of each tag the last 128 - k bits, one after the other, so that eight tags end
/// on a byte. A bit vector's first bit is the lowest of its first byte, and a number's first bit is its lowest one;
/// bits that are left over in the last byte are zero.
class TagListShape {
 public:
  /// Precondition: count < 2^32.
  explicit TagListShape(std::size_t count);

  std::size_t count() const { return count_; }
  /// k = max(8, floor(log2 count)).
  unsigned upper_bits() const { return upper_bits_; }
  /// Of each tag in the chunks: 97 to 120.
  unsigned low_bits() const { return kTagBits - upper_bits_; }

  std::size_t upper_vector_bits() const { return count_ + (std::size_t{1} << upper_bits_); }
  std::size_t upper_bytes() const { return (upper_vector_bits() + 7) / 8; }

  std::size_t chunk_count() const { return (count_ + kTagsAChunk - 1) / kTagsAChunk; }
  /// Index of a chunk's first tag, and how many it holds. Precondition: chunk < chunk_count().
  std::size_t first_tag_of(std::size_t chunk) const { return chunk * kTagsAChunk; }
  std::size_t tags_in(std::size_t chunk) const { return std::min(count_ - first_tag_of(chunk), kTagsAChunk); }
  std::size_t chunk_bytes(std::size_t chunk) const { return (tags_in(chunk) * low_bits() + 7) / 8; }

  /// The upper part and all chunks.
  std::size_t total_bytes() const;

 private:
  std::size_t count_;
  unsigned upper_bits_;
};

/// The upper part. Precondition: `sorted` is strictly ascending.
Bytes encode_upper(std::span<const Tag> sorted);

/// One chunk; any number of them at the same time.
/// Precondition: `sorted` is the whole list, strictly ascending; chunk < chunk_count(); out.size() ==
/// chunk_bytes(chunk).
void encode_chunk(std::span<const Tag> sorted, std::size_t chunk, MutableByteView out);

/// Reads a list as it arrives: the upper part, then chunk after chunk. Whatever arrives, what it hands out is strictly
/// ascending, and there is no second way to write it.
class TagListReader {
 public:
  /// @error Errc::protocol  not the upper part of a list of this shape.
  static Result<TagListReader> begin(TagListShape shape, ByteView upper);

  /// Reads the next chunk; `tags` then holds its tags and nothing else. After an error nothing more may be read, and
  /// what was read before is not to be used.
  /// Precondition: !done().
  /// @error Errc::protocol  wrong length, bits that should be zero, or tags that do not ascend.
  Status next(ByteView chunk, std::vector<Tag>& tags);

  /// Index in the list of the first tag of the chunk to come.
  std::size_t next_tag() const { return shape_.first_tag_of(next_chunk_); }
  bool done() const { return next_chunk_ == shape_.chunk_count(); }

 private:
  TagListReader(TagListShape shape, std::vector<std::uint64_t> upper);

  /// Puts the next tags together from the upper part and the low parts in `chunk`, and moves on in the upper part.
  void join_parts(ByteView chunk, std::span<Tag> tags);

  TagListShape shape_;
  std::vector<std::uint64_t> upper_;  // 64 bits of the vector a word
  std::size_t word_index_ = 0;
  std::uint64_t ones_ = 0;  // those of the current word that stand for tags to come
  std::size_t next_chunk_ = 0;
  Tag last_;  // of the chunk before
};

}  // namespace parley::psi::detail
