// Where the units of each of the vault's files lie (layout.h).
// docs/vault-format.md, "vault.db".
#include "vault/detail/layout.h"

#include <algorithm>

namespace parley::vault::detail {
namespace {

Unit temporary_block(std::uint64_t block) {
  constexpr std::size_t sealed_bytes = kPageBytes + kSealBytes;
  return {UnitKind::temporary_block, block,        block * kPageBytes, kPageBytes,
          block * sealed_bytes,      sealed_bytes, kPageBytes};
}

Unit wal_header() {
  return {UnitKind::wal_header, 0, 0, kWalHeaderBytes, 0, kSealedWalHeaderBytes, kSealedWalHeaderBytes - kSealBytes};
}

}  // namespace

Unit database_page(std::uint64_t page_number) {
  const std::uint64_t logical = (page_number - 1) * kPageBytes;
  return {UnitKind::database_page,   page_number, logical,          kPageBytes,
          kMarkBlockBytes + logical, kPageBytes,  kPageContentBytes};
}

Unit wal_frame_header(std::uint64_t frame) {
  return {UnitKind::wal_frame_header,
          frame,
          kWalHeaderBytes + frame * kFrameBytes,
          kWalFrameHeaderBytes,
          kSealedWalHeaderBytes + frame * kSealedFrameBytes,
          kSealedFrameHeaderBytes,
          kWalFrameHeaderBytes};
}

Unit wal_frame_page(std::uint64_t frame) {
  return {UnitKind::wal_frame_page,
          frame,
          kWalHeaderBytes + frame * kFrameBytes + kWalFrameHeaderBytes,
          kPageBytes,
          kSealedWalHeaderBytes + frame * kSealedFrameBytes + kSealedFrameHeaderBytes,
          kSealedFramePageBytes,
          kPageBytes};
}

Unit unit_at(FileRole role, std::uint64_t logical_offset) {
  if (role == FileRole::database) return database_page(logical_offset / kPageBytes + 1);
  if (role == FileRole::temporary) return temporary_block(logical_offset / kPageBytes);
  if (logical_offset < kWalHeaderBytes) return wal_header();
  const std::uint64_t frame = (logical_offset - kWalHeaderBytes) / kFrameBytes;
  const std::uint64_t inside = (logical_offset - kWalHeaderBytes) % kFrameBytes;
  return inside < kWalFrameHeaderBytes ? wal_frame_header(frame) : wal_frame_page(frame);
}

std::uint64_t logical_size(FileRole role, std::uint64_t physical_size) {
  if (role == FileRole::database) {
    return physical_size < kMarkBlockBytes ? 0 : (physical_size - kMarkBlockBytes) / kPageBytes * kPageBytes;
  }
  if (physical_size < kSealedWalHeaderBytes) return 0;
  const std::uint64_t frames = (physical_size - kSealedWalHeaderBytes) / kSealedFrameBytes;
  return kWalHeaderBytes + frames * kFrameBytes;
}

std::uint64_t physical_size(FileRole role, std::uint64_t logical_size) {
  if (role == FileRole::database) return kMarkBlockBytes + logical_size / kPageBytes * kPageBytes;
  if (role == FileRole::temporary) {
    return (logical_size + kPageBytes - 1) / kPageBytes * (kPageBytes + kSealBytes);
  }
  if (logical_size < kWalHeaderBytes) return 0;
  return kSealedWalHeaderBytes + (logical_size - kWalHeaderBytes) / kFrameBytes * kSealedFrameBytes;
}

Bytes seal_mark(PageCipher& cipher, const Mark& mark) {
  Bytes plain = to_bytes(ByteView(mark.generation));
  append_be(plain, mark.frames);
  Bytes block(kMarkBlockBytes);
  cipher.seal(UnitKind::mark, Generation{}, 0, plain, MutableByteView(block).first(kMarkRecordBytes));
  return block;
}

bool open_mark(const PageCipher& cipher, ByteView block, Mark& mark) {
  ByteArray<kMarkRecordBytes - kSealBytes> plain;
  if (block.size() != kMarkBlockBytes) return false;
  if (!cipher.open(UnitKind::mark, Generation{}, 0, block.first(kMarkRecordBytes), plain)) return false;
  if (!std::ranges::all_of(block.subspan(kMarkRecordBytes), [](std::byte b) { return b == std::byte{0}; }))
    return false;
  std::memcpy(mark.generation.data(), plain.data(), mark.generation.size());
  mark.frames = read_be<std::uint64_t>(ByteView(plain).last(8));
  return true;
}

}  // namespace parley::vault::detail
