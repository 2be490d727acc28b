// A set of byte strings, kept flat: one allocation for a million elements.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace parley::psi {

class Elements {
 public:
  void reserve(std::size_t count, std::size_t total_bytes) {
    ends_.reserve(count);
    data_.reserve(total_bytes);
  }
  /// Precondition: at most 65,535 bytes.
  void push_back(ByteView element) {
    if (ends_.size() % kGroup == 0) group_begins_.push_back(data_.size());
    append(data_, element);
    ends_.push_back(static_cast<std::uint32_t>(data_.size() - group_begins_.back()));
  }
  std::size_t size() const { return ends_.size(); }
  ByteView operator[](std::size_t i) const {
    const std::size_t begin = i % kGroup == 0 ? 0 : ends_[i - 1];
    return ByteView(data_).subspan(group_begins_[i / kGroup] + begin, ends_[i] - begin);
  }

 private:
  /// Elements whose ends are counted from one place, so that 32 bits are enough for an end.
  static constexpr std::size_t kGroup = 65'536;

  Bytes data_;
  std::vector<std::size_t> group_begins_;
  std::vector<std::uint32_t> ends_;
};

}  // namespace parley::psi
