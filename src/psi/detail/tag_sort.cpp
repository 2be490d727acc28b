#include "psi/detail/tag_sort.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <limits>
#include <vector>

namespace parley::psi::detail {
namespace {

using crypto::SecretArray;

// At most so many buckets: while the tags are moved, the lines that all buckets are written to stay in the second-level
// cache, two for each, 256 KiB.
constexpr unsigned kMaxBucketBits = 11;
// Tags of a bucket, on average at least, so that it is worth a bucket.
constexpr unsigned kMinBucketTagsLog2 = 9;
// Within a bucket, a tag is moved to its cell, one cell a tag on average; with uniform tags none holds more than this
// (Poisson: 2^-76 for each), and sorting by insertion stays cheap.
constexpr std::uint32_t kMaxCellTags = 24;
constexpr std::size_t kInsertionTags = 16;

unsigned bucket_bits_for(std::size_t count) {
  const auto count_bits = static_cast<unsigned>(std::bit_width(count));
  return std::min(count_bits > kMinBucketTagsLog2 ? count_bits - 1 - kMinBucketTagsLog2 : 0, kMaxBucketBits);
}

struct Record {
  Tag tag;
  std::uint32_t index = 0;

  friend bool operator<(const Record& a, const Record& b) {
    return a.tag < b.tag || (a.tag == b.tag && a.index < b.index);
  }
};

/// Tags and their indices, side by side.
struct Part {
  std::span<Tag> tags;
  std::span<std::uint32_t> order;
};

/// Where each stripe of the input puts its tags of each bucket.
class Partition {
 public:
  Partition(TagColumn unsorted, ThreadPool& pool)
      : unsorted_(unsorted),
        bucket_bits_(bucket_bits_for(unsorted.size())),
        stripe_tags_(std::max<std::size_t>((unsorted.size() + pool.size() - 1) / pool.size(), 1)),
        stripes_(bucket_bits_ == 0 ? 1 : (unsorted.size() + stripe_tags_ - 1) / stripe_tags_),
        next_(stripes_ * bucket_count()),
        begins_(bucket_count() + 1) {
    if (bucket_bits_ == 0) stripe_tags_ = unsorted.size();
    over_stripes(pool, [&](std::size_t begin, std::size_t end, std::uint32_t* next) {
      for (std::size_t i = begin; i < end; ++i) ++next[bucket_of(unsorted_[i])];
    });
    std::uint32_t sum = 0;
    for (std::size_t bucket = 0; bucket < bucket_count(); ++bucket) {
      begins_[bucket] = sum;
      for (std::size_t stripe = 0; stripe < stripes_; ++stripe) {
        std::uint32_t& next = next_[stripe * bucket_count() + bucket];
        sum += std::exchange(next, sum);
      }
    }
    begins_[bucket_count()] = sum;
  }

  /// Moves every tag into its bucket; within a bucket they keep their order.
  void scatter(ThreadPool& pool, Part to) {
    over_stripes(pool, [&](std::size_t begin, std::size_t end, std::uint32_t* next) {
      Tag* tags = to.tags.data();
      std::uint32_t* order = to.order.data();
      for (std::size_t i = begin; i < end; ++i) {
        const Tag tag = unsorted_[i];
        const std::uint32_t place = next[bucket_of(tag)]++;
        tags[place] = tag;
        order[place] = static_cast<std::uint32_t>(i);
      }
    });
  }

  unsigned bucket_bits() const { return bucket_bits_; }
  std::size_t bucket_count() const { return std::size_t{1} << bucket_bits_; }
  std::size_t begin_of(std::size_t bucket) const { return begins_[bucket]; }
  std::size_t size_of(std::size_t bucket) const { return begins_[bucket + 1] - begins_[bucket]; }

 private:
  std::size_t bucket_of(Tag tag) const { return leading_bits(tag, bucket_bits_); }

  template <typename Body>
  void over_stripes(ThreadPool& pool, const Body& body) {
    pool.parallel_for(stripes_, 1, [&](std::size_t first, std::size_t last) {
      for (std::size_t stripe = first; stripe < last; ++stripe) {
        const std::size_t begin = stripe * stripe_tags_;
        body(begin, std::min(begin + stripe_tags_, unsorted_.size()), next_.data() + stripe * bucket_count());
      }
    });
  }

  TagColumn unsorted_;
  unsigned bucket_bits_;
  std::size_t stripe_tags_;
  std::size_t stripes_;
  std::vector<std::uint32_t> next_;  // stripe by stripe: counts of the buckets, then where the next tag goes
  std::vector<std::uint32_t> begins_;
};

/// Sorts the tags of one bucket after the other; room for it is kept from one to the next.
class BucketSorter {
 public:
  BucketSorter(unsigned shared_bits, std::size_t max_tags)
      : shared_bits_(shared_bits), room_(max_tags * sizeof(Record)), cells_(std::bit_ceil(max_tags)) {}

