// The records of an import that wait to be stored: packed into one block of memory of fixed size, sorted when it is
// full, so that the tables are written in their own order and memory does not grow with the imported file.
// docs/architecture.md, "Import".
#pragma once

#include "indicator/indicator.h"
#include "vault/detail/contexts.h"

namespace parley::vault::detail {

class Batch {
 public:
  /// One record. `value` and the bytes behind `row` belong to the batch.
  struct Record {
    indicator::Type type{};
    std::string_view value;
    std::int64_t source = 0;
    std::uint64_t file_object = 0;
    ContextRow row;
  };

  Batch();

  /// Precondition: record.value.size() <= indicator::kMaxValueBytes; !full().
  void add(const Record& record);
  bool full() const;
  std::size_t size() const { return entries_.size(); }

  /// Ascending (type, value); records of one indicator in the order in which they came.
  void sort();
  Record at(std::size_t index) const;
  std::int64_t source(std::size_t index) const;
  std::uint64_t file_object(std::size_t index) const;
  /// The record is a hash of a file object.
  bool ties(std::size_t index) const;
  bool same_indicator(std::size_t a, std::size_t b) const;
  void clear();

 private:
  /// Type and first bytes of the value, big-endian, so that most comparisons need not follow the offset.
  struct Entry {
    std::uint64_t key;
    std::size_t offset;
  };

  struct Head;
  Head head_at(std::size_t offset) const;
  std::string_view value_at(std::size_t offset) const;

  Bytes records_;
  std::vector<Entry> entries_;
};

}  // namespace parley::vault::detail
