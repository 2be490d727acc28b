// The check of a vault's files before SQLite sees them (integrity.h).
// The WAL's rules: fileformat2.html, section 4; the mark: layout.h.
#include "vault/detail/integrity.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include "base/file.h"
#include "base/thread_pool.h"

namespace parley::vault::detail {
namespace {

/// Units are read this many bytes at a time, so that memory does not grow with the file.
constexpr std::size_t kReadBytes = std::size_t{1} << 20;
constexpr std::uint64_t kPagesAtOnce = kReadBytes / kPageBytes;
constexpr std::size_t kPagesToAThread = 32;
constexpr std::uint64_t kPagesForThreads = 4096;  // with fewer, all is done before a thread has begun
constexpr std::size_t kDatabaseSizeOffset = 28;   // page count in page 1 (fileformat2.html 1.3.7)

std::unexpected<Error> damaged(const std::filesystem::path& path, std::string what) {
  return fail(Errc::vault_damaged, what + " Put the file back from a backup.", path.string());
}

/// A file read from front to back in large steps, unit by unit.
class Reader {
 public:
  static Result<Reader> open(const std::filesystem::path& path) {
    Reader reader;
    reader.path_ = path;
    reader.fd_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat info{};
    if (!reader.fd_.valid() && errno == ENOENT) return reader;
    if (!reader.fd_.valid() || ::fstat(reader.fd_.get(), &info) != 0) return reader.failed();
    if (!S_ISREG(info.st_mode)) return damaged(path, "This is not a plain file.");
    reader.size_ = static_cast<std::uint64_t>(info.st_size);
    return reader;
  }

  std::uint64_t size() const { return size_; }
  bool holds(const Unit& unit) const { return unit.physical + unit.physical_bytes <= size_; }

  /// Precondition: holds(unit).
  Result<ByteView> read(std::uint64_t offset, std::size_t count) {
    if (offset < start_ || offset + count > start_ + buffer_.size()) TRY_STATUS(fill(offset));
    if (offset + count > start_ + buffer_.size()) return damaged(path_, "The file became shorter while it was read.");
    return ByteView(buffer_).subspan(static_cast<std::size_t>(offset - start_), count);
  }

 private:
  std::unexpected<Error> failed() const {
    return fail(Errc::io, fmt::format("Cannot read: {}.", system_error_text(errno)), path_.string());
  }

