#include "indicator/detail/key_table.h"

#include <bit>
#include <functional>

namespace parley::indicator::detail {
namespace {

std::uint64_t hash_of(std::string_view key) {
  return std::hash<std::string_view>{}(key);
}
std::uint32_t tag_of(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 32);
}

}  // namespace

/// The slot of `key`, or the free one where it would go. Precondition: some slot is free.
std::size_t KeyTable::slot_of(std::string_view key, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.entry == 0 || (slot.tag == tag_of(hash) && key_of(entries_[slot.entry - 1]) == key)) return i;
  }
}

void KeyTable::grow(std::size_t entries) {
  const std::size_t wanted = std::bit_ceil(2 * entries + 2);
  if (wanted <= slots_.size()) return;
  slots_.assign(wanted, Slot{});
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::string_view key = key_of(entries_[i]);
    const std::uint64_t hash = hash_of(key);
    slots_[slot_of(key, hash)] = {static_cast<std::uint32_t>(i + 1), tag_of(hash)};
  }
}

void KeyTable::add(const std::vector<std::string>& keys, std::uint32_t list) {
  grow(entries_.size() + keys.size());
  for (const std::string& key : keys) {
    const std::uint64_t hash = hash_of(key);
    Slot& slot = slots_[slot_of(key, hash)];
    if (slot.entry == 0) {
      entries_.push_back({text_.size(), static_cast<std::uint32_t>(key.size()), 0});
      text_ += key;
      slot = {static_cast<std::uint32_t>(entries_.size()), tag_of(hash)};
    }
    Entry& entry = entries_[slot.entry - 1];
    if (entry.posting != 0 && postings_[entry.posting - 1].list == list) continue;
    postings_.push_back({list, entry.posting});
    entry.posting = static_cast<std::uint32_t>(postings_.size());
  }
}

void KeyTable::find(std::string_view key, std::vector<std::uint32_t>& lists) const {
  if (slots_.empty()) return;
  const Slot& slot = slots_[slot_of(key, hash_of(key))];
  if (slot.entry == 0) return;
  for (std::uint32_t at = entries_[slot.entry - 1].posting; at != 0; at = postings_[at - 1].next) {
    lists.push_back(postings_[at - 1].list);
  }
}

}  // namespace parley::indicator::detail
