// A file system for SQLite in which everything that reaches the disk is sealed (sealed_vfs.h).
// The methods' contracts: sqlite.org/vfs.html and sqlite3.h, sqlite3_io_methods and sqlite3_vfs.
#include "vault/detail/sealed_vfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <optional>

#include "base/encoding.h"
#include "base/random.h"

namespace parley::vault::detail {

/// Opens the private parts of SealedVfs to SQLite's C callbacks below.
struct SealedVfsAccess {
  static SealedVfs& vault(sqlite3_vfs* vfs) { return *static_cast<SealedVfs*>(vfs->pAppData); }
  static sqlite3_vfs* inner(SealedVfs& vault) { return vault.inner_; }
  static PageCipher& cipher(SealedVfs& vault, FileRole role) {
    return role == FileRole::temporary ? vault.temporary_cipher_ : vault.cipher_;
  }
  static const std::filesystem::path& folder(SealedVfs& vault) { return vault.folder_; }
  static sqlite3_file*& database(SealedVfs& vault) { return vault.database_; }
  static Mark& mark(SealedVfs& vault) { return vault.mark_; }
  static int damaged(SealedVfs& vault, std::string sentence) {
    if (vault.damage_.empty()) vault.damage_ = std::move(sentence);
    return SQLITE_IOERR_DATA;
  }
};

namespace {

using Access = SealedVfsAccess;

/// What SQLite holds for an open file: this, and behind it the file of the "unix" file system.
struct SealedFile {
  sqlite3_file base;
  SealedVfs* vault;
  FileRole role;
  std::string name;                               ///< of a temporary file: the inner file system keeps a pointer to it
  std::optional<Generation> generation;           ///< of the WAL, or of this temporary file
  std::uint64_t written_frames = 0;               ///< WAL frames that must open: marked ones and our own
  std::optional<std::uint64_t> committed_frames;  ///< up to the last commit frame written since the last sync
  std::uint64_t temporary_bytes = 0;              ///< SQLite's size of a temporary file