  Status fill(std::uint64_t offset) {
    buffer_.resize(kReadBytes);
    start_ = offset;
    std::size_t filled = 0;
    while (filled < buffer_.size()) {
      const ssize_t got =
          ::pread(fd_.get(), buffer_.data() + filled, buffer_.size() - filled, static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failed();
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    buffer_.resize(filled);
    return {};
  }

  std::filesystem::path path_;
  FileDescriptor fd_;
  std::uint64_t size_ = 0;
  std::uint64_t start_ = 0;
  Bytes buffer_;
};

/// What the WAL's committed part holds.
struct WalContent {
  std::uint64_t frames = 0;
  std::uint32_t database_pages = 0;  ///< after the last commit; 0: no commit
  std::unordered_set<std::uint32_t> pages;
};

Result<bool> opens(Reader& reader, const PageCipher& cipher, const Generation& generation, const Unit& unit,
                   MutableByteView plain) {
  if (!reader.holds(unit)) return false;
  TRY(const ByteView sealed, reader.read(unit.physical, unit.physical_bytes));
  return cipher.open(unit.kind, generation, unit.number, sealed, plain.first(unit.content_bytes));
}

/// Follows the frames as long as they open, and takes in what is committed.
Status follow_frames(Reader& wal, const PageCipher& cipher, const Generation& generation, WalContent& content) {
  ByteArray<kPageBytes> plain;
  std::unordered_set<std::uint32_t> uncommitted;
  for (std::uint64_t frame = 0;; ++frame) {
    TRY(const bool header_opens, opens(wal, cipher, generation, wal_frame_header(frame), plain));
    if (!header_opens) return {};
    const auto page = read_be<std::uint32_t>(ByteView(plain));
    const auto database_pages = read_be<std::uint32_t>(ByteView(plain).subspan(4));
    TRY(const bool page_opens, opens(wal, cipher, generation, wal_frame_page(frame), plain));
    if (!page_opens) return {};
    uncommitted.insert(page);
    if (database_pages == 0) continue;
    content.frames = frame + 1;
    content.database_pages = database_pages;
    content.pages.merge(uncommitted);
    uncommitted.clear();
  }
}

Result<WalContent> check_wal(const PageCipher& cipher, const std::filesystem::path& path, const Mark& mark) {
  TRY(Reader wal, Reader::open(path));
  WalContent content;
  ByteArray<kPageBytes> header;
  TRY(const bool header_opens, opens(wal, cipher, Generation{}, unit_at(FileRole::wal, 0), header));
  if (header_opens) {
    Generation generation;
    std::memcpy(generation.data(), header.data() + kWalHeaderBytes, generation.size());
    if (mark.frames == 0 || mark.generation == generation) {
      TRY_STATUS(follow_frames(wal, cipher, generation, content));
    }
  }
  if (content.frames < mark.frames) {
    return damaged(path, fmt::format("The vault's write-ahead log holds {} whole records of {}: it was cut or changed.",
                                     content.frames, mark.frames));
  }
  return content;
}

Result<Mark> check_mark(Reader& database, const PageCipher& cipher, const std::filesystem::path& path) {
  Mark mark;
  if (database.size() < kMarkBlockBytes) return damaged(path, "The vault's database is missing or cut short.");
  TRY(const ByteView block, database.read(0, kMarkBlockBytes));
  if (!open_mark(cipher, block, mark)) {
    return damaged(path, "The first block of the vault's database is not what this vault wrote there.");
  }
  return mark;
}

/// Which of the pages from `first` on are whole and this vault's own. @param stated_pages  what page 1 says there are
Status open_pages(Reader& database, const PageCipher& cipher, ThreadPool& pool, std::uint64_t first,
                  std::span<char> opened, std::uint32_t& stated_pages) {
  std::ranges::fill(opened, char{0});
  std::size_t held = 0;
  while (held < opened.size() && database.holds(database_page(first + held))) ++held;
  if (held == 0) return {};
  const std::uint64_t offset = database_page(first).physical;
  TRY(const ByteView sealed, database.read(offset, held * kPageBytes));
  pool.parallel_for(held, kPagesToAThread, [&](std::size_t begin, std::size_t end) {
    ByteArray<kPageBytes> plain;
    for (std::size_t i = begin; i < end; ++i) {
      const Unit unit = database_page(first + i);
      const ByteView page = sealed.subspan(static_cast<std::size_t>(unit.physical - offset), unit.physical_bytes);
      const bool whole =
          cipher.open(unit.kind, Generation{}, unit.number, page, MutableByteView(plain).first(unit.content_bytes));
      opened[i] = whole ? 1 : 0;
      if (whole && unit.number == 1)
        stated_pages = read_be<std::uint32_t>(ByteView(plain).subspan(kDatabaseSizeOffset));
    }
  });
  return {};
}

}  // namespace

Status check_files(const PageCipher& cipher, const std::filesystem::path& database_path,
                   const std::filesystem::path& wal_path) {
  TRY(Reader database, Reader::open(database_path));
  TRY(const Mark mark, check_mark(database, cipher, database_path));
  TRY(const WalContent wal, check_wal(cipher, wal_path, mark));

  const std::uint64_t held_bytes = database.size() - kMarkBlockBytes;
  const std::uint64_t held_pages = (held_bytes + kPageBytes - 1) / kPageBytes;
  std::uint64_t wanted_pages = wal.database_pages;
  ThreadPool pool(held_pages < kPagesForThreads ? 1 : hardware_threads());
  std::vector<char> open(kPagesAtOnce);
  for (std::uint64_t first = 1; first <= std::max(held_pages, wanted_pages);) {
    const std::uint64_t count = std::min(kPagesAtOnce, std::max(held_pages, wanted_pages) - first + 1);
    std::uint32_t stated_pages = 0;
    TRY_STATUS(open_pages(database, cipher, pool, first, std::span(open).first(count), stated_pages));
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t page = first + i;
      if (open[i] != 0 || page == kLockBytePage || wal.pages.contains(static_cast<std::uint32_t>(page))) continue;
      return damaged(
          database_path,
          page > held_pages
              ? fmt::format("The vault's database was cut: {} of {} pages are there.", held_pages, wanted_pages)
              : fmt::format("Page {} of the vault's database is not what this vault wrote there.", page));
    }
    if (first == 1 && open[0] != 0 && wal.database_pages == 0) wanted_pages = stated_pages;
    first += count;
  }
  if (wanted_pages == 0) return damaged(database_path, "The vault's database is empty.");
  return {};
}

}  // namespace parley::vault::detail
