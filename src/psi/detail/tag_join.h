// Which of our own tags stand in a list that comes in ascending order, piece by piece.
#pragma once

#include <vector>

#include "psi/detail/tag_sort.h"

namespace parley::psi::detail {

/// One tag that is ours and in the list.
struct TagMatch {
  std::uint32_t own_index = 0;
  std::uint32_t list_index = 0;
  friend constexpr bool operator==(const TagMatch&, const TagMatch&) = default;
};

/// Our own tags, ready to be looked up: sorted, with a directory over their leading bits. A list in ascending order
/// walks through it from one end to the other.
class TagIndex {
 public:
  /// @param own  our tags; a match says the index in it.
  /// @param room as for sort_tags.
  /// @error      as sort_tags.
  static std::expected<TagIndex, EqualTags> build(TagColumn own, crypto::SecretArray<Tag> room, ThreadPool& pool);
  static std::expected<TagIndex, EqualTags> build(TagColumn own, ThreadPool& pool);

  /// Appends the matches of a piece of the list to `matches`, in the order of the list. Any number of pieces at the
  /// same time. Right in any order of `piece`, fast where it ascends.
  /// @param first_index  the index in the list of the piece's first tag.
  void find(std::span<const Tag> piece, std::size_t first_index, std::vector<TagMatch>& matches) const;

  std::size_t size() const { return sorted_.tags.size(); }

 private:
  explicit TagIndex(SortedTags sorted);

  SortedTags sorted_;
  unsigned group_bits_;
  crypto::SecretArray<std::uint32_t> ends_;    // ends_[g + 1]: of the tags whose leading bits are at most g
  crypto::SecretArray<std::uint32_t> prints_;  // 32 other bits of each tag, and a window of zeros past the last
};

}  // namespace parley::psi::detail