  sqlite3_file* inner() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  const sqlite3_io_methods& io() { return *inner()->pMethods; }
};

SealedFile& sealed(sqlite3_file* file) {
  return *reinterpret_cast<SealedFile*>(file);
}

int write_mark(SealedVfs& vault, const Mark& mark) {
  sqlite3_file* database = Access::database(vault);
  if (database == nullptr) return SQLITE_IOERR_WRITE;
  const Bytes block = seal_mark(Access::cipher(vault, FileRole::database), mark);
  const int rc = database->pMethods->xWrite(database, block.data(), static_cast<int>(kMarkRecordBytes), 0);
  if (rc == SQLITE_OK) Access::mark(vault) = mark;
  return rc;
}

/// Before marked frames go: on the disk, the mark must go first.
int clear_mark(SealedVfs& vault) {
  if (Access::mark(vault).frames == 0) return SQLITE_OK;
  const int rc = write_mark(vault, Mark{});
  if (rc != SQLITE_OK) return rc;
  sqlite3_file* database = Access::database(vault);
  return database->pMethods->xSync(database, SQLITE_SYNC_NORMAL);
}

/// torn: what a crash may leave behind the last commit; it reads as zeros, which SQLite's recovery takes for the end.
enum class Loaded { whole, torn, absent, damaged, failed };

/// True for a part of the WAL that nobody has vouched for.
bool may_be_torn(const SealedFile& file, const Unit& unit) {
  if (file.role != FileRole::wal) return false;
  return unit.kind == UnitKind::wal_header ? Access::mark(*file.vault).frames == 0 : unit.number >= file.written_frames;
}

Loaded load_generation(SealedFile& file);

/// Reads and opens a whole unit; `plain` gets its content and zeros up to logical_bytes.
Loaded load(SealedFile& file, const Unit& unit, MutableByteView plain) {
  if (file.role == FileRole::wal && unit.kind != UnitKind::wal_header && !file.generation) {
    if (const Loaded header = load_generation(file); header != Loaded::whole) {
      std::ranges::fill(plain, std::byte{0});
      return header;
    }
  }
  ByteArray<kLargestUnitBytes> buffer;
  const MutableByteView bytes = MutableByteView(buffer).first(unit.physical_bytes);
  const int rc = file.io().xRead(file.inner(), bytes.data(), static_cast<int>(bytes.size()),
                                 static_cast<sqlite3_int64>(unit.physical));
  if (rc == SQLITE_IOERR_SHORT_READ) {
    sqlite3_int64 size = 0;
    if (file.io().xFileSize(file.inner(), &size) != SQLITE_OK) return Loaded::failed;
    const bool part = static_cast<std::uint64_t>(size) > unit.physical;
    return part && !may_be_torn(file, unit) ? Loaded::damaged : Loaded::absent;
  }
  if (rc != SQLITE_OK) return Loaded::failed;

  const bool hole =
      file.role == FileRole::temporary && std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
  const MutableByteView content = plain.first(unit.content_bytes);
  std::ranges::fill(plain.subspan(unit.content_bytes), std::byte{0});
  if (hole) {
    std::ranges::fill(content, std::byte{0});
    return Loaded::whole;
  }
  const Generation generation =
      unit.kind == UnitKind::wal_header ? Generation{} : file.generation.value_or(Generation{});
  if (Access::cipher(*file.vault, file.role).open(unit.kind, generation, unit.number, bytes, content)) {
    return Loaded::whole;
  }
  std::ranges::fill(plain, std::byte{0});
  return may_be_torn(file, unit) ? Loaded::torn : Loaded::damaged;
}

Loaded load_generation(SealedFile& file) {
  ByteArray<kSealedWalHeaderBytes> header;
  const Loaded loaded = load(file, unit_at(FileRole::wal, 0), header);
  if (loaded != Loaded::whole) return loaded;
  Generation generation;
  std::memcpy(generation.data(), header.data() + kWalHeaderBytes, generation.size());
  file.generation = generation;
  const Mark& mark = Access::mark(*file.vault);
  if (mark.generation == generation) file.written_frames = std::max(file.written_frames, mark.frames);
  return Loaded::whole;
}

int damage_of(SealedFile& file, const Unit& unit) {
  const bool database = file.role == FileRole::database;
  return Access::damaged(*file.vault,
                         fmt::format("{} {} of {} is not what this vault wrote there.", database ? "Page" : "Record",
                                     unit.number, database ? "vault.db" : "its write-ahead log"));
}

int store(SealedFile& file, const Unit& unit, ByteView content) {
  ByteArray<kLargestUnitBytes> buffer;
  const MutableByteView bytes = MutableByteView(buffer).first(unit.physical_bytes);
  const Generation generation =
      unit.kind == UnitKind::wal_header ? Generation{} : file.generation.value_or(Generation{});
  Access::cipher(*file.vault, file.role).seal(unit.kind, generation, unit.number, content, bytes);
  const int rc = file.io().xWrite(file.inner(), bytes.data(), static_cast<int>(bytes.size()),
                                  static_cast<sqlite3_int64>(unit.physical));
  if (rc != SQLITE_OK) return rc;
  if (unit.kind == UnitKind::wal_frame_page) file.written_frames = std::max(file.written_frames, unit.number + 1);
  if (unit.kind == UnitKind::wal_frame_header && read_be<std::uint32_t>(content.subspan(4)) != 0) {
    file.committed_frames = unit.number + 1;  // a commit frame names the size of the database (fileformat2.html 4.1)
  }
  return SQLITE_OK;
}

/// A new WAL header begins a new generation: frames of an earlier one no longer open.
int store_wal_header(SealedFile& file, ByteView logical) {
  if (const int rc = clear_mark(*file.vault); rc != SQLITE_OK) return rc;
  file.generation = random_bytes<sizeof(Generation)>();
  file.written_frames = 0;
  file.committed_frames.reset();
  Bytes content = to_bytes(logical);
  append(content, *file.generation);
  return store(file, unit_at(FileRole::wal, 0), content);
}

int file_close(sqlite3_file* base) {
  SealedFile& file = sealed(base);
  if (Access::database(*file.vault) == file.inner()) Access::database(*file.vault) = nullptr;
  const int rc = file.io().xClose(file.inner());
  file.~SealedFile();
  return rc;
}

/// SQLite looks into the header of page 1 before it has looked for a WAL. A checkpoint that was cut may have torn the
/// page here, while the WAL still holds it (check_files() knows, and refuses any other): then the header says nothing
/// yet.
bool looks_ahead(const SealedFile& file, const Unit& unit, std::size_t amount) {
  return file.role == FileRole::database && unit.number == 1 && amount < kPageBytes;
}

int file_read(sqlite3_file* base, void* out, int amount, sqlite3_int64 offset) {
  SealedFile& file = sealed(base);
  MutableByteView rest(static_cast<std::byte*>(out), static_cast<std::size_t>(amount));
  auto position = static_cast<std::uint64_t>(offset);
  while (!rest.empty()) {
    const Unit unit = unit_at(file.role, position);
    const bool past_end = file.role == FileRole::temporary && position >= file.temporary_bytes;
    ByteArray<kLargestUnitBytes> plain;
    const std::size_t held_bytes = std::max(unit.logical_bytes, unit.content_bytes);
    const Loaded loaded = past_end ? Loaded::absent : load(file, unit, MutableByteView(plain).first(held_bytes));
    if (loaded == Loaded::failed) return SQLITE_IOERR_READ;
    const bool nothing_yet = loaded == Loaded::damaged && looks_ahead(file, unit, static_cast<std::size_t>(amount));
    if (loaded == Loaded::damaged && !nothing_yet) return damage_of(file, unit);
    if (loaded == Loaded::absent || nothing_yet) {
      std::ranges::fill(rest, std::byte{0});
      return SQLITE_IOERR_SHORT_READ;
    }
    const auto skip = static_cast<std::size_t>(position - unit.logical);
    const std::size_t taken = std::min(unit.logical_bytes - skip, rest.size());
    std::memcpy(rest.data(), plain.data() + skip, taken);
    rest = rest.subspan(taken);
    position += taken;
  }
  if (file.role == FileRole::temporary && position > file.temporary_bytes) {
    const auto over = static_cast<std::size_t>(position - file.temporary_bytes);
    std::memset(static_cast<std::byte*>(out) + (static_cast<std::size_t>(amount) - over), 0, over);
    return SQLITE_IOERR_SHORT_READ;
  }
  return SQLITE_OK;
}

/// Writes the part of `bytes` that falls into `unit`; reads the rest of the unit first when that is not all of it.
int write_into(SealedFile& file, const Unit& unit, std::size_t skip, ByteView bytes) {
  if (bytes.size() == unit.logical_bytes) {
    return unit.kind == UnitKind::wal_header ? store_wal_header(file, bytes)
                                             : store(file, unit, bytes.first(unit.content_bytes));
  }
  if (file.role != FileRole::temporary) return SQLITE_IOERR_WRITE;  // SQLite writes whole pages and headers there
  ByteArray<kPageBytes> plain{};
  if (unit.logical < file.temporary_bytes) {
    const Loaded loaded = load(file, unit, plain);
    if (loaded == Loaded::failed) return SQLITE_IOERR_READ;
    if (loaded == Loaded::damaged) return damage_of(file, unit);
    if (loaded == Loaded::absent) plain = {};
  }
  std::memcpy(plain.data() + skip, bytes.data(), bytes.size());
  return store(file, unit, plain);
}

int file_write(sqlite3_file* base, const void* in, int amount, sqlite3_int64 offset) {
  SealedFile& file = sealed(base);
  ByteView rest(static_cast<const std::byte*>(in), static_cast<std::size_t>(amount));
  auto position = static_cast<std::uint64_t>(offset);
  while (!rest.empty()) {
    const Unit unit = unit_at(file.role, position);
    const auto skip = static_cast<std::size_t>(position - unit.logical);
    const std::size_t taken = std::min(unit.logical_bytes - skip, rest.size());
    if (const int rc = write_into(file, unit, skip, rest.first(taken)); rc != SQLITE_OK) return rc;
    rest = rest.subspan(taken);
    position += taken;
    if (file.role == FileRole::temporary) file.temporary_bytes = std::max(file.temporary_bytes, position);
  }
  return SQLITE_OK;
}

int file_truncate(sqlite3_file* base, sqlite3_int64 size) {
  SealedFile& file = sealed(base);
  const std::uint64_t physical = physical_size(file.role, static_cast<std::uint64_t>(size));
  if (file.role == FileRole::wal &&
      physical < kSealedWalHeaderBytes + Access::mark(*file.vault).frames * kSealedFrameBytes) {
    if (const int rc = clear_mark(*file.vault); rc != SQLITE_OK) return rc;
  }
  if (file.role == FileRole::temporary) file.temporary_bytes = static_cast<std::uint64_t>(size);
  return file.io().xTruncate(file.inner(), static_cast<sqlite3_int64>(physical));
}

/// Once a commit is durable in the WAL, the mark says so. The mark itself need not be durable: an old one claims less.
int file_sync(sqlite3_file* base, int flags) {
  SealedFile& file = sealed(base);
  const std::optional<std::uint64_t> committed = std::exchange(file.committed_frames, std::nullopt);
  const int rc = file.io().xSync(file.inner(), flags);
  if (rc != SQLITE_OK || !committed || !file.generation) return rc;
  return write_mark(*file.vault, Mark{*file.generation, *committed});
}

int file_size(sqlite3_file* base, sqlite3_int64* size) {
  SealedFile& file = sealed(base);
  if (file.role == FileRole::temporary) {
    *size = static_cast<sqlite3_int64>(file.temporary_bytes);
    return SQLITE_OK;
  }
  sqlite3_int64 physical = 0;
  const int rc = file.io().xFileSize(file.inner(), &physical);
  if (rc == SQLITE_OK) {
    *size = static_cast<sqlite3_int64>(logical_size(file.role, static_cast<std::uint64_t>(physical)));
  }
  return rc;
}

int file_lock(sqlite3_file* base, int level) {
  return sealed(base).io().xLock(sealed(base).inner(), level);
}
int file_unlock(sqlite3_file* base, int level) {
  return sealed(base).io().xUnlock(sealed(base).inner(), level);
}
int file_check_lock(sqlite3_file* base, int* out) {
  return sealed(base).io().xCheckReservedLock(sealed(base).inner(), out);
}

int file_control(sqlite3_file* base, int operation, void* argument) {
  switch (operation) {
    case SQLITE_FCNTL_SIZE_HINT:  // sizes and mappings here are not those on the disk
    case SQLITE_FCNTL_CHUNK_SIZE:
      return SQLITE_OK;
    case SQLITE_FCNTL_MMAP_SIZE:
      return SQLITE_NOTFOUND;
    default:
      return sealed(base).io().xFileControl(sealed(base).inner(), operation, argument);
  }
}

int file_sector_size(sqlite3_file* base) {
  return sealed(base).io().xSectorSize(sealed(base).inner());
}

int file_characteristics(sqlite3_file* base) {
  return sealed(base).io().xDeviceCharacteristics(sealed(base).inner()) & SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/// Version 1: no shared memory, so that SQLite can use the WAL only with locking_mode=EXCLUSIVE; no memory mapping.
const sqlite3_io_methods kFileMethods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

std::optional<FileRole> role_of(int flags) {
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) return FileRole::database;
  if ((flags & SQLITE_OPEN_WAL) != 0) return FileRole::wal;
  constexpr int kTemporary =
      SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB | SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_SUBJOURNAL;
  if ((flags & kTemporary) != 0) return FileRole::temporary;
  return std::nullopt;  // a rollback journal of the database: the vault has none
}

int read_mark(SealedVfs& vault, sqlite3_file* database) {
  sqlite3_int64 size = 0;
  if (const int rc = database->pMethods->xFileSize(database, &size); rc != SQLITE_OK) return rc;
  if (size == 0) {  // a vault that is being made
    const Bytes block = seal_mark(Access::cipher(vault, FileRole::database), Mark{});
    return database->pMethods->xWrite(database, block.data(), static_cast<int>(block.size()), 0);
  }
  Bytes block(kMarkBlockBytes);
  const int rc = database->pMethods->xRead(database, block.data(), static_cast<int>(block.size()), 0);
  if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) return rc;
  if (!open_mark(Access::cipher(vault, FileRole::database), block, Access::mark(vault))) {
    return Access::damaged(vault, "The first block of vault.db is not what this vault wrote there.");
  }
  return SQLITE_OK;
}

int vfs_open(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* out_flags) {
  base->pMethods = nullptr;  // SQLite closes a file only when this is set
  SealedVfs& vault = Access::vault(vfs);
  const std::optional<FileRole> role = role_of(flags);
  if (!role) return SQLITE_CANTOPEN;
  SealedFile& file = *new (base) SealedFile{};
  file.vault = &vault;
  file.role = *role;
  file.inner()->pMethods = nullptr;
  if (*role == FileRole::temporary) {
    file.name = (Access::folder(vault) / ("vault.tmp-" + to_hex(random_bytes<8>()))).string();
    file.generation = random_bytes<sizeof(Generation)>();
    path = file.name.c_str();
    flags |= SQLITE_OPEN_DELETEONCLOSE;
  }
  sqlite3_vfs* inner = Access::inner(vault);
  int rc = inner->xOpen(inner, path, file.inner(), flags, out_flags);
  if (rc == SQLITE_OK && *role == FileRole::database) {
    rc = read_mark(vault, file.inner());
    if (rc == SQLITE_OK) Access::database(vault) = file.inner();
  }
  if (rc != SQLITE_OK) {
    if (file.inner()->pMethods != nullptr) file.io().xClose(file.inner());
    file.~SealedFile();
    base->pMethods = nullptr;
    return rc;
  }
  base->pMethods = &kFileMethods;
  return SQLITE_OK;
}

int vfs_delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  SealedVfs& vault = Access::vault(vfs);
  if (std::string_view(path).ends_with("-wal") && Access::database(vault) != nullptr) {
    if (const int rc = clear_mark(vault); rc != SQLITE_OK) return rc;
  }
  return Access::inner(vault)->xDelete(Access::inner(vault), path, sync_folder);
}

