#include "psi/detail/tag_join.h"

#include <algorithm>
#include <array>

namespace parley::psi::detail {
namespace {

// Tags that share their leading bits are a group, two to four of them on average; the fingerprints of the first eight
// are compared at once. A larger group (Poisson: at most one of fifty) is looked at by itself.
constexpr std::size_t kWindow = 8;
constexpr unsigned kGroupTagsLog2 = 1;
// Pieces whose candidates are gathered before they are compared in full.
constexpr std::size_t kBatch = 512;

unsigned group_bits_for(std::size_t count) {
  const auto count_bits = static_cast<unsigned>(std::bit_width(count));
  return count_bits > kGroupTagsLog2 + 1 ? count_bits - 1 - kGroupTagsLog2 : 0;
}

/// Bits 32 to 63: no group is chosen by them.
constexpr std::uint32_t print_of(Tag tag) {
  return static_cast<std::uint32_t>(tag.high);
}

}  // namespace

std::expected<TagIndex, EqualTags> TagIndex::build(TagColumn own, ThreadPool& pool) {
  return build(own, crypto::SecretArray<Tag>(own.size()), pool);
}

std::expected<TagIndex, EqualTags> TagIndex::build(TagColumn own, crypto::SecretArray<Tag> room, ThreadPool& pool) {
  auto sorted = sort_tags(own, std::move(room), pool);
  if (!sorted) return std::unexpected(sorted.error());
  return TagIndex(std::move(*sorted));
}

TagIndex::TagIndex(SortedTags sorted)
    : sorted_(std::move(sorted)),
      group_bits_(group_bits_for(sorted_.tags.size())),
      ends_((std::size_t{1} << group_bits_) + 1),
      prints_(sorted_.tags.size() + kWindow) {
  const std::span<const Tag> tags = sorted_.tags.expose();
  const std::span<std::uint32_t> ends = ends_.expose_mutable();
  const std::span<std::uint32_t> prints = prints_.expose_mutable();
  for (std::size_t i = 0; i < tags.size(); ++i) {
    prints[i] = print_of(tags[i]);
    ends[leading_bits(tags[i], group_bits_) + 1] = static_cast<std::uint32_t>(i + 1);  // the group's last one stays
  }
  for (std::size_t i = 1; i < ends.size(); ++i) ends[i] = std::max(ends[i], ends[i - 1]);  // empty groups
}

// Without a branch for a tag: which of them are in the list nobody can foresee.
void TagIndex::find(std::span<const Tag> piece, std::size_t first_index, std::vector<TagMatch>& matches) const {
  const std::span<const Tag> tags = sorted_.tags.expose();
  const std::span<const std::uint32_t> order = sorted_.order.expose();
  const std::uint32_t* ends = ends_.expose().data();
  const std::uint32_t* prints = prints_.expose().data();
  std::array<std::uint32_t, kBatch> candidates{};
  for (std::size_t batch = 0; batch < piece.size(); batch += kBatch) {
    const std::size_t batch_end = std::min(batch + kBatch, piece.size());
    std::size_t candidate_count = 0;
    for (std::size_t i = batch; i < batch_end; ++i) {
      const std::size_t group = leading_bits(piece[i], group_bits_);
      const std::uint32_t begin = ends[group];
      const std::uint32_t print = print_of(piece[i]);
      std::uint32_t maybe = ends[group + 1] - begin > kWindow ? 1 : 0;
      for (std::size_t j = 0; j < kWindow; ++j) maybe |= prints[begin + j] == print ? 1 : 0;
      candidates[candidate_count] = static_cast<std::uint32_t>(i);
      candidate_count += maybe;
    }
    for (const std::uint32_t i : std::span(candidates).first(candidate_count)) {
      const std::size_t group = leading_bits(piece[i], group_bits_);
      const auto own =
          std::ranges::lower_bound(tags.subspan(ends[group], ends[group + 1] - ends[group]), piece[i], std::less<>{});
      const auto place = static_cast<std::size_t>(own - tags.begin());
      if (place < tags.size() && tags[place] == piece[i])
        matches.push_back({order[place], static_cast<std::uint32_t>(first_index + i)});
    }
  }
}

}  // namespace parley::psi::detail
