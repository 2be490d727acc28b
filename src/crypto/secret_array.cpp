#include "crypto/secret_array.h"

#include <sys/mman.h>

#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace parley::crypto {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// Fetching pages costs more than computing on them, so regions that come and go in a loop are kept for the next of
// their size, wiped. What is kept is bounded for good.
constexpr std::size_t kKeptRegionBytes = std::size_t{4} << 20;
constexpr std::size_t kKeptBytes = std::size_t{16} << 20;

class KeptRegions {
 public:
  /// A zeroed region of exactly this size, or null.
  void* take(std::size_t size_bytes) {
    const std::lock_guard lock(mutex_);
    const auto regions = regions_.find(size_bytes);
    if (regions == regions_.end() || regions->second.empty()) return nullptr;
    void* region = regions->second.back();
    regions->second.pop_back();
    total_bytes_ -= size_bytes;
    return region;
  }
  /// Regions of other sizes go where there is no room for it: sizes that are not in use any more must not keep those
  /// out that are. @return false where there is no room even so
  bool keep(void* zeroed, std::size_t size_bytes) {
    if (size_bytes > kKeptRegionBytes) return false;
    const std::lock_guard lock(mutex_);
    while (total_bytes_ + size_bytes > kKeptBytes)
      if (!drop_one_of_another_size(size_bytes)) return false;
    regions_[size_bytes].push_back(zeroed);
    total_bytes_ += size_bytes;
    return true;
  }

 private:
  bool drop_one_of_another_size(std::size_t size_bytes) {
    for (auto& [bytes, regions] : regions_) {
      if (bytes == size_bytes || regions.empty()) continue;
      ::munmap(regions.back(), bytes);
      regions.pop_back();
      total_bytes_ -= bytes;
      return true;
    }
    return false;
  }

  std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> regions_;
  std::size_t total_bytes_ = 0;
};

/// Never destroyed: arrays with static storage may outlive anything else.
KeptRegions& kept_regions() {
  static auto* regions = new KeptRegions;
  return *regions;
}

void* map_pages(std::size_t size_bytes) {
  void* begin = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) throw std::bad_alloc();
  // Advice: where the kernel does not take it, the pages are slower or dumped with the rest of a process that may not
  // dump core anyway.
  if (size_bytes >= kHugePageBytes) static_cast<void>(::madvise(begin, size_bytes, MADV_HUGEPAGE));
  static_cast<void>(::madvise(begin, size_bytes, MADV_DONTDUMP));
  return begin;
}

}  // namespace

SecretPages::SecretPages(std::size_t size_bytes) {
  if (size_bytes == 0) return;
  const std::size_t mapped_bytes = (size_bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  begin_ = kept_regions().take(mapped_bytes);
  if (begin_ == nullptr) begin_ = map_pages(mapped_bytes);
  mapped_bytes_ = mapped_bytes;
}

SecretPages::~SecretPages() {
  if (begin_ == nullptr) return;
  sodium_memzero(begin_, mapped_bytes_);
  if (!kept_regions().keep(begin_, mapped_bytes_)) ::munmap(begin_, mapped_bytes_);
}

}  // namespace parley::crypto