int vfs_access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
  if (std::string_view(path).ends_with("-journal")) {  // whatever lies there is not ours
    *result = 0;
    return SQLITE_OK;
  }
  sqlite3_vfs* inner = Access::inner(Access::vault(vfs));
  return inner->xAccess(inner, path, flags, result);
}

int vfs_full_path(sqlite3_vfs* vfs, const char* path, int out_bytes, char* out) {
  sqlite3_vfs* inner = Access::inner(Access::vault(vfs));
  return inner->xFullPathname(inner, path, out_bytes, out);
}

int vfs_randomness(sqlite3_vfs*, int amount, char* out) {
  fill_random(std::as_writable_bytes(std::span(out, static_cast<std::size_t>(amount))));
  return amount;
}

/// What a savepoint would put back is kept in memory up to here, beside the page cache: each page of it in a file would
/// be read, opened and sealed again. An entry with the state of its session changes more than SQLite's 64 KiB.
constexpr int kSavepointBytes = 4 << 20;

/// SQLite takes this once in a process, before its first use.
bool configure_sqlite() {
  static const bool configured = sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, kSavepointBytes) == SQLITE_OK;
  return configured;
}

int vfs_sleep(sqlite3_vfs* vfs, int microseconds) {
  sqlite3_vfs* inner = Access::inner(Access::vault(vfs));
  return inner->xSleep(inner, microseconds);
}

