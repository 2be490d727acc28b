// Where the units of each of the vault's files lie: the file as SQLite sees it, and the file as it stands on the disk.
// The logical shapes are SQLite's own (fileformat2.html, sections 1.3 and 4.1). docs/vault-format.md, "vault.db".
#pragma once

#include "vault/detail/page_cipher.h"

namespace parley::vault::detail {

inline constexpr std::size_t kPageBytes = 4096;
/// SQLite leaves the end of each page to us: nonce and tag stand there.
inline constexpr std::size_t kPageContentBytes = kPageBytes - kSealBytes;
inline constexpr std::size_t kWalHeaderBytes = 32;       // fileformat2.html 4.1
inline constexpr std::size_t kWalFrameHeaderBytes = 24;  // fileformat2.html 4.1
/// On the disk the WAL header carries the generation too.
inline constexpr std::size_t kSealedWalHeaderBytes = kWalHeaderBytes + sizeof(Generation) + kSealBytes;
inline constexpr std::size_t kSealedFrameHeaderBytes = kWalFrameHeaderBytes + kSealBytes;
inline constexpr std::size_t kSealedFramePageBytes = kPageBytes + kSealBytes;
inline constexpr std::size_t kSealedFrameBytes = kSealedFrameHeaderBytes + kSealedFramePageBytes;
inline constexpr std::size_t kFrameBytes = kWalFrameHeaderBytes + kPageBytes;

/// SQLite never writes the page in which its lock bytes lie, at 1 GiB (fileformat2.html 1.4): a larger file has a hole
/// there.
inline constexpr std::uint64_t kLockBytePage = (std::uint64_t{1} << 30) / kPageBytes + 1;

/// The first block of vault.db, before page 1, holds the mark: up to where the WAL was made durable.
inline constexpr std::size_t kMarkBlockBytes = kPageBytes;

enum class FileRole : std::uint8_t { database, wal, temporary };

/// One sealed unit of a file.
struct Unit {
  UnitKind kind = UnitKind::database_page;
  std::uint64_t number = 0;   ///< page number from 1, frame number from 0, block number from 0
  std::uint64_t logical = 0;  ///< offset as SQLite sees it
  std::size_t logical_bytes = 0;
  std::uint64_t physical = 0;  ///< offset on the disk
  std::size_t physical_bytes = 0;
  std::size_t content_bytes = 0;  ///< what is sealed: physical_bytes - kSealBytes
};

/// The largest unit's bytes on the disk.
inline constexpr std::size_t kLargestUnitBytes = kSealedFramePageBytes;

/// The unit that holds the byte at `logical_offset`.
Unit unit_at(FileRole role, std::uint64_t logical_offset);

Unit database_page(std::uint64_t page_number);
Unit wal_frame_header(std::uint64_t frame);
Unit wal_frame_page(std::uint64_t frame);

/// SQLite's size of a database or WAL file that has `physical_size` bytes on the disk; units that are not whole do not
/// count.
std::uint64_t logical_size(FileRole role, std::uint64_t physical_size);
/// Bytes on the disk for the first `logical_size` bytes, whole units only.
std::uint64_t physical_size(FileRole role, std::uint64_t logical_size);

/// How much of the WAL has been made durable: those frames must be there, whole, when the vault is opened again.
struct Mark {
  Generation generation{};
  std::uint64_t frames = 0;
};

/// The whole first block of vault.db.
Bytes seal_mark(PageCipher& cipher, const Mark& mark);
/// False: not a block that seal_mark() wrote.
[[nodiscard]] bool open_mark(const PageCipher& cipher, ByteView block, Mark& mark);
/// The sealed record at the head of the block; the rest is zero. Less than a disk sector, so that it is never torn.
inline constexpr std::size_t kMarkRecordBytes = sizeof(Generation) + 8 + kSealBytes;
static_assert(kMarkRecordBytes <= 512);

}  // namespace parley::vault::detail
