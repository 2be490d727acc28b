#include "crypto/secret_array.h"

#include <sys/mman.h>

#include <new>

namespace parley::crypto {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

}  // namespace

SecretPages::SecretPages(std::size_t size_bytes) {
  if (size_bytes == 0) return;
  // Two large arrays that both begin on a huge page would meet in the same cache sets; mmap's own placement is fine.
  mapped_bytes_ = (size_bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  void* begin = ::mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) throw std::bad_alloc();
  begin_ = begin;
  // Advice: where the kernel does not take it, the pages are slower or dumped with the rest of a process that may not
  // dump core anyway.
  if (mapped_bytes_ >= kHugePageBytes) static_cast<void>(::madvise(begin_, mapped_bytes_, MADV_HUGEPAGE));
  static_cast<void>(::madvise(begin_, mapped_bytes_, MADV_DONTDUMP));
}

SecretPages::~SecretPages() {
  if (begin_ == nullptr) return;
  sodium_memzero(begin_, mapped_bytes_);
  ::munmap(begin_, mapped_bytes_);
}

}  // namespace parley::crypto