int vfs_time(sqlite3_vfs* vfs, double* julian_day) {
  sqlite3_vfs* inner = Access::inner(Access::vault(vfs));
  return inner->xCurrentTime(inner, julian_day);
}

int vfs_last_error(sqlite3_vfs* vfs, int size, char* out) {
  sqlite3_vfs* inner = Access::inner(Access::vault(vfs));
  return inner->xGetLastError(inner, size, out);
}

}  // namespace

SealedVfs::SealedVfs(std::filesystem::path folder, Secret<32> page_key)
    : folder_(std::move(folder)),
      name_("parley-" + to_hex(random_bytes<8>())),
      cipher_(std::move(page_key)),
      temporary_cipher_(random_secret<32>()) {}

Result<std::unique_ptr<SealedVfs>> SealedVfs::make(const std::filesystem::path& folder, Secret<32> page_key) {
  if (!configure_sqlite()) return fail(Errc::internal, "This SQLite was used before the vault, or lacks a setting.");
  std::unique_ptr<SealedVfs> vault(new SealedVfs(folder, std::move(page_key)));
  vault->inner_ = sqlite3_vfs_find("unix");
  if (vault->inner_ == nullptr) return fail(Errc::internal, "This SQLite has no file system named unix.");
  sqlite3_vfs& vfs = vault->vfs_;
  vfs.iVersion = 1;
  vfs.szOsFile = static_cast<int>(sizeof(SealedFile)) + vault->inner_->szOsFile;
  vfs.mxPathname = vault->inner_->mxPathname;
  vfs.zName = vault->name_.c_str();
  vfs.pAppData = vault.get();
  vfs.xOpen = vfs_open;
  vfs.xDelete = vfs_delete;
  vfs.xAccess = vfs_access;
  vfs.xFullPathname = vfs_full_path;
  vfs.xRandomness = vfs_randomness;
  vfs.xSleep = vfs_sleep;
  vfs.xCurrentTime = vfs_time;
  vfs.xGetLastError = vfs_last_error;
  if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
    return fail(Errc::internal, "SQLite refused the vault's file system.");
  return vault;
}

SealedVfs::~SealedVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

}  // namespace parley::vault::detail
