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
  void push_back(ByteView element) {
    append(data_, element);
    ends_.push_back(data_.size());
  }
  std::size_t size() const { return ends_.size(); }
  ByteView operator[](std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return ByteView(data_).subspan(begin, ends_[i] - begin);
  }

 private:
  Bytes data_;
  std::vector<std::size_t> ends_;
};

}  // namespace parley::psi
