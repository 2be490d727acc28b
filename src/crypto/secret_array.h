// Large arrays of secret records, in memory that is fetched in huge pages where the kernel has them, kept out of core
// dumps and wiped when it goes.
#pragma once

#include <cassert>
#include <span>
#include <type_traits>
#include <utility>

#include "crypto/block.h"

namespace parley::crypto {

/// Zeroed pages of their own, at least `size_bytes`.
class SecretPages {
 public:
  SecretPages() = default;
  explicit SecretPages(std::size_t size_bytes);
  SecretPages(SecretPages&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)), mapped_bytes_(std::exchange(other.mapped_bytes_, 0)) {}
  SecretPages& operator=(SecretPages&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    return *this;
  }
  ~SecretPages();

  void* begin() const { return begin_; }

 private:
  void* begin_ = nullptr;
  std::size_t mapped_bytes_ = 0;
};

/// `count` records of a plain type, zero at first; moved, not copied.
template <typename T>
class SecretArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  SecretArray() = default;
  explicit SecretArray(std::size_t count) : pages_(count * sizeof(T)), count_(count) {}
  SecretArray(SecretArray&& other) noexcept : pages_(std::move(other.pages_)), count_(std::exchange(other.count_, 0)) {}
  SecretArray& operator=(SecretArray&& other) noexcept {
    std::swap(pages_, other.pages_);
    std::swap(count_, other.count_);
    return *this;
  }

  /// In the memory of an array that is needed no longer, with what is left in it: for large ones, whose pages cost more
  /// to fetch than to fill. Precondition: its bytes make whole records.
  template <typename Other>
  static SecretArray in_place_of(SecretArray<Other>&& other) {
    assert(other.size() * sizeof(Other) % sizeof(T) == 0);
    SecretArray array;
    array.count_ = std::exchange(other.count_, 0) * sizeof(Other) / sizeof(T);
    array.pages_ = std::move(other.pages_);
    return array;
  }

  std::size_t size() const { return count_; }
  std::span<const T> expose() const { return {static_cast<const T*>(pages_.begin()), count_}; }
  std::span<T> expose_mutable() { return {static_cast<T*>(pages_.begin()), count_}; }

  /// Leaves the first `count` records. The memory of the others is kept, and wiped with them.
  /// Precondition: count <= size().
  void truncate(std::size_t count) {
    assert(count <= count_);
    count_ = count;
  }

 private:
  template <typename Other>
  friend class SecretArray;

  SecretPages pages_;
  std::size_t count_ = 0;
};

using SecretBlocks = SecretArray<Block>;

}  // namespace parley::crypto
