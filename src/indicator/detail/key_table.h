// Strings and the lists that each stands on, for a million strings and one look-up a value: open addressing over one
// block of text. Grows, never shrinks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::indicator::detail {

class KeyTable {
 public:
  void add(const std::vector<std::string>& keys, std::uint32_t list);
  /// Appends the lists that hold `key` to `lists`.
  void find(std::string_view key, std::vector<std::uint32_t>& lists) const;

 private:
  struct Entry {
    std::uint64_t begin = 0;  ///< of the key, in text_
    std::uint32_t size = 0;
    std::uint32_t posting = 0;  ///< first of its postings, as index + 1
  };
  struct Posting {
    std::uint32_t list = 0;
    std::uint32_t next = 0;  ///< as index + 1; 0 ends the chain
  };
  struct Slot {
    std::uint32_t entry = 0;  ///< as index + 1; 0 is a free slot
    std::uint32_t tag = 0;    ///< the hash's upper half, so that most misses touch no text
  };

  std::string_view key_of(const Entry& entry) const { return std::string_view(text_).substr(entry.begin, entry.size); }
  std::size_t slot_of(std::string_view key, std::uint64_t hash) const;
  void grow(std::size_t entries);

  std::string text_;
  std::vector<Entry> entries_;
  std::vector<Posting> postings_;
  std::vector<Slot> slots_;  ///< a power of two of them, at most half taken
};

}  // namespace parley::indicator::detail