  /// @return whether two of the tags are equal; they then stand side by side, the lower index first.
  bool sort(Part part) {
    const std::size_t count = part.tags.size();
    if (count <= kInsertionTags) return insert_all(part, gathered(part));
    const unsigned cell_bits = static_cast<unsigned>(std::bit_width(count - 1));
    if (!count_cells(part.tags, cell_bits)) return sort_by_comparison(part);
    return insert_all(part, gathered_by_cell(part, cell_bits));
  }

 private:
  std::span<Record> records() {
    return {reinterpret_cast<Record*>(room_.expose_mutable().data()), room_.size() / sizeof(Record)};
  }

  std::size_t cell_of(Tag tag, unsigned cell_bits) const { return tag.high << shared_bits_ >> 1 >> (63 - cell_bits); }

  /// Fills `cells_` with where each begins. @return whether none is crowded
  bool count_cells(std::span<const Tag> tags, unsigned cell_bits) {
    const std::span<std::uint32_t> cells = std::span(cells_).first(std::size_t{1} << cell_bits);
    std::ranges::fill(cells, 0);
    for (const Tag tag : tags) ++cells[cell_of(tag, cell_bits)];
    std::uint32_t sum = 0;
    std::uint32_t most = 0;
    for (std::uint32_t& cell : cells) {
      most = std::max(most, cell);
      sum += std::exchange(cell, sum);
    }
    return most <= kMaxCellTags;
  }

  std::span<const Record> gathered(Part part) {
    const std::span<Record> records = this->records();
    for (std::size_t i = 0; i < part.tags.size(); ++i) records[i] = {part.tags[i], part.order[i]};
    return records.first(part.tags.size());
  }

  std::span<const Record> gathered_by_cell(Part part, unsigned cell_bits) {
    Record* records = this->records().data();
    std::uint32_t* cells = cells_.data();
    for (std::size_t i = 0; i < part.tags.size(); ++i) {
      records[cells[cell_of(part.tags[i], cell_bits)]++] = {part.tags[i], part.order[i]};
    }
    return {records, part.tags.size()};
  }

  // Stable: equal tags keep the order of their indices.
  static bool insert_all(Part part, std::span<const Record> records) {
    Tag* tags = part.tags.data();
    std::uint32_t* order = part.order.data();
    bool equal = false;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const Record record = records[i];
      std::size_t place = i;
      for (; place > 0 && record.tag < tags[place - 1]; --place) {
        tags[place] = tags[place - 1];
        order[place] = order[place - 1];
      }
      tags[place] = record.tag;
      order[place] = record.index;
      equal |= place > 0 && tags[place - 1] == record.tag;
    }
    return equal;
  }

  bool sort_by_comparison(Part part) {
    static_cast<void>(gathered(part));
    const std::span<Record> records = this->records().first(part.tags.size());
    std::ranges::sort(records, std::less<>{});
    bool equal = false;
    for (std::size_t i = 0; i < records.size(); ++i) {
      part.tags[i] = records[i].tag;
      part.order[i] = records[i].index;
      equal |= i > 0 && records[i].tag == records[i - 1].tag;
    }
    return equal;
  }

  unsigned shared_bits_;
  SecretBytes room_;
  std::vector<std::uint32_t> cells_;
};

}  // namespace

std::expected<SortedTags, EqualTags> sort_tags(TagColumn unsorted, ThreadPool& pool) {
  return sort_tags(unsorted, SecretArray<Tag>(unsorted.size()), pool);
}

std::expected<SortedTags, EqualTags> sort_tags(TagColumn unsorted, SecretArray<Tag> room, ThreadPool& pool) {
  assert(unsorted.size() <= std::numeric_limits<std::uint32_t>::max() && room.size() == unsorted.size());
  SortedTags sorted{std::move(room), SecretArray<std::uint32_t>(unsorted.size())};
  const Part all{sorted.tags.expose_mutable(), sorted.order.expose_mutable()};
  Partition partition(unsorted, pool);
  partition.scatter(pool, all);

  const std::size_t buckets = partition.bucket_count();
  std::size_t largest = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) largest = std::max(largest, partition.size_of(bucket));
  std::atomic<bool> equal = false;
  const std::size_t buckets_a_task = std::max<std::size_t>(buckets / (4 * pool.size()), 1);
  pool.parallel_for(buckets, buckets_a_task, [&](std::size_t begin, std::size_t end) {
    BucketSorter sorter(partition.bucket_bits(), largest);
    for (std::size_t bucket = begin; bucket < end; ++bucket) {
      const std::size_t first = partition.begin_of(bucket);
      const std::size_t count = partition.size_of(bucket);
      if (sorter.sort({all.tags.subspan(first, count), all.order.subspan(first, count)})) equal = true;
    }
  });

  if (!equal) return sorted;
  const auto at = std::ranges::adjacent_find(all.tags);
  const auto place = static_cast<std::size_t>(at - all.tags.begin());
  return std::unexpected(EqualTags{all.order[place], all.order[place + 1]});
}

}  // namespace parley::psi::detail
