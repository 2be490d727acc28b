// Sorting tags: one pass that moves each tag to the bucket of its leading bits, then each bucket by itself in cache.
#pragma once

#include <expected>

#include "base/thread_pool.h"
#include "crypto/secret_array.h"
#include "psi/detail/tag.h"

namespace parley::psi::detail {

/// Tags in ascending bytewise order, no two equal.
struct SortedTags {
  crypto::SecretArray<Tag> tags;
  crypto::SecretArray<std::uint32_t> order;  ///< order[i] is the index in the input of tags[i]
};

/// The indices in the input of two equal tags, `first` < `second`.
struct EqualTags {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  friend constexpr bool operator==(const EqualTags&, const EqualTags&) = default;
};

/// Sorts a copy of the tags. Made for uniform tags: linear then, and in any case at most
/// n log n. Takes 20 bytes a tag and small change (40 more where the tags of one bucket are far from uniform).
///
/// @param unsorted  at most 2^32 - 1.
/// @param room      for as many tags, whatever stands in it.
/// @return          the same for any number of threads.
/// @error           the first two indices of the least tag that stands twice.
std::expected<SortedTags, EqualTags> sort_tags(TagColumn unsorted, crypto::SecretArray<Tag> room, ThreadPool& pool);
std::expected<SortedTags, EqualTags> sort_tags(TagColumn unsorted, ThreadPool& pool);

}  // namespace parley::psi::detail
